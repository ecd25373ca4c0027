//! Sessions, refresh tokens, one-time tokens and failed sign-ins. All of it as `System::Auth`, before or beside anybody.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use database::{FromRow, Scope, Transaction};
use kernel::Result;
use uuid::Uuid;

database::statement! {
    /// Counts a try before it is checked, so that many at once count as many; no row while it is locked. The $4th try locks
    /// for a minute, each further one twice as long, up to an hour; a right one forgets them all.
    pub COUNT_TRY, signin, "
        insert into auth.failed_sign_ins as f (email_hash, attempts, last_at)
        values ($1, 1, $2)
        on conflict (email_hash) do update
        set attempts = case when f.last_at < $3 then 1 else f.attempts + 1 end,
            last_at = $2,
            locked_until = case
                when f.last_at >= $3 and f.attempts + 1 >= $4
                then $2 + interval '1 minute' * least(60, power(2, least(f.attempts + 1 - $4, 10)))
            end
        where f.locked_until is null
           or f.locked_until <= $2
        returning attempts";
    /// Until when it is locked.
    pub LOCKED_UNTIL, signin, "
        select locked_until
        from auth.failed_sign_ins
        where email_hash = $1";
    /// A try that was right after all. The lock it may have begun is gone with it: nobody else's try was counted under it.
    pub TAKE_BACK_TRIES, signin, "
        update auth.failed_sign_ins
        set attempts = attempts - 1,
            locked_until = null
        where email_hash = any ($1)
          and attempts > 0";
    /// A right one forgets the wrong ones.
    pub FORGET_TRIES, signin, "
        delete from auth.failed_sign_ins
        where email_hash = any ($1)";
    /// Whether whoever has the address signed in from here before: from the same IPv4 address, or the same /64.
    pub SIGNED_IN_FROM, signin, "
        select exists (
            select
            from auth.sessions s
            join auth.users u on u.id = s.user_id
            where u.email = $1
              and network(set_masklen(s.ip, case family(s.ip) when 4 then 32 else 64 end))
                = network(set_masklen($2::inet, case family($2::inet) when 4 then 32 else 64 end)))";
    /// A sign-in.
    pub INSERT_SESSION, signin, "
        insert into auth.sessions (id, user_id, created_at, expires_at, last_seen_at, cookie_token_hash, aal, ip, user_agent)
        values ($1, $2, $3, $4, $3, $5, $6, $7, $8)";
    /// The open sessions of a person, the newest first.
    pub LIST_SESSIONS, signin, "
        select id, created_at, last_seen_at, aal, ip, user_agent, cookie_token_hash is not null as console
        from auth.sessions
        where user_id = $1
          and revoked_at is null
          and expires_at > $2
        order by id desc
        limit 100";
    /// Ends one session of a person.
    pub REVOKE_SESSION, signin, "
        update auth.sessions
        set revoked_at = $3
        where id = $1
          and user_id = $2
          and revoked_at is null";
    /// Ends every session of a person but one; all of them when that one is nil.
    pub REVOKE_OTHERS, signin, "
        update auth.sessions
        set revoked_at = $3
        where user_id = $1
          and id <> $2
          and revoked_at is null";
    /// The session that a reset link began may set a new password until then.
    pub ALLOW_RESET, signin, "
        update auth.sessions
        set reset_until = $2
        where id = $1";
    /// The new password is set by it, this once.
    pub SPEND_RESET, signin, "
        update auth.sessions
        set reset_until = null
        where id = $1
          and reset_until > $2";
    /// A refresh token.
    pub INSERT_REFRESH_TOKEN, signin, "
        insert into auth.refresh_tokens (id, session_id, token_hash, parent, expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    /// A refresh token with its session and person, locked until it is spent.
    pub REFRESH_TOKEN, signin, "
        select t.id, t.session_id, t.used_at, s.user_id, s.aal,
            t.revoked or t.expires_at <= $2 or s.revoked_at is not null or u.deactivated_at is not null as dead
        from auth.refresh_tokens t
        join auth.sessions s on s.id = t.session_id
        join auth.users u on u.id = s.user_id
        where t.token_hash = $1
        for update of t";
    /// A refresh token was used.
    pub SPEND_REFRESH_TOKEN, signin, "
        update auth.refresh_tokens
        set used_at = $2
        where id = $1";
    /// A session that is used lives on.
    pub PROLONG_SESSION, signin, "
        update auth.sessions
        set last_seen_at = $2,
            expires_at = $3
        where id = $1";
    /// A link sent by mail, or a step of signing in.
    pub INSERT_ONE_TIME_TOKEN, signin, "
        insert into auth.one_time_tokens (id, purpose, token_hash, user_id, email, expires_at, created_at)
        values ($1, $2, $3, $4, $5, $6, $7)";
    /// Whom a link is for, while it is good.
    pub FIND_ONE_TIME_TOKEN, signin, "
        select t.user_id, t.email
        from auth.one_time_tokens t
        join auth.users u on u.id = t.user_id
        where t.purpose = $1
          and t.token_hash = $2
          and t.used_at is null
          and t.expires_at > $3
          and u.deactivated_at is null";
    /// Uses a link up.
    pub SPEND_ONE_TIME_TOKEN, signin, "
        update auth.one_time_tokens t
        set used_at = $3
        from auth.users u
        where u.id = t.user_id
          and t.purpose = $1
          and t.token_hash = $2
          and t.used_at is null
          and t.expires_at > $3
          and u.deactivated_at is null
        returning t.user_id, t.email";
    /// Other links for the same purpose are worth nothing any more.
    pub SPEND_OTHER_TOKENS, signin, "
        update auth.one_time_tokens
        set used_at = $3
        where user_id = $1
          and purpose = $2
          and used_at is null";
    /// How many links a person was sent lately.
    pub COUNT_RECENT_TOKENS, signin, "
        select count(*)
        from auth.one_time_tokens
        where user_id = $1
          and purpose = $2
          and created_at > $3";
    /// Failed sign-ins are forgotten after a day.
    pub SWEEP_TRIES, worker, "
        delete from auth.failed_sign_ins
        where last_at < $1";
    /// Sessions are kept a while after they ended, for the audit trail's sake.
    pub SWEEP_SESSIONS, worker, "
        delete from auth.sessions
        where expires_at < $1
           or revoked_at < $1";
    /// Links are kept a while after they ended.
    pub SWEEP_ONE_TIME_TOKENS, worker, "
        delete from auth.one_time_tokens
        where expires_at < $1";
    /// Answers to repeated requests are kept for a day.
    pub SWEEP_IDEMPOTENCY_KEYS, worker, "
        delete from idempotency_keys
        where created_at < $1"
}

/// An open session, as its person sees it.
#[derive(Debug, Clone, FromRow)]
pub struct OpenSession {
    /// `auth.sessions.id`.
    pub id: Uuid,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When it was last refreshed.
    pub last_seen_at: Option<DateTime<Utc>>,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With which program.
    pub user_agent: Option<String>,
    /// The console's, rather than the API's.
    pub console: bool,
}

/// A presented refresh token.
#[derive(FromRow)]
pub struct RefreshToken {
    /// Its id.
    pub id: Uuid,
    /// Its session.
    pub session_id: Uuid,
    /// When it was exchanged before.
    pub used_at: Option<DateTime<Utc>>,
    /// The person.
    pub user_id: Uuid,
    /// `aal1` or `aal2`.
    pub aal: String,
    /// Whether it, its session or its person is at an end.
    pub dead: bool,
}

/// Whom a one-time token is for.
#[derive(Debug, Clone, FromRow)]
pub struct TokenOwner {
    /// The person.
    pub user_id: Uuid,
    /// The address it was sent to.
    pub email: String,
}

/// What a one-time token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Setting a new password.
    Recover,
    /// Taking a new address.
    ChangeEmail,
    /// The second step of signing in.
    SecondFactor,
    /// Showing that one reads the mail of the account, before something of it is changed.
    Reauthenticate,
}

impl Purpose {
    /// The word in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Recover => "recover",
            Self::ChangeEmail => "change_email",
            Self::SecondFactor => "second_factor",
            Self::Reauthenticate => "reauthenticate",
        }
    }
}

/// A token to be handed out once; only its hash is kept.
pub struct NewToken<'a> {
    /// What it is for.
    pub purpose: Purpose,
    /// The token itself.
    pub token: &'a str,
    /// The person.
    pub user_id: Uuid,
    /// The address it goes to.
    pub email: &'a str,
    /// How long it is good.
    pub lifetime: chrono::Duration,
}

/// Keeps a one-time token.
pub async fn insert_token(tx: &Transaction, new: &NewToken<'_>) -> Result<()> {
    let hash = web::identity::token_hash(new.token);
    let expires_at = tx.now() + new.lifetime;
    let purpose = new.purpose.as_str();
    tx.execute(
        &INSERT_ONE_TIME_TOKEN,
        &[&kernel::new_id(), &purpose, &hash, &new.user_id, &new.email, &expires_at, &tx.now()],
    )
    .await?;
    Ok(())
}

/// Whom a token is for, without using it up.
pub async fn find_token(scope: &Scope<'_>, purpose: Purpose, token: &str, now: DateTime<Utc>) -> Result<TokenOwner> {
    let hash = web::identity::token_hash(token);
    scope.query_one(&FIND_ONE_TIME_TOKEN, &[&purpose.as_str(), &hash, &now]).await
}

/// Uses a token up; `NotFound` when it is unknown, spent or too old.
pub async fn spend_token(tx: &Transaction, purpose: Purpose, token: &str) -> Result<TokenOwner> {
    let hash = web::identity::token_hash(token);
    tx.query_one(&SPEND_ONE_TIME_TOKEN, &[&purpose.as_str(), &hash, &tx.now()]).await
}
