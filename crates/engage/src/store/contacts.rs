//! The contact behind a submission: the recipient's own, one with the same e-mail or phone, or a new one.

use database::{FromRow, Transaction};
use kernel::{Result, new_id};
use uuid::Uuid;

use crate::actions::answers::Who;

#[derive(FromRow)]
struct Found {
    id: Uuid,
}

database::statement! {
    /// Waits for whoever is just looking for the same person: two submissions must not make two contacts.
    QUEUE, app, "
        select pg_advisory_xact_lock(hashtextextended($1, 0))::text";
    /// The oldest contact with this e-mail.
    BY_EMAIL, app, "
        select id
        from contacts
        where client_id = $1
          and email = $2
        order by created_at, id
        limit 1";
    /// The oldest contact with this phone.
    BY_PHONE, app, "
        select id
        from contacts
        where client_id = $1
          and phone = $2
        order by created_at, id
        limit 1";
    /// A new contact.
    INSERT, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, company, address, address2, city, state,
            zip, lead_source, last_activity_date, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 'form', $14, $14, $14)";
    /// What a known contact did; a stranger's words fill only what is empty.
    TOUCH, app, "
        update contacts
        set first_name = coalesce(nullif(first_name, ''), $3), last_name = coalesce(nullif(last_name, ''), $4),
            email = coalesce(nullif(email, ''), $5), phone = coalesce(nullif(phone, ''), $6),
            last_activity_date = greatest(last_activity_date, $7), updated_at = $7
        where client_id = $1
          and id = $2";
    /// What the person agreed to, in the words they read.
    CONSENT, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_at)
        values ($1, $2, $3, $4, true, 'form', $5, $6)"
}

/// The contact of a submission; `own` is the recipient's. `None` when nothing was said by which to know the person.
///
/// # Errors
/// What the database answered.
pub async fn match_or_create(tx: &Transaction, client_id: Uuid, own: Option<Uuid>, who: &Who) -> Result<Option<Uuid>> {
    if let Some(id) = own {
        touch(tx, client_id, id, who).await?;
        return Ok(Some(id));
    }
    let Some(key) = who.email.as_ref().or(who.phone.as_ref()) else { return Ok(None) };
    tx.execute(&QUEUE, &[&format!("{client_id}/{key}")]).await?;
    if let Some(id) = find(tx, client_id, who).await? {
        touch(tx, client_id, id, who).await?;
        return Ok(Some(id));
    }
    let id = new_id();
    let code = audience::contacts::new_code();
    let params: database::Params<'_> = &[
        &id,
        &client_id,
        &code,
        &who.first_name,
        &who.last_name,
        &who.email,
        &who.phone,
        &who.company,
        &who.address,
        &who.address2,
        &who.city,
        &who.state,
        &who.zip,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await?;
    Ok(Some(id))
}

/// Records what was agreed to: the channel (`sms`, `email`, `call`, `all`) and the words.
///
/// # Errors
/// What the database answered.
pub async fn record_consents(tx: &Transaction, client_id: Uuid, contact_id: Uuid, who: &Who) -> Result<()> {
    for (channel, wording) in &who.consents {
        tx.execute(&CONSENT, &[&new_id(), &client_id, &contact_id, channel, wording, &tx.now()]).await?;
    }
    Ok(())
}

async fn find(tx: &Transaction, client_id: Uuid, who: &Who) -> Result<Option<Uuid>> {
    if let Some(email) = &who.email {
        let found: Option<Found> = tx.query_opt(&BY_EMAIL, &[&client_id, email]).await?;
        if let Some(found) = found {
            return Ok(Some(found.id));
        }
    }
    let Some(phone) = &who.phone else { return Ok(None) };
    let found: Option<Found> = tx.query_opt(&BY_PHONE, &[&client_id, phone]).await?;
    Ok(found.map(|found| found.id))
}

async fn touch(tx: &Transaction, client_id: Uuid, id: Uuid, who: &Who) -> Result<()> {
    let params: database::Params<'_> =
        &[&client_id, &id, &who.first_name, &who.last_name, &who.email, &who.phone, &tx.now()];
    tx.execute(&TOUCH, params).await.map(|_| ())
}
