//! What strangers may try how often.

use kernel::Result;
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

/// Counts a try to redeem, for the recipient whoever tries and however: the redemption code stands for them.
///
/// # Errors
/// `TooMany` after ten within a minute, or what is set up.
pub fn redemption(app: &App, code: &str) -> Result<()> {
    let rule = Rule { name: "redemption", requests: app.settings.limits.redemption_per_minute, seconds: 60 };
    app.limits.spend(rule, &Key::Text(code.to_owned())).map(|_| ())
}

/// Counts a code that comes without a link. To be asked before anybody looks whose it is: a right, a wrong and a spent
/// one count the same, and who tried too many wrong ones does not get to the right one.
///
/// # Errors
/// `TooMany`, as for a wrong one and for a try to redeem.
pub fn bare_code(app: &App, visitor: &Visitor, code: &str) -> Result<()> {
    wrong(app, visitor)?;
    redemption(app, code)
}
