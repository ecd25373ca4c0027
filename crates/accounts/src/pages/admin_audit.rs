//! Who did what.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use database::Scope;
use kernel::Error;
use kernel::page::PageParams;
use serde::Deserialize;
use serde_json::Value;
use web::view::{Choice, Filters, Pager, capitalised};
use web::{App, Caller, Shell, render};

use crate::store::audit::{self, AuditEntry, AuditFilter};
use crate::store::organization::{Client, FIND_CLIENT_BY_SLUG};

#[derive(Template)]
#[template(path = "audit/list.html")]
struct AuditPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<AuditEntry>,
    pager: Pager,
}

impl AuditPage {
    fn actor(&self, row: &AuditEntry) -> String {
        row.actor_label.clone().unwrap_or_else(|| match row.actor_kind.as_str() {
            "operator" => "Command line".to_owned(),
            "auth" => "Sign-in".to_owned(),
            "public_link" => "A recipient".to_owned(),
            _ => "ACE itself".to_owned(),
        })
    }

    /// What was done, in words: `gift_card.shown` reads "Gift card shown".
    fn what(&self, row: &AuditEntry) -> String {
        words(&row.action)
    }

    /// What it was done to: `ace_forms` reads "form".
    fn subject_kind(&self, row: &AuditEntry) -> String {
        kind(row.table_name.as_deref().unwrap_or_default())
    }

    fn pretty(&self, value: &Option<Value>) -> String {
        value.as_ref().and_then(|value| serde_json::to_string_pretty(value).ok()).unwrap_or_default()
    }
}

/// The words of an act's key.
fn words(action: &str) -> String {
    let said = action.replace(['.', '_'], " ");
    let said = said.replace("api key", "API key").replace("sms", "SMS").replace("crm", "CRM").replace("csv", "CSV");
    capitalised(&said)
}

/// The word of a table's rows.
fn kind(table: &str) -> String {
    let bare = table.rsplit('.').next().unwrap_or_default();
    match bare {
        "users" | "profiles" => "person".to_owned(),
        "ace_forms" => "form".to_owned(),
        "ace_form_submissions" => "submission".to_owned(),
        "templates" => "mail piece".to_owned(),
        "gift_card_brands" => "brand".to_owned(),
        "gift_card_pools" => "pool".to_owned(),
        "contact_imports" | "imports" => "import".to_owned(),
        "call_conditions_met" => "reward".to_owned(),
        "recipients" => "recipient".to_owned(),
        "mfa_factors" => "second factor".to_owned(),
        "api_keys" => "API key".to_owned(),
        other => {
            let one = match other.strip_suffix("ies") {
                Some(begin) => format!("{begin}y"),
                None => other.strip_suffix('s').unwrap_or(other).to_owned(),
            };
            one.replace('_', " ")
        }
    }
}

/// Which acts.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    client: String,
    from: String,
    to: String,
    after: String,
}

/// `GET /admin/audit`
pub async fn list(State(app): State<App>, caller: Caller, query: web::Query<Wanted>) -> web::Result<Response> {
    let wanted = query.0;
    let zone = caller.time_zone();
    let scope = caller.scope(&app);
    let client = chosen(&scope, &wanted.client).await?;
    let filter = AuditFilter {
        search: &wanted.q,
        client_id: client.as_ref().map(|client| client.id),
        from: day(&wanted.from, "from")?.map(|day| kernel::zone::start_of_day(day, zone)),
        to: day(&wanted.to, "to")?.map(|day| kernel::zone::end_of_day(day, zone)),
    };
    let page = PageParams { limit: None, after: Some(wanted.after.clone()) };
    let found = audit::list(&scope, &filter, &page).await?;
    let mut clients: Vec<Choice> =
        caller.clients.iter().map(|client| Choice::new(&client.slug, client.name.clone())).collect();
    if let Some(other) = client.filter(|client| caller.clients.iter().all(|known| known.id != client.id)) {
        clients.push(Choice::new(&other.slug, other.name));
    }
    let set =
        [("q", wanted.q), ("client", wanted.client), ("from", wanted.from), ("to", wanted.to), ("after", wanted.after)];
    let filters =
        Filters::new("/admin/audit", set).search("Search action, person or row id").choice("client", "Client", clients);
    let pager = Pager::new(&filters, found.data.len(), found.next.as_deref());
    render(&AuditPage { shell: Shell::new(&caller, "Audit"), filters, rows: found.data, pager })
}

/// The client that is wanted, which need not be one of the few a caller carries along; all of them without a word.
///
/// # Errors
/// `NotFound` when there is none within reach: all acts in its place would mislead.
async fn chosen(scope: &Scope<'_>, slug: &str) -> kernel::Result<Option<Client>> {
    if slug.is_empty() {
        return Ok(None);
    }
    scope.query_one(&FIND_CLIENT_BY_SLUG, &[&slug]).await.map(Some)
}

fn day(text: &str, field: &str) -> kernel::Result<Option<NaiveDate>> {
    let wrong = || Error::invalid(field, "enter a date such as 2026-03-31");
    (!text.is_empty()).then(|| kernel::zone::parse_day(text).ok_or_else(wrong)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acts_and_what_they_were_done_to_read_as_words() {
        assert_eq!(words("gift_card.shown"), "Gift card shown");
        assert_eq!(words("api_key.revoked"), "API key revoked");
        for (table, word) in [
            ("ace_forms", "form"),
            ("auth.users", "person"),
            ("gift_cards", "gift card"),
            ("contact_lists", "contact list"),
            ("deliveries", "delivery"),
        ] {
            assert_eq!(kind(table), word);
        }
    }
}
