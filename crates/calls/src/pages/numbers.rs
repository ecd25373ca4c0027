//! Calls → Numbers.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use campaigns::store::campaigns as campaigns_store;
use kernel::page::MAX_LIMIT;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Form, PageQuery, Path, Query, Result, Shell, redirect_with, render, render_with};

use crate::actions::numbers::{self as actions, NumberInput};
use crate::store::numbers::{self as store, Number};

/// A number as the form sends it.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct NumberForm {
    phone_number: String,
    forward_to_number: String,
    friendly_name: String,
    campaign_id: String,
}

#[derive(Template)]
#[template(path = "numbers/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Number>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "numbers/edit.html")]
struct EditPage {
    shell: Shell,
    form: NumberForm,
    errors: FieldErrors,
    campaigns: Vec<Choice>,
}

/// `GET /{client}/numbers`
pub async fn list(State(app): State<App>, caller: Caller, Query(page): Query<PageQuery>) -> Result<Response> {
    let lede = "Phone numbers printed on your pieces. A number belongs to one campaign at a time.";
    let shell = Shell::new(&caller, "Numbers").lede(lede);
    let filters = Filters::new(shell.at("numbers"), [("after", page.after.clone().unwrap_or_default())]);
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &page.into()).await?;
    let pager = Pager::new(&filters, rows.data.len(), rows.next.as_deref());
    render(&ListPage { shell, rows: rows.data, pager })
}

/// `GET /{client}/numbers/new`
pub async fn new(State(app): State<App>, caller: Caller) -> Result<Response> {
    render(&edit(&app, &caller, NumberForm::default(), FieldErrors::none()).await?)
}

/// `POST /{client}/numbers`
pub async fn create(State(app): State<App>, caller: Caller, Form(form): Form<NumberForm>) -> Result<Response> {
    let input = NumberInput {
        phone_number: form.phone_number.clone(),
        forward_to_number: form.forward_to_number.clone(),
        friendly_name: form.friendly_name.clone(),
        campaign_id: form.campaign_id.clone(),
    };
    match actions::add(&app, &caller.actor, caller.client_id()?, &input).await {
        Ok(_) => Ok(redirect_with(&Shell::new(&caller, "").at("numbers"), "Number saved")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit(&app, &caller, form, errors).await?)
        }
    }
}

/// `POST /{client}/numbers/{id}/release`
pub async fn release(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    actions::release(&app, &caller.actor, (caller.client_id()?, id), &kernel::version::Expected::any()).await?;
    Ok(redirect_with(&Shell::new(&caller, "").at("numbers"), "Number given back"))
}

async fn edit(app: &App, caller: &Caller, form: NumberForm, errors: FieldErrors) -> Result<EditPage> {
    let filter = campaigns_store::ListFilter { search: None, status: None, after: None };
    let all = campaigns_store::list(&caller.scope(app), caller.client_id()?, &filter, MAX_LIMIT).await?;
    let campaigns = all.into_iter().map(|campaign| Choice::new(campaign.id, campaign.name)).collect();
    let shell = Shell::new(caller, "New number");
    let list = shell.at("numbers");
    Ok(EditPage { shell: shell.crumb("Numbers", list), form, errors, campaigns })
}

fn release_path(shell: &Shell, row: &Number) -> String {
    shell.at(&format!("numbers/{}/release", row.id))
}
