//! `/hooks/twilio/…`: what providers report. Twilio and the sandbox post the same form.

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use database::Audited;
use kernel::{Actor, System};
use providers::config::Webhooks;
use providers::{StatusUpdate, twilio_signature};
use serde_json::json;
use uuid::Uuid;
use web::{App, Form, Path, Result, Visitor};

use crate::actions::status::{callback_path, take_callback};

/// `POST /hooks/twilio/sms-status/{message_id}`
pub async fn sms_status(
    State(app): State<App>,
    Extension(webhooks): Extension<Webhooks>,
    (visitor, Path(message_id), headers): (Visitor, Path<Uuid>, HeaderMap),
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let url = app.link(&callback_path(message_id));
    let signature = headers.get(twilio_signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(signer) = webhooks.signer_of_form(&url, &form, signature) else {
        return refuse(&app, &visitor, message_id).await;
    };
    if let Some(update) = StatusUpdate::from_form(&form)? {
        take_callback(&app, signer, message_id, &update).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Somebody who does not know the secret: nothing is said about whether the message exists.
async fn refuse(app: &App, visitor: &Visitor, message_id: Uuid) -> Result<Response> {
    let actor = Actor::system(System::Worker).from(visitor.origin.clone());
    let tx = app.scope(&actor).transaction().await?;
    let what = Audited { after: Some(json!({ "path": callback_path(message_id) })), ..Audited::default() };
    tx.audit("webhook.refused", "messages", Some(message_id), what).await?;
    tx.commit().await?;
    Ok((StatusCode::FORBIDDEN, "the signature is missing or wrong").into_response())
}
