//! Rewards → Deliveries: where every card went, and sending it once more.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page, PageParams};
use serde::Deserialize;
use uuid::Uuid;
use web::view::{FieldErrors, Filters, Pager};
use web::{App, Caller, Form, Path, Query, Result, Shell, redirect_with, render, render_with};

use crate::actions::resend::{self as action, ResendInput};
use crate::message::Channel;
use crate::store::messages::{self as store, Message, MessageEvent, Which};

/// What the list's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    status: String,
    channel: String,
    after: String,
}

#[derive(Template)]
#[template(path = "deliveries/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Message>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "deliveries/show.html")]
struct ShowPage {
    shell: Shell,
    message: Message,
    events: Vec<MessageEvent>,
    form: ResendInput,
    errors: FieldErrors,
    may_resend: bool,
    may_send_elsewhere: bool,
    action: String,
    cards: String,
}

/// `GET /{client}/deliveries`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let shell = Shell::new(&caller, "Deliveries");
    let set = [("q", &query.q), ("status", &query.status), ("channel", &query.channel), ("after", &query.after)];
    let filters = Filters::new(shell.at("deliveries"), set)
        .search("Search by exact number or address")
        .choice("status", "Status", ["pending", "sent", "delivered", "failed", "held"])
        .choice("channel", "Channel", [("sms", "SMS"), ("email", "E-mail")]);
    let which = Which {
        with_card: true,
        rewards: true,
        status: some(&query.status),
        channel: some(&query.channel),
        to: some(&query.q).map(|text| address(&text)),
        campaign_id: None,
    };
    let params = PageParams { limit: None, after: Some(query.after.clone()) };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &which, params.after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.created_at, row.id));
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager })
}

/// `GET /{client}/deliveries/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    render(&page(&app, &caller, id, ResendInput::default(), FieldErrors::none()).await?)
}

/// `POST /{client}/deliveries/{id}/resend`
pub async fn resend(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(form): Form<ResendInput>,
) -> Result<Response> {
    let may_reveal = caller.may("gift_cards.reveal");
    match action::resend(
        &app,
        &caller.actor,
        (caller.client_id()?, id),
        (may_reveal, &kernel::version::Expected::any()),
        &form,
    )
    .await
    {
        Ok(id) => Ok(redirect_with(&Shell::new(&caller, "").at(&format!("deliveries/{id}")), "On its way again")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page(&app, &caller, id, form, errors).await?)
        }
    }
}

async fn page(app: &App, caller: &Caller, id: Uuid, form: ResendInput, errors: FieldErrors) -> Result<ShowPage> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let message = store::find(&scope, client_id, id).await?;
    let events = store::events(&scope, client_id, id).await?;
    let title = if message.person.is_empty() { shown(&message) } else { message.person.clone() };
    let shell = Shell::new(caller, title);
    let list = shell.at("deliveries");
    Ok(ShowPage {
        action: format!("{list}/{id}/resend"),
        cards: shell.at("cards"),
        shell: shell.crumb("Deliveries", list).status(message.reward_status.as_deref().unwrap_or(&message.status)),
        may_send_elsewhere: caller.may("gift_cards.reveal") && message.reward_status.as_deref() != Some("delivered"),
        may_resend: caller.may("messages.resend") && !matches!(message.status.as_str(), "pending" | "held"),
        message,
        events,
        form,
        errors,
    })
}

/// The number or address as people write it.
fn shown(message: &Message) -> String {
    web::view::reached(&message.to_address)
}

/// What was searched for as it is stored.
fn address(text: &str) -> String {
    let known = [Channel::Email, Channel::Sms].into_iter().find_map(|channel| channel.normalise(text));
    known.unwrap_or_else(|| text.to_owned())
}

fn some(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}
