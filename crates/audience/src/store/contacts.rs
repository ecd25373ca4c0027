//! Contacts: found, listed, written.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction, statement};
use events::EventType;
use kernel::{Error, Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::contacts::{Contact, ContactInput};

statement! {
    /// One contact.
    FIND_CONTACT, app, "
        select id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title, address, address2,
          city, state, zip, country, lifecycle_stage, lead_score, engagement_score, lead_source, do_not_contact,
          email_opt_out, sms_opt_out,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = contacts.client_id and s.channel = 'sms' and s.address = coalesce(contacts.mobile_phone, contacts.phone)) as sms_suppressed,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = contacts.client_id and s.channel = 'email' and s.address = contacts.email) as email_suppressed,
          custom_fields, notes, last_activity_date, created_at, updated_at
        from contacts
        where client_id = $1
          and id = $2";
    /// One contact, held until it is written.
    LOCK_CONTACT, app, "
        select id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title, address, address2,
          city, state, zip, country, lifecycle_stage, lead_score, engagement_score, lead_source, do_not_contact,
          email_opt_out, sms_opt_out,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = contacts.client_id and s.channel = 'sms' and s.address = coalesce(contacts.mobile_phone, contacts.phone)) as sms_suppressed,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = contacts.client_id and s.channel = 'email' and s.address = contacts.email) as email_suppressed,
          custom_fields, notes, last_activity_date, created_at, updated_at
        from contacts
        where client_id = $1
          and id = $2
        for no key update";
    /// A new contact.
    INSERT_CONTACT, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title, address,
            address2, city, state, zip, country, lifecycle_stage, lead_score, lead_source, do_not_contact, email_opt_out,
            sms_opt_out, custom_fields, notes, match_key, created_by_user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24,
            $25, $26, $27, $27)";
    /// A changed contact.
    UPDATE_CONTACT, app, "
        update contacts
        set customer_code = $3, first_name = $4, last_name = $5, email = $6, phone = $7, mobile_phone = $8, company = $9,
          job_title = $10, address = $11, address2 = $12, city = $13, state = $14, zip = $15, country = $16,
          lifecycle_stage = $17, lead_score = $18, lead_source = $19, do_not_contact = $20, email_opt_out = $21,
          sms_opt_out = $22, custom_fields = $23, notes = $24, match_key = $25, updated_at = $26
        where client_id = $1
          and id = $2";
    /// What strangers said of a contact and staff says as well.
    CONFIRM_CONTACT, app, "
        update contacts
        set unconfirmed = array(select given from unnest(unconfirmed) given where given <> all ($3)), updated_at = $4
        where client_id = $1
          and id = $2
          and unconfirmed && $3";
    /// The recipients a contact became, held: the delete takes the contact out of them, and whoever claims for one of
    /// them holds it before looking at the contact.
    LOCK_RECIPIENTS, app, "
        select id
        from recipients
        where client_id = $1
          and contact_id = $2
        order by id
        for update";
    /// The contact that is to be taken away, held.
    HOLD_CONTACT, app, "
        select id
        from contacts
        where client_id = $1
          and id = $2
        for update";
    /// The lists a contact is on, held before it is taken off them: whoever deletes one holds it first, too.
    HOLD_LISTS, app, "
        select id
        from contact_lists
        where client_id = $1
          and id in (select list_id from contact_list_members where client_id = $1 and contact_id = $2)
        order by id
        for no key update";
    /// Takes a contact away.
    DELETE_CONTACT, app, "
        delete from contacts
        where client_id = $1
          and id = $2";
    /// A yes or a no a contact gave.
    INSERT_CONSENT, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_by_user_id, recorded_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    /// Suppresses those of the contacts $2 that are not, with the no that this is; $4 holds an id for each of them.
    SUPPRESS_ALL, app, "
        with changed as (
            update contacts
            set do_not_contact = true, updated_at = $3
            where client_id = $1
              and id = any ($2)
              and not do_not_contact
            returning id)
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, recorded_by_user_id, recorded_at)
        select n.id, $1, c.id, 'all', false, 'console', $5, $3
        from (select id, row_number() over (order by id) as at from changed) c
        join unnest($4::uuid[]) with ordinality n (id, at) on n.at = c.at
        returning contact_id as id";
    /// Every yes and no of a contact, the latest first.
    CONSENTS_OF_CONTACT, app, "
        select channel, granted, source, wording, recorded_at
        from contact_consents
        where client_id = $1
          and contact_id = $2
        order by recorded_at desc, id desc
        limit 50";
    /// A contact's tags.
    TAGS_OF_CONTACT, app, "
        select coalesce(array_agg(tag order by tag), '{}')
        from contact_tags
        where client_id = $1
          and contact_id = $2";
    /// The tags of some contacts, each contact's in one text.
    TAGS_OF_CONTACTS, app, "
        select contact_id, string_agg(tag, '; ' order by tag) as tags
        from contact_tags
        where client_id = $1
          and contact_id = any ($2)
        group by contact_id";
    /// What a contact did lately, in any campaign.
    EVENTS_OF_CONTACT, app, "
        select e.event_type, c.name as campaign, c.slug, e.created_at
        from recipients r
        join events e on e.client_id = r.client_id and e.recipient_id = r.id
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        where r.client_id = $1
          and r.contact_id = $2
        order by e.created_at desc, e.id desc
        limit 20"
}

/// A yes or a no.
#[derive(Debug, Clone, FromRow)]
pub struct Consent {
    /// all, mail, email, sms or call.
    pub channel: String,
    /// Yes or no.
    pub granted: bool,
    /// Where it came from.
    pub source: String,
    /// In which words.
    pub wording: Option<String>,
    /// When.
    pub recorded_at: DateTime<Utc>,
}

impl Consent {
    /// Yes or no, in a word.
    pub fn word(&self) -> &'static str {
        if self.granted { "Allowed" } else { "Stopped" }
    }

    /// About what, from where, in which words.
    pub fn about(&self) -> String {
        let channel = web::view::Badge::of(&self.channel).text;
        let source = web::view::Badge::of(&self.source).text;
        let parts = [Some(channel.as_str()), Some(source.as_str()), self.wording.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// Something a contact did.
#[derive(Debug, Clone, FromRow)]
pub struct Activity {
    /// What.
    pub event_type: String,
    /// In which campaign.
    pub campaign: String,
    /// The word in its URL.
    pub slug: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Activity {
    /// What, as people read it, and the icon beside it: as on the campaign's page.
    pub fn told(&self) -> (&'static str, &'static str) {
        EventType::of(&self.event_type).map_or(("Something happened", "circle"), EventType::told)
    }
}

/// One contact.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Contact> {
    scope.query_one(&FIND_CONTACT, &[&client_id, &id]).await
}

pub(crate) async fn lock(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Contact> {
    tx.query_one(&LOCK_CONTACT, &[&client_id, &id]).await
}

/// A contact's tags.
///
/// # Errors
/// What the database answered.
pub async fn tags(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<String>> {
    scope.query_scalar(&TAGS_OF_CONTACT, &[&client_id, &id]).await
}

#[derive(FromRow)]
struct Tagged {
    contact_id: Uuid,
    tags: String,
}

/// The tags of some contacts, each contact's in one text.
///
/// # Errors
/// What the database answered.
pub async fn tags_of(scope: &Scope<'_>, client_id: Uuid, ids: &[Uuid]) -> Result<HashMap<Uuid, String>> {
    let found: Vec<Tagged> = scope.query(&TAGS_OF_CONTACTS, &[&client_id, &ids]).await?;
    Ok(found.into_iter().map(|tagged| (tagged.contact_id, tagged.tags)).collect())
}

/// Every yes and no of a contact, the latest first.
///
/// # Errors
/// What the database answered.
pub async fn consents(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<Consent>> {
    scope.query(&CONSENTS_OF_CONTACT, &[&client_id, &id]).await
}

/// What a contact did lately.
///
/// # Errors
/// What the database answered.
pub async fn activity(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Vec<Activity>> {
    scope.query(&EVENTS_OF_CONTACT, &[&client_id, &id]).await
}

pub(crate) async fn insert(tx: &Transaction, client_id: Uuid, id: Uuid, input: &ContactInput) -> Result<()> {
    let (custom, score, key, now) =
        (Value::Object(input.custom_fields.clone()), input.lead_score.unwrap_or(0), input.match_key(), tx.now());
    let done = tx
        .execute(
            &INSERT_CONTACT,
            &[
                &id,
                &client_id,
                &input.customer_code,
                &input.first_name,
                &input.last_name,
                &input.email,
                &input.phone,
                &input.mobile_phone,
                &input.company,
                &input.job_title,
                &input.address,
                &input.address2,
                &input.city,
                &input.state,
                &input.zip,
                &input.country,
                &input.lifecycle_stage,
                &score,
                &input.lead_source,
                &input.do_not_contact,
                &input.email_opt_out,
                &input.sms_opt_out,
                &custom,
                &input.notes,
                &key,
                &tx.actor().user_id(),
                &now,
            ],
        )
        .await;
    done.map(|_| ()).map_err(taken)
}

pub(crate) async fn update(tx: &Transaction, (client_id, id): (Uuid, Uuid), input: &ContactInput) -> Result<()> {
    let (custom, score, key, now) =
        (Value::Object(input.custom_fields.clone()), input.lead_score.unwrap_or(0), input.match_key(), tx.now());
    let done = tx
        .execute(
            &UPDATE_CONTACT,
            &[
                &client_id,
                &id,
                &input.customer_code,
                &input.first_name,
                &input.last_name,
                &input.email,
                &input.phone,
                &input.mobile_phone,
                &input.company,
                &input.job_title,
                &input.address,
                &input.address2,
                &input.city,
                &input.state,
                &input.zip,
                &input.country,
                &input.lifecycle_stage,
                &score,
                &input.lead_source,
                &input.do_not_contact,
                &input.email_opt_out,
                &input.sms_opt_out,
                &custom,
                &input.notes,
                &key,
                &now,
            ],
        )
        .await;
    done.map(|_| ()).map_err(taken)
}

/// Takes what is said of a contact's addresses for confirmed; whether that is news.
pub(crate) async fn confirm(tx: &Transaction, (client_id, id): (Uuid, Uuid), said: &[String]) -> Result<bool> {
    Ok(tx.execute(&CONFIRM_CONTACT, &[&client_id, &id, &said, &tx.now()]).await? > 0)
}

/// Holds a contact that is about to be taken away, its recipients first, and tells how it is.
pub(crate) async fn hold(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Contact> {
    tx.execute(&LOCK_RECIPIENTS, &[&client_id, &id]).await?;
    tx.execute(&HOLD_CONTACT, &[&client_id, &id]).await?;
    tx.query_one(&FIND_CONTACT, &[&client_id, &id]).await
}

/// Takes away a contact that is held.
pub(crate) async fn delete(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<u64> {
    tx.execute(&HOLD_LISTS, &[&client_id, &id]).await?;
    tx.execute(&DELETE_CONTACT, &[&client_id, &id]).await
}

pub(crate) async fn insert_consent(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    channel: &str,
    granted: bool,
    source: &str,
) -> Result<()> {
    let wording: Option<&str> = None;
    let params: database::Params<'_> =
        &[&new_id(), &client_id, &id, &channel, &granted, &source, &wording, &tx.actor().user_id(), &tx.now()];
    tx.execute(&INSERT_CONSENT, params).await.map(|_| ())
}

#[derive(FromRow)]
struct IdRow {
    id: Uuid,
}

/// Suppresses contacts; answers those that were not suppressed before.
pub(crate) async fn suppress_all(tx: &Transaction, client_id: Uuid, ids: &[Uuid]) -> Result<Vec<Uuid>> {
    let rows_ids: Vec<Uuid> = ids.iter().map(|_| new_id()).collect();
    let params: database::Params<'_> = &[&client_id, &ids, &tx.now(), &rows_ids, &tx.actor().user_id()];
    let changed: Vec<IdRow> = tx.query(&SUPPRESS_ALL, params).await?;
    Ok(changed.into_iter().map(|row| row.id).collect())
}

fn taken(error: Error) -> Error {
    error.on_constraint("contacts_customer_code_key", "customer_code", "taken", "another contact has this code")
}
