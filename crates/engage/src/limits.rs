//! What strangers may try how often.

use kernel::Result;
use uuid::Uuid;
use web::limits::{Key, Rule};
use web::{App, Visitor};

/// Wrong links from one address. A token of 50 bits is not guessed; this keeps somebody who tries all the same from
/// asking the database. Right links are answered all the while, for an office shares an address.
const WRONG_LINKS: Rule = Rule { name: "wrong_link", requests: 20, seconds: 3600 };

/// Codes without a link, and wrong ones, from one address. Counted apart from links: a code is short enough to be typed,
/// and here whoever tried too many does not get to the right one.
const CODES: Rule = Rule { name: "codes", requests: 20, seconds: 3600 };

/// Counts a wrong link against the visitor's address.
///
/// # Errors
/// `TooMany` after twenty within an hour.
pub fn wrong_link(app: &App, visitor: &Visitor) -> Result<()> {
    by_address(app, visitor, WRONG_LINKS)
}

/// Counts a wrong code against the visitor's address.
///
/// # Errors
/// `TooMany` after twenty within an hour.
pub fn wrong_code(app: &App, visitor: &Visitor) -> Result<()> {
    by_address(app, visitor, CODES)
}

/// Counts what a stranger, without a link or a code, is about to leave behind in one form: a submission, and a contact.
///
/// # Errors
/// `TooMany` after `limits.forms_per_hour` within an hour.
pub fn stranger(app: &App, visitor: &Visitor, form_id: Uuid) -> Result<()> {
    let rule = Rule { name: "form", requests: app.settings.limits.forms_per_hour, seconds: 3600 };
    let Some(ip) = visitor.origin.ip else { return Ok(()) };
    app.limits.spend(rule, &Key::Text(format!("{form_id}/{:?}", Key::address(ip)))).map(|_| ())
}

fn by_address(app: &App, visitor: &Visitor, rule: Rule) -> Result<()> {
    let Some(ip) = visitor.origin.ip else { return Ok(()) };
    app.limits.spend(rule, &Key::address(ip)).map(|_| ())
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
    wrong_code(app, visitor)?;
    redemption(app, code)
}
