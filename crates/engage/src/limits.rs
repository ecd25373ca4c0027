//! What strangers may try how often.

use kernel::Result;
use uuid::Uuid;
use web::limits::{Key, Rule};
use web::{App, Visitor};

/// Wrong links and wrong codes from one address.
const WRONG: Rule = Rule { name: "wrong_token", requests: 20, seconds: 3600 };

/// Counts a wrong link or code against the visitor's address.
///
/// # Errors
/// `TooMany` after twenty within an hour.
pub fn wrong(app: &App, visitor: &Visitor) -> Result<()> {
    let Some(ip) = visitor.origin.ip else { return Ok(()) };
    app.limits.spend(WRONG, &Key::address(ip)).map(|_| ())
}

/// Counts a try to redeem, for the recipient whoever tries.
///
/// # Errors
/// `TooMany` after ten within a minute, or what is set up.
pub fn redemption(app: &App, recipient_id: Uuid) -> Result<()> {
    let rule = Rule { name: "redemption", requests: app.settings.limits.redemption_per_minute, seconds: 60 };
    app.limits.spend(rule, &Key::Id(recipient_id)).map(|_| ())
}
