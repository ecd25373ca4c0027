//! API keys of a client; only hashes are kept.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use kernel::{Error, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

database::statement! {
    /// A new key.
    INSERT_KEY, app, "
        insert into api_keys (id, client_id, name, key_hash, last_four, mode, scopes, created_by_user_id, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// The first key of a client is its primary one.
    SET_PRIMARY, app, "
        update clients
        set api_key_hash = $2
        where id = $1
          and api_key_hash is null";
    /// A primary key that is revoked makes room for the next.
    CLEAR_PRIMARY, app, "
        update clients
        set api_key_hash = null
        where id = $1
          and api_key_hash = $2";
    /// The keys of a client, the newest first.
    LIST_KEYS, app, "
        select k.id, k.client_id, k.name, k.last_four, k.mode, k.scopes, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
            p.full_name as created_by_name, coalesce(c.api_key_hash = encode(k.key_hash, 'hex'), false) as is_primary
        from api_keys k
        join clients c on c.id = k.client_id
        left join profiles p on p.id = k.created_by_user_id
        where k.client_id = $1
          and ($2::uuid is null or k.id < $2)
        order by k.id desc
        limit $3";
    /// One key of a client.
    FIND_KEY, app, "
        select k.id, k.client_id, k.name, k.last_four, k.mode, k.scopes, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,
            p.full_name as created_by_name, coalesce(c.api_key_hash = encode(k.key_hash, 'hex'), false) as is_primary
        from api_keys k
        join clients c on c.id = k.client_id
        left join profiles p on p.id = k.created_by_user_id
        where k.client_id = $1
          and k.id = $2";
    /// The version of a key, held until the transaction ends.
    LOCK_KEY_VERSION, app, "
        select coalesce(revoked_at, created_at) as updated_at
        from api_keys
        where client_id = $1
          and id = $2
        for no key update";
    /// Revokes a key; returns its hash.
    REVOKE_KEY, app, "
        update api_keys
        set revoked_at = $3
        where client_id = $1
          and id = $2
          and revoked_at is null
        returning name, encode(key_hash, 'hex') as key_hash";
    /// Live keys that a person made go to somebody who could have made them.
    PASS_ON, app, "
        update api_keys
        set created_by_user_id = $3
        where created_by_user_id = $1
          and ($2::uuid is null or client_id = $2)
          and revoked_at is null
          and scopes <@ $4";
    /// How many live keys a person made.
    COUNT_MADE_BY, app, "
        select count(*)
        from api_keys
        where created_by_user_id = $1
          and ($2::uuid is null or client_id = $2)
          and revoked_at is null"
}

/// A key as lists show it.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
pub struct ApiKey {
    /// Its id.
    pub id: Uuid,
    /// The client it acts for.
    pub client_id: Uuid,
    /// What it is called.
    pub name: String,
    /// The end of the key.
    pub last_four: String,
    /// `live` or `test`.
    pub mode: String,
    /// The permission keys it was given. It holds those of them that whoever it belongs to holds now.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Until when it is good.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Since when it is worth nothing.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Who made it.
    pub created_by_name: Option<String>,
    /// Whether it is the client's primary key.
    pub is_primary: bool,
}

impl ApiKey {
    /// Its version: what it says changes when it is revoked.
    pub fn etag(&self) -> String {
        kernel::version::etag(self.revoked_at.unwrap_or(self.created_at))
    }

    /// The key with all but its ends left out.
    pub fn masked(&self) -> String {
        crate::api_key::masked(&self.mode, &self.last_four)
    }

    /// `active`, `expired` or `revoked`.
    pub fn status(&self, now: &DateTime<Utc>) -> &'static str {
        if self.revoked_at.is_some() {
            "revoked"
        } else if self.expires_at.is_some_and(|at| at <= *now) {
            "expired"
        } else {
            "active"
        }
    }
}

/// What a new key says.
pub struct NewKey<'a> {
    /// A new id.
    pub id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// What it is called.
    pub name: &'a str,
    /// The key itself; only its hash is kept.
    pub key: &'a str,
    /// `live` or `test`.
    pub mode: &'a str,
    /// The permission keys it holds.
    pub scopes: &'a [String],
    /// Until when it is good.
    pub expires_at: Option<DateTime<Utc>>,
}

#[derive(FromRow)]
struct Revoked {
    name: String,
    key_hash: String,
}

/// Writes a key.
pub async fn insert(tx: &Transaction, new: &NewKey<'_>) -> Result<()> {
    let hash = web::identity::token_hash(new.key);
    let last_four = crate::api_key::last_four(new.key);
    let params: database::Params<'_> = &[
        &new.id,
        &new.client_id,
        &new.name,
        &hash,
        &last_four,
        &new.mode,
        &new.scopes,
        &tx.actor().user_id(),
        &tx.now(),
        &new.expires_at,
    ];
    tx.execute(&INSERT_KEY, params).await?;
    tx.execute(&SET_PRIMARY, &[&new.client_id, &hex(&hash)]).await?;
    Ok(())
}

/// A page of a client's keys, the newest first.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, page: &PageParams) -> Result<Page<ApiKey>> {
    let limit = page.limit()?;
    let rows = scope.query(&LIST_KEYS, &[&client_id, &page.after::<Uuid>()?, &(limit + 1)]).await?;
    Ok(Page::from_rows(rows, limit, |key: &ApiKey| key.id))
}

/// One key of a client, revoked or not.
pub async fn find(scope: &Scope<'_>, client_id: Uuid, id: Uuid) -> Result<ApiKey> {
    scope.query_one(&FIND_KEY, &[&client_id, &id]).await
}

/// Refuses a change that is meant for another version.
pub async fn expect(tx: &Transaction, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    tx.expect(&LOCK_KEY_VERSION, &[&client_id, &id], expected).await
}

/// Revokes a key and returns its name; `NotFound` when there is none to revoke.
pub async fn revoke(tx: &Transaction, client_id: Uuid, id: Uuid) -> Result<String> {
    let revoked: Option<Revoked> = tx.query_opt(&REVOKE_KEY, &[&client_id, &id, &tx.now()]).await?;
    let revoked = revoked.ok_or(Error::NotFound)?;
    tx.execute(&CLEAR_PRIMARY, &[&client_id, &revoked.key_hash]).await?;
    Ok(revoked.name)
}

/// Makes the live keys that somebody made, of one client or of all within reach, those of another person, as far as they
/// hold what the keys hold; says how many.
pub async fn pass_on(
    tx: &Transaction,
    (maker, client_id): (Uuid, Option<Uuid>),
    to: Option<Uuid>,
    held: &[String],
) -> Result<u64> {
    tx.execute(&PASS_ON, &[&maker, &client_id, &to, &held]).await
}

/// How many live keys somebody made, of one client or of all within reach.
pub async fn count_made_by(tx: &Transaction, maker: Uuid, client_id: Option<Uuid>) -> Result<i64> {
    tx.query_scalar(&COUNT_MADE_BY, &[&maker, &client_id]).await
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
