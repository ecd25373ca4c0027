//! Lists and who is in them.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction, statement};
use kernel::version::Expected;
use kernel::{Result, new_id};
use uuid::Uuid;

use crate::lists::{List, ListInput, Mailable};

statement! {
    /// One list.
    FIND_LIST, app, "
        select id, name, description, list_type, contact_count, created_at, updated_at, last_sync_at
        from contact_lists
        where client_id = $1
          and id = $2";
    /// One list by its name, held until the transaction ends.
    FIND_LIST_BY_NAME, app, "
        select id, name, description, list_type, contact_count, created_at, updated_at, last_sync_at
        from contact_lists
        where client_id = $1
          and name = $2
        for key share";
    /// A page of lists by name.
    LIST_LISTS, app, "
        select id, name, description, list_type, contact_count, created_at, updated_at, last_sync_at
        from contact_lists
        where client_id = $1
          and ($2::text is null or name ilike $2)
          and ($3::text is null or (name, id) > ($3, $4))
        order by name, id
        limit $5";
    /// How many lists there are.
    COUNT_LISTS, app, "
        select count(*)
        from contact_lists
        where client_id = $1
          and ($2::text is null or name ilike $2)";
    /// A new list.
    INSERT_LIST, app, "
        insert into contact_lists (id, client_id, name, description, created_by_user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        returning id, name, description, list_type, contact_count, created_at, updated_at, last_sync_at";
    /// A new list, unless somebody made it meanwhile.
    INSERT_LIST_ONCE, app, "
        insert into contact_lists (id, client_id, name, created_by_user_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (client_id, name) do nothing";
    /// The version of a list, held until the transaction ends.
    LOCK_LIST, app, "
        select updated_at
        from contact_lists
        where client_id = $1
          and id = $2
        for update";
    /// Its name and description.
    UPDATE_LIST, app, "
        update contact_lists
        set name = $3, description = $4, updated_at = $5
        where client_id = $1
          and id = $2
        returning id, name, description, list_type, contact_count, created_at, updated_at, last_sync_at";
    /// Takes a list away; its contacts stay.
    DELETE_LIST, app, "
        delete from contact_lists
        where client_id = $1
          and id = $2";
    /// Puts contacts of the same client on a list.
    ADD_MEMBERS, app, "
        insert into contact_list_members (id, client_id, list_id, contact_id, added_by_user_id, added_at)
        select m.id, c.client_id, $2, c.id, $5, $6
        from unnest($3::uuid[], $4::uuid[]) m (id, contact_id)
        join contacts c on c.client_id = $1 and c.id = m.contact_id
        order by c.id
        on conflict (list_id, contact_id) do nothing";
    /// Holds a list: whoever takes members off it, or takes it away, does so before touching them.
    HOLD_LIST, app, "
        select id
        from contact_lists
        where client_id = $1
          and id = $2
        for no key update";
    /// Takes contacts off a list.
    REMOVE_MEMBERS, app, "
        delete from contact_list_members
        where client_id = $1
          and list_id = $2
          and contact_id = any ($3)";
    /// The lists a contact is on.
    LISTS_OF_CONTACT, app, "
        select l.id, l.name, m.added_at
        from contact_list_members m
        join contact_lists l on l.client_id = m.client_id and l.id = m.list_id
        where m.client_id = $1
          and m.contact_id = $2
        order by l.name";
    /// Whom of a list a mail piece can reach.
    MAILABLE, app, "
        select
          count(*) filter (where not c.do_not_contact and w.reason is null) as mailable,
          count(*) filter (where c.do_not_contact) as suppressed,
          count(*) filter (where not c.do_not_contact and w.reason is not null) as undeliverable
        from contact_list_members m
        join contacts c on c.client_id = m.client_id and c.id = m.contact_id
        cross join lateral app.undeliverable(c.address, c.city, c.state, c.zip, c.country) w (reason)
        where m.client_id = $1
          and m.list_id = $2";
    /// For `ace doctor`: lists whose count is not the number of their members.
    pub WRONG_COUNTS, app, "
        select count(*)
        from contact_lists l
        where l.contact_count <> (select count(*) from contact_list_members m where m.list_id = l.id)"
}

/// A list a contact is on.
#[derive(Debug, Clone, FromRow)]
pub struct Membership {
    /// The list.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Since when.
    pub added_at: DateTime<Utc>,
}

/// One list.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<List> {
    scope.query_one(&FIND_LIST, &[&client_id, &id]).await
}

/// One list by its exact name.
///
/// # Errors
/// What the database answered.
pub async fn find_by_name(tx: &Transaction, client_id: Uuid, name: &str) -> Result<Option<List>> {
    tx.query_opt(&FIND_LIST_BY_NAME, &[&client_id, &name]).await
}

/// A page of lists by name, up to `limit + 1`; those with `search` in their name when it is given.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    search: Option<&str>,
    after: Option<&(String, Uuid)>,
    limit: i64,
) -> Result<Vec<List>> {
    let (name, id) = (after.map(|after| &after.0), after.map(|after| after.1));
    scope.query(&LIST_LISTS, &[&client_id, &search.map(database::containing), &name, &id, &(limit + 1)]).await
}

/// How many lists there are.
///
/// # Errors
/// What the database answered.
pub async fn count(scope: &Scope<'_>, client_id: Uuid, search: Option<&str>) -> Result<i64> {
    scope.query_scalar(&COUNT_LISTS, &[&client_id, &search.map(database::containing)]).await
}

/// The lists a contact is on.
///
/// # Errors
/// What the database answered.
pub async fn of_contact(scope: &Scope<'_>, client_id: Uuid, contact_id: Uuid) -> Result<Vec<Membership>> {
    scope.query(&LISTS_OF_CONTACT, &[&client_id, &contact_id]).await
}

pub(crate) async fn insert(tx: &Transaction, client_id: Uuid, input: &ListInput) -> Result<List> {
    let user_id = tx.actor().user_id();
    let made = tx
        .query_one(&INSERT_LIST, &[&new_id(), &client_id, &input.name, &input.description, &user_id, &tx.now()])
        .await;
    made.map_err(taken)
}

pub(crate) async fn insert_once(tx: &Transaction, client_id: Uuid, name: &str) -> Result<u64> {
    tx.execute(&INSERT_LIST_ONCE, &[&new_id(), &client_id, &name, &tx.actor().user_id(), &tx.now()]).await
}

/// Holds a list that is about to change, and tells how it is; refuses a change that is meant for another version.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is not the expected version any more.
pub async fn expect(tx: &Transaction, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<List> {
    tx.expect(&LOCK_LIST, &[&client_id, &id], expected).await?;
    tx.query_one(&FIND_LIST, &[&client_id, &id]).await
}

pub(crate) async fn update(tx: &Transaction, (client_id, id): (Uuid, Uuid), input: &ListInput) -> Result<List> {
    tx.query_one(&UPDATE_LIST, &[&client_id, &id, &input.name, &input.description, &tx.now()]).await.map_err(taken)
}

pub(crate) async fn delete(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<u64> {
    tx.execute(&DELETE_LIST, &[&client_id, &id]).await
}

pub(crate) async fn add_members(tx: &Transaction, (client_id, id): (Uuid, Uuid), contact_ids: &[Uuid]) -> Result<u64> {
    let ids: Vec<Uuid> = contact_ids.iter().map(|_| new_id()).collect();
    tx.execute(&ADD_MEMBERS, &[&client_id, &id, &ids, &contact_ids, &tx.actor().user_id(), &tx.now()]).await
}

pub(crate) async fn remove_members(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    contact_ids: &[Uuid],
) -> Result<u64> {
    tx.execute(&HOLD_LIST, &[&client_id, &id]).await?;
    tx.execute(&REMOVE_MEMBERS, &[&client_id, &id, &contact_ids]).await
}

pub(crate) async fn mailable(scope: &Scope<'_>, client_id: Uuid, list_id: Uuid) -> Result<Mailable> {
    scope.query_one(&MAILABLE, &[&client_id, &list_id]).await
}

fn taken(error: kernel::Error) -> kernel::Error {
    error.on_constraint("contact_lists_client_id_name_key", "name", "taken", "there is a list of this name already")
}
