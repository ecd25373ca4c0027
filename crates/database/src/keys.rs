//! The keys that a database was written with: recognised at every start, so that nothing is read or sealed with others.

use kernel::keyring::{Keyring, padded};
use kernel::{Error, Result};
use tokio_postgres::Config;

use crate::connection::ActorKey;
use crate::migrate::{connect, failed};

/// What the padding of HMAC's inner and outer hash is made of (RFC 2104).
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// Remembers keys that are new; those that are known keep their mark. One start at a time, so that two with different
/// keys are not both the first.
const REMEMBER: &str = "
    insert into app.known_keys (number, mark)
    select number, mark
    from unnest($1::int4[], $2::bytea[]) as new (number, mark)
    on conflict (number) do nothing";

const KNOWN: &str = "select number, mark from app.known_keys order by number";

const TELL_ACTOR_KEY: &str = "
    insert into app.actor_key (inner_pad, outer_pad)
    values ($1, $2)
    on conflict (one) do update
    set inner_pad = excluded.inner_pad,
        outer_pad = excluded.outer_pad
    where (actor_key.inner_pad, actor_key.outer_pad) is distinct from (excluded.inner_pad, excluded.outer_pad)";

/// Whether the database that `owner` names was written with keys already. One that has clients and remembers none is
/// older than this memory.
///
/// # Errors
/// `Unavailable` when it cannot be reached.
pub async fn are_known(owner: &Config) -> Result<bool> {
    let client = connect(owner).await?;
    client.batch_execute("set role ace_owner").await.map_err(|e| failed("set role ace_owner", &e))?;
    let used = "select exists (select from app.known_keys) or pg_relation_size('public.clients') > 0";
    let used = client.query_one(used, &[]).await.map_err(|e| failed("look for known keys", &e))?;
    Ok(used.get(0))
}

/// Checks that `keyring` holds every key the database was written with, remembers those that are new, and tells the
/// database by what it recognises the application. One that is read-only is only compared with: nothing is sealed there.
///
/// # Errors
/// `Conflict` `foreign_keys` naming the keys that are missing or others, or `Unavailable`.
pub async fn recognise(owner: &Config, keyring: &Keyring) -> Result<()> {
    let mut client = connect(owner).await?;
    client.batch_execute("set role ace_owner").await.map_err(|e| failed("set role ace_owner", &e))?;
    let tx = client.transaction().await.map_err(|e| failed("begin", &e))?;
    let read_only = tx.query_one("select current_setting('transaction_read_only')::boolean", &[]).await;
    let read_only: bool = read_only.map_err(|e| failed("look whether it is read-only", &e))?.get(0);
    if !read_only {
        let lock = "lock table app.known_keys in exclusive mode";
        tx.batch_execute(lock).await.map_err(|e| failed("lock the keys", &e))?;
    }
    let known = tx.query(KNOWN, &[]).await.map_err(|e| failed("look for known keys", &e))?;
    let known: Vec<(i32, Vec<u8>)> = known.iter().map(|row| (row.get(0), row.get(1))).collect();
    let ours: Vec<(i32, Vec<u8>)> =
        keyring.marks().iter().map(|(number, mark)| (number.cast_signed(), mark.to_vec())).collect();
    let strange: Vec<String> =
        known.iter().filter(|key| !ours.contains(key)).map(|(number, _)| named(*number)).collect();
    if !strange.is_empty() {
        return Err(Error::conflict("foreign_keys", foreign(&strange.join(", "))));
    }
    if read_only {
        return Ok(());
    }
    let (numbers, marks): (Vec<i32>, Vec<Vec<u8>>) = ours.into_iter().unzip();
    tx.execute(REMEMBER, &[&numbers, &marks]).await.map_err(|e| failed("remember the keys", &e))?;
    let padded = padded(&ActorKey::of(keyring).0);
    let (inner, outer) = (padded.map(|byte| byte ^ INNER), padded.map(|byte| byte ^ OUTER));
    tx.execute(TELL_ACTOR_KEY, &[&inner.as_slice(), &outer.as_slice()])
        .await
        .map_err(|e| failed("tell the actor's key", &e))?;
    tx.commit().await.map_err(|e| failed("commit", &e))
}

fn named(number: i32) -> String {
    if number == 0 { "the root".to_owned() } else { format!("key {number}") }
}

/// What to do about it, for whoever starts ACE.
fn foreign(which: &str) -> String {
    format!(
        "this database was written with other keys ({which} {verb} not among the ones given). Nothing was changed. Put the \
         key file that belongs to this database back to `keys` in the data directory, or set ACE_KEYS to it; a wrong \
         --data-dir or DATABASE_URL looks like this, too",
        verb = if which.contains(',') { "are" } else { "is" }
    )
}

/// What to say where a database has keys and there are none here.
pub fn missing(place: &str) -> Error {
    Error::conflict(
        "keys_missing",
        format!(
            "the keys of this database are missing: there is no {place}, and ACE_KEYS is not set. Nothing was changed. Put \
             your copy of the key file there. Without it the gift card codes in this database can be opened by nobody"
        ),
    )
}
