//! Who is behind a cookie, an access token or an API key. One look-up per request, so that signing out,
//! deactivating and revoking work at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::HeaderMap;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use chrono::Duration;
use database::FromRow;
use kernel::{Actor, Error, Origin, Result, System, Who};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::caller::{Caller, SignedIn};
use crate::limits::{self, Key};
use crate::routes::Kind;
use crate::token::Bearer;
use crate::{App, guard, token};

/// The console's session cookie.
pub const SESSION_COOKIE: &str = "ace_session";

database::statement! {
    /// A live session of an active user by the hash of its cookie, with what the user holds.
    SESSION_BY_COOKIE, signin, "
        select s.id as session_id, u.id as user_id, u.email, p.full_name, p.timezone,
            array(select r.role::text from user_roles r where r.user_id = u.id order by r.role) as roles,
            array(select distinct rp.permission_key
                  from user_roles r
                  join role_permissions rp on rp.role = r.role
                  where r.user_id = u.id) as permissions,
            u.totp_confirmed_at is null and app.second_factor_required(u.id) as must_enrol
        from auth.sessions s
        join auth.users u on u.id = s.user_id
        left join profiles p on p.id = u.id
        where s.cookie_token_hash = $1
          and s.revoked_at is null
          and s.expires_at > $2
          and u.deactivated_at is null";
    /// A live session of an active user by its id, which an access token names.
    SESSION_BY_ID, signin, "
        select s.id as session_id, u.id as user_id, u.email, p.full_name, p.timezone,
            array(select r.role::text from user_roles r where r.user_id = u.id order by r.role) as roles,
            array(select distinct rp.permission_key
                  from user_roles r
                  join role_permissions rp on rp.role = r.role
                  where r.user_id = u.id) as permissions,
            u.totp_confirmed_at is null and app.second_factor_required(u.id) as must_enrol
        from auth.sessions s
        join auth.users u on u.id = s.user_id
        left join profiles p on p.id = u.id
        where s.id = $1
          and s.revoked_at is null
          and s.expires_at > $2
          and u.deactivated_at is null";
    /// An active user an outside Supabase Auth vouches for: by id, or else by address. Who has a second factor here needs
    /// one there: $3 says whether it was shown.
    USER_OUTSIDE, signin, "
        select u.id as session_id, u.id as user_id, u.email, p.full_name, p.timezone,
            array(select r.role::text from user_roles r where r.user_id = u.id order by r.role) as roles,
            array(select distinct rp.permission_key
                  from user_roles r
                  join role_permissions rp on rp.role = r.role
                  where r.user_id = u.id) as permissions,
            u.totp_confirmed_at is null and app.second_factor_required(u.id) as must_enrol
        from auth.users u
        left join profiles p on p.id = u.id
        where u.id = coalesce(
            (select known.id from auth.users known where known.id = $1),
            (select known.id from auth.users known where known.email = $2))
          and u.deactivated_at is null
          and (u.totp_confirmed_at is null or $3)";
    /// A live API key of a client that is not archived, by its SHA-256; notes its use once a minute. Of what it was given
    /// it holds what its maker holds at this client now: admins and support look everywhere, what the others hold counts
    /// where they reach. A key without a maker is the operator's.
    KEY_BY_HASH, signin, "
        with found as (
            select k.id, k.scopes, k.last_used_at, k.created_by_user_id as maker_id, k.client_id, c.org_id
            from api_keys k
            join clients c on c.id = k.client_id
            where k.key_hash = $1
              and k.revoked_at is null
              and (k.expires_at is null or k.expires_at > $2)
              and c.archived_at is null),
        used as (
            update api_keys k
            set last_used_at = $2
            from found f
            where k.id = f.id
              and (f.last_used_at is null or f.last_used_at < $2 - interval '1 minute'))
        select f.id,
            case when f.maker_id is null then f.scopes
            else array(
                select distinct rp.permission_key
                from user_roles r
                join role_permissions rp on rp.role = r.role
                where r.user_id = f.maker_id
                  and rp.permission_key = any (f.scopes)
                  and (r.role in ('admin', 'tech_support')
                    or exists (
                        select
                        from client_users u
                        join user_roles there on there.user_id = u.user_id
                        where u.user_id = f.maker_id
                          and u.client_id = f.client_id
                          and there.role in ('company_owner', 'developer', 'call_center'))
                    or exists (
                        select
                        from org_members m
                        join user_roles there on there.user_id = m.user_id
                        where m.user_id = f.maker_id
                          and m.org_id = f.org_id
                          and there.role = 'agency_owner')))
            end as scopes
        from found f"
}

#[derive(FromRow)]
struct SessionRow {
    session_id: Uuid,
    user_id: Uuid,
    email: String,
    full_name: Option<String>,
    timezone: Option<String>,
    roles: Vec<String>,
    permissions: Vec<String>,
    must_enrol: bool,
}

#[derive(FromRow)]
struct KeyRow {
    id: Uuid,
    scopes: Vec<String>,
}

/// How long a session lives: the console's from signing in, the API's from its last refresh.
pub fn session_lifetime(app: &App) -> Duration {
    Duration::days(app.settings.security.session_days.into())
}

/// The cookie that carries a console session's `token`.
pub fn session_cookie(app: &App, token: &str) -> Cookie<'static> {
    cookie(app, SESSION_COOKIE, token, Some(session_lifetime(app)))
}

/// The cookie that takes a console session away.
pub fn no_session_cookie(app: &App) -> Cookie<'static> {
    cookie(app, SESSION_COOKIE, "", Some(Duration::zero()))
}

/// A cookie of ours: out of reach of scripts, not sent along by other sites' forms, and over https where we are.
/// Without a `lifetime` it ends with the browser; zero takes it away.
pub fn cookie(app: &App, name: &'static str, value: &str, lifetime: Option<Duration>) -> Cookie<'static> {
    let mut cookie = Cookie::new(name, value.to_owned());
    cookie.set_path("/");
    cookie.set_http_only(true);
    cookie.set_same_site(SameSite::Lax);
    cookie.set_secure(app.settings.server.public_url.starts_with("https://"));
    if let Some(lifetime) = lifetime {
        cookie.set_max_age(time::Duration::seconds(lifetime.num_seconds()));
    }
    cookie
}

/// The SHA-256 under which tokens and keys are stored.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

/// The caller behind a request's credentials. Pages take the cookie only, the API a bearer token only: a stolen access
/// token opens no page of the console, and a cookie that a browser sends along by itself does nothing in the API.
pub(crate) async fn of_request(app: &App, kind: Kind, headers: &HeaderMap, origin: &Origin) -> Result<Caller> {
    match kind {
        Kind::Api => by_header(app, headers, origin).await,
        Kind::Page => match CookieJar::from_headers(headers).get(SESSION_COOKIE) {
            Some(cookie) => by_cookie(app, cookie.value(), origin).await,
            None => Err(Error::Unauthenticated),
        },
    }
}

/// The caller behind the API key or access token of an `Authorization` header.
///
/// # Errors
/// `Unauthenticated` when there is none, or it is not, or no longer, good; `TooMany` after many wrong ones.
pub async fn by_header(app: &App, headers: &HeaderMap, origin: &Origin) -> Result<Caller> {
    let bearer = guard::bearer(headers).ok_or(Error::Unauthenticated)?;
    if bearer.starts_with("ace_") {
        return by_key(app, bearer, origin).await;
    }
    let actor = Actor::system(System::Auth);
    let scope = app.db.scope(&actor);
    let named = match token::verify(app, bearer).await {
        Err(Error::Unauthenticated) => return Err(wrong(app, origin)),
        other => other?,
    };
    let row = match named {
        Bearer::Session(id) => scope.query_opt(&SESSION_BY_ID, &[&id, &app.clock.now()]).await?,
        Bearer::Outside { sub, email, second_factor } => {
            scope.query_opt(&USER_OUTSIDE, &[&sub, &email, &second_factor]).await?
        }
    };
    row.map(|row| signed_in(row, origin)).ok_or_else(|| wrong(app, origin))
}

/// The answer to a key, token or cookie that is not good, which counts against the address it came from. Right ones are not
/// counted and not held up: 256 bits need no lock, only whoever tries many is told to stop.
pub fn wrong(app: &App, origin: &Origin) -> Error {
    let counted = origin.ip.map(|ip| app.limits.spend(limits::WRONG_CREDENTIALS, &Key::address(ip)));
    counted.and_then(Result::err).unwrap_or(Error::Unauthenticated)
}

/// The caller behind a console cookie.
///
/// # Errors
/// `Unauthenticated` when the session is not, or no longer, live; `TooMany` after many wrong ones.
pub async fn by_cookie(app: &App, cookie: &str, origin: &Origin) -> Result<Caller> {
    let actor = Actor::system(System::Auth);
    let params: database::Params<'_> = &[&token_hash(cookie), &app.clock.now()];
    let row = app.db.scope(&actor).query_opt(&SESSION_BY_COOKIE, params).await?;
    row.map(|row| signed_in(row, origin)).ok_or_else(|| wrong(app, origin))
}

async fn by_key(app: &App, key: &str, origin: &Origin) -> Result<Caller> {
    let actor = Actor::system(System::Auth);
    let params: database::Params<'_> = &[&token_hash(key), &app.clock.now()];
    let row: Option<KeyRow> = app.db.scope(&actor).query_opt(&KEY_BY_HASH, params).await?;
    let row = row.ok_or_else(|| wrong(app, origin))?;
    Ok(Caller {
        actor: Actor { who: Who::Key(row.id), origin: origin.clone() },
        user: None,
        client: None,
        beside: None,
        clients: Arc::default(),
        needs: 0,
        permissions: Arc::new(row.scopes.into_iter().collect()),
        path: String::new(),
        flash: None,
    })
}

fn signed_in(row: SessionRow, origin: &Origin) -> Caller {
    let full_name = row.full_name.filter(|name| !name.is_empty()).unwrap_or_else(|| row.email.clone());
    let user = SignedIn {
        user_id: row.user_id,
        session_id: row.session_id,
        email: row.email,
        full_name,
        roles: row.roles,
        time_zone: row.timezone.unwrap_or_default(),
        must_enrol: row.must_enrol,
    };
    Caller {
        actor: Actor { who: Who::User(user.user_id), origin: origin.clone() },
        user: Some(user),
        client: None,
        beside: None,
        clients: Arc::default(),
        needs: 0,
        permissions: Arc::new(row.permissions.into_iter().collect::<BTreeSet<_>>()),
        path: String::new(),
        flash: None,
    }
}
