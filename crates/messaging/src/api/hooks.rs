//! `/hooks/twilio/…`: what providers report. Twilio and the sandbox post the same form.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Duration, Utc};
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
    (Extension(webhooks), Extension(refused)): (Extension<Webhooks>, Extension<Refused>),
    (visitor, Path(message_id), headers): (Visitor, Path<Uuid>, HeaderMap),
    Form(form): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let url = app.link(&callback_path(message_id));
    let signature = headers.get(twilio_signature::HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(signer) = webhooks.signer_of_form(&url, &form, signature) else {
        return refuse(&app, &visitor, &refused).await;
    };
    if let Some(update) = StatusUpdate::from_form(&form)? {
        take_callback(&app, signer, message_id, &update).await?;
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Refused posts of this process since the last row in the record: strangers can send as many as they like.
#[derive(Debug, Clone, Default)]
pub struct Refused(Arc<Mutex<(Option<DateTime<Utc>>, u64)>>);

impl Refused {
    /// Counts one; answers how many there were since the last row when it is time for another one, which is once an hour.
    fn count(&self, now: DateTime<Utc>) -> Option<u64> {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.1 += 1;
        if counted.0.is_some_and(|last| now - last < Duration::hours(1)) {
            return None;
        }
        counted.0 = Some(now);
        Some(std::mem::take(&mut counted.1))
    }
}

/// Somebody who does not know the secret: nothing is said about whether the message exists.
async fn refuse(app: &App, visitor: &Visitor, refused: &Refused) -> Result<Response> {
    if let Some(posts) = refused.count(app.clock.now()) {
        let actor = Actor::system(System::Worker).from(visitor.origin.clone());
        let tx = app.scope(&actor).transaction().await?;
        let what = Audited { after: Some(json!({ "posts": posts })), ..Audited::default() };
        tx.audit("webhook.refused", "messages", None, what).await?;
        tx.commit().await?;
    }
    Ok((StatusCode::FORBIDDEN, "the signature is missing or wrong").into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_forged_posts_is_one_row_an_hour() {
        let (refused, start) = (Refused::default(), DateTime::UNIX_EPOCH);
        assert_eq!(refused.count(start), Some(1));
        assert!((0..999).all(|second| refused.count(start + Duration::seconds(second)).is_none()));
        assert_eq!(refused.count(start + Duration::hours(1)), Some(1_000));
    }
}
