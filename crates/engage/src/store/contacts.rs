//! The contact behind a submission: the recipient's own, one with the same e-mail or phone, or a new one.

use audience::contacts::match_key;
use database::{FromRow, Transaction};
use kernel::postal::{Address, DEFAULT_COUNTRY};
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::actions::answers::Who;

#[derive(FromRow)]
struct Found {
    id: Uuid,
}

/// What a touched contact's key is made of, and the key it had.
#[derive(FromRow)]
struct Touched {
    first_name: Option<String>,
    last_name: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    match_key: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    mobile_phone: Option<String>,
    unconfirmed: Vec<String>,
}

/// Whom a submission was matched to.
#[derive(Debug, Default)]
pub struct Matched {
    /// The contact; absent when nothing was said by which to know the person.
    pub contact_id: Option<Uuid>,
    /// What was said of the contact's e-mail and phone that is not on file: it differs from that, or nobody knew the contact.
    pub unconfirmed: Option<Value>,
    /// What strangers said before and the contact's own link or code says now.
    confirmed: Vec<String>,
    /// Whether it is their own link or code that spoke, or somebody nobody knew.
    pub speaks_for_itself: bool,
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
    /// The oldest contact with this phone, mobile or not.
    BY_PHONE, app, "
        select id
        from (
            select id, created_at
            from contacts
            where client_id = $1
              and phone = $2
            union all
            select id, created_at
            from contacts
            where client_id = $1
              and mobile_phone = $2) c
        order by created_at, id
        limit 1";
    /// A new contact.
    INSERT, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, company, address, address2, city, state,
            zip, country, match_key, lead_source, last_activity_date, created_at, updated_at, unconfirmed)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'form', $16, $16, $16,
            array_remove(array[$6, $7], null))";
    /// What a known contact did; a stranger's words fill an empty name, those of their own link an empty address as well,
    /// and one that only a stranger gave.
    TOUCH, app, "
        update contacts
        set first_name = coalesce(nullif(first_name, ''), $3), last_name = coalesce(nullif(last_name, ''), $4),
            email = coalesce(case when email = any (unconfirmed) then $5 end, nullif(email, ''), $5),
            phone = coalesce(case when phone = any (unconfirmed) then $6 end, nullif(phone, ''), $6),
            last_activity_date = greatest(last_activity_date, $7), updated_at = $7
        where client_id = $1
          and id = $2
        returning first_name, last_name, address, address2, city, state, zip, country, match_key, email, phone,
            mobile_phone, unconfirmed";
    /// What strangers said of a contact and somebody who knows says as well.
    CONFIRM, app, "
        update contacts
        set unconfirmed = array(select given from unnest(unconfirmed) given where given <> all ($3))
        where client_id = $1
          and id = $2";
    /// The key of a contact whose name was filled in.
    REKEY, app, "
        update contacts
        set match_key = $3
        where client_id = $1
          and id = $2";
    /// What the person agreed to, in the words they read.
    CONSENT, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_at)
        values ($1, $2, $3, $4, true, 'form', $5, $6)"
}

/// The contact of a submission; `own` is the recipient's. What a stranger says of a contact who is known fills at most
/// an empty name: with a phone, a later campaign would send to a number that anybody can type into a form. Of somebody
/// nobody knew it is kept, but as unconfirmed: the next one to know them may be the business, with its own file.
///
/// # Errors
/// What the database answered.
pub async fn match_or_create(tx: &Transaction, client_id: Uuid, own: Option<Uuid>, who: &Who) -> Result<Matched> {
    if let Some(id) = own {
        let (unconfirmed, confirmed) = touch(tx, client_id, id, (who, who)).await?;
        return Ok(Matched { contact_id: Some(id), unconfirmed, confirmed, speaks_for_itself: true });
    }
    let Some(key) = who.email.as_ref().or(who.phone.as_ref()) else { return Ok(Matched::default()) };
    tx.execute(&QUEUE, &[&format!("{client_id}/{key}")]).await?;
    if let Some(id) = find(tx, client_id, who).await? {
        let name = Who { first_name: who.first_name.clone(), last_name: who.last_name.clone(), ..Who::default() };
        let (unconfirmed, _) = touch(tx, client_id, id, (who, &name)).await?;
        return Ok(Matched { contact_id: Some(id), unconfirmed, ..Matched::default() });
    }
    let id = create(tx, client_id, who).await?;
    let unconfirmed = given(who.email.as_ref(), who.phone.as_ref());
    Ok(Matched { contact_id: Some(id), unconfirmed, speaks_for_itself: true, ..Matched::default() })
}

/// What the contact's own link or code has said is on file from now on. Not before its reward is claimed: that one goes
/// to an address that was given just now.
///
/// # Errors
/// What the database answered.
pub async fn confirm(tx: &Transaction, client_id: Uuid, matched: &Matched) -> Result<()> {
    let Some(id) = matched.contact_id.filter(|_| !matched.confirmed.is_empty()) else { return Ok(()) };
    tx.execute(&CONFIRM, &[&client_id, &id, &matched.confirmed]).await.map(|_| ())
}

async fn create(tx: &Transaction, client_id: Uuid, who: &Who) -> Result<Uuid> {
    let id = new_id();
    let (code, country) = (audience::contacts::new_code(), DEFAULT_COUNTRY);
    let name = [&who.first_name, &who.last_name].map(|text| text.as_deref());
    let address = [&who.address, &who.address2, &who.city, &who.state, &who.zip].map(|text| text.as_deref());
    let key = key_of(name, address, country);
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
        &country,
        &key,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await?;
    Ok(id)
}

/// The key by which audiences find duplicates, of first and last name and of street, second line, city, state, ZIP.
fn key_of(name: [Option<&str>; 2], address: [Option<&str>; 5], country: &str) -> Option<String> {
    let [first_name, last_name] = name.map(Option::unwrap_or_default);
    let [street, street2, city, state, zip] = address.map(Option::unwrap_or_default);
    match_key(first_name, last_name, &Address { street, street2, city, state, zip, country })
}

/// Records what was agreed to: the channel (`sms`, `email`, `call`) and the words.
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

/// Fills in what is empty from `fills`; answers what `said` says otherwise than the contact's record, and what it says
/// as strangers did.
async fn touch(
    tx: &Transaction,
    client_id: Uuid,
    id: Uuid,
    (said, fills): (&Who, &Who),
) -> Result<(Option<Value>, Vec<String>)> {
    let params: database::Params<'_> =
        &[&client_id, &id, &fills.first_name, &fills.last_name, &fills.email, &fills.phone, &tx.now()];
    let Some(now): Option<Touched> = tx.query_opt(&TOUCH, params).await? else { return Ok((None, Vec::new())) };
    let name = [&now.first_name, &now.last_name].map(|text| text.as_deref());
    let address = [&now.address, &now.address2, &now.city, &now.state, &now.zip].map(|text| text.as_deref());
    let key = key_of(name, address, now.country.as_deref().unwrap_or_default());
    if key != now.match_key {
        tx.execute(&REKEY, &[&client_id, &id, &key]).await?;
    }
    let said_now = said.email.iter().chain(&said.phone);
    let confirmed = said_now.filter(|said| now.unconfirmed.contains(said)).cloned().collect();
    Ok((now.contradicted_by(said), confirmed))
}

/// An e-mail address and a phone as a submission keeps them that nobody has confirmed.
fn given(email: Option<&String>, phone: Option<&String>) -> Option<Value> {
    let given = [("email", email), ("phone", phone)];
    let given: serde_json::Map<String, Value> =
        given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone().into()))).collect();
    (!given.is_empty()).then_some(Value::Object(given))
}

impl Touched {
    fn contradicted_by(&self, said: &Who) -> Option<Value> {
        let email = said.email.as_ref().filter(|email| self.email.as_ref() != Some(*email));
        let known = [&self.phone, &self.mobile_phone];
        let phone = said.phone.as_ref().filter(|phone| !known.contains(&&Some((*phone).clone())));
        given(email, phone)
    }
}
