//! A recipient's page: who they are, what they met, and where a reward goes that had no address.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kernel::version::Expected;
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Form, Path, Result, Shell, redirect_with, render, render_with};

use super::named;
use super::tabs::{RecipientRow, recipient_row};
use crate::actions::address::{self, AddressInput};
use crate::actions::codes::{self, Codes};
use crate::actions::{held, mail_file};
use crate::store::campaigns::{self, Campaign};
use crate::store::conditions::{self, MetRow};
use crate::store::recipients;

#[derive(Template)]
#[template(path = "campaigns/recipient.html")]
struct RecipientPage {
    shell: Shell,
    row: RecipientRow,
    campaign: Campaign,
    met: Vec<MetView>,
    errors: FieldErrors,
    to: String,
    needs_address: bool,
    may_give_address: bool,
    may_release: bool,
    may_see_cards: bool,
    may_see_contacts: bool,
    /// Opened just now.
    codes: Option<Codes>,
    may_open_codes: bool,
    is_held: bool,
    base: String,
}

struct MetView {
    title: String,
    met: MetRow,
}

/// `GET /{client}/recipients/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    render(&page(&app, &caller, id).await?)
}

/// `POST /{client}/recipients/{id}/address`
pub async fn give_address(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(input): Form<AddressInput>,
) -> Result<Response> {
    match address::give(
        &app,
        &caller.actor,
        (caller.client_id()?, id),
        (caller.may("gift_cards.reveal"), &Expected::any()),
        &input,
    )
    .await
    {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "The reward goes there")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            let page = RecipientPage { errors, to: input.to, ..page(&app, &caller, id).await? };
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /{client}/recipients/{id}/codes`: the page with code and link in clear, once.
pub async fn open_codes(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
) -> Result<Response> {
    let codes = Some(codes::open(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await?);
    let mut response = render(&RecipientPage { codes, ..page(&app, &caller, id).await? })?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `POST /{client}/recipients/{id}/release`
pub async fn release(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    held::release(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await?;
    Ok(redirect_with(&at(&caller, id), "Released: the reward is sent"))
}

/// `POST /{client}/campaigns/{campaign}/mail-file`
pub async fn mail_file(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    Ok(mail_file::stream(&app, &caller.actor, &campaign).await?)
}

async fn page(app: &App, caller: &Caller, id: Uuid) -> Result<RecipientPage> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let recipient = recipients::find(&scope, client_id, id).await?;
    let campaign = campaigns::find(&scope, client_id, recipient.campaign_id).await?;
    let all = conditions::list(&scope, client_id, campaign.id).await?;
    let met = conditions::met_by(&scope, client_id, id).await?;
    let row = recipient_row(recipient);
    let shell = Shell::new(caller, &row.name);
    let (all_campaigns, list) = (shell.at("campaigns"), shell.at(&format!("campaigns/{}/recipients", campaign.slug)));
    Ok(RecipientPage {
        shell: shell.crumb("Campaigns", all_campaigns).crumb(&campaign.name, list).status(&row.recipient.status),
        base: at(caller, id),
        codes: None,
        may_open_codes: caller.may("campaigns.codes"),
        is_held: met.iter().any(|met| met.hold_reason.is_some()),
        needs_address: met.iter().any(|met| met.needs_address || met.consent_needed),
        may_give_address: caller.may("gift_cards.provision"),
        may_release: caller.may("campaigns.launch"),
        may_see_cards: caller.may("gift_cards.view"),
        may_see_contacts: caller.may("contacts.view"),
        met: met.into_iter().map(|met| MetView { title: title(&met, &all), met }).collect(),
        errors: FieldErrors::none(),
        to: String::new(),
        row,
        campaign,
    })
}

fn title(met: &MetRow, all: &[conditions::Condition]) -> String {
    let condition = all.iter().find(|condition| condition.condition_number == met.condition_number);
    format!("{}. {}", met.condition_number, condition.map_or("Condition", |condition| &condition.condition_name))
}

fn at(caller: &Caller, id: Uuid) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/recipients/{id}")
}
