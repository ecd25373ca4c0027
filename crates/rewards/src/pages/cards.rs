//! One card: where it is, and what can be done with it. Its code shows only in the answer to a reveal.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use kernel::version::Expected;
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Form, Path, Result, Shell, redirect_with, render, render_with};

use crate::actions::cards::{self as actions, OpenCard, RedeemInput, ReplaceInput, RevokeInput};
use crate::store::cards::{self as store, Card};

#[derive(Template)]
#[template(path = "cards/show.html")]
struct ShowPage {
    shell: Shell,
    card: Card,
    opened: Option<OpenCard>,
    action: String,
    reveal_action: String,
    errors: FieldErrors,
    may: May,
}

/// What the caller may do with the card as it is.
struct May {
    reveal: bool,
    redeem: bool,
    revoke: bool,
    replace: bool,
}

/// `GET /{client}/cards/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    render(&page(&app, &caller, id).await?)
}

/// `POST /{client}/cards/{id}/reveal`
pub async fn reveal(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    let opened = match actions::reveal(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(opened) => opened,
        Err(error) => return refused(&app, &caller, id, error).await,
    };
    let mut response = render(&ShowPage { opened: Some(opened), ..page(&app, &caller, id).await? })?;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

/// `POST /{client}/cards/{id}/redeem`
pub async fn redeem(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(input): Form<RedeemInput>,
) -> Result<Response> {
    match actions::redeem(&app, &caller.actor, (caller.client_id()?, id), &input, &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Marked as redeemed")),
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

/// `POST /{client}/cards/{id}/revoke`
pub async fn revoke(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(input): Form<RevokeInput>,
) -> Result<Response> {
    match actions::revoke(&app, &caller.actor, (caller.client_id()?, id), &input, &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Revoked. Nobody gets this card any more.")),
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

/// `POST /{client}/cards/{id}/replace`
pub async fn replace(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(input): Form<ReplaceInput>,
) -> Result<Response> {
    match actions::replace(
        &app,
        &caller.actor,
        (caller.client_id()?, id),
        (caller.may("gift_cards.reveal"), &Expected::any()),
        &input,
    )
    .await
    {
        Ok(claimed) => {
            Ok(redirect_with(&at(&caller, claimed.gift_card_id.unwrap_or(id)), "This card goes out instead"))
        }
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

async fn refused(app: &App, caller: &Caller, id: Uuid, error: kernel::Error) -> Result<Response> {
    let errors = FieldErrors::from_error(error)?;
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &ShowPage { errors, ..page(app, caller, id).await? })
}

async fn page(app: &App, caller: &Caller, id: Uuid) -> Result<ShowPage> {
    let card = store::find(&caller.scope(app), caller.client_id()?, id).await?;
    let title = match card.code_last4.as_str() {
        "" => card.brand_name.clone(),
        last4 => format!("{} •••• {last4}", card.brand_name),
    };
    let shell = Shell::new(caller, title);
    let (list, pool) = (shell.at("pools"), shell.at(&format!("pools/{}", card.pool_id)));
    let unused = matches!(card.status.as_str(), "claimed" | "delivered");
    Ok(ShowPage {
        shell: shell.crumb("Stock", list).crumb(&card.pool_name, pool).status(card.shown_status()),
        action: at(caller, id),
        reveal_action: format!("{}/reveal", at(caller, id)),
        may: May {
            reveal: caller.may("gift_cards.reveal") && card.status != "available",
            redeem: caller.may("gift_cards.provision") && unused && card.revoked_at.is_none(),
            revoke: caller.may("gift_cards.revoke") && card.revoked_at.is_none() && card.status != "expired",
            replace: caller.may("gift_cards.revoke") && unused && card.replaced_by_id.is_none(),
        },
        opened: None,
        errors: FieldErrors::none(),
        card,
    })
}

fn at(caller: &Caller, id: Uuid) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/cards/{id}")
}
