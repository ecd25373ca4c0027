//! API keys of a client.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Duration, Utc};
use kernel::Error;
use kernel::page::PageParams;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, PageQuery, Shell, redirect_with, render_with};

use super::{no_store, status_of};
use crate::actions::{self, CreatedKey, NewApiKey, Proof};
use crate::api_key::{self, Mode};
use crate::store::api_key::ApiKey;

#[derive(Template)]
#[template(path = "api_keys/show.html")]
struct KeysPage {
    shell: Shell,
    keys: Vec<ApiKey>,
    pager: Pager,
    now: DateTime<Utc>,
    grantable: Vec<Choice>,
    may_manage: bool,
    created: Option<CreatedKey>,
    public_url: String,
    form: KeyForm,
    errors: FieldErrors,
}

/// A new key.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct KeyForm {
    name: String,
    mode: String,
    expires_on: String,
    scopes: Vec<String>,
    current_password: String,
}

/// What was just done on the page, and which of the keys it shows.
#[derive(Default)]
struct Done {
    after: String,
    created: Option<CreatedKey>,
    form: KeyForm,
    errors: FieldErrors,
}

/// `GET /{client}/api-keys`
pub async fn show(State(app): State<App>, caller: Caller, query: web::Query<PageQuery>) -> web::Result<Response> {
    page(&app, &caller, Done { after: query.0.after.unwrap_or_default(), ..Done::default() }).await
}

/// `POST /{client}/api-keys`: shows the key, this once.
pub async fn create(State(app): State<App>, caller: Caller, form: web::Form<KeyForm>) -> web::Result<Response> {
    let form = form.0;
    let created = async {
        let mode = if form.mode == "test" { Mode::Test } else { Mode::Live };
        let expires_at = end_of(&form.expires_on, caller.time_zone())?;
        let new = NewApiKey { name: &form.name, mode, scopes: &form.scopes, expires_at };
        let proof = Proof { password: Some(&form.current_password), ..Proof::default() };
        actions::create_own_key(&app, &caller.actor, caller.client_id()?, &new, proof).await
    };
    let done = match created.await {
        Ok(created) => Done { created: Some(created), ..Done::default() },
        Err(error) => Done { errors: FieldErrors::from_error(error)?, form, ..Done::default() },
    };
    page(&app, &caller, done).await
}

/// `POST /{client}/api-keys/{id}/revoke`
pub async fn revoke(State(app): State<App>, caller: Caller, path: web::Path<(String, Uuid)>) -> web::Result<Response> {
    actions::revoke_key(&app, &caller.actor, (caller.client_id()?, path.0.1), &kernel::version::Expected::any())
        .await?;
    Ok(redirect_with(&format!("/{}/api-keys", caller.client()?.slug), "Key revoked. It does not work any more."))
}

/// The end of the day a key is good through.
fn end_of(typed: &str, zone: &str) -> kernel::Result<Option<DateTime<Utc>>> {
    if typed.is_empty() {
        return Ok(None);
    }
    let wrong = || Error::invalid("expires_on", "enter a date such as 2026-03-31");
    let day = kernel::zone::parse_day(typed).ok_or_else(wrong)?;
    Ok(Some(kernel::zone::start_of_day(day + Duration::days(1), zone)))
}

async fn page(app: &App, caller: &Caller, done: Done) -> web::Result<Response> {
    let client = caller.client()?;
    let wanted = PageParams { limit: None, after: Some(done.after.clone()) };
    let keys = actions::list_keys(app, &caller.actor, client.id, &wanted).await?;
    let filters = Filters::new(format!("/{}/api-keys", client.slug), [("after", done.after)]);
    let own = kernel::permissions::GRANTS
        .iter()
        .filter(|grant| api_key::is_about_a_client(grant.key) && caller.may(grant.key));
    let page = KeysPage {
        shell: Shell::new(caller, "API keys")
            .lede("Programs of yours act for this client with a key. Each holds only the permissions you give it."),
        pager: Pager::new(&filters, keys.data.len(), keys.next.as_deref()),
        keys: keys.data,
        now: app.clock.now(),
        grantable: own.map(|grant| Choice::new(grant.key, grant.meaning)).collect(),
        may_manage: caller.may("api_keys.manage"),
        created: done.created,
        public_url: app.link(""),
        form: done.form,
        errors: done.errors,
    };
    let secret = page.created.is_some();
    let response = render_with(status_of(&page.errors), &page)?;
    Ok(if secret { no_store(response) } else { response })
}
