//! Calls → Desk: an agent finds the caller, checks who they are, confirms, writes down how it ended.
//!
//! One page in two states, both by URL: without a recipient it finds one, with a recipient it works on their call.
//! htmx swaps the page's main part in place; without JavaScript the same links and forms load the page.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use campaigns::store::recipients::Recipient;
use kernel::version::{Expected, etag};
use kernel::{Error, zone};
use serde::Deserialize;
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Edit, Path, Query, Result, Shell, redirect, redirect_with, render, render_with};

use super::name_of;
use super::work::{Work, WorkForm, spoken};
use crate::actions::{handle, lookup};
use crate::call::{DISPOSITIONS, IDENTITY, disposition_label};
use crate::store::calls::{self as store, Call, CampaignName, ListFilter, Tally};

/// How many of the agent's own last calls stand beside the work.
const RECENT: i64 = 5;

/// What was typed to find somebody.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct FindQuery {
    code: String,
    q: String,
}

/// Which call goes on.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CallQuery {
    call: Option<Uuid>,
}

/// Somebody a search found.
struct Found {
    href: String,
    key: String,
    name: String,
    place: String,
    campaign: String,
    live: bool,
}

#[derive(Template)]
#[template(path = "desk/show.html")]
struct DeskPage {
    shell: Shell,
    asked: FindQuery,
    errors: FieldErrors,
    results: Option<Vec<Found>>,
    tally: Tally,
    recent: Vec<Call>,
    work: Option<Work>,
}

/// `GET /{client}/desk`
pub async fn find(State(app): State<App>, caller: Caller, Query(asked): Query<FindQuery>) -> Result<Response> {
    let client_id = caller.client_id()?;
    if !asked.code.trim().is_empty() {
        return match lookup::by_code(&app, &caller.actor, client_id, &asked.code).await {
            Ok(recipient) => Ok(redirect(&path_of(&caller, recipient.id))),
            Err(error) => refused(&app, &caller, asked, error).await,
        };
    }
    let mut page = empty(&app, &caller).await?;
    if !asked.q.trim().is_empty() {
        let found = lookup::search(&app, &caller.actor, client_id, &asked.q).await?;
        if let [(_, only)] = found.as_slice() {
            return Ok(redirect(&path_of(&caller, only.id)));
        }
        page.results = Some(results(&caller, &found));
    }
    render(&DeskPage { asked, ..page })
}

/// `GET /{client}/desk/{recipient}`
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path((_, recipient_id)): Path<(String, Uuid)>,
    Query(query): Query<CallQuery>,
) -> Result<Response> {
    let work = Work::load(&app, &caller, recipient_id, query.call).await?;
    let page = empty(&app, &caller).await?;
    render(&DeskPage { work: Some(work), ..page })
}

/// `POST /{client}/desk/{recipient}`: whatever was typed is saved; a condition is confirmed or the call ended by the
/// button that was pressed. While the call goes on, the same form comes back: what is not kept with a call stays in it.
pub async fn act(
    State(app): State<App>,
    caller: Caller,
    Path((_, recipient_id)): Path<(String, Uuid)>,
    Query(query): Query<CallQuery>,
    edit: Edit<WorkForm>,
) -> Result<Response> {
    let call_id = query.call.unwrap_or_else(kernel::new_id);
    let before = Work::load(&app, &caller, recipient_id, Some(call_id)).await?;
    let done = save(&app, &caller, (&before, call_id), &edit).await;
    let form = &edit.form;
    match done {
        Ok(_) if !form.disposition.is_empty() => {
            let text = format!("Call saved: {}", disposition_label(&form.disposition).to_lowercase());
            Ok(redirect_with(&desk_path(&caller), &text))
        }
        Ok(text) => {
            let work = Work::load(&app, &caller, recipient_id, Some(call_id)).await?.going_on(edit.form);
            let page = empty(&app, &caller).await?;
            render(&DeskPage { shell: page.shell.flash(text), work: Some(work), ..page })
        }
        Err(error) => {
            let again = edit.refused(error.0, &before.form)?;
            let work = Work::load(&app, &caller, recipient_id, Some(call_id)).await?.again(edit.form, again);
            let page = empty(&app, &caller).await?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &DeskPage { work: Some(work), ..page })
        }
    }
}

/// Saves the call, or confirms a condition with it; what the agent is told.
async fn save(app: &App, caller: &Caller, (before, call_id): (&Work, Uuid), edit: &Edit<WorkForm>) -> Result<String> {
    let (client_id, form) = (caller.client_id()?, &edit.form);
    let expected = match &before.call {
        Some(call) => {
            edit.expect(&before.form)?;
            Expected::of(&etag(call.updated_at))
        }
        // there is nothing to overwrite
        None => Expected::any(),
    };
    let input = form.call(call_id, before.known.recipient.id);
    let Some(number) = form.confirmed_condition()? else {
        handle::save(app, &caller.actor, client_id, &input, &expected).await?;
        return Ok("Call saved".to_owned());
    };
    caller.require("calls.confirm_condition")?;
    let done = handle::confirm(app, &caller.actor, (client_id, &input), number, &form.delivery()).await?;
    Ok(spoken(&done))
}

async fn refused(app: &App, caller: &Caller, asked: FindQuery, error: Error) -> Result<Response> {
    let errors = FieldErrors::from_error(error)?;
    let page = empty(app, caller).await?;
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &DeskPage { asked, errors, ..page })
}

/// The desk before anybody was asked for.
async fn empty(app: &App, caller: &Caller) -> Result<DeskPage> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let now = app.clock.now();
    let today = zone::start_of_day(zone::day(now, caller.time_zone()), caller.time_zone());
    let mine = ListFilter { agent: caller.user_id(), ..ListFilter::default() };
    let (tally, recent) = match caller.user_id() {
        Some(agent) => {
            let mut recent = store::list(&scope, client_id, &mine, RECENT).await?;
            recent.truncate(usize::try_from(RECENT).unwrap_or_default());
            (store::tally(&scope, client_id, agent, today).await?, recent)
        }
        None => (Tally::default(), Vec::new()),
    };
    Ok(DeskPage {
        shell: Shell::new(caller, "Desk"),
        asked: FindQuery::default(),
        errors: FieldErrors::none(),
        results: None,
        tally,
        recent,
        work: None,
    })
}

fn results(caller: &Caller, found: &[(Option<CampaignName>, Recipient)]) -> Vec<Found> {
    let result = |(index, (campaign, recipient)): (usize, &(Option<CampaignName>, Recipient))| Found {
        href: path_of(caller, recipient.id),
        key: if index < 9 { (index + 1).to_string() } else { String::new() },
        name: name_of(recipient),
        place: [&recipient.city, &recipient.state].into_iter().flatten().cloned().collect::<Vec<_>>().join(", "),
        campaign: campaign.as_ref().map(|campaign| campaign.name.clone()).unwrap_or_default(),
        live: campaign.as_ref().is_some_and(|campaign| campaign.live),
    };
    found.iter().enumerate().map(result).collect()
}

fn desk_path(caller: &Caller) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/desk")
}

fn path_of(caller: &Caller, recipient_id: Uuid) -> String {
    format!("{}/{recipient_id}", desk_path(caller))
}

/// Puts the cursor into the code field when there is nobody to work on.
fn focus(wanted: bool) -> &'static str {
    if wanted { "on" } else { "" }
}

/// The keys that work once a caller is open, for the list of keys of a desk without one.
fn keys_later() -> Vec<(String, String)> {
    let key = |key: &str, what: String| (key.to_uppercase(), what);
    let questions = IDENTITY.iter().map(|(_, label, letter)| key(letter, format!("The caller said: {label}")));
    let confirm = [key("1", "Confirm the first condition, 2 the second, and so on".into())];
    let send = [key("m", "Send the card by SMS".into()), key("l", "Send the card by e-mail".into())];
    let ends = DISPOSITIONS.iter().map(|(_, label, letter)| key(letter, format!("End the call as: {label}")));
    let rest = [key("s", "Save notes".into()), key("f", "Find another caller".into())];
    questions.chain(confirm).chain(send).chain(ends).chain(rest).collect()
}

fn client_name(shell: &Shell) -> String {
    shell.client.as_ref().map(|client| client.name.clone()).unwrap_or_default()
}

fn earlier_title(call: &Call) -> String {
    let ended = call.disposition.as_deref().map_or("Not finished", disposition_label);
    match &call.agent_name {
        Some(agent) => format!("{ended}, {agent}"),
        None => ended.to_owned(),
    }
}
