//! A new client, from wherever somebody looks for one.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::page::{MAX_LIMIT, PageParams};
use kernel::{Error, FieldError};
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors};
use web::{App, Caller, Shell, redirect_with, render_with};

use super::status_of;
use crate::actions::{self, NewClient, industries};
use crate::store::organization::list_organizations;

#[derive(Template)]
#[template(path = "clients/new.html")]
struct NewPage {
    shell: Shell,
    organizations: Vec<Choice>,
    industries: Vec<Choice>,
    form: NewClientForm,
    errors: FieldErrors,
}

/// What is asked of a new client.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct NewClientForm {
    org_id: String,
    name: String,
    industry: String,
    time_zone: String,
}

/// `GET /clients/new`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    page(&app, &caller, NewClientForm::default(), FieldErrors::none()).await
}

/// `POST /clients/new`
pub async fn create(State(app): State<App>, caller: Caller, form: web::Form<NewClientForm>) -> web::Result<Response> {
    let form = form.0;
    let org_id = Uuid::parse_str(&form.org_id).unwrap_or_default();
    let (name, industry, time_zone) = (&*form.name, &*form.industry, super::zone_of(&form.time_zone));
    let new = NewClient { org_id, name, industry, website_url: None, time_zone };
    match actions::create_client(&app, &caller.actor, &new).await {
        Ok(client) => Ok(redirect_with(&format!("/{}/settings", client.slug), "Client created. Check its settings.")),
        Err(Error::NotFound) => page(&app, &caller, form, FieldErrors::from(vec![no_organization()])).await,
        Err(Error::Invalid(mut fields)) if org_id.is_nil() => {
            // every field at once, in the order of the form
            let at = fields.iter().take_while(|field| field.field == "name").count();
            fields.insert(at, no_organization());
            page(&app, &caller, form, FieldErrors::from(fields)).await
        }
        Err(error) => page(&app, &caller, form, FieldErrors::from_error(error)?).await,
    }
}

fn no_organization() -> FieldError {
    FieldError { field: "org_id".to_owned(), code: "invalid", message: "choose an organization".to_owned() }
}

async fn page(app: &App, caller: &Caller, mut form: NewClientForm, errors: FieldErrors) -> web::Result<Response> {
    let most = PageParams { limit: Some(MAX_LIMIT), after: None };
    let found = list_organizations(&caller.scope(app), "", &most).await?.data;
    let takes_one = |kind: &str, clients: i64| kind == "agency" || (kind == "direct" && clients == 0);
    let organizations = found.into_iter().filter(|org| takes_one(&org.kind, org.clients));
    let organizations: Vec<Choice> = organizations.map(|org| Choice::new(org.id, org.name)).collect();
    if let ([only], true) = (&organizations[..], form.org_id.is_empty()) {
        form.org_id = only.value.clone();
    }
    let page = NewPage {
        shell: Shell::new(caller, "New client").crumb("All clients", "/"),
        organizations,
        industries: industries(),
        form,
        errors,
    };
    render_with(status_of(&page.errors), &page)
}
