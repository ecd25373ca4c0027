//! Who belongs where, as somebody who runs the place sees and changes it. Row-level security is the second lock: people
//! are visible to those who share a client or an organization, and theirs to change only where nobody else's are.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::page::{Page, PageParams};
use kernel::role::Role;
use kernel::version::{Expected, changed_meanwhile, etag_of};
use kernel::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

database::statement! {
    /// The people of a client: its own, and those of its organization.
    pub MEMBERS, app, "
        select u.id, u.email, p.full_name, u.deactivated_at, u.last_sign_in_at, u.totp_confirmed_at, u.created_at,
            array(select r.role from user_roles r where r.user_id = u.id order by r.role) as roles,
            exists (select from client_users m where m.client_id = $1 and m.user_id = u.id) as of_client
        from auth.users u
        join profiles p on p.id = u.id
        where u.id in (
            select m.user_id
            from client_users m
            where m.client_id = $1
            union
            select m.user_id
            from clients c
            join org_members m on m.org_id = c.org_id
            where c.id = $1)
        order by lower(coalesce(p.full_name, u.email)), u.id
        limit 500";
    /// The people of an organization itself.
    pub ORG_MEMBERS, app, "
        select u.id, u.email, p.full_name, u.deactivated_at, u.last_sign_in_at, u.totp_confirmed_at, u.created_at,
            array(select r.role from user_roles r where r.user_id = u.id order by r.role) as roles,
            false as of_client
        from org_members m
        join auth.users u on u.id = m.user_id
        join profiles p on p.id = u.id
        where m.org_id = $1
        order by lower(coalesce(p.full_name, u.email)), u.id
        limit 500";
    /// Somebody within sight.
    FIND_MEMBER, app, "
        select u.id, u.email, p.full_name, u.deactivated_at, u.last_sign_in_at, u.totp_confirmed_at, u.created_at,
            array(select r.role from user_roles r where r.user_id = u.id order by r.role) as roles,
            exists (select from client_users m where m.client_id = $2 and m.user_id = u.id) as of_client
        from auth.users u
        join profiles p on p.id = u.id
        where u.id = $1";
    /// Takes roles away.
    DELETE_ROLES, app, "
        delete from user_roles
        where user_id = $1";
    /// Gives a role.
    INSERT_ROLE, app, "
        insert into user_roles (id, user_id, role, created_at)
        values ($1, $2, $3, $4)";
    /// Takes somebody out of a client.
    DELETE_CLIENT_USER, app, "
        delete from client_users
        where client_id = $1
          and user_id = $2";
    /// Closes everything to somebody, or opens it again.
    SET_DEACTIVATED, app, "
        update auth.users
        set deactivated_at = $2,
            updated_at = $3
        where id = $1";
    /// Takes somebody's second factor away and ends their sessions; false where that is not the actor's to do.
    RESET_SECOND_FACTOR, app, "select app.reset_second_factor($1, $2)";
    /// Somebody within sight, by address.
    pub ID_BY_EMAIL, app, "
        select id
        from auth.users
        where email = $1";
    /// Admins that can still sign in.
    COUNT_ADMINS, app, "
        select count(*)
        from user_roles r
        join auth.users u on u.id = r.user_id
        where r.role = 'admin'
          and u.deactivated_at is null";
    /// Keeps others from taking an administrator's role or access until this transaction ends: two who take each other's
    /// would both see one that is left.
    LOCK_ADMINS, app, "select pg_advisory_xact_lock(hashtext('accounts.admins'))";
    /// Keeps others from changing the access of the same person until this transaction ends.
    LOCK_MEMBER, app, "select pg_advisory_xact_lock(hashtextextended($1::uuid::text, 0))";
    /// Where somebody belongs, as far as the actor sees it: a client first.
    PLACE, app, "
        select client_id, org_id
        from (
            select client_id, null::uuid as org_id, 1 as n from client_users where user_id = $1
            union all
            select null, org_id, 2 from org_members where user_id = $1) as places
        order by n, client_id, org_id
        limit 1";
    /// Where somebody who is asked to join stands already, and whether all of it is within the reach of the inviter:
    /// a role counts everywhere, so it must not be added behind the back of others the person works for.
    STANDING, signin, "
        select
            array(select r.role from user_roles r where r.user_id = $1 order by r.role) as roles,
            exists (
                select
                from client_users m
                where m.user_id = $1
                  and m.client_id is distinct from $2) as elsewhere,
            exists (
                select
                from org_members m
                where m.user_id = $1
                  and m.org_id <> $3) as other_orgs,
            exists (
                select
                from user_roles way
                where way.user_id = $1
                  and case
                    when way.role in ('admin', 'tech_support')
                    then true
                    when way.role = 'agency_owner'
                    then exists (select from org_members m where m.user_id = $1 and m.org_id = $3)
                    else exists (select from client_users m where m.user_id = $1 and m.client_id = $2)
                  end) as reaches";
    /// Of two invitations that somebody accepts at once, the second sees what came of the first.
    LOCK_PERSON, signin, "
        select id
        from auth.users
        where id = $1
        for update"
}

/// Somebody of a team.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct Member {
    /// `auth.users.id`.
    pub id: Uuid,
    /// Their address.
    pub email: String,
    /// Their name.
    pub full_name: Option<String>,
    /// Since when nothing is open to them.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// When they last came in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Since when they have a second factor.
    pub totp_confirmed_at: Option<DateTime<Utc>>,
    /// Since when they are here.
    pub created_at: DateTime<Utc>,
    /// Their roles, the most powerful first.
    #[schema(value_type = Vec<String>)]
    pub roles: Vec<Role>,
    /// Belongs to the client itself, not by way of its organization.
    pub of_client: bool,
}

impl Member {
    /// Their version, for `ETag` and `If-Match`.
    ///
    /// # Errors
    /// None that a row can cause.
    pub fn etag(&self) -> Result<String> {
        etag_of(self)
    }

    /// The name, or else the address.
    pub fn name(&self) -> &str {
        self.full_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.email)
    }

    /// The titles of the roles.
    pub fn role_titles(&self) -> String {
        self.roles.iter().map(|role| role.title()).collect::<Vec<_>>().join(", ")
    }
}

/// Where somebody who is asked to join stands already.
#[derive(Debug, Clone, FromRow)]
pub struct Standing {
    /// The roles they hold.
    pub roles: Vec<Role>,
    /// Whether they belong to another client.
    pub elsewhere: bool,
    /// Whether they belong to another organization.
    pub other_orgs: bool,
    /// Whether the place is open to them already.
    pub reaches: bool,
}

/// Where somebody stands who is asked to join an organization, or a client of it; they are locked until it is decided.
pub async fn standing(tx: &Transaction, user_id: Uuid, place: (Uuid, Option<Uuid>)) -> Result<Standing> {
    let (org_id, client_id) = place;
    tx.query_scalar::<Uuid>(&LOCK_PERSON, &[&user_id]).await?;
    tx.query_one(&STANDING, &[&user_id, &client_id, &org_id]).await
}

/// Somebody within sight; with the client, to know whether they belong to it.
pub async fn find(tx: &Transaction, user_id: Uuid, client_id: Option<Uuid>) -> Result<Member> {
    tx.query_one(&FIND_MEMBER, &[&user_id, &client_id]).await
}

/// Holds the access of somebody that is about to change: refuses what is meant for another version of them, and what was
/// decided on other `roles` than they have by now.
///
/// # Errors
/// `NotFound`, or `Conflict` when somebody changed them meanwhile.
pub async fn expect(tx: &Transaction, user_id: Uuid, roles: &[Role], expected: &Expected) -> Result<()> {
    tx.execute(&LOCK_MEMBER, &[&user_id]).await?;
    let member = find(tx, user_id, None).await?;
    expected.check(&member.etag()?)?;
    if member.roles == roles { Ok(()) } else { Err(changed_meanwhile()) }
}

/// Replaces all roles of somebody by one.
///
/// # Errors
/// `Conflict` when the person is not the actor's to change.
pub async fn replace_roles(tx: &Transaction, user_id: Uuid, held: &[Role], role: Role) -> Result<()> {
    let deleted = tx.execute(&DELETE_ROLES, &[&user_id]).await?;
    if deleted < held.len() as u64 {
        return Err(not_yours());
    }
    let inserted = tx.execute(&INSERT_ROLE, &[&kernel::new_id(), &user_id, &role, &tx.now()]).await;
    inserted.map_err(|e| if e == Error::NotFound { not_yours() } else { e })?;
    Ok(())
}

/// Takes somebody out of a client; `NotFound` when they were not in it.
pub async fn remove(tx: &Transaction, client_id: Uuid, user_id: Uuid) -> Result<()> {
    match tx.execute(&DELETE_CLIENT_USER, &[&client_id, &user_id]).await? {
        0 => Err(Error::NotFound),
        _ => Ok(()),
    }
}

/// Closes everything to somebody from `at` on, or opens it again.
///
/// # Errors
/// `Conflict` when the person is not the actor's to change.
pub async fn set_deactivated(tx: &Transaction, user_id: Uuid, at: Option<DateTime<Utc>>) -> Result<()> {
    match tx.execute(&SET_DEACTIVATED, &[&user_id, &at, &tx.now()]).await? {
        0 => Err(not_yours()),
        _ => Ok(()),
    }
}

/// Takes somebody's second factor away and ends their sessions.
///
/// # Errors
/// `Conflict` when the actor is no administrator.
pub async fn reset_second_factor(tx: &Transaction, user_id: Uuid) -> Result<()> {
    if tx.query_scalar(&RESET_SECOND_FACTOR, &[&user_id, &tx.now()]).await? {
        return Ok(());
    }
    Err(Error::conflict("administrators_only", "Only an administrator resets the second factor of somebody else."))
}

/// How many admins can still sign in. Nobody else takes an admin's role or access until the transaction ends, so that the
/// number stays true.
pub async fn count_admins(tx: &Transaction) -> Result<i64> {
    tx.execute(&LOCK_ADMINS, &[]).await?;
    tx.query_scalar(&COUNT_ADMINS, &[]).await
}

/// A client or an organization.
#[derive(Debug, Clone, Copy, Default, FromRow)]
pub struct Place {
    /// The client.
    pub client_id: Option<Uuid>,
    /// Or the organization.
    pub org_id: Option<Uuid>,
}

/// Where somebody belongs, as far as the actor sees it: in whose record what happens to them stands.
///
/// # Errors
/// What the database answered.
pub async fn place(tx: &Transaction, user_id: Uuid) -> Result<Place> {
    Ok(tx.query_opt(&PLACE, &[&user_id]).await?.unwrap_or_default())
}

fn not_yours() -> Error {
    let message = "This person also belongs to somebody else, and a role counts everywhere. Ask an administrator.";
    Error::conflict("belongs_elsewhere", message)
}

/// Which people of a list are wanted.
#[derive(Debug, Clone, Default)]
pub struct PeopleFilter<'a> {
    /// Part of the name or address.
    pub search: &'a str,
    /// Those with a role.
    pub role: Option<Role>,
}

/// Everybody within sight, by address.
pub async fn list_people(scope: &Scope<'_>, wanted: &PeopleFilter<'_>, page: &PageParams) -> Result<Page<Member>> {
    let (limit, after) = (page.limit()?, page.after::<String>()?.unwrap_or_default());
    let (like, take) = (database::containing(wanted.search), limit + 1);
    let mut filter = Filter::new(
        "accounts::people",
        "select u.id, u.email, p.full_name, u.deactivated_at, u.last_sign_in_at, u.totp_confirmed_at, u.created_at,
            array(select r.role from user_roles r where r.user_id = u.id order by r.role) as roles,
            false as of_client
        from auth.users u
        join profiles p on p.id = u.id",
    )
    .bind("where (u.email ilike", &like)
    .bind("or p.full_name ilike", &like)
    .bind(") and u.email >", &after);
    if let Some(role) = &wanted.role {
        filter =
            filter.bind("and exists (select from user_roles r where r.user_id = u.id and r.role =", role).push(")");
    }
    let rows: Vec<Member> = scope.query_filter(&filter.push("order by u.email").bind("limit", &take)).await?;
    Ok(Page::from_rows(rows, limit, |row| row.email.clone()))
}
