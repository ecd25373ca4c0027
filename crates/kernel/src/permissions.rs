//! The permission keys and who holds them by default: the seed of `role_permissions`, which admins may edit.
//!
//! One key per action, `area.action`. Which clients a person reaches is a separate question. An admin holds every key;
//! tech_support reaches every client, but every key it holds is a read.

use crate::role::Role::{self, AgencyOwner, CallCenter, CompanyOwner, Developer, TechSupport};

/// One permission and the roles that hold it from the start, besides admin, who holds all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The key, `area.action`, as stored in `role_permissions.permission_key`.
    pub key: &'static str,
    /// What it allows, for the page where admins change grants.
    pub meaning: &'static str,
    /// The roles below admin that hold it by default.
    pub roles: &'static [Role],
}

impl Grant {
    /// The part before the dot.
    pub fn area(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(area, _)| area)
    }
}

/// Every key, in the order of [`GRANTS`].
pub const ALL: &[&str] = &KEYS;

const KEYS: [&str; GRANTS.len()] = keys();

const fn keys() -> [&'static str; GRANTS.len()] {
    let mut keys = [""; GRANTS.len()];
    let mut at = 0;
    while at < keys.len() {
        keys[at] = GRANTS[at].key;
        at += 1;
    }
    keys
}

/// The keys a role holds from the start.
pub fn default_grants(role: Role) -> Vec<&'static str> {
    GRANTS.iter().filter(|grant| role == Role::Admin || grant.roles.contains(&role)).map(|grant| grant.key).collect()
}

/// Whether there is such a key.
pub fn is_known(key: &str) -> bool {
    ALL.contains(&key)
}

const fn grant(key: &'static str, meaning: &'static str, roles: &'static [Role]) -> Grant {
    Grant { key, meaning, roles }
}

/// Every permission with its default holders, grouped by area.
#[rustfmt::skip]
pub const GRANTS: &[Grant] = &[
    grant("dashboard.view", "See the home page and its figures", &[TechSupport, AgencyOwner, CompanyOwner, Developer, CallCenter]),
    grant("alerts.acknowledge", "Acknowledge alerts", &[AgencyOwner, CompanyOwner]),
    grant("organizations.view", "See organizations", &[TechSupport, AgencyOwner]),
    grant("organizations.create", "Create organizations", &[]),
    grant("organizations.edit", "Change an organization", &[AgencyOwner]),
    grant("organizations.archive", "Archive an organization", &[]),
    grant("clients.view", "See clients", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("clients.create", "Create clients", &[AgencyOwner]),
    grant("clients.edit", "Change a client and its settings", &[AgencyOwner, CompanyOwner]),
    grant("clients.archive", "Archive a client", &[AgencyOwner]),
    grant("users.view", "See people and their roles", &[TechSupport, AgencyOwner, CompanyOwner]),
    grant("users.invite", "Invite people", &[AgencyOwner, CompanyOwner]),
    grant("users.edit", "Change people and their roles", &[AgencyOwner, CompanyOwner]),
    grant("users.deactivate", "Deactivate people", &[AgencyOwner]),
    grant("contacts.view", "See contacts", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("contacts.create", "Create contacts", &[AgencyOwner, CompanyOwner]),
    grant("contacts.edit", "Change, tag and merge contacts", &[AgencyOwner, CompanyOwner]),
    grant("contacts.delete", "Delete contacts", &[AgencyOwner, CompanyOwner]),
    grant("contacts.import", "Import contacts from a file", &[AgencyOwner, CompanyOwner]),
    grant("contacts.export", "Export contacts to a file", &[AgencyOwner, CompanyOwner]),
    grant("contacts.erase", "Erase a person's data for good", &[AgencyOwner, CompanyOwner]),
    grant("lists.view", "See lists and segments", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("lists.create", "Create lists and segments", &[AgencyOwner, CompanyOwner]),
    grant("lists.edit", "Change lists and their members", &[AgencyOwner, CompanyOwner]),
    grant("lists.delete", "Delete lists", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.view", "See campaigns and their recipients", &[TechSupport, AgencyOwner, CompanyOwner, Developer, CallCenter]),
    grant("campaigns.create", "Create campaigns", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.edit", "Change a campaign", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.delete", "Delete or archive a campaign", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.launch", "Make a campaign ready and take it back", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.approve", "Approve a campaign another person made ready", &[AgencyOwner]),
    grant("campaigns.submit", "Hand a campaign to production and mark it mailed", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.complete", "Complete a campaign", &[AgencyOwner, CompanyOwner]),
    grant("campaigns.analytics", "See a campaign's figures", &[TechSupport, AgencyOwner, CompanyOwner]),
    grant("campaigns.codes", "Open recipients' links and redemption codes, and the files that hold them", &[AgencyOwner, CompanyOwner]),
    grant("templates.view", "See mail templates", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("templates.create", "Create mail templates", &[AgencyOwner, CompanyOwner]),
    grant("templates.edit", "Change mail templates", &[AgencyOwner, CompanyOwner]),
    grant("templates.delete", "Delete mail templates", &[AgencyOwner, CompanyOwner]),
    grant("landing_pages.view", "See landing pages", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("landing_pages.create", "Create landing pages", &[AgencyOwner, CompanyOwner]),
    grant("landing_pages.edit", "Change landing pages", &[AgencyOwner, CompanyOwner]),
    grant("landing_pages.delete", "Delete landing pages", &[AgencyOwner, CompanyOwner]),
    grant("landing_pages.publish", "Publish landing pages", &[AgencyOwner, CompanyOwner]),
    grant("forms.view", "See forms", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("forms.create", "Create forms", &[AgencyOwner, CompanyOwner]),
    grant("forms.edit", "Change forms", &[AgencyOwner, CompanyOwner]),
    grant("forms.delete", "Delete forms", &[AgencyOwner, CompanyOwner]),
    grant("forms.publish", "Publish forms", &[AgencyOwner, CompanyOwner]),
    grant("forms.submissions", "Read what people submitted", &[AgencyOwner, CompanyOwner]),
    grant("gift_cards.view", "See pools and cards, codes masked", &[TechSupport, AgencyOwner, CompanyOwner, CallCenter]),
    grant("gift_cards.manage_pools", "Create and change pools", &[AgencyOwner]),
    grant("gift_cards.upload", "Upload cards", &[AgencyOwner]),
    grant("gift_cards.transfer", "Transfer cards from master pools", &[]),
    grant("gift_cards.provision", "Give a recipient a card", &[AgencyOwner, CompanyOwner, CallCenter]),
    grant("gift_cards.reveal", "Reveal a card's code", &[AgencyOwner]),
    grant("gift_cards.revoke", "Revoke and replace cards", &[AgencyOwner]),
    grant("gift_cards.export", "Export cards, codes masked", &[AgencyOwner]),
    grant("credits.view", "See credits and their ledger", &[TechSupport, AgencyOwner, CompanyOwner]),
    grant("credits.grant", "Grant credits", &[AgencyOwner]),
    grant("calls.view", "See calls", &[TechSupport, AgencyOwner, CompanyOwner, CallCenter]),
    grant("calls.handle", "Take calls at the desk", &[AgencyOwner, CompanyOwner, CallCenter]),
    grant("calls.confirm_condition", "Confirm a condition during a call", &[AgencyOwner, CompanyOwner, CallCenter]),
    grant("calls.numbers", "Manage tracked phone numbers", &[AgencyOwner, CompanyOwner]),
    grant("calls.recordings", "Play recordings", &[AgencyOwner, CompanyOwner]),
    grant("messages.view", "See text messages and e-mails", &[TechSupport, AgencyOwner, CompanyOwner, CallCenter]),
    grant("messages.resend", "Send a message again", &[AgencyOwner, CompanyOwner, CallCenter]),
    grant("analytics.view", "See dashboards and reports", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("analytics.export", "Export reports", &[AgencyOwner, CompanyOwner]),
    grant("webhooks.view", "See webhooks and their deliveries", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("webhooks.manage", "Create and change webhooks", &[AgencyOwner, CompanyOwner, Developer]),
    grant("webhooks.replay", "Send a webhook delivery again", &[AgencyOwner, CompanyOwner, Developer]),
    grant("api_keys.view", "See API keys", &[TechSupport, AgencyOwner, CompanyOwner, Developer]),
    grant("api_keys.manage", "Create and revoke API keys", &[AgencyOwner, CompanyOwner, Developer]),
    grant("docs.view", "Read the documentation", &[TechSupport, AgencyOwner, CompanyOwner, Developer, CallCenter]),
    grant("docs.manage", "Edit the documentation", &[]),
    grant("audit.view", "See the audit trail", &[TechSupport, AgencyOwner]),
    grant("audit.export", "Export the audit trail", &[]),
    grant("platform.pools", "Manage master pools", &[]),
    grant("platform.brands", "Manage the brand catalogue", &[]),
    grant("platform.permissions", "Change what roles may do", &[]),
    grant("platform.jobs", "See background jobs", &[TechSupport]),
    grant("platform.health", "See the health of the installation", &[TechSupport]),
    grant("platform.settings", "Change global settings", &[]),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The specification's table: area, keys, then tech_support, agency_owner, company_owner, developer, call_center.
    const TABLE: &str = "
dashboard|view|view|view|view|view|view
alerts|acknowledge|–|all|all|–|–
organizations|view, create, edit, archive|view|view, edit|–|–|–
clients|view, create, edit, archive|view|all|view, edit|view|–
users|view, invite, edit, deactivate|view|all|view, invite, edit|–|–
contacts|view, create, edit, delete, import, export, erase|view|all|all|view|–
lists|view, create, edit, delete|view|all|all|view|–
campaigns|view, create, edit, delete, launch, approve, submit, complete, analytics, codes|view, analytics|all|all but approve|view|view
templates|view, create, edit, delete|view|all|all|view|–
landing_pages|view, create, edit, delete, publish|view|all|all|view|–
forms|view, create, edit, delete, publish, submissions|view|all|all|view|–
gift_cards|view, manage_pools, upload, transfer, provision, reveal, revoke, export|view|all but transfer|view, provision|–|view, provision
credits|view, grant|view|all|view|–|–
calls|view, handle, confirm_condition, numbers, recordings|view|all|all|–|view, handle, confirm_condition
messages|view, resend|view|all|all|–|view, resend
analytics|view, export|view|all|all|view|–
webhooks|view, manage, replay|view|all|all|all|–
api_keys|view, manage|view|all|all|all|–
docs|view, manage|view|view|view|view|view
audit|view, export|view|view|–|–|–
platform|pools, brands, permissions, jobs, health, settings|health, jobs|–|–|–|–";

    /// The actions a cell of the table grants.
    fn granted<'a>(cell: &'a str, actions: &[&'a str]) -> Vec<&'a str> {
        match (cell, cell.strip_prefix("all but ")) {
            ("all", _) => actions.to_vec(),
            ("–", _) => Vec::new(),
            (_, Some(except)) => actions.iter().copied().filter(|action| *action != except).collect(),
            _ => cell.split(", ").collect(),
        }
    }

    #[test]
    fn the_grants_are_exactly_those_of_the_specification() {
        let mut keys = Vec::new();
        for row in TABLE.trim().lines() {
            let cells: Vec<&str> = row.split('|').collect();
            let actions: Vec<&str> = cells[1].split(", ").collect();
            for action in &actions {
                let key = format!("{}.{action}", cells[0]);
                let grant = GRANTS.iter().find(|grant| grant.key == key).unwrap();
                for (role, cell) in Role::ALL[1..].iter().zip(&cells[2..]) {
                    assert_eq!(grant.roles.contains(role), granted(cell, &actions).contains(action), "{role} {key}");
                }
                keys.push(key);
            }
        }
        assert_eq!(ALL, keys);
    }

    #[test]
    fn every_role_holds_as_many_keys_as_the_table_counts() {
        let counts = Role::ALL.map(|role| default_grants(role).len());
        assert_eq!(counts, [84, 22, 73, 60, 15, 10]);
        assert_eq!(ALL.iter().collect::<std::collections::HashSet<_>>().len(), ALL.len());
    }

    #[test]
    fn technical_support_holds_no_key_that_writes_and_no_made_up_key_is_known() {
        let reads = ["view", "analytics", "health", "jobs"];
        for key in default_grants(TechSupport) {
            assert!(key.split_once('.').is_some_and(|(_, action)| reads.contains(&action)), "{key}");
        }
        assert!(is_known("contacts.erase") && !is_known("contacts.frobnicate"));
        assert!(GRANTS.iter().all(|grant| !grant.meaning.is_empty() && !grant.area().is_empty()));
    }
}
