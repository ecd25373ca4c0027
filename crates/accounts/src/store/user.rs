//! People: what signing in needs of them, and their rows when they join.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::role::Role;
use kernel::{Error, Result};
use uuid::Uuid;

database::statement! {
    /// What checking a sign-in needs.
    pub CREDENTIALS_BY_EMAIL, signin, "
        select id, email, encrypted_password, deactivated_at, totp_secret_sealed, totp_made_at, totp_confirmed_at,
            totp_last_step
        from auth.users
        where email = $1";
    /// The same, of somebody known; locked until the act that asked is done.
    pub CREDENTIALS_BY_ID, signin, "
        select id, email, encrypted_password, deactivated_at, totp_secret_sealed, totp_made_at, totp_confirmed_at,
            totp_last_step
        from auth.users
        where id = $1
        for update";
    /// A person as they are shown to themselves.
    pub PERSON, signin, "
        select u.id, u.email, u.email_confirmed_at, u.last_sign_in_at, u.created_at, u.updated_at,
            u.totp_confirmed_at, u.user_metadata, p.full_name, p.phone, p.avatar_url, p.timezone,
            array(select r.role from user_roles r where r.user_id = u.id order by r.role) as roles
        from auth.users u
        left join profiles p on p.id = u.id
        where u.id = $1
          and u.deactivated_at is null";
    /// A new person.
    pub INSERT_USER, app | signin, "
        insert into auth.users (id, email, encrypted_password, email_confirmed_at, created_at, updated_at)
        values ($1, $2, $3, $4, $4, $4)";
    /// What a new person shows of themselves.
    pub INSERT_PROFILE, app | signin, "
        insert into profiles (id, email, full_name, created_at, updated_at)
        values ($1, $2, $3, $4, $4)";
    /// A role, unless it is held already.
    pub INSERT_ROLE, app | signin, "
        insert into user_roles (id, user_id, role, created_at)
        values ($1, $2, $3, $4)
        on conflict (user_id, role) do nothing";
    /// A place in an organization, unless it is taken already.
    pub INSERT_ORG_MEMBER, app | signin, "
        insert into org_members (id, org_id, user_id, created_at)
        values ($1, $2, $3, $4)
        on conflict (org_id, user_id) do nothing";
    /// A place in a client, unless it is taken already.
    pub INSERT_CLIENT_USER, app | signin, "
        insert into client_users (id, client_id, user_id, created_at)
        values ($1, $2, $3, $4)
        on conflict (client_id, user_id) do nothing";
    /// A new password.
    pub SET_PASSWORD, signin, "
        update auth.users
        set encrypted_password = $2,
            updated_at = $3
        where id = $1";
    /// When somebody last came in.
    pub NOTE_SIGN_IN, signin, "
        update auth.users
        set last_sign_in_at = $2
        where id = $1";
    /// A confirmed new address.
    pub SET_EMAIL, signin, "
        update auth.users
        set email = $2,
            email_confirmed_at = $3,
            updated_at = $3
        where id = $1";
    /// What people show of themselves.
    pub UPDATE_PROFILE, app, "
        update profiles
        set full_name = $2,
            phone = $3,
            timezone = $4,
            updated_at = $5
        where id = $1";
    /// What the person's own program keeps of them.
    pub SET_METADATA, signin, "
        update auth.users
        set user_metadata = $2,
            updated_at = $3
        where id = $1";
    /// A second factor that is not confirmed yet.
    pub SET_SECOND_FACTOR, signin, "
        update auth.users
        set totp_secret_sealed = $2,
            totp_made_at = $3,
            totp_confirmed_at = null,
            totp_last_step = null,
            updated_at = $3
        where id = $1";
    /// The second factor is in force.
    pub CONFIRM_SECOND_FACTOR, signin, "
        update auth.users
        set totp_confirmed_at = $2,
            totp_last_step = $3,
            updated_at = $2
        where id = $1";
    /// The second factor is gone.
    pub CLEAR_SECOND_FACTOR, signin, "
        update auth.users
        set totp_secret_sealed = null,
            totp_made_at = null,
            totp_confirmed_at = null,
            totp_last_step = null,
            updated_at = $2
        where id = $1";
    /// A code was used: it and earlier ones are spent.
    pub SPEND_STEP, signin, "
        update auth.users
        set totp_last_step = $2
        where id = $1
          and (totp_last_step is null or totp_last_step < $2)";
    /// Recovery codes are replaced as a whole.
    pub DELETE_RECOVERY_CODES, signin, "
        delete from auth.recovery_codes
        where user_id = $1";
    /// A recovery code.
    pub INSERT_RECOVERY_CODE, signin, "
        insert into auth.recovery_codes (id, user_id, code_hash, created_at)
        values ($1, $2, $3, $4)";
    /// A recovery code was used.
    pub SPEND_RECOVERY_CODE, signin, "
        update auth.recovery_codes
        set used_at = $3
        where user_id = $1
          and code_hash = $2
          and used_at is null";
    /// How many recovery codes are left.
    pub COUNT_RECOVERY_CODES, signin, "
        select count(*)
        from auth.recovery_codes
        where user_id = $1
          and used_at is null";
    /// The roles of the person asking.
    pub OWN_ROLES, app, "
        select role
        from user_roles
        where user_id = $1
        order by role";
    /// What the person asking holds.
    pub OWN_PERMISSIONS, app, "
        select distinct p.permission_key
        from user_roles r
        join role_permissions p on p.role = r.role
        where r.user_id = $1"
}

/// What checking a sign-in needs.
#[derive(FromRow)]
pub struct Credentials {
    /// `auth.users.id`.
    pub id: Uuid,
    /// The address.
    pub email: String,
    /// The argon2id hash; `None` until a password was set.
    pub encrypted_password: Option<String>,
    /// Since when nothing is open to them.
    pub deactivated_at: Option<DateTime<Utc>>,
    /// The sealed secret of the authenticator app.
    pub totp_secret_sealed: Option<Vec<u8>>,
    /// When that secret was made.
    pub totp_made_at: Option<DateTime<Utc>>,
    /// Since when the second factor is in force.
    pub totp_confirmed_at: Option<DateTime<Utc>>,
    /// The last step whose code was used.
    pub totp_last_step: Option<i64>,
}

/// A person as they are shown to themselves.
#[derive(Debug, Clone, FromRow)]
pub struct Person {
    /// `auth.users.id`.
    pub id: Uuid,
    /// Their address.
    pub email: String,
    /// Since when the address is known to be theirs.
    pub email_confirmed_at: Option<DateTime<Utc>>,
    /// When they last came in.
    pub last_sign_in_at: Option<DateTime<Utc>>,
    /// Since when they are here.
    pub created_at: DateTime<Utc>,
    /// When anything of it changed.
    pub updated_at: DateTime<Utc>,
    /// Since when a second factor is in force.
    pub totp_confirmed_at: Option<DateTime<Utc>>,
    /// What their own program keeps of them.
    pub user_metadata: serde_json::Value,
    /// Their name.
    pub full_name: Option<String>,
    /// Their phone, E.164.
    pub phone: Option<String>,
    /// Their picture.
    pub avatar_url: Option<String>,
    /// Their IANA time zone.
    pub timezone: Option<String>,
    /// Their roles, the most powerful first.
    pub roles: Vec<Role>,
}

/// Somebody about to join.
#[derive(Debug, Clone)]
pub struct NewPerson<'a> {
    /// A new id.
    pub id: Uuid,
    /// The normalised address.
    pub email: &'a str,
    /// The hash of the password; `None` where a link will set one.
    pub encrypted_password: Option<&'a str>,
    /// Their name.
    pub full_name: &'a str,
}

/// Where somebody belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// An organization: admin, tech_support, agency_owner.
    Org(Uuid),
    /// A client: company_owner, developer, call_center.
    Client(Uuid),
}

/// A person by id.
pub async fn person(scope: &Scope<'_>, id: Uuid) -> Result<Person> {
    scope.query_one(&PERSON, &[&id]).await
}

/// Writes a new person; the address must be free.
pub async fn insert(tx: &Transaction, new: &NewPerson<'_>) -> Result<()> {
    let inserted = tx.execute(&INSERT_USER, &[&new.id, &new.email, &new.encrypted_password, &tx.now()]).await;
    inserted.map_err(|e| {
        e.on_constraint("users_email_key", "email", "taken", "somebody with this address is here already")
    })?;
    tx.execute(&INSERT_PROFILE, &[&new.id, &new.email, &new.full_name, &tx.now()]).await?;
    Ok(())
}

/// Gives somebody a role and a place.
pub async fn join(tx: &Transaction, user_id: Uuid, role: Role, place: Place) -> Result<()> {
    tx.execute(&INSERT_ROLE, &[&kernel::new_id(), &user_id, &role, &tx.now()]).await?;
    let (statement, id) = match place {
        Place::Org(id) => (&INSERT_ORG_MEMBER, id),
        Place::Client(id) => (&INSERT_CLIENT_USER, id),
    };
    tx.execute(statement, &[&kernel::new_id(), &id, &user_id, &tx.now()]).await?;
    Ok(())
}

/// A single column of roles.
#[derive(FromRow)]
struct RoleRow {
    role: Role,
}

#[derive(FromRow)]
struct PermissionRow {
    permission_key: String,
}

/// The roles of the person asking.
pub async fn own_roles(scope: &Scope<'_>, user_id: Uuid) -> Result<Vec<Role>> {
    let rows: Vec<RoleRow> = scope.query(&OWN_ROLES, &[&user_id]).await?;
    Ok(rows.into_iter().map(|row| row.role).collect())
}

/// What the person asking holds.
pub async fn own_permissions(scope: &Scope<'_>, user_id: Uuid) -> Result<Vec<String>> {
    let rows: Vec<PermissionRow> = scope.query(&OWN_PERMISSIONS, &[&user_id]).await?;
    Ok(rows.into_iter().map(|row| row.permission_key).collect())
}

/// Where a role belongs: to a client, or to an organization.
pub const fn belongs_to_client(role: Role) -> bool {
    matches!(role, Role::CompanyOwner | Role::Developer | Role::CallCenter)
}

/// The place a role needs, of the two that were named.
///
/// # Errors
/// Names `client` or `organization` when it is missing or does not fit.
pub fn place_for(role: Role, org_id: Option<Uuid>, client_id: Option<Uuid>) -> Result<Place> {
    match (belongs_to_client(role), org_id, client_id) {
        (true, _, Some(id)) => Ok(Place::Client(id)),
        (true, _, None) => Err(Error::required("client")),
        (false, Some(id), None) => Ok(Place::Org(id)),
        (false, None, _) => Err(Error::required("organization")),
        (false, Some(_), Some(_)) => {
            Err(Error::invalid("client", format!("{} belongs to an organization, not to a client", role.title())))
        }
    }
}
