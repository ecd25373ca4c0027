//! What needs somebody today, each with the place where it is dealt with, for those who may go there.

use chrono::{DateTime, Utc};
use web::{Caller, Shell};

use crate::store::home::{Alert, Needs};

/// A line of the list.
pub struct Need {
    /// `problem` or `warning`.
    pub state: &'static str,
    /// What it says.
    pub text: String,
    /// Where it is dealt with.
    pub href: Option<String>,
    /// Since when, where that is known.
    pub since: Option<DateTime<Utc>>,
}

/// Open alerts first, then what is counted.
pub fn list(caller: &Caller, shell: &Shell, alerts: Vec<Alert>, needs: &Needs) -> Vec<Need> {
    let link = |(permission, path): (&str, String)| caller.may(permission).then(|| shell.at(&path));
    let alerts = alerts.into_iter().map(|alert| Need {
        state: "warning",
        href: link(place(&alert)),
        text: alert.message,
        since: Some(alert.created_at),
    });
    let counted = [
        (
            "problem",
            needs.failed,
            "reward",
            "rewards",
            "could not be delivered",
            ("messages.view", "deliveries?status=failed"),
        ),
        ("problem", needs.failed_imports, "import", "imports", "broke off", ("contacts.import", "imports")),
        (
            "warning",
            needs.to_approve,
            "campaign",
            "campaigns",
            "for approval",
            ("campaigns.view", "campaigns?status=ready"),
        ),
        ("warning", needs.waiting, "reward", "rewards", "for a card", ("gift_cards.view", "pools")),
    ];
    let counted =
        counted.into_iter().filter(|(_, count, ..)| *count > 0).map(|(state, count, one, many, what, place)| {
            let number = web::view::number(count);
            let text = match (state, count) {
                ("warning", 1) => format!("{number} {one} waits {what}"),
                ("warning", _) => format!("{number} {many} wait {what}"),
                (_, 1) => format!("{number} {one} {what}"),
                _ => format!("{number} {many} {what}"),
            };
            Need { state, text, href: link((place.0, place.1.to_owned())), since: None }
        });
    alerts.chain(counted).collect()
}

/// The permission and the path of where an alert leads.
fn place(alert: &Alert) -> (&'static str, String) {
    let subject = alert.subject_id.map(|id| format!("/{id}")).unwrap_or_default();
    match alert.kind.as_str() {
        "delivery_failed" => ("messages.view", "deliveries?status=failed".into()),
        "reward_held" => ("messages.view", "deliveries?status=held".into()),
        "no_credits" => ("credits.view", "credits".into()),
        "address_missing" => ("campaigns.view", format!("recipients{subject}")),
        _ => ("gift_cards.view", format!("pools{subject}")),
    }
}
