//! The side bar: every place of the console, shown to those who may use it.

/// A group of the side bar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavGroup {
    /// Its heading; empty for the places on top.
    pub label: &'static str,
    /// Its places.
    pub items: Vec<NavItem>,
}

/// A place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NavItem {
    /// What it is called.
    pub label: &'static str,
    /// Where it is.
    pub href: String,
    /// Its icon.
    pub icon: &'static str,
    /// Whether the page shown belongs to it.
    pub current: bool,
}

/// A line of the table: label, path, icon and the permission that opens it (empty: anybody signed in).
struct Place(&'static str, &'static str, &'static str, &'static str);

const CLIENT: &[(&str, &[Place])] = &[
    ("", &[Place("Home", "/home", "house", "dashboard.view")]),
    (
        "Audience",
        &[
            Place("Contacts", "/contacts", "users", "contacts.view"),
            Place("Lists", "/lists", "list-checks", "lists.view"),
            Place("Imports", "/imports", "upload", "contacts.import"),
        ],
    ),
    ("Campaigns", &[Place("All campaigns", "/campaigns", "megaphone", "campaigns.view")]),
    (
        "Design",
        &[
            Place("Mail pieces", "/templates", "mail", "templates.view"),
            Place("Landing pages", "/landing-pages", "layout-template", "landing_pages.view"),
            Place("Forms", "/forms", "text-cursor-input", "forms.view"),
        ],
    ),
    (
        "Rewards",
        &[
            Place("Stock", "/pools", "gift", "gift_cards.view"),
            Place("Deliveries", "/deliveries", "send", "gift_cards.view"),
            Place("Credits", "/credits", "coins", "credits.view"),
        ],
    ),
    (
        "Calls",
        &[
            Place("Desk", "/desk", "headset", "calls.handle"),
            Place("Log", "/calls", "phone", "calls.view"),
            Place("Numbers", "/numbers", "phone-incoming", "calls.numbers"),
        ],
    ),
    ("Developers", &[Place("API keys", "/api-keys", "key-round", "api_keys.view")]),
    (
        "Settings",
        &[Place("Client", "/settings", "settings", "clients.view"), Place("Team", "/team", "user-cog", "users.view")],
    ),
];

const ADMIN: &[Place] = &[
    Place("Organizations", "/admin/organizations", "building-2", "organizations.view"),
    Place("Users", "/admin/users", "users", "users.view"),
    Place("Brands", "/admin/brands", "store", "platform.brands"),
    Place("Quarantine", "/admin/quarantine", "triangle-alert", "platform.pools"),
    Place("Permissions", "/admin/permissions", "shield-check", "platform.permissions"),
    Place("Jobs", "/admin/jobs", "list-todo", "platform.jobs"),
    Place("Audit", "/admin/audit", "scroll-text", "audit.view"),
];

/// What is about no client and last everywhere.
const LAST: &[Place] =
    &[Place("Sandbox", "/sandbox", "smartphone", "messages.view"), Place("Help", "/help", "life-buoy", "")];

/// The side bar for somebody who holds `may`, about the client `slug` if any, at `path`.
pub fn groups(slug: Option<&str>, path: &str, may: impl Fn(&str) -> bool) -> Vec<NavGroup> {
    let open = |place: &Place, prefix: &str| {
        let allowed = place.3.is_empty() || may(place.3);
        allowed.then(|| item(place, prefix))
    };
    let mut groups = Vec::new();
    if let Some(slug) = slug {
        let prefix = format!("/{slug}");
        for (label, places) in CLIENT {
            groups.push(NavGroup { label, items: places.iter().filter_map(|place| open(place, &prefix)).collect() });
        }
    } else {
        groups.push(NavGroup { label: "", items: vec![item(&Place("All clients", "/", "layout-grid", ""), "")] });
    }
    groups.push(NavGroup { label: "Admin", items: ADMIN.iter().filter_map(|place| open(place, "")).collect() });
    groups.push(NavGroup { label: "", items: LAST.iter().filter_map(|place| open(place, "")).collect() });
    groups.retain(|group| !group.items.is_empty());
    mark(&mut groups, path);
    groups
}

fn item(place: &Place, prefix: &str) -> NavItem {
    NavItem { label: place.0, href: format!("{prefix}{}", place.1), icon: place.2, current: false }
}

/// The place with the longest address that the path begins with is the current one.
fn mark(groups: &mut [NavGroup], path: &str) {
    let within = |href: &str| path == href || path.strip_prefix(href).is_some_and(|rest| rest.starts_with('/'));
    let items = groups.iter_mut().flat_map(|group| &mut group.items);
    let best = items.filter(|item| within(&item.href)).max_by_key(|item| item.href.len());
    if let Some(item) = best {
        item.current = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(groups: &[NavGroup]) -> Vec<&str> {
        groups.iter().flat_map(|group| &group.items).map(|item| item.label).collect()
    }

    #[test]
    fn a_call_center_agent_sees_the_desk_and_neither_contacts_nor_admin() {
        let held = ["dashboard.view", "calls.handle", "calls.view"];
        let groups = groups(Some("acme"), "/acme/desk", |key| held.contains(&key));
        assert_eq!(labels(&groups), ["Home", "Desk", "Log", "Help"]);
    }

    #[test]
    fn the_page_of_one_contact_belongs_to_contacts_and_nothing_else() {
        let groups = groups(Some("acme"), "/acme/contacts/17", |_| true);
        let current: Vec<_> = groups.iter().flat_map(|group| &group.items).filter(|item| item.current).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0].href, "/acme/contacts");
    }

    #[test]
    fn every_permission_of_the_side_bar_exists() {
        let places = CLIENT.iter().flat_map(|(_, places)| places.iter()).chain(ADMIN).chain(LAST);
        for place in places.filter(|place| !place.3.is_empty()) {
            assert!(kernel::permissions::ALL.contains(&place.3), "{}", place.3);
        }
    }
}
