//! `/auth/v1`: signing in, in the REST shape of Supabase Auth, so that `@supabase/supabase-js` works unchanged.
//!
//! The `apikey` header that client sends is not looked at. Errors have Supabase's shape (`code`, `error_code`, `msg`).

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use kernel::{Error, Origin, Result};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;
use web::limits::{Key, Rule};
use web::{App, Caller, SignedIn, Visitor, identity};

use crate::actions::{self, ProfileChange, Proof, Step, Tokens};
use crate::store::user::{self, Person};

/// Reset links asked for from one address. Sign-ins are counted where they are checked.
const RESETS: Rule = Rule { name: "resets", requests: 30, seconds: 60 };
/// The largest `user_metadata`, in bytes of JSON.
const MAX_METADATA: usize = 16 * 1024;

/// How a token is asked for.
#[derive(Deserialize)]
pub struct TokenQuery {
    grant_type: Option<String>,
}

/// What the body of a token request may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct TokenBody {
    email: String,
    password: String,
    refresh_token: String,
    /// Ours: the code of the authenticator app, for people who have a second factor.
    totp_code: Option<String>,
}

/// `POST /auth/v1/token?grant_type=password|refresh_token`
pub async fn token(
    State(app): State<App>,
    visitor: Visitor,
    query: web::Query<TokenQuery>,
    body: web::Result<web::Json<TokenBody>>,
) -> Response {
    let body = match body {
        Ok(web::Json(body)) => body,
        Err(failure) => return refuse(&failure.0),
    };
    let tokens = match query.0.grant_type.as_deref() {
        Some("password") => by_password(&app, &visitor.origin, &body).await,
        Some("refresh_token") => {
            actions::refresh(&app, &visitor.origin, &body.refresh_token).await.map_err(|error| match error {
                Error::Unauthenticated => {
                    Refusal::new(400, "refresh_token_not_found", "Invalid Refresh Token: Already Used or Not Found")
                }
                other => Refusal::of(&other),
            })
        }
        Some("pkce" | "id_token" | "web3") => Err(Refusal::new(
            400,
            "unsupported_grant_type",
            "This grant_type is not supported here: sign in with password, renew with refresh_token",
        )),
        _ => Err(Refusal::new(400, "validation_failed", "grant_type must be password or refresh_token")),
    };
    match tokens {
        Ok(tokens) => no_store(axum::Json(session(&app, &tokens)).into_response()),
        Err(refusal) => refusal.into_response(),
    }
}

async fn by_password(app: &App, origin: &Origin, body: &TokenBody) -> std::result::Result<Tokens, Refusal> {
    let step = actions::check_password(app, origin, &body.email, &body.password).await.map_err(|e| Refusal::of(&e))?;
    let (user_id, second_factor) = match (step, &body.totp_code) {
        (Step::Done(id), _) => (id, false),
        (Step::Code(user), Some(code)) => {
            actions::check_code(app, origin, user.id, code).await.map_err(|e| Refusal::of(&e))?;
            (user.id, true)
        }
        (Step::Code(_), None) => {
            return Err(Refusal::new(
                403,
                "insufficient_aal",
                "This account has a second factor: send its code as totp_code",
            ));
        }
    };
    actions::begin_tokens(app, origin, user_id, second_factor).await.map_err(|e| Refusal::of(&e))
}

/// Counts somebody who asks for a reset link, whoever's: each is mailed five in an hour at most.
pub(crate) fn count_reset(app: &App, origin: &Origin) -> Result<()> {
    match origin.ip {
        Some(ip) => app.limits.spend(RESETS, &Key::address(ip)).map(|_| ()),
        None => Ok(()),
    }
}

/// `GET /auth/v1/user`
pub async fn get_user(State(app): State<App>, visitor: Visitor, headers: HeaderMap) -> Response {
    reply(person_of(&app, &visitor.origin, &headers).await.map(|(_, person)| axum::Json(shown(&person))))
}

/// What `updateUser` may change.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct UserBody {
    email: Option<String>,
    password: Option<String>,
    phone: Option<String>,
    data: Map<String, Value>,
    /// For a new password or address: the present password.
    current_password: Option<String>,
    /// Or the code that `GET /auth/v1/reauthenticate` mailed.
    nonce: Option<String>,
    /// Or, which is ours, a code of the authenticator app.
    totp_code: Option<String>,
}

/// `PUT /auth/v1/user`
pub async fn put_user(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    body: web::Result<web::Json<UserBody>>,
) -> Response {
    let changed = async {
        let web::Json(body) = body.map_err(|failure| failure.0)?;
        let (signed_in, person) = person_of(&app, &visitor.origin, &headers).await?;
        change_user(&app, &visitor.origin, &signed_in, &person, &body).await?;
        person_of(&app, &visitor.origin, &headers).await
    };
    reply(changed.await.map(|(_, person)| axum::Json(shown(&person))))
}

/// What takes a proof comes first, so that nothing is changed where it is missing.
async fn change_user(app: &App, origin: &Origin, who: &SignedIn, person: &Person, body: &UserBody) -> Result<()> {
    let proof = Proof {
        password: body.current_password.as_deref(),
        code: body.totp_code.as_deref(),
        nonce: body.nonce.as_deref(),
    };
    let email = body.email.as_ref().filter(|email| **email != person.email);
    if email.is_some() && body.password.is_some() {
        return Err(Error::invalid("email", "change the password and the address one after the other"));
    }
    let actor = kernel::Actor::user(who.user_id).from(origin.clone());
    let metadata = metadata_of(person, &body.data)?;
    let profile = profile_of(person, body)?;
    if let Some(email) = email {
        actions::change_own_email(app, origin, who.user_id, email, proof).await?;
    } else if let Some(new) = &body.password {
        actions::set_own_password(app, origin, (who.user_id, who.session_id), new, proof).await?;
    }
    if let Some(change) = profile {
        actions::update_profile(app, &actor, who.user_id, &change).await?;
    }
    if metadata == person.user_metadata {
        return Ok(());
    }
    actions::set_metadata(app, origin, who.user_id, &metadata).await
}

/// What of it stands in the profile, when any of it is named.
fn profile_of<'a>(person: &'a Person, body: &'a UserBody) -> Result<Option<ProfileChange<'a>>> {
    let named = |name: &str| match body.data.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(Value::Null) => Ok(Some("")),
        Some(_) => Err(Error::invalid(format!("data/{name}"), format!("{name} must be a text"))),
    };
    let (full_name, phone, timezone) = (named("full_name")?, named("phone")?, named("timezone")?);
    let phone = body.phone.as_deref().or(phone);
    if full_name.is_none() && phone.is_none() && timezone.is_none() {
        return Ok(None);
    }
    Ok(Some(ProfileChange {
        full_name: full_name.or(person.full_name.as_deref()).unwrap_or(&person.email),
        phone: phone.or(person.phone.as_deref()).unwrap_or_default(),
        timezone: timezone.or(person.timezone.as_deref()).unwrap_or_default(),
    }))
}

/// What the person's program keeps, with `data` laid over it: null takes a key away, as Supabase Auth has it.
fn metadata_of(person: &Person, data: &Map<String, Value>) -> Result<Value> {
    let mut kept = person.user_metadata.as_object().cloned().unwrap_or_default();
    for (name, value) in data.iter().filter(|(name, _)| !["full_name", "timezone"].contains(&name.as_str())) {
        if value.is_null() {
            kept.remove(name)
        } else {
            kept.insert(name.clone(), value.clone())
        };
    }
    let kept = Value::Object(kept);
    if kept.to_string().len() > MAX_METADATA {
        return Err(Error::invalid("data", format!("send at most {MAX_METADATA} bytes")));
    }
    Ok(kept)
}

/// `GET /auth/v1/reauthenticate`: mails the code that goes back as `nonce`.
pub async fn reauthenticate(State(app): State<App>, visitor: Visitor, headers: HeaderMap) -> Response {
    let asked = async {
        let (who, _) = person_of(&app, &visitor.origin, &headers).await?;
        actions::ask_for_code(&app, &visitor.origin, who.user_id).await
    };
    reply(asked.await.map(|()| axum::Json(json!({}))))
}

/// Signing up, one-time links and other providers: ACE has none, and says so in the words the clients know.
pub async fn unsupported(uri: axum::http::Uri) -> Response {
    let (code, message) = match uri.path() {
        "/auth/v1/signup" => ("signup_disabled", "People join ACE by invitation"),
        "/auth/v1/otp" | "/auth/v1/magiclink" => ("otp_disabled", "ACE signs nobody in by a one-time link or code"),
        "/auth/v1/factors" => {
            ("mfa_totp_enroll_not_enabled", "A second factor is set up in the console, under Account")
        }
        "/auth/v1/resend" => ("otp_disabled", "ACE sends no one-time link again; ask for a reset link with recover"),
        "/auth/v1/sso" => ("saml_provider_disabled", "ACE signs nobody in by single sign-on"),
        "/auth/v1/user/identities/authorize" => ("manual_linking_disabled", "ACE links no other provider's identity"),
        "/auth/v1/invite" => ("not_admin", "ACE has no admin API here: people are invited with POST /v1/invitations"),
        path if path.starts_with("/auth/v1/admin/") => {
            ("not_admin", "ACE has no admin API here: people stand under /v1/users")
        }
        path if path.starts_with("/auth/v1/factors/") => {
            ("mfa_totp_verify_not_enabled", "Second factors are managed in the console; sign in with totp_code")
        }
        _ => ("provider_disabled", "ACE signs nobody in with another provider"),
    };
    Refusal::new(422, code, message).into_response()
}

/// Which sessions to end.
#[derive(Deserialize)]
pub struct LogoutQuery {
    scope: Option<String>,
}

/// `POST /auth/v1/logout?scope=global|local|others`
pub async fn logout(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    query: web::Query<LogoutQuery>,
) -> Response {
    let ended = async {
        let (who, _) = person_of(&app, &visitor.origin, &headers).await?;
        match query.0.scope.as_deref() {
            Some("local") => actions::sign_out(&app, &visitor.origin, who.user_id, who.session_id).await,
            Some("others") => actions::sign_out_others(&app, &visitor.origin, who.user_id, who.session_id).await,
            None | Some("global") => actions::sign_out_all(&app, &visitor.origin, who.user_id).await,
            Some(_) => Err(Error::invalid("scope", "scope must be global, local or others")),
        }
    };
    reply(ended.await.map(|()| StatusCode::NO_CONTENT))
}

/// An address.
#[derive(Deserialize)]
pub struct RecoverBody {
    email: String,
}

/// `POST /auth/v1/recover`: the same answer whether or not anybody has the address.
pub async fn recover(State(app): State<App>, visitor: Visitor, body: web::Result<web::Json<RecoverBody>>) -> Response {
    let asked = async {
        let web::Json(body) = body.map_err(|failure| failure.0)?;
        count_reset(&app, &visitor.origin)?;
        actions::ask_for_reset(&app, &visitor.origin, &body.email).await
    };
    reply(asked.await.map(|()| axum::Json(json!({}))))
}

/// A link's token; `type` is always `recovery`.
#[derive(Deserialize)]
pub struct VerifyBody {
    r#type: String,
    #[serde(alias = "token_hash")]
    token: String,
}

/// `POST /auth/v1/verify`: exchanges the token of a reset link for a session.
pub async fn verify(State(app): State<App>, visitor: Visitor, body: web::Result<web::Json<VerifyBody>>) -> Response {
    let body = match body {
        Ok(web::Json(body)) => body,
        Err(failure) => return refuse(&failure.0),
    };
    if body.r#type != "recovery" {
        return Refusal::new(400, "validation_failed", "type must be recovery").into_response();
    }
    match actions::reset_session(&app, &visitor.origin, &body.token).await {
        Ok(tokens) => no_store(axum::Json(session(&app, &tokens)).into_response()),
        Err(Error::NotFound) => {
            Refusal::new(403, "otp_expired", "Email link is invalid or has expired").into_response()
        }
        Err(error) => refuse(&error),
    }
}

/// What `GET /auth/v1/verify` holds.
#[derive(Deserialize)]
pub struct VerifyQuery {
    token: String,
}

/// `GET /auth/v1/verify`: mail scanners follow links, so this only leads to the page that asks for the new password.
pub async fn verify_link(query: web::Query<VerifyQuery>) -> Response {
    let is_token = query.0.token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    if is_token { web::redirect(&format!("/reset/{}", query.0.token)) } else { refuse(&Error::NotFound) }
}

/// `GET /auth/v1/.well-known/jwks.json`
pub async fn jwks(State(app): State<App>) -> Response {
    ([(header::CACHE_CONTROL, "public, max-age=600")], axum::Json(app.tokens.jwks().clone())).into_response()
}

/// `GET /auth/v1/settings`
pub async fn settings() -> Response {
    let settings = json!({
        "external": { "email": true, "phone": false },
        "disable_signup": true,
        "mailer_autoconfirm": false,
        "phone_autoconfirm": false,
        "saml_enabled": false,
    });
    axum::Json(settings).into_response()
}

/// `GET /auth/v1/health`
pub async fn health() -> Response {
    axum::Json(json!({ "name": "ACE", "version": env!("CARGO_PKG_VERSION"), "description": "sign-in in the shape of Supabase Auth" }))
        .into_response()
}

async fn person_of(app: &App, origin: &Origin, headers: &HeaderMap) -> Result<(SignedIn, Person)> {
    let caller: Caller = identity::by_header(app, headers, origin).await?;
    let signed_in = caller.user.ok_or(Error::Unauthenticated)?;
    let auth = kernel::Actor::system(kernel::System::Auth);
    let person = user::person(&app.db.scope(&auth), signed_in.user_id).await?;
    Ok((signed_in, person))
}

fn session(app: &App, tokens: &Tokens) -> Value {
    json!({
        "access_token": tokens.access_token,
        "token_type": "bearer",
        "expires_in": app.tokens.lifetime().num_seconds(),
        "expires_at": tokens.expires_at.timestamp(),
        "refresh_token": tokens.refresh_token,
        "user": shown(&tokens.person),
    })
}

/// A person as Supabase shows one.
fn shown(person: &Person) -> Value {
    let id: Uuid = person.id;
    let mut metadata = person.user_metadata.as_object().cloned().unwrap_or_default();
    metadata.insert("full_name".into(), json!(person.full_name));
    metadata.insert("timezone".into(), json!(person.timezone));
    metadata.entry("avatar_url").or_insert_with(|| json!(person.avatar_url));
    json!({
        "id": id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": person.email,
        "email_confirmed_at": person.email_confirmed_at,
        "confirmed_at": person.email_confirmed_at,
        "phone": person.phone.as_deref().unwrap_or_default(),
        "last_sign_in_at": person.last_sign_in_at,
        "app_metadata": { "provider": "email", "providers": ["email"], "roles": person.roles },
        "user_metadata": metadata,
        "identities": [],
        "factors": [],
        "created_at": person.created_at,
        "updated_at": person.updated_at,
        "is_anonymous": false,
    })
}

/// An error in Supabase's shape.
struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: u16, code: &'static str, message: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code, message: message.to_owned(), retry_after: None }
    }

    fn of(error: &Error) -> Self {
        let (status, code) = web::auth_code(error);
        let retry_after = web::retry_after(error);
        match error {
            Error::Internal(detail) => tracing::error!(detail, "internal error"),
            Error::Unavailable(detail) => tracing::warn!(detail, "unavailable"),
            _ => {}
        }
        Self { status, code, message: web::detail(error), retry_after }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "error_code": self.code, "msg": self.message });
        let mut response = (self.status, axum::Json(body)).into_response();
        response.extensions_mut().insert(web::Code(self.code));
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

fn refuse(error: &Error) -> Response {
    Refusal::of(error).into_response()
}

fn reply(result: Result<impl IntoResponse>) -> Response {
    match result {
        Ok(answer) => no_store(answer.into_response()),
        Err(error) => refuse(&error),
    }
}

fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    response
}
