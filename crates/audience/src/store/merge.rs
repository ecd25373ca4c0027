//! A chunk of an import on its way into the tables: copied into the transaction's own `import_rows`, then merged by sets.
//!
//! Known contacts are looked up by sub-selects that yield one value: the planner can only answer them row by row from an
//! index. As joins, on tables that grew since they were last analysed, they became scans of all contacts for each row.

use database::{Statement, Transaction, statement};
use kernel::{Result, new_id};
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use crate::import::options::{Dedupe, OnDuplicate};
use crate::import::row::Prepared;

statement! {
    /// Makes the transaction's own `import_rows`.
    STAGE, app, "select app.stage_import_rows()";

    /// Copies rows into it.
    COPY_ROWS, app, "
        copy import_rows (
            client_id, line_number, contact_id, member_id, dedupe_key, check_code, customer_code,
            first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key, tags)
        from stdin binary";

    /// Finds contacts by e-mail; of several the oldest.
    MATCH_BY_EMAIL, app, "
        update import_rows r
        set known = true,
            contact_id = (
              select (array_agg(c.id order by c.id))[1] from contacts c
              where c.client_id = $1 and c.email = r.dedupe_key)
        where r.dedupe_key is not null
          and (select count(*) from contacts c where c.client_id = $1 and c.email = r.dedupe_key) > 0";

    /// Finds contacts by phone; of several the oldest.
    MATCH_BY_PHONE, app, "
        update import_rows r
        set known = true,
            contact_id = (
              select (array_agg(c.id order by c.id))[1] from contacts c
              where c.client_id = $1 and c.phone = r.dedupe_key)
        where r.dedupe_key is not null
          and (select count(*) from contacts c where c.client_id = $1 and c.phone = r.dedupe_key) > 0";

    /// Finds contacts by name and address; of several the oldest.
    MATCH_BY_NAME_ADDRESS, app, "
        update import_rows r
        set known = true,
            contact_id = (
              select (array_agg(c.id order by c.id))[1] from contacts c
              where c.client_id = $1 and c.match_key = r.dedupe_key)
        where r.dedupe_key is not null
          and (select count(*) from contacts c where c.client_id = $1 and c.match_key = r.dedupe_key) > 0";

    /// Finds contacts by code, where the code was not made by chance.
    MATCH_BY_CODE, app, "
        update import_rows r
        set known = true,
            contact_id = (select c.id from contacts c where c.client_id = $1 and c.customer_code = r.customer_code)
        where r.check_code
          and not r.known
          and (select c.id from contacts c where c.client_id = $1 and c.customer_code = r.customer_code) is not null";

    /// How many rows are about contacts that are already there.
    COUNT_KNOWN, app, "select count(*) from import_rows where client_id = $1 and known";

    /// The no's that known contacts have not said before.
    CONSENTS_OF_KNOWN, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_by_user_id, recorded_at)
        select gen_random_uuid(), c.client_id, c.id, f.channel, false, 'import', $2, $3, $4
        from import_rows r
        join contacts c on c.client_id = r.client_id and c.id = r.contact_id
        cross join lateral (values
          ('all', r.do_not_contact and not c.do_not_contact),
          ('email', r.email_opt_out and not c.email_opt_out),
          ('sms', r.sms_opt_out and not c.sms_opt_out)) f (channel, said_no)
        where r.client_id = $1
          and r.known
          and f.said_no";

    /// Creates the contacts that are not known. Fails when somebody else took a code meanwhile.
    INSERT_NEW, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key,
            created_by_user_id, created_at, updated_at)
        select
            contact_id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, coalesce(country, 'US'), lead_source, notes,
            coalesce(do_not_contact, false), coalesce(email_opt_out, false), coalesce(sms_opt_out, false),
            coalesce(lifecycle_stage, 'lead'), coalesce(lead_score, 0), custom_fields, match_key,
            $2, $3, $3
        from import_rows
        where client_id = $1
          and not known";

    /// The same for a second try: a code somebody else took leaves its row out. Half as fast again, so not the first.
    INSERT_NEW_CAREFULLY, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key,
            created_by_user_id, created_at, updated_at)
        select
            contact_id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, coalesce(country, 'US'), lead_source, notes,
            coalesce(do_not_contact, false), coalesce(email_opt_out, false), coalesce(sms_opt_out, false),
            coalesce(lifecycle_stage, 'lead'), coalesce(lead_score, 0), custom_fields, match_key,
            $2, $3, $3
        from import_rows
        where client_id = $1
          and not known
        on conflict (customer_code, client_id) do nothing";

    /// The no's that come with new contacts.
    CONSENTS_OF_NEW, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_by_user_id, recorded_at)
        select gen_random_uuid(), r.client_id, r.contact_id, f.channel, false, 'import', $2, $3, $4
        from import_rows r
        cross join lateral (values
          ('all', r.do_not_contact), ('email', r.email_opt_out), ('sms', r.sms_opt_out)) f (channel, said_no)
        where r.client_id = $1
          and not r.known
          and f.said_no";

    /// Finds, by their codes, the rows that were left out because somebody else took their code.
    MATCH_LEFT_OUT, app, "
        update import_rows r
        set known = true, contact_id = c.id
        from contacts c
        where r.client_id = $1
          and not r.known
          and c.client_id = r.client_id
          and c.customer_code = r.customer_code
          and c.id <> r.contact_id";

    /// Updates known contacts: only what the file says overwrites, a no is never taken back, and what is the same
    /// already is not touched.
    UPDATE_KNOWN, app, "
        update contacts c
        set first_name = n.first_name, last_name = n.last_name, email = n.email, phone = n.phone,
            mobile_phone = n.mobile_phone, company = n.company, job_title = n.job_title, address = n.address,
            address2 = n.address2, city = n.city, state = n.state, zip = n.zip, country = n.country,
            lead_source = n.lead_source, notes = n.notes, do_not_contact = n.do_not_contact,
            email_opt_out = n.email_opt_out, sms_opt_out = n.sms_opt_out, lifecycle_stage = n.lifecycle_stage,
            lead_score = n.lead_score, custom_fields = n.custom_fields, updated_at = $2
        from (
          select distinct on (o.id)
            o.id,
            coalesce(r.first_name, o.first_name) as first_name,
            coalesce(r.last_name, o.last_name) as last_name,
            coalesce(r.email, o.email) as email,
            coalesce(r.phone, o.phone) as phone,
            coalesce(r.mobile_phone, o.mobile_phone) as mobile_phone,
            coalesce(r.company, o.company) as company,
            coalesce(r.job_title, o.job_title) as job_title,
            coalesce(r.address, o.address) as address,
            coalesce(r.address2, o.address2) as address2,
            coalesce(r.city, o.city) as city,
            coalesce(r.state, o.state) as state,
            coalesce(r.zip, o.zip) as zip,
            coalesce(r.country, o.country) as country,
            coalesce(r.lead_source, o.lead_source) as lead_source,
            coalesce(r.notes, o.notes) as notes,
            o.do_not_contact or coalesce(r.do_not_contact, false) as do_not_contact,
            o.email_opt_out or coalesce(r.email_opt_out, false) as email_opt_out,
            o.sms_opt_out or coalesce(r.sms_opt_out, false) as sms_opt_out,
            coalesce(r.lifecycle_stage, o.lifecycle_stage) as lifecycle_stage,
            coalesce(r.lead_score, o.lead_score) as lead_score,
            o.custom_fields || r.custom_fields as custom_fields
          from import_rows r
          join contacts o on o.client_id = r.client_id and o.id = r.contact_id
          where r.client_id = $1
            and r.known
          order by o.id, r.line_number desc
        ) n
        where c.client_id = $1
          and c.id = n.id
          and (c.first_name, c.last_name, c.email, c.phone, c.mobile_phone, c.company, c.job_title, c.address, c.address2,
               c.city, c.state, c.zip, c.country, c.lead_source, c.notes, c.do_not_contact, c.email_opt_out, c.sms_opt_out,
               c.lifecycle_stage, c.lead_score, c.custom_fields)
            is distinct from
              (n.first_name, n.last_name, n.email, n.phone, n.mobile_phone, n.company, n.job_title, n.address, n.address2,
               n.city, n.state, n.zip, n.country, n.lead_source, n.notes, n.do_not_contact, n.email_opt_out, n.sms_opt_out,
               n.lifecycle_stage, n.lead_score, n.custom_fields)
        returning c.id, c.first_name, c.last_name, c.address, c.address2, c.city, c.state, c.zip, c.country, c.match_key";

    /// Gives contacts their new match keys.
    UPDATE_MATCH_KEYS, app, "
        update contacts c
        set match_key = k.match_key
        from unnest($2::uuid[], $3::text[]) k (id, match_key)
        where c.client_id = $1
          and c.id = k.id";

    /// Puts the new contacts of the chunk on the list.
    INSERT_NEW_MEMBERS, app, "
        insert into contact_list_members (id, client_id, list_id, contact_id, added_by_user_id, added_at)
        select member_id, client_id, $2, contact_id, $3, $4
        from import_rows
        where client_id = $1
          and not known";

    /// Puts the known contacts of the chunk on the list, where they are not on it yet.
    INSERT_KNOWN_MEMBERS, app, "
        insert into contact_list_members (id, client_id, list_id, contact_id, added_by_user_id, added_at)
        select member_id, client_id, $2, contact_id, $3, $4
        from import_rows
        where client_id = $1
          and known
        on conflict (list_id, contact_id) do nothing";

    /// Attaches the tags of the chunk.
    INSERT_TAGS, app, "
        insert into contact_tags (id, client_id, contact_id, tag, created_by_user_id, created_at)
        select gen_random_uuid(), r.client_id, r.contact_id, t.tag, $2, $3
        from import_rows r
        cross join lateral unnest(r.tags) t (tag)
        where r.client_id = $1
        on conflict (contact_id, tag) do nothing";
}

/// The types of [`COPY_ROWS`].
const TYPES: [Type; 30] = [
    Type::UUID, Type::INT8, Type::UUID, Type::UUID, Type::TEXT, Type::BOOL, Type::TEXT,
    Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT,
    Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT, Type::TEXT,
    Type::BOOL, Type::BOOL, Type::BOOL, Type::TEXT, Type::INT4, Type::JSONB, Type::TEXT, Type::TEXT_ARRAY,
];

/// Whose import it is and how it treats duplicates.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The client.
    pub client_id: Uuid,
    /// The list, if the contacts go to one.
    pub list_id: Option<Uuid>,
    /// Who started it.
    pub user_id: Option<Uuid>,
    /// What is kept as the source of a no.
    pub filename: &'a str,
    /// By what contacts are found.
    pub dedupe: Dedupe,
    /// What happens to those that are found.
    pub on_duplicate: OnDuplicate,
    /// Whether an earlier try met a code that somebody else took.
    pub carefully: bool,
}

/// What came of a chunk's rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Merged {
    /// Contacts created.
    pub created: i64,
    /// Contacts changed.
    pub updated: i64,
    /// Contacts left as they are.
    pub skipped: i64,
}

/// A contact whose name or address changed.
#[derive(Debug, database::FromRow)]
struct Changed {
    id: Uuid,
    first_name: Option<String>,
    last_name: Option<String>,
    address: Option<String>,
    address2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip: Option<String>,
    country: Option<String>,
    match_key: Option<String>,
}

/// Writes the rows of a chunk within `tx`.
///
/// # Errors
/// What the database answered; the transaction must then not be committed.
pub async fn merge(tx: &Transaction, target: Target<'_>, rows: &[Prepared]) -> Result<Merged> {
    if rows.is_empty() {
        return Ok(Merged::default());
    }
    tx.execute(&STAGE, &[]).await?;
    copy(tx, target.client_id, rows).await?;
    let by_key: Option<&Statement> = match target.dedupe {
        Dedupe::Email => Some(&MATCH_BY_EMAIL),
        Dedupe::Phone => Some(&MATCH_BY_PHONE),
        Dedupe::NameAddress => Some(&MATCH_BY_NAME_ADDRESS),
        Dedupe::CustomerCode => None,
    };
    if let Some(statement) = by_key.filter(|_| rows.iter().any(|row| row.key.is_some())) {
        tx.execute(statement, &[&target.client_id]).await?;
    }
    if rows.iter().any(|row| row.check_code) {
        tx.execute(&MATCH_BY_CODE, &[&target.client_id]).await?;
    }
    let merged = write(tx, target, rows).await?;
    let now = tx.now();
    if let Some(list_id) = target.list_id {
        let members: database::Params<'_> = &[&target.client_id, &list_id, &target.user_id, &now];
        if merged.created > 0 {
            tx.execute(&INSERT_NEW_MEMBERS, members).await?;
        }
        if merged.created < rows.len() as i64 {
            tx.execute(&INSERT_KNOWN_MEMBERS, members).await?;
        }
    }
    if rows.iter().any(|row| !row.tags.is_empty()) {
        tx.execute(&INSERT_TAGS, &[&target.client_id, &target.user_id, &now]).await?;
    }
    Ok(merged)
}

async fn write(tx: &Transaction, target: Target<'_>, rows: &[Prepared]) -> Result<Merged> {
    let (client_id, now) = (target.client_id, tx.now());
    let known: i64 = tx.query_scalar(&COUNT_KNOWN, &[&client_id]).await?;
    let says_no = rows.iter().any(|row| row.flags.contains(&Some(true)));
    let wording = format!("Column of the imported file {}", target.filename);
    let mut merged = Merged::default();
    if target.on_duplicate == OnDuplicate::Update && known > 0 {
        if says_no {
            tx.execute(&CONSENTS_OF_KNOWN, &[&client_id, &wording, &target.user_id, &now]).await?;
        }
        merged.updated = update(tx, client_id).await?;
    }
    let new = rows.len() as i64 - known;
    if new > 0 {
        let insert = if target.carefully { &INSERT_NEW_CAREFULLY } else { &INSERT_NEW };
        merged.created = tx.execute(insert, &[&client_id, &target.user_id, &now]).await? as i64;
        if merged.created < new {
            tx.execute(&MATCH_LEFT_OUT, &[&client_id]).await?;
        }
        if says_no {
            tx.execute(&CONSENTS_OF_NEW, &[&client_id, &wording, &target.user_id, &now]).await?;
        }
    }
    merged.skipped = rows.len() as i64 - merged.created - merged.updated;
    Ok(merged)
}

async fn update(tx: &Transaction, client_id: Uuid) -> Result<i64> {
    let changed: Vec<Changed> = tx.query(&UPDATE_KNOWN, &[&client_id, &tx.now()]).await?;
    let (mut ids, mut keys) = (Vec::new(), Vec::new());
    for contact in &changed {
        let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
        let (street, street2, city) = (text(&contact.address), text(&contact.address2), text(&contact.city));
        let (state, zip, country) = (text(&contact.state), text(&contact.zip), text(&contact.country));
        let address = kernel::postal::Address { street: &street, street2: &street2, city: &city, state: &state, zip: &zip, country: &country };
        let key = crate::contacts::match_key(&text(&contact.first_name), &text(&contact.last_name), &address);
        if key != contact.match_key {
            ids.push(contact.id);
            keys.push(key);
        }
    }
    if !ids.is_empty() {
        tx.execute(&UPDATE_MATCH_KEYS, &[&client_id, &ids, &keys]).await?;
    }
    Ok(changed.len() as i64)
}

async fn copy(tx: &Transaction, client_id: Uuid, rows: &[Prepared]) -> Result<()> {
    let writer = tx.copy_in(&COPY_ROWS, &TYPES).await?;
    let mut writer = std::pin::pin!(writer);
    for row in rows {
        let (line, member_id, custom) = (row.line as i64, new_id(), tokio_postgres::types::Json(&row.custom));
        let tags = (!row.tags.is_empty()).then_some(&row.tags);
        let mut values: Vec<&(dyn ToSql + Sync)> =
            vec![&client_id, &line, &row.id, &member_id, &row.key, &row.check_code, &row.code];
        values.extend(row.texts.iter().map(|text| text as &(dyn ToSql + Sync)));
        values.extend(row.flags.iter().map(|flag| flag as &(dyn ToSql + Sync)));
        values.extend([&row.stage as &(dyn ToSql + Sync), &row.score, &custom, &row.match_key, &tags]);
        writer.as_mut().write(&values).await.map_err(|error| Transaction::copy_error(&error))?;
    }
    writer.finish().await.map_err(|error| Transaction::copy_error(&error))?;
    Ok(())
}
