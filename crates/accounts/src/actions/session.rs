//! Sessions: beginning, refreshing, ending.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Duration, Utc};
use database::{Audited, Transaction};
use kernel::{Actor, Error, Origin, Result, System};
use serde_json::json;
use uuid::Uuid;
use web::App;
use web::identity::{session_lifetime, token_hash, wrong};
use web::token::Holder;

use super::tries;
use crate::store::session::{self, RefreshToken};
use crate::store::user::{self, Person};

/// A console session that has begun.
pub struct Opened {
    /// The value of the cookie.
    pub cookie: String,
}

/// What the API hands to somebody who signed in or refreshed.
pub struct Tokens {
    /// The JWT.
    pub access_token: String,
    /// Good once.
    pub refresh_token: String,
    /// When the JWT ends.
    pub expires_at: DateTime<Utc>,
    /// Whose they are.
    pub person: Person,
}

/// Begins a console session of somebody who proved who they are; `second_factor` when with a code, too.
///
/// # Errors
/// What the database answered.
pub async fn begin_console(app: &App, origin: &Origin, user_id: Uuid, second_factor: bool) -> Result<Opened> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let cookie = kernel::random::token();
    begin(app, &tx, user_id, Some(&cookie), second_factor).await?;
    tx.commit().await?;
    Ok(Opened { cookie })
}

/// Begins a session of the API.
///
/// # Errors
/// What the database answered.
pub async fn begin_tokens(app: &App, origin: &Origin, user_id: Uuid, second_factor: bool) -> Result<Tokens> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let session_id = begin(app, &tx, user_id, None, second_factor).await?;
    let refresh_token = hand_out(app, &tx, session_id).await?;
    let person: Person = tx.query_one(&user::PERSON, &[&user_id]).await?;
    tx.commit().await?;
    tokens(app, person, session_id, aal(second_factor), refresh_token)
}

/// Two tabs may send the same refresh token at the same moment, and an answer may be lost on its way.
const GRACE: Duration = Duration::seconds(10);

/// Exchanges a refresh token for new ones. Within ten seconds the same one gets the same new one again; later it ends the
/// whole session: it was stolen, or the new one was.
///
/// # Errors
/// `Unauthenticated` when it is unknown, spent, too old, or its session or person at an end; `TooMany` after many such.
pub async fn refresh(app: &App, origin: &Origin, token: &str) -> Result<Tokens> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    let found: Option<RefreshToken> = tx.query_opt(&session::REFRESH_TOKEN, &[&token_hash(token), &tx.now()]).await?;
    let old = found.filter(|found| !found.dead).ok_or_else(|| wrong(app, origin))?;
    let successor = successor(app, token);
    if old.used_at.is_some_and(|at| tx.now() - at < GRACE) {
        let person: Person = tx.query_one(&user::PERSON, &[&old.user_id]).await?;
        return tokens(app, person, old.session_id, &old.aal, successor);
    }
    if old.used_at.is_some() {
        tx.execute(&session::REVOKE_SESSION, &[&old.session_id, &old.user_id, &tx.now()]).await?;
        tx.audit("session.token_reused", "auth.sessions", Some(old.session_id), of_user(old.user_id)).await?;
        tx.commit().await?;
        return Err(Error::Unauthenticated);
    }
    tx.execute(&session::SPEND_REFRESH_TOKEN, &[&old.id, &tx.now()]).await?;
    tx.execute(&session::PROLONG_SESSION, &[&old.session_id, &tx.now(), &(tx.now() + session_lifetime(app))]).await?;
    keep(app, &tx, old.session_id, (&successor, Some(old.id))).await?;
    let person: Person = tx.query_one(&user::PERSON, &[&old.user_id]).await?;
    tx.commit().await?;
    tokens(app, person, old.session_id, &old.aal, successor)
}

/// The token that follows another: found again without being stored, by whoever holds the keyring and the old one.
fn successor(app: &App, token: &str) -> String {
    URL_SAFE_NO_PAD.encode(app.keyring.fingerprint("refresh token after", token.as_bytes()))
}

/// Ends one session, at once.
///
/// # Errors
/// What the database answered; a session that is over already is no error.
pub async fn sign_out(app: &App, origin: &Origin, user_id: Uuid, session_id: Uuid) -> Result<()> {
    match revoke_session(app, origin, user_id, session_id).await {
        Err(Error::NotFound) => Ok(()),
        other => other,
    }
}

/// Ends one of a person's sessions.
///
/// # Errors
/// `NotFound` when it is not theirs or over already.
pub async fn revoke_session(app: &App, origin: &Origin, user_id: Uuid, session_id: Uuid) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    if tx.execute(&session::REVOKE_SESSION, &[&session_id, &user_id, &tx.now()]).await? == 0 {
        return Err(Error::NotFound);
    }
    tx.audit("session.ended", "auth.sessions", Some(session_id), of_user(user_id)).await?;
    tx.commit().await
}

/// Ends every session of a person.
///
/// # Errors
/// What the database answered.
pub async fn sign_out_all(app: &App, origin: &Origin, user_id: Uuid) -> Result<()> {
    sign_out_others(app, origin, user_id, Uuid::nil()).await
}

/// Ends every session of a person but one.
///
/// # Errors
/// What the database answered.
pub async fn sign_out_others(app: &App, origin: &Origin, user_id: Uuid, but: Uuid) -> Result<()> {
    let actor = Actor::system(System::Auth).from(origin.clone());
    let scope = app.db.scope(&actor);
    let tx = scope.transaction().await?;
    revoke_others(&tx, user_id, but).await?;
    tx.commit().await
}

/// Ends every session of a person but one, as part of another act.
pub(super) async fn revoke_others(tx: &Transaction, user_id: Uuid, but: Uuid) -> Result<()> {
    let ended = tx.execute(&session::REVOKE_OTHERS, &[&user_id, &but, &tx.now()]).await?;
    let after = Some(json!({ "ended": ended }));
    tx.audit("session.others_ended", "auth.users", Some(user_id), Audited { after, ..Audited::default() }).await
}

/// Writes a session as part of another act, and forgets the person's wrong tries.
pub(super) async fn begin(
    app: &App,
    tx: &Transaction,
    user_id: Uuid,
    cookie: Option<&str>,
    second_factor: bool,
) -> Result<Uuid> {
    let (id, origin) = (kernel::new_id(), &tx.actor().origin);
    let hash = cookie.map(token_hash);
    let expires_at = tx.now() + session_lifetime(app);
    let params: database::Params<'_> =
        &[&id, &user_id, &tx.now(), &expires_at, &hash, &aal(second_factor), &origin.ip, &origin.user_agent];
    tx.execute(&session::INSERT_SESSION, params).await?;
    let person: Person = tx.query_one(&user::PERSON, &[&user_id]).await?;
    tx.execute(&session::FORGET_TRIES, &[&tries::forgotten(app, origin, &person.email)]).await?;
    tx.execute(&user::NOTE_SIGN_IN, &[&user_id, &tx.now()]).await?;
    tx.audit(
        "session.began",
        "auth.users",
        Some(user_id),
        Audited {
            after: Some(json!({ "session": id, "console": cookie.is_some(), "second_factor": second_factor })),
            ..Audited::default()
        },
    )
    .await?;
    Ok(id)
}

/// Writes the first refresh token of a session as part of another act.
pub(super) async fn hand_out(app: &App, tx: &Transaction, session_id: Uuid) -> Result<String> {
    let token = kernel::random::token();
    keep(app, tx, session_id, (&token, None)).await?;
    Ok(token)
}

async fn keep(app: &App, tx: &Transaction, session_id: Uuid, (token, parent): (&str, Option<Uuid>)) -> Result<()> {
    let expires_at = tx.now() + session_lifetime(app);
    let params: database::Params<'_> =
        &[&kernel::new_id(), &session_id, &token_hash(token), &parent, &expires_at, &tx.now()];
    tx.execute(&session::INSERT_REFRESH_TOKEN, params).await.map(|_| ())
}

/// The pair for a session.
pub(super) fn tokens(app: &App, person: Person, session_id: Uuid, aal: &str, refresh_token: String) -> Result<Tokens> {
    let now = app.clock.now();
    let holder = Holder {
        user_id: person.id,
        email: person.email.clone(),
        roles: person.roles.iter().map(ToString::to_string).collect(),
        session_id,
        aal: aal.to_owned(),
    };
    let access_token = app.tokens.sign(&holder, now)?;
    Ok(Tokens { access_token, refresh_token, expires_at: now + app.tokens.lifetime(), person })
}

pub(super) const fn aal(second_factor: bool) -> &'static str {
    if second_factor { "aal2" } else { "aal1" }
}

fn of_user(user_id: Uuid) -> Audited {
    Audited { after: Some(json!({ "user": user_id })), ..Audited::default() }
}
