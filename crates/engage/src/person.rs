//! The person a link belongs to, as their page and their form show them.

use chrono::{DateTime, Utc};
use content::forms::{Field, FieldType};
use content::merge::Values;
use database::FromRow;
use events::Visited;
use kernel::codes::RedemptionCode;
use messaging::Channel;
use serde_json::Value;
use uuid::Uuid;

/// A recipient as strangers' pages know them.
#[derive(Debug, Clone, FromRow)]
pub struct Person {
    /// The recipient.
    pub recipient_id: Uuid,
    /// Their client.
    pub client_id: Uuid,
    /// Their campaign.
    pub campaign_id: Uuid,
    /// The contact they were made from.
    pub contact_id: Option<Uuid>,
    /// How far the campaign is.
    pub status: String,
    /// When it ended.
    pub completed_at: Option<DateTime<Utc>>,
    /// The end of their link.
    pub purl_token: String,
    /// 12 characters, without dashes.
    pub redemption_code: String,
    /// As it was printed.
    pub first_name: Option<String>,
    /// As it was printed.
    pub last_name: Option<String>,
    /// As it was at launch.
    pub email: Option<String>,
    /// E.164, as it was at launch.
    pub phone: Option<String>,
    /// As it was printed.
    pub address: Option<String>,
    /// As it was printed.
    pub address2: Option<String>,
    /// As it was printed.
    pub city: Option<String>,
    /// As it was printed.
    pub state: Option<String>,
    /// As it was printed.
    pub zip: Option<String>,
    /// As it was printed.
    pub country: Option<String>,
    /// As it was at launch.
    pub custom_fields: Value,
    /// Whether they earned a reward: from then on who gives their address sees the card again, so that no page shows it.
    pub earned: bool,
}

impl Person {
    /// The person a visit was.
    pub fn of_visit(visited: &mut Visited, token: String) -> Self {
        Self {
            recipient_id: visited.recipient_id,
            client_id: visited.client_id,
            campaign_id: visited.campaign_id,
            contact_id: None,
            status: visited.status.clone(),
            completed_at: None,
            purl_token: token,
            redemption_code: std::mem::take(&mut visited.redemption_code),
            first_name: visited.first_name.take(),
            last_name: visited.last_name.take(),
            email: visited.email.take(),
            phone: visited.phone.take(),
            address: visited.address.take(),
            address2: visited.address2.take(),
            city: visited.city.take(),
            state: visited.state.take(),
            zip: visited.zip.take(),
            country: visited.country.take(),
            custom_fields: visited.custom_fields.take(),
            earned: visited.earned,
        }
    }

    /// Somebody who does not exist, for previews.
    pub fn sample() -> Self {
        let text = |text: &str| Some(text.to_owned());
        Self {
            recipient_id: Uuid::nil(),
            client_id: Uuid::nil(),
            campaign_id: Uuid::nil(),
            contact_id: None,
            status: "draft".into(),
            completed_at: None,
            purl_token: "0000000000".into(),
            redemption_code: "000000000000".into(),
            first_name: text("Maria"),
            last_name: text("Lopez"),
            email: text("maria.lopez@example.com"),
            phone: text("+16145550142"),
            address: text("12 Elm Street"),
            address2: None,
            city: text("Columbus"),
            state: text("OH"),
            zip: text("43004"),
            country: text("US"),
            custom_fields: Value::Null,
            earned: false,
        }
    }

    /// What a field of a form is filled in with before the person typed anything. Never a code: whoever has the
    /// link must not get what the code is worth. Nor, once something was earned, an address: giving it is the proof that
    /// shows the card again, and whoever has only the link must not find it filled in.
    pub fn answer_to(&self, field: &Field) -> Option<String> {
        match field.kind {
            FieldType::GiftCardCode | FieldType::Consent | FieldType::Checkbox | FieldType::PageBreak => None,
            FieldType::Email => self.named("email").map(ToOwned::to_owned),
            FieldType::Phone => self.named("phone").map(kernel::phone::display),
            _ => self.named(&field.id).map(ToOwned::to_owned).or_else(|| self.custom(&field.id)),
        }
    }

    /// The columns that merge tags and fields name.
    fn named(&self, name: &str) -> Option<&str> {
        match name {
            "email" | "phone" if self.earned => None,
            "first_name" => self.first_name.as_deref(),
            "last_name" => self.last_name.as_deref(),
            "email" => self.email.as_deref(),
            "phone" => self.phone.as_deref(),
            "address" => self.address.as_deref(),
            "address2" => self.address2.as_deref(),
            "city" => self.city.as_deref(),
            "state" => self.state.as_deref(),
            "zip" => self.zip.as_deref(),
            "country" => self.country.as_deref(),
            _ => None,
        }
    }

    fn custom(&self, key: &str) -> Option<String> {
        let value = self.custom_fields.get(key)?;
        let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let is_kept_back = self.earned && is_address(&text);
        (!value.is_null() && !is_kept_back).then_some(text)
    }

    /// The values of those of `tags` that are about the person: a page names few of them, and every visit pays.
    pub fn values(&self, tags: &[String]) -> Values {
        let mut values = Values::new();
        for tag in tags {
            values = match tag.as_str() {
                "phone" => values.with_some(tag, self.named("phone").map(kernel::phone::display).as_deref()),
                "redemption_code" => values.with(tag, self.code()),
                name => {
                    let custom = name.strip_prefix("custom_fields.").map(|key| self.custom(key));
                    let value = custom.as_ref().map_or_else(|| self.named(name), |custom| custom.as_deref());
                    // a page that cannot speak of passwords gets the word from no list of contacts either
                    values.with_some(tag, value.filter(|value| !content::names_a_password(value)))
                }
            };
        }
        values
    }

    /// The redemption code as it is printed.
    pub fn code(&self) -> String {
        RedemptionCode::parse(&self.redemption_code)
            .map_or_else(|_| self.redemption_code.clone(), |code| code.to_string())
    }
}

/// Whether a text is a phone number or an e-mail address, and could be given as the proof of who somebody is.
fn is_address(text: &str) -> bool {
    [Channel::Email, Channel::Sms].into_iter().any(|channel| channel.normalise(text).is_some())
}
