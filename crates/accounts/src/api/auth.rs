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

use crate::actions::{self, ProfileChange, Step, Tokens};
use crate::store::user::{self, Person};

/// Guesses from one address, over all accounts.
const GUESSES: Rule = Rule { name: "sign-in", requests: 30, seconds: 60 };

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
        _ => Err(Refusal::new(400, "validation_failed", "grant_type must be password or refresh_token")),
    };
    match tokens {
        Ok(tokens) => no_store(axum::Json(session(&app, &tokens)).into_response()),
        Err(refusal) => refusal.into_response(),
    }
}

async fn by_password(app: &App, origin: &Origin, body: &TokenBody) -> std::result::Result<Tokens, Refusal> {
    count_guess(app, origin).map_err(|e| Refusal::of(&e))?;
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

/// Guesses from one address are counted over all accounts: a lock is for one account only.
pub(crate) fn count_guess(app: &App, origin: &Origin) -> Result<()> {
    match origin.ip {
        Some(ip) => app.limits.spend(GUESSES, &Key::address(ip)).map(|_| ()),
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

async fn change_user(app: &App, origin: &Origin, who: &SignedIn, person: &Person, body: &UserBody) -> Result<()> {
    if let Some(password) = &body.password {
        actions::set_own_password(app, origin, (who.user_id, who.session_id), password).await?;
    }
    let text = |name: &str| body.data.get(name).and_then(Value::as_str);
    if body.phone.is_some() || ["full_name", "phone", "timezone"].iter().any(|name| body.data.contains_key(*name)) {
        let actor = kernel::Actor::user(who.user_id).from(origin.clone());
        let change = ProfileChange {
            full_name: text("full_name").or(person.full_name.as_deref()).unwrap_or(&person.email),
            phone: body.phone.as_deref().or(text("phone")).or(person.phone.as_deref()).unwrap_or_default(),
            timezone: text("timezone").or(person.timezone.as_deref()).unwrap_or_default(),
        };
        actions::update_profile(app, &actor, who.user_id, &change).await?;
    }
    match &body.email {
        Some(email) if *email != person.email => {
            actions::change_own_email(app, origin, (who.user_id, who.session_id), email).await
        }
        _ => Ok(()),
    }
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
        count_guess(&app, &visitor.origin)?;
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
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer ")).ok_or(Error::Unauthenticated)?;
    let caller: Caller = identity::by_bearer(app, bearer.trim(), origin).await?;
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
        "user_metadata": { "full_name": person.full_name, "avatar_url": person.avatar_url, "timezone": person.timezone },
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
    code: String,
    message: String,
    retry_after: Option<u64>,
}

impl Refusal {
    fn new(status: u16, code: &str, message: &str) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        Self { status, code: code.to_owned(), message: message.to_owned(), retry_after: None }
    }

    fn of(error: &Error) -> Self {
        let (status, code) = match error {
            Error::Unauthenticated => (StatusCode::UNAUTHORIZED, "bad_jwt"),
            Error::TooMany { .. } => (StatusCode::TOO_MANY_REQUESTS, "over_request_rate_limit"),
            Error::Invalid(fields) if fields.iter().any(|field| field.field == "password") => {
                (StatusCode::UNPROCESSABLE_ENTITY, "weak_password")
            }
            Error::Invalid(fields) if fields.iter().any(|field| field.field == "code") => {
                (StatusCode::UNPROCESSABLE_ENTITY, "mfa_verification_failed")
            }
            Error::Invalid(_) => (StatusCode::BAD_REQUEST, "validation_failed"),
            Error::Conflict { code: "reauthentication_needed", .. } => {
                (StatusCode::UNAUTHORIZED, "reauthentication_needed")
            }
            Error::Conflict { code, .. } => (StatusCode::BAD_REQUEST, *code),
            other => (web::status(other), "unexpected_failure"),
        };
        let retry_after = if let Error::TooMany { retry_after } = error { Some(*retry_after) } else { None };
        if let Error::Internal(detail) = error {
            tracing::error!(detail, "internal error");
        }
        Self { status, code: code.to_owned(), message: web::detail(error), retry_after }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "error_code": self.code, "msg": self.message });
        let mut response = (self.status, axum::Json(body)).into_response();
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
