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

/// A line that counts: its state, how many, what one and several do, the rest of the sentence, and where that is.
struct Counted(&'static str, i64, [&'static str; 2], &'static str, (&'static str, &'static str));

const DELIVERIES: (&str, &str) = ("messages.view", "deliveries?status=failed");
const APPROVALS: (&str, &str) = ("campaigns.view", "campaigns?status=ready");

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
        Counted("problem", needs.failed, ["reward could", "rewards could"], "not be delivered", DELIVERIES),
        Counted("problem", needs.failed_imports, ["import", "imports"], "broke off", ("contacts.import", "imports")),
        Counted("warning", needs.to_approve, ["campaign waits", "campaigns wait"], "for approval", APPROVALS),
        Counted("warning", needs.waiting, ["reward waits", "rewards wait"], "for a card", ("gift_cards.view", "pools")),
    ];
    let counted = counted.into_iter().filter(|one| one.1 > 0).map(|Counted(state, count, [one, many], what, place)| {
        let text = format!("{} {} {what}", web::view::number(count), if count == 1 { one } else { many });
        Need { state, text, href: link((place.0, place.1.to_owned())), since: None }
    });
    alerts.chain(counted).collect()
}

/// The permission and the path of where an alert leads.
fn place(alert: &Alert) -> (&'static str, String) {
    let subject = alert.subject_id.map(|id| format!("/{id}")).unwrap_or_default();
    match alert.kind.as_str() {
        "delivery_failed" => (DELIVERIES.0, DELIVERIES.1.into()),
        "reward_held" => ("messages.view", "deliveries?status=held".into()),
        "no_credits" => ("credits.view", "credits".into()),
        "address_missing" => ("campaigns.view", format!("recipients{subject}")),
        _ => ("gift_cards.view", format!("pools{subject}")),
    }
}
