//! What a message is made of, read at the moment it leaves.

use chrono::NaiveDate;
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::money::Money;
use serde_json::Value;
use uuid::Uuid;

/// A message with everything its merge tags can ask for. It holds sealed codes only.
#[derive(Debug, Clone, FromRow)]
pub struct Material {
    /// `sms` or `email`.
    pub channel: String,
    /// The number or address.
    pub to_address: String,
    /// An e-mail's subject, with merge tags.
    pub subject: Option<String>,
    /// The text, with merge tags.
    pub body_template: String,
    /// Further values.
    pub merge: Value,
    /// The campaign it belongs to.
    pub campaign_id: Option<Uuid>,
    /// The recipient it is for.
    pub recipient_id: Option<Uuid>,
    /// The contact it is for.
    pub contact_id: Option<Uuid>,
    /// The card it brings.
    pub gift_card_id: Option<Uuid>,
    /// The person, as printed; else as in the contacts.
    pub first_name: Option<String>,
    /// Likewise.
    pub last_name: Option<String>,
    /// Likewise.
    pub email: Option<String>,
    /// Likewise.
    pub phone: Option<String>,
    /// Likewise.
    pub address: Option<String>,
    /// Likewise.
    pub address2: Option<String>,
    /// Likewise.
    pub city: Option<String>,
    /// Likewise.
    pub state: Option<String>,
    /// Likewise.
    pub zip: Option<String>,
    /// Likewise.
    pub country: Option<String>,
    /// Likewise.
    pub custom_fields: Value,
    /// The client's name.
    pub company: String,
    /// Whom to ask: the client, else the brand.
    pub support_phone: Option<String>,
    /// The campaign's name.
    pub campaign: Option<String>,
    /// The card's sealed code.
    pub card_code: Option<String>,
    /// The card's sealed PIN.
    pub pin_code: Option<String>,
    /// The number printed on the card, where it is not the code.
    pub card_number: Option<String>,
    /// The card's value.
    pub amount: Option<Money>,
    /// The last day it can be used.
    pub expires_at: Option<NaiveDate>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it was used.
    pub redeemed: bool,
    /// Whether its last day is over where the client is.
    pub expired: bool,
    /// Whether the address was taken off the contact since, and no other stands in for it.
    pub address_gone: bool,
    /// The card's brand.
    pub brand: Option<String>,
    /// Where the brand lets people redeem.
    pub redemption_url: Option<String>,
}

database::statement! {
    /// A message with everything its merge tags can ask for.
    FIND, app, "
        select m.channel, m.to_address, m.subject, m.body_template, m.merge, m.campaign_id, m.recipient_id, m.contact_id,
          m.gift_card_id,
          coalesce(r.first_name, c.first_name) as first_name,
          coalesce(r.last_name, c.last_name) as last_name,
          coalesce(r.email, c.email) as email,
          coalesce(r.phone, c.phone) as phone,
          coalesce(r.address, c.address) as address,
          coalesce(r.address2, c.address2) as address2,
          coalesce(r.city, c.city) as city,
          coalesce(r.state, c.state) as state,
          coalesce(r.zip, c.zip) as zip,
          coalesce(r.country, c.country) as country,
          coalesce(r.custom_fields, c.custom_fields, '{}') as custom_fields,
          cl.name as company,
          coalesce(cl.support_phone, b.support_phone) as support_phone,
          ca.name as campaign,
          g.card_code, g.pin_code, g.card_number, g.value_amount as amount, g.expires_at,
          g.revoked_at is not null as revoked,
          coalesce(g.status = 'redeemed', false) as redeemed,
          coalesce(g.expires_at < app.client_day(m.client_id, $3), false) as expired,
          coalesce(m.last_error_code = 'address_gone', false) as address_gone,
          b.brand_name as brand, b.redemption_url
        from messages m
        join clients cl on cl.id = m.client_id
        left join campaigns ca on ca.client_id = m.client_id and ca.id = m.campaign_id
        left join recipients r on r.client_id = m.client_id and r.id = m.recipient_id
        left join contacts c on c.client_id = m.client_id and c.id = m.contact_id
        left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        left join gift_card_pools p on p.client_id = g.client_id and p.id = g.pool_id
        left join gift_card_brands b on b.id = p.brand_id
        where m.client_id = $1
          and m.id = $2";
    /// The sealed secrets of the cards that messages bring, of every client within reach.
    SECRETS, app, "
        select m.id as message_id, g.client_id, g.id as card_id, g.card_code, g.pin_code, g.card_number
        from messages m
        join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        where m.id = any ($1)"
}

/// The sealed secrets of the card that a message brings.
#[derive(FromRow)]
pub(crate) struct Secrets {
    pub(crate) message_id: Uuid,
    pub(crate) client_id: Option<Uuid>,
    pub(crate) card_id: Uuid,
    pub(crate) card_code: String,
    pub(crate) pin_code: Option<String>,
    pub(crate) card_number: Option<String>,
}

/// The sealed secrets of the cards that messages bring.
pub(crate) async fn secrets(scope: &Scope<'_>, message_ids: &[Uuid]) -> Result<Vec<Secrets>> {
    scope.query(&SECRETS, &[&message_ids]).await
}

/// The material of a message.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(tx: &Transaction, client_id: Uuid, message_id: Uuid) -> Result<Material> {
    tx.query_one(&FIND, &[&client_id, &message_id, &tx.now()]).await
}
