//! The text of a message, made at the moment it leaves. A card code is opened here, in memory, and kept nowhere.

use content::merge::{Malformed, Template, Values, escape_into};
use kernel::Result;
use kernel::keyring::Keyring;
use serde_json::Value;
use uuid::Uuid;

use crate::card_code::{CardRef, Part};
use crate::store::composing::Material;

/// A finished message. It may hold a card code: for a provider, never for a log.
pub struct Composed {
    /// An e-mail's subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// Why a text cannot be made.
#[derive(Debug)]
pub enum Uncomposed {
    /// The template is none: saved before its check, or by other means.
    Malformed(Malformed),
    /// The card's code does not open.
    Sealed(kernel::Error),
}

/// Fills in the templates of a message.
///
/// # Errors
/// When a template is malformed, or the card's code does not open.
pub fn compose(keyring: &Keyring, client_id: Uuid, material: &Material) -> std::result::Result<Composed, Uncomposed> {
    let values = values(keyring, client_id, material).map_err(Uncomposed::Sealed)?;
    let fill = |text: &str| Ok(Template::parse(text).map_err(Uncomposed::Malformed)?.text(&values));
    let subject = fill(material.subject.as_deref().unwrap_or("A message from {{company}}"))?;
    let subject = subject.replace(['\r', '\n'], " ");
    Ok(Composed { subject, text: fill(&material.body_template)?.trim().to_owned() })
}

fn values(keyring: &Keyring, client_id: Uuid, m: &Material) -> Result<Values> {
    let mut values = Values::new().with_custom_fields(&m.custom_fields);
    for (tag, value) in [
        ("first_name", &m.first_name),
        ("last_name", &m.last_name),
        ("email", &m.email),
        ("address", &m.address),
        ("address2", &m.address2),
        ("city", &m.city),
        ("state", &m.state),
        ("zip", &m.zip),
        ("country", &m.country),
        ("campaign", &m.campaign),
        ("brand", &m.brand),
        ("redemption_url", &m.redemption_url),
    ] {
        values = values.with_some(tag, value.as_deref());
    }
    for (tag, number) in [("phone", &m.phone), ("support_phone", &m.support_phone)] {
        values = values.with_some(tag, number.as_deref().map(kernel::phone::display).as_deref());
    }
    values = values
        .with("company", &m.company)
        .with_some("amount", m.amount.map(|amount| amount.to_string()).as_deref())
        .with_some("expiration_date", m.expires_at.map(|day| day.format("%B %-d, %Y").to_string()).as_deref());
    with_secrets(with_extra(values, &m.merge), keyring, client_id, m)
}

fn with_extra(values: Values, extra: &Value) -> Values {
    let entries = extra.as_object().into_iter().flatten();
    entries.fold(values, |values, (tag, value)| values.with_some(tag, value.as_str()))
}

/// Last, so that nothing stands in for a code.
fn with_secrets(mut values: Values, keyring: &Keyring, client_id: Uuid, m: &Material) -> Result<Values> {
    let Some(card_id) = m.gift_card_id else { return Ok(values) };
    let card = CardRef { client_id: Some(client_id), card_id };
    for (tag, part, sealed) in [("code", Part::Code, &m.card_code), ("pin", Part::Pin, &m.pin_code)] {
        if let Some(sealed) = sealed {
            values = values.with(tag, card.open(keyring, part, sealed)?);
        }
    }
    Ok(values)
}

/// The text as a plain HTML mail: paragraphs, line breaks, and links that can be clicked.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    out.push_str("<!doctype html><html><body><div>");
    for (index, line) in text.lines().enumerate() {
        if index > 0 {
            out.push_str("<br>\n");
        }
        for word in line.split_inclusive(' ') {
            let bare = word.trim_end();
            if bare.starts_with("https://") || bare.starts_with("http://") {
                out.push_str("<a href=\"");
                escape_into(&mut out, bare);
                out.push_str("\">");
                escape_into(&mut out, bare);
                out.push_str("</a>");
                out.push_str(&word[bare.len()..]);
            } else {
                escape_into(&mut out, word);
            }
        }
    }
    out.push_str("</div></body></html>");
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn material(keyring: &Keyring, client_id: Uuid, card_id: Uuid) -> Material {
        let card = CardRef { client_id: Some(client_id), card_id };
        Material {
            channel: "sms".into(),
            to_address: "+16145550123".into(),
            subject: Some("Your {{brand}}\r\nBcc: x@example.com".into()),
            body_template: "Hi {{first_name|there}}, {{amount}} {{brand}} from {{company}}: {{code}} {{pin|}} until {{expiration_date|ever}}".into(),
            merge: json!({ "code": "NOT-THE-CODE", "campaign": "Spring" }),
            campaign_id: None,
            recipient_id: None,
            contact_id: None,
            gift_card_id: Some(card_id),
            first_name: None,
            last_name: None,
            email: None,
            phone: None,
            address: None,
            address2: None,
            city: None,
            state: None,
            zip: None,
            country: None,
            custom_fields: json!({ "roof": "flat" }),
            company: "Acme Roofing".into(),
            support_phone: None,
            campaign: None,
            card_code: Some(card.seal(keyring, Part::Code, "AB12-CD34").unwrap()),
            pin_code: None,
            amount: Some(kernel::money::Money::from_cents(2500)),
            expires_at: chrono::NaiveDate::from_ymd_opt(2027, 3, 1),
            revoked: false,
            brand: Some("Target".into()),
            redemption_url: None,
        }
    }

    #[test]
    fn tags_are_filled_in_and_only_the_cards_own_code_stands_for_it() {
        let (keyring, client_id) = (Keyring::for_tests(), Uuid::from_u128(1));
        let mut material = material(&keyring, client_id, Uuid::from_u128(2));
        let composed = compose(&keyring, client_id, &material).unwrap_or_else(|_| panic!("composes"));
        assert_eq!(composed.text, "Hi there, $25.00 Target from Acme Roofing: AB12-CD34  until March 1, 2027");
        assert_eq!(composed.subject, "Your Target  Bcc: x@example.com", "no header can be smuggled in");
        material.body_template = "{{oops".into();
        assert!(matches!(compose(&keyring, client_id, &material), Err(Uncomposed::Malformed(_))));
    }

    #[test]
    fn a_card_of_another_client_does_not_open() {
        let keyring = Keyring::for_tests();
        let material = material(&keyring, Uuid::from_u128(1), Uuid::from_u128(2));
        assert!(matches!(compose(&keyring, Uuid::from_u128(9), &material), Err(Uncomposed::Sealed(_))));
    }

    #[test]
    fn the_html_part_escapes_everything_and_links_links() {
        let html = html("Hi <b>Ada</b>\nhttps://ace.example/x?a=1&b=2 now");
        assert!(html.contains("Hi &lt;b&gt;Ada&lt;/b&gt;<br>"));
        assert!(html.contains("<a href=\"https://ace.example/x?a=1&amp;b=2\">"));
    }
}
