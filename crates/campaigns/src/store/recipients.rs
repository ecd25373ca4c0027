//! Recipients: generated in sets, looked up by code or id.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::version::{Expected, etag_of};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::conditions;

/// A row of `recipients`.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct Recipient {
    /// Its id.
    pub id: Uuid,
    /// The client it belongs to.
    pub client_id: Uuid,
    /// The campaign it belongs to.
    pub campaign_id: Uuid,
    /// The contact it was made from.
    pub contact_id: Option<Uuid>,
    /// 12 characters, without dashes.
    #[serde(skip_serializing)]
    pub redemption_code: String,
    /// The end of the link.
    #[serde(skip_serializing)]
    pub purl_token: String,
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
    /// As it was at launch.
    pub custom_fields: Value,
    /// Nine digits inside the postal barcode.
    pub imb_serial: Option<String>,
    /// `active`, `delivered` or `bounced`.
    pub status: String,
    /// Visits and scans by people.
    pub total_visits: i32,
    /// The last of them.
    pub last_visited_at: Option<DateTime<Utc>>,
    /// When the campaign was launched.
    pub created_at: DateTime<Utc>,
}

/// A contact that was left out.
#[derive(Debug, Clone, FromRow)]
pub struct Skip {
    /// The contact.
    pub contact_id: Uuid,
    /// Its name.
    pub name: String,
    /// `do_not_contact`, `no_address`, `undeliverable_address` or `duplicate`.
    pub reason: String,
}

/// What one chunk of a launch came to.
#[derive(Debug, Clone, FromRow)]
pub struct Chunk {
    /// The last contact looked at; absent when none was left.
    pub last_contact_id: Option<Uuid>,
    /// Contacts looked at.
    pub contacts: i64,
    /// Recipients made.
    pub recipients: i64,
}

/// How many of a campaign's contacts became recipients.
#[derive(Debug, Clone, FromRow)]
pub struct Counts {
    /// Recipients.
    pub recipients: i64,
    /// Contacts left out.
    pub skipped: i64,
}

/// A draft that has recipients left.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct Left {
    /// The client it belongs to.
    pub client_id: Uuid,
    /// The draft.
    pub campaign_id: Uuid,
}

database::statement! {
    /// A recipient that somebody acts on, held; whoever meets conditions meanwhile waits.
    HOLD, app, "
        select id
        from recipients
        where client_id = $1
          and id = $2
        for update";
    /// Plans what follows in the transaction for any client: see the function.
    PLAN_FOR_ANY_CLIENT, app, "select app.plan_for_any_client()";
    /// One chunk of a launch: the next contacts of the list become recipients, or are left out with the reason. Contacts
    /// and codes are zipped by a full join, which can only be a hash or a merge: whatever the planner believes of their
    /// number, it never compares each with each.
    GENERATE, app, "
        with chunk as (
            select c.id, c.first_name, c.last_name, c.email, coalesce(c.mobile_phone, c.phone) as phone, c.address,
                c.address2, c.city, c.state, c.zip, c.country, c.custom_fields,
                case
                    when c.do_not_contact then 'do_not_contact'
                    else app.undeliverable(c.address, c.city, c.state, c.zip, c.country)
                end as reason
            from contact_list_members m
            join contacts c on c.client_id = m.client_id and c.id = m.contact_id
            where m.client_id = $1
              and m.list_id = $3
              and m.contact_id > $4
              and c.id > $4
            order by m.contact_id
            limit $5),
        numbered as (
            select chunk.*, row_number() over (order by id) as n
            from chunk
            where reason is null),
        given as (
            select *
            from unnest($6::uuid[], $7::uuid[], $8::text[], $9::text[])
                with ordinality as given (recipient_id, participation_id, redemption_code, purl_token, n)),
        zipped as materialized (
            select g.recipient_id, g.participation_id, g.redemption_code, g.purl_token, c.id as contact_id, c.first_name,
                c.last_name, c.email, c.phone, c.address, c.address2, c.city, c.state, c.zip, c.country, c.custom_fields
            from numbered c
            full join given g on g.n = c.n),
        made as (
            insert into recipients (
                id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, last_name, email,
                phone, address, address2, city, state, zip, country, custom_fields, imb_serial, created_at)
            select recipient_id, $1, $2, contact_id, redemption_code, purl_token, first_name, last_name, email, phone,
                address, address2, city, state, zip, country, custom_fields,
                lpad((nextval('app.imb_serials') % 1000000000)::text, 9, '0'), $10
            from zipped
            where contact_id is not null
            returning 1),
        took_part as (
            insert into contact_campaign_participation (
                id, client_id, contact_id, campaign_id, recipient_id, redemption_code, created_at, updated_at)
            select participation_id, $1, contact_id, $2, recipient_id, redemption_code, $10, $10
            from zipped
            where contact_id is not null),
        left_out as (
            insert into recipient_skips (id, client_id, campaign_id, contact_id, reason, created_at)
            select gen_random_uuid(), $1, $2, id, reason, $10
            from chunk
            where reason is not null)
        select
            (select id from chunk order by id desc limit 1) as last_contact_id,
            (select count(*) from chunk) as contacts,
            (select count(*) from made) as recipients";
    /// A job for each of the next recipients, whose condition has come due; its key is that of `crate::meet`.
    WAKE, app, "
        with chunk as (
            select id
            from recipients
            where client_id = $1
              and campaign_id = $2
              and id > $5
            order by id
            limit $6),
        woken as (
            insert into jobs (id, kind, payload, client_id, unique_key, run_at, created_at)
            select gen_random_uuid(), $3,
                jsonb_build_object('campaign_id', $2::uuid, 'recipient_id', id, 'condition_number', $4::int4), $1,
                $3 || ':' || id || ':' || $4, $7, $7
            from chunk
            order by id
            on conflict do nothing)
        select (select id from chunk order by id desc limit 1) as last_id";
    /// Takes some of what was generated away again: before anything was sent.
    DELETE, app, "
        delete from recipients
        where client_id = $1
          and id = any (array(
            select id
            from recipients
            where client_id = $1
              and campaign_id = $2
            order by id
            limit $3))";
    /// And some of what was left out.
    DELETE_SKIPS, app, "
        delete from recipient_skips
        where client_id = $1
          and id = any (array(
            select id
            from recipient_skips
            where client_id = $1
              and campaign_id = $2
            limit $3))";
    /// Drafts that have recipients: those of a launch that was taken back and not cleared yet.
    LEFT_IN_DRAFTS, worker, "
        select c.client_id, c.id as campaign_id
        from campaigns c
        where c.status = 'draft'
          and exists (
            select
            from recipients r
            where r.client_id = c.client_id
              and r.campaign_id = c.id)
        limit 100";
    /// One recipient by id.
    FIND, app, "
        select id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, last_name, email,
            phone, address, address2, city, state, zip, custom_fields, imb_serial, status, total_visits,
            last_visited_at, created_at
        from recipients
        where client_id = $1
          and id = $2";
    /// One recipient of a client by redemption code.
    FIND_BY_CODE, app, "
        select id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, last_name, email,
            phone, address, address2, city, state, zip, custom_fields, imb_serial, status, total_visits,
            last_visited_at, created_at
        from recipients
        where redemption_code = $2
          and client_id = $1";
    /// Contacts left out of a campaign.
    SKIPS, app, "
        select s.contact_id, coalesce(nullif(btrim(concat(c.first_name, ' ', c.last_name)), ''), c.customer_code) as name, s.reason
        from recipient_skips s
        join contacts c on c.client_id = s.client_id and c.id = s.contact_id
        where s.client_id = $1
          and s.campaign_id = $2
          and s.contact_id > $3
        order by s.contact_id
        limit $4";
    /// How many became recipients and how many were left out.
    COUNTS, app, "
        select
            (select count(*) from recipients where client_id = $1 and campaign_id = $2) as recipients,
            (select count(*) from recipient_skips where client_id = $1 and campaign_id = $2) as skipped"
}

/// What one chunk of a launch is given.
pub struct Given {
    /// Ids of the recipients to be.
    pub recipient_ids: Vec<Uuid>,
    /// Ids of their participation rows.
    pub participation_ids: Vec<Uuid>,
    /// Redemption codes.
    pub redemption_codes: Vec<String>,
    /// Link tokens.
    pub purl_tokens: Vec<String>,
}

/// Which list becomes whose recipients, and from which contact on.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// The client.
    pub client_id: Uuid,
    /// The campaign.
    pub campaign_id: Uuid,
    /// The list.
    pub list_id: Uuid,
    /// The last contact of the chunk before; nil for the first.
    pub after: Uuid,
}

#[derive(FromRow)]
struct Woken {
    last_id: Option<Uuid>,
}

/// Leaves a job of this kind for a condition of each of the next recipients; answers the last one, none at the end.
///
/// # Errors
/// What the database answered.
pub async fn wake(
    tx: &Transaction,
    (client_id, campaign_id): (Uuid, Uuid),
    (kind, condition_number): (&str, i32),
    (after, most): (Uuid, i64),
) -> Result<Option<Uuid>> {
    let params: database::Params<'_> = &[&client_id, &campaign_id, &kind, &condition_number, &after, &most, &tx.now()];
    Ok(tx.query_one::<Woken>(&WAKE, params).await?.last_id)
}

/// Turns the next contacts of the list into recipients, as many as `given` has codes for.
///
/// # Errors
/// What the database answered; a code that exists already is a `Constraint`, and trying again draws others.
pub async fn generate(tx: &Transaction, source: Source, given: &Given) -> Result<Chunk> {
    let limit = i64::try_from(given.recipient_ids.len()).unwrap_or(i64::MAX);
    let params: database::Params<'_> = &[
        &source.client_id,
        &source.campaign_id,
        &source.list_id,
        &source.after,
        &limit,
        &given.recipient_ids,
        &given.participation_ids,
        &given.redemption_codes,
        &given.purl_tokens,
        &tx.now(),
    ];
    tx.query_one(&GENERATE, params).await
}

/// Plans what follows in the transaction for any client, before thousands of rows are written for one.
///
/// # Errors
/// What the database answered.
pub async fn plan_for_any_client(tx: &Transaction) -> Result<()> {
    tx.execute(&PLAN_FOR_ANY_CLIENT, &[]).await.map(|_| ())
}

/// Takes up to `limit` of the generated recipients away again; answers how many.
///
/// # Errors
/// What the database answered.
pub async fn delete(tx: &Transaction, client_id: Uuid, campaign_id: Uuid, limit: i64) -> Result<u64> {
    tx.execute(&DELETE, &[&client_id, &campaign_id, &limit]).await
}

/// The same with the contacts that were left out.
///
/// # Errors
/// What the database answered.
pub async fn delete_skips(tx: &Transaction, client_id: Uuid, campaign_id: Uuid, limit: i64) -> Result<u64> {
    tx.execute(&DELETE_SKIPS, &[&client_id, &campaign_id, &limit]).await
}

/// Drafts, of any client, that have recipients left.
///
/// # Errors
/// What the database answered.
pub async fn left_in_drafts(tx: &Transaction) -> Result<Vec<Left>> {
    tx.query(&LEFT_IN_DRAFTS, &[]).await
}

/// One recipient by id.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<Recipient> {
    scope.query_one(&FIND, &[&client_id, &id]).await
}

/// The same inside a transaction.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find_in(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<Recipient> {
    tx.query_one(&FIND, &[&client_id, &id]).await
}

/// Holds a recipient; refuses what is meant for another version of them and what they have met.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, client_id: Uuid, id: Uuid, expected: &Expected) -> Result<Recipient> {
    tx.execute(&HOLD, &[&client_id, &id]).await?;
    let recipient = find_in(tx, client_id, id).await?;
    if !expected.is_any() {
        expected.check(&etag_of(&(&recipient, conditions::met_in(tx, client_id, id).await?))?)?;
    }
    Ok(recipient)
}

/// One recipient of a client by redemption code (12 characters).
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find_by_code(scope: &Scope<'_>, client_id: Uuid, code: &str) -> Result<Recipient> {
    scope.query_one(&FIND_BY_CODE, &[&client_id, &code]).await
}

/// A page of the contacts left out.
///
/// # Errors
/// What the database answered.
pub async fn skips(
    scope: &Scope<'_>,
    client_id: Uuid,
    campaign_id: Uuid,
    after: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Skip>> {
    scope.query(&SKIPS, &[&client_id, &campaign_id, &after.unwrap_or(Uuid::nil()), &(limit + 1)]).await
}

/// How many became recipients and how many were left out.
///
/// # Errors
/// What the database answered.
pub async fn counts(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Counts> {
    scope.query_one(&COUNTS, &[&client_id, &campaign_id]).await
}
