//! The text of a message, made at the moment it leaves. A card code is opened here, in memory, and kept nowhere.

use content::merge::{MAX_MAIL, MAX_SMS, MAX_VALUE_IN_SMS, Malformed, Template, Values, WHOLE_IN_SMS, escape_into};
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
    /// Filled in it is longer than can be sent: saved before its check, or by other means.
    TooLong,
    /// The card's code does not open.
    Sealed(kernel::Error),
}

/// Fills in the templates of a message.
///
/// # Errors
/// When a template is malformed, or the card's code does not open.
pub fn compose(keyring: &Keyring, client_id: Uuid, material: &Material) -> std::result::Result<Composed, Uncomposed> {
    let parts = parts(keyring, client_id, material).map_err(Uncomposed::Sealed)?;
    let values = values(material, &parts);
    let sms = material.channel == "sms";
    let values = if sms { values.cut(MAX_VALUE_IN_SMS, &WHOLE_IN_SMS) } else { values };
    let read = |text: &str| Template::parse(text).map_err(Uncomposed::Malformed);
    let fill = |template: &Template| template.text_within(&values, MAX_MAIL).ok_or(Uncomposed::TooLong);
    let subject = fill(&read(material.subject.as_deref().unwrap_or("A message from {{company}}"))?)?;
    let subject = subject.replace(['\r', '\n'], " ");
    let body = read(&material.body_template)?;
    let mut text = fill(&body)?.trim().to_owned();
    for part in parts.iter().filter(|part| !body.tags().any(|tag| tag == part.tag || tag == "card")) {
        text.push('\n');
        text.push_str(&part.sentence());
    }
    if sms && text.chars().nth(MAX_SMS).is_some() {
        return Err(Uncomposed::TooLong);
    }
    Ok(Composed { subject, text })
}

/// A part of a card that its owner needs. A text that leaves one out gets it at its end: a card without its PIN is worth
/// nothing.
struct CardPart {
    tag: &'static str,
    /// What stands before it within a sentence; the code needs nothing.
    word: &'static str,
    value: String,
}

impl CardPart {
    /// On a line of its own.
    fn sentence(&self) -> String {
        match self.tag {
            "code" => format!("Code: {}", self.value),
            "expiration_date" => format!("Valid until {}", self.value),
            _ => format!("{}: {}", self.word.trim(), self.value),
        }
    }

    /// All of them in one line: `7K2M-9QRX, PIN 1234, valid until Mar 1, 2027`.
    fn line(parts: &[Self]) -> String {
        let one = |part: &Self| match part.tag {
            "expiration_date" => format!("valid until {}", part.value),
            "card_number" => format!("card number {}", part.value),
            _ => format!("{}{}", part.word, part.value),
        };
        parts.iter().map(one).collect::<Vec<_>>().join(", ")
    }
}

/// The parts of the message's card, in the order in which a till asks for them.
fn parts(keyring: &Keyring, client_id: Uuid, m: &Material) -> Result<Vec<CardPart>> {
    let Some(card_id) = m.gift_card_id else { return Ok(Vec::new()) };
    let card = CardRef { client_id: Some(client_id), card_id };
    let open =
        |part, sealed: &Option<String>| sealed.as_ref().map(|sealed| card.open(keyring, part, sealed)).transpose();
    let parts = [
        ("code", "", open(Part::Code, &m.card_code)?),
        ("pin", "PIN ", open(Part::Pin, &m.pin_code)?),
        ("card_number", "Card number ", m.card_number.clone()),
        ("expiration_date", "", m.expires_at.map(|day| day.format("%b %-d, %Y").to_string())),
    ];
    let present = parts.into_iter().filter_map(|(tag, word, value)| Some(CardPart { tag, word, value: value? }));
    Ok(present.collect())
}

fn values(m: &Material, parts: &[CardPart]) -> Values {
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
    values =
        values.with("company", &m.company).with_some("amount", m.amount.map(|amount| amount.to_string()).as_deref());
    // The card comes last, so that nothing stands in for a code.
    let values = parts.iter().fold(with_extra(values, &m.merge), |values, part| values.with(part.tag, &part.value));
    if parts.is_empty() { values } else { values.with("card", CardPart::line(parts)) }
}

fn with_extra(values: Values, extra: &Value) -> Values {
    let entries = extra.as_object().into_iter().flatten();
    entries.fold(values, |values, (tag, value)| values.with_some(tag, value.as_str()))
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
            card_number: None,
            amount: Some(kernel::money::Money::from_cents(2500)),
            expires_at: chrono::NaiveDate::from_ymd_opt(2027, 3, 1),
            revoked: false,
            redeemed: false,
            expired: false,
            address_gone: false,
            brand: Some("Target".into()),
            redemption_url: None,
        }
    }

    #[test]
    fn tags_are_filled_in_and_only_the_cards_own_code_stands_for_it() {
        let (keyring, client_id) = (Keyring::for_tests(), Uuid::from_u128(1));
        let mut material = material(&keyring, client_id, Uuid::from_u128(2));
        let composed = compose(&keyring, client_id, &material).unwrap_or_else(|_| panic!("composes"));
        assert_eq!(composed.text, "Hi there, $25.00 Target from Acme Roofing: AB12-CD34  until Mar 1, 2027");
        assert_eq!(composed.subject, "Your Target  Bcc: x@example.com", "no header can be smuggled in");
        material.body_template = "{{oops".into();
        assert!(matches!(compose(&keyring, client_id, &material), Err(Uncomposed::Malformed(_))));
    }

    #[test]
    fn a_message_carries_every_part_its_card_has_and_no_hole_for_one_it_has_not() {
        let (keyring, client_id, card_id) = (Keyring::for_tests(), Uuid::from_u128(1), Uuid::from_u128(2));
        let card = CardRef { client_id: Some(client_id), card_id };
        let pin = Some(card.seal(&keyring, Part::Pin, "8684").unwrap());
        let text = |template: &str, material: Material| {
            let material = Material { body_template: template.into(), ..material };
            compose(&keyring, client_id, &material).unwrap_or_else(|_| panic!("composes")).text
        };
        let full = || Material {
            pin_code: pin.clone(),
            card_number: Some("6011".into()),
            ..material(&keyring, client_id, card_id)
        };
        let bare = || Material { expires_at: None, ..material(&keyring, client_id, card_id) };
        assert_eq!(text("{{card}}", full()), "AB12-CD34, PIN 8684, card number 6011, valid until Mar 1, 2027");
        assert_eq!(text("Yours: {{card}}.", bare()), "Yours: AB12-CD34.");
        assert_eq!(
            text("Yours: {{code}}", full()),
            "Yours: AB12-CD34\nPIN: 8684\nCard number: 6011\nValid until Mar 1, 2027"
        );
        assert_eq!(text("Yours: {{code}} {{pin|}}", bare()), "Yours: AB12-CD34");
        assert_eq!(text("Thank you", bare()), "Thank you\nCode: AB12-CD34", "a text without a code is no reward");
        let none = Material { gift_card_id: None, card_code: None, ..bare() };
        assert_eq!(text("No card {{card|here}}", none), "No card here");
    }

    #[test]
    fn a_long_value_is_cut_in_a_text_message_the_code_never_is_and_what_is_too_long_is_not_sent() {
        let (keyring, client_id, card_id) = (Keyring::for_tests(), Uuid::from_u128(1), Uuid::from_u128(2));
        let card = CardRef { client_id: Some(client_id), card_id };
        let mut material = material(&keyring, client_id, card_id);
        (material.body_template, material.first_name) = ("{{first_name}} {{code}}".into(), Some("é".repeat(500)));
        material.card_code = Some(card.seal(&keyring, Part::Code, &"7".repeat(150)).unwrap());
        material.expires_at = None;
        let text = |material: &Material| compose(&keyring, client_id, material).map(|composed| composed.text);
        let whole = format!("{} {}", "é".repeat(MAX_VALUE_IN_SMS), "7".repeat(150));
        assert_eq!(text(&material).unwrap_or_default(), whole);
        (material.gift_card_id, material.card_code) = (None, None);
        material.body_template = "x".repeat(MAX_SMS + 1);
        assert!(matches!(text(&material), Err(Uncomposed::TooLong)));
        material.channel = "email".into();
        assert_eq!(text(&material).unwrap_or_default().len(), MAX_SMS + 1);
        material.custom_fields = json!({ "k": "x".repeat(100_000) });
        material.body_template = "{{custom_fields.k}}".repeat(6);
        assert!(matches!(text(&material), Err(Uncomposed::TooLong)));
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
