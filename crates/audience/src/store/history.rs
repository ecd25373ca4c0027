//! What a contact took part in: campaigns, the cards they earned, what they answered in forms.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use rust_decimal::Decimal;
use serde_json::Value;
use uuid::Uuid;

/// A campaign that mailed the contact.
#[derive(Debug, Clone, FromRow)]
pub struct TakenPart {
    /// The contact as a recipient of it.
    pub recipient_id: Uuid,
    /// Its name.
    pub campaign: String,
    /// The word in its URL.
    pub slug: String,
    /// How far the recipient is.
    pub status: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
}

/// A reward the contact earned.
#[derive(Debug, Clone, FromRow)]
pub struct Earned {
    /// The contact as a recipient of the campaign.
    pub recipient_id: Uuid,
    /// The card, once there is one.
    pub card_id: Option<Uuid>,
    /// The end of its code.
    pub code_last4: Option<String>,
    /// Its brand.
    pub brand_name: String,
    /// Its value.
    pub value_amount: Decimal,
    /// How its delivery stands.
    pub status: String,
    /// The campaign.
    pub campaign: String,
    /// When it was earned.
    pub met_at: DateTime<Utc>,
}

/// A form the contact sent.
#[derive(Debug, Clone, FromRow)]
pub struct Answered {
    /// The form.
    pub form_id: Uuid,
    /// Its name.
    pub form_name: String,
    /// When.
    pub submitted_at: DateTime<Utc>,
    /// Pairs of label and answer, in the order of the form; codes are left out.
    answers: Option<Value>,
}

impl Answered {
    /// What was asked and answered, as people read it.
    pub fn answers(&self) -> Vec<(String, String)> {
        let pairs = self.answers.as_ref().and_then(Value::as_array).into_iter().flatten();
        let read =
            pairs.map(|pair| (text(&pair[0]), if pair[2] == "phone" { phone(&pair[1]) } else { text(&pair[1]) }));
        read.filter(|(_, answer)| !answer.is_empty()).collect()
    }
}

fn phone(value: &Value) -> String {
    kernel::phone::display(&text(value))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => (if *yes { "Yes" } else { "No" }).to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(chosen) => chosen.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

database::statement! {
    /// The campaigns that mailed a contact, the latest first.
    CAMPAIGNS, app, "
        select r.id as recipient_id, c.name as campaign, c.slug, r.status::text as status, r.created_at
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        where r.client_id = $1
          and r.contact_id = $2
        order by r.created_at desc, r.id
        limit 20";
    /// The rewards of a contact, the latest first.
    CARDS, app, "
        select m.recipient_id, m.gift_card_id as card_id, g.code_last4, b.brand_name, p.value_amount,
            coalesce(m.delivery_status::text, g.status::text, 'waiting') as status, c.name as campaign, m.met_at
        from recipients r
        join call_conditions_met m on m.client_id = r.client_id and m.recipient_id = r.id
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        join gift_card_pools p on p.client_id = m.client_id and p.id = m.gift_card_pool_id
        join gift_card_brands b on b.id = p.brand_id
        left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        where r.client_id = $1
          and r.contact_id = $2
        order by m.met_at desc, m.id
        limit 20";
    /// The forms a contact sent, the latest first, with their answers but for codes.
    ANSWERS, app, "
        select f.id as form_id, f.name as form_name, s.submitted_at,
            (select jsonb_agg(
                jsonb_build_array(
                  coalesce(nullif(field ->> 'label', ''), field ->> 'id'), s.submission_data -> (field ->> 'id'), field ->> 'type')
                order by n)
             from jsonb_array_elements(f.form_config -> 'fields') with ordinality as asked (field, n)
             where field ->> 'type' not in ('gift_card_code', 'page_break', 'hidden')
               and s.submission_data ? (field ->> 'id')) as answers
        from ace_form_submissions s
        join ace_forms f on f.client_id = s.client_id and f.id = s.form_id
        where s.client_id = $1
          and s.contact_id = $2
        order by s.submitted_at desc, s.id
        limit 10"
}

/// The campaigns that mailed a contact.
///
/// # Errors
/// What the database answered.
pub async fn campaigns(scope: &Scope<'_>, client_id: Uuid, contact_id: Uuid) -> Result<Vec<TakenPart>> {
    scope.query(&CAMPAIGNS, &[&client_id, &contact_id]).await
}

/// The rewards of a contact.
///
/// # Errors
/// What the database answered.
pub async fn cards(scope: &Scope<'_>, client_id: Uuid, contact_id: Uuid) -> Result<Vec<Earned>> {
    scope.query(&CARDS, &[&client_id, &contact_id]).await
}

/// The forms a contact sent.
///
/// # Errors
/// What the database answered.
pub async fn answers(scope: &Scope<'_>, client_id: Uuid, contact_id: Uuid) -> Result<Vec<Answered>> {
    scope.query(&ANSWERS, &[&client_id, &contact_id]).await
}
