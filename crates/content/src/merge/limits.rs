//! How large a text may become once it is filled in. What is saved is held against the largest values there can be, so
//! that a text that was accepted can always be sent; what is filled in is held against the same limits again, for
//! texts and values from before they were there.

use kernel::FieldError;
use kernel::custom_fields::MAX_VALUE;

use super::{MESSAGE, Template, check};
use crate::forms::MAX_FORM;

/// The largest page once filled in, in bytes: what a stranger's phone is sent at most.
pub const MAX_FILLED: usize = 250_000;
/// The longest text message, in characters: no carrier takes a longer one.
pub const MAX_SMS: usize = 1_600;
/// A value is cut at so many characters in a text message.
pub const MAX_VALUE_IN_SMS: usize = 100;
/// But for these, which would be worth nothing.
pub const WHOLE_IN_SMS: [&str; 5] = ["card", "code", "pin", "card_number", "redemption_url"];
/// The largest text of an e-mail once filled in, in bytes.
pub const MAX_MAIL: usize = 500_000;
const MAX_SUBJECT_TEMPLATE: usize = 200;
const MAX_MAIL_TEMPLATE: usize = 20_000;

/// The longest value of a contact's own field, in characters.
const MAX_PERSONS: usize = 500;
/// The longest card code and PIN, in characters.
const MAX_CODE: usize = 200;
/// What is kept free in a text message for the parts of a card that its text leaves out.
const APPENDED: usize = 150;
/// The most bytes a character takes once it is escaped for HTML.
const ESCAPED: usize = 6;

/// The most characters of a tag's value.
fn longest(tag: &str) -> usize {
    match tag {
        "form" => 0,
        "card" => 2 * MAX_CODE,
        "code" | "pin" | "card_number" => MAX_CODE,
        "amount" | "zip" | "state" | "country" | "redemption_code" => 40,
        "phone" | "support_phone" | "expiration_date" => 40,
        "campaign" | "company" | "brand" => 200,
        _ if tag.starts_with("custom_fields.") => MAX_VALUE,
        _ => MAX_PERSONS,
    }
}

/// What is too large about a page, as an error of `html`: its cleaned HTML, with every value as long as it can be.
pub fn check_page(html: &str) -> Option<FieldError> {
    let template = Template::parse(html).ok()?;
    let size = MAX_FORM + template.at_most(|tag| ESCAPED * longest(tag));
    (size > MAX_FILLED).then(|| FieldError {
        field: "html".to_owned(),
        code: "too_long",
        message: format!(
            "filled in, this page can have {size} bytes; {MAX_FILLED} are allowed: use fewer merge tags, above all of custom fields"
        ),
    })
}

/// What is wrong with the text of an SMS.
pub fn check_sms(field: &str, text: &str) -> Vec<FieldError> {
    let in_sms = |tag: &str| match tag {
        tag if WHOLE_IN_SMS.contains(&tag) => longest(tag),
        tag => longest(tag).min(MAX_VALUE_IN_SMS),
    };
    checked(field, text, |template| {
        let spare = text.len() - text.chars().count();
        let length = APPENDED + template.at_most(in_sms).saturating_sub(spare);
        (length > MAX_SMS)
            .then(|| format!("filled in, this text can have {length} characters; a text message has at most {MAX_SMS}"))
    })
}

/// What is wrong with an e-mail's subject.
pub fn check_subject(field: &str, text: &str) -> Vec<FieldError> {
    checked(field, text, |_| over(text, MAX_SUBJECT_TEMPLATE))
}

/// What is wrong with the text of an e-mail.
pub fn check_mail(field: &str, text: &str) -> Vec<FieldError> {
    checked(field, text, |_| over(text, MAX_MAIL_TEMPLATE))
}

fn over(text: &str, most: usize) -> Option<String> {
    text.chars().nth(most).map(|_| format!("use at most {most} characters"))
}

fn checked(field: &str, text: &str, too_long: impl Fn(&Template) -> Option<String>) -> Vec<FieldError> {
    // before anything is parsed
    let whole = over(text, MAX_MAIL_TEMPLATE).or_else(|| too_long(&Template::parse(text).ok()?));
    match whole {
        Some(message) => vec![FieldError { field: field.to_owned(), code: "too_long", message }],
        None => check(field, text, MESSAGE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(errors: &[FieldError]) -> Vec<(&str, &str)> {
        errors.iter().map(|error| (error.field.as_str(), error.code)).collect()
    }

    #[test]
    fn a_page_is_held_against_the_longest_values_there_can_be() {
        assert_eq!(check_page(&"{{first_name}} of {{city}}".repeat(10)), None);
        assert_eq!(check_page("{{form}}"), None);
        let bomb = "{{custom_fields.k}}".repeat(60);
        assert_eq!(check_page(&bomb).map(|error| error.code), Some("too_long"));
    }

    #[test]
    fn the_texts_of_messages_have_limits_and_an_accepted_sms_always_fits() {
        let usual = "Hi {{first_name|there}}, your {{amount}} {{brand}} card from {{company}}: {{code}} PIN {{pin}}. Reply STOP.";
        assert!(check_sms("sms_template", usual).is_empty());
        assert_eq!(codes(&check_sms("sms_template", &"x".repeat(MAX_SMS + 1))), [("sms_template", "too_long")]);
        assert!(check_sms("sms_template", &"é".repeat(MAX_SMS - APPENDED)).is_empty(), "characters count, not bytes");
        assert_eq!(
            codes(&check_sms("sms_template", &"{{custom_fields.k}}".repeat(17))),
            [("sms_template", "too_long")]
        );
        assert_eq!(codes(&check_subject("email_subject", &"x".repeat(201))), [("email_subject", "too_long")]);
        assert_eq!(codes(&check_mail("email_template", &"x".repeat(20_001))), [("email_template", "too_long")]);
        assert_eq!(codes(&check_mail("email_template", "{{nope}}")), [("email_template", "unknown_tag")]);
    }
}
