//! Lifting a suppression from a contact's page.

use axum::extract::State;
use axum::response::Response;
use kernel::version::Expected;
use kernel::{Error, Result as Done};
use serde::Deserialize;
use uuid::Uuid;
use web::{App, Caller, Form, Path, Result, redirect_with};

use crate::actions::lift::{self, LiftInput};

/// What the form on the contact's page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LiftForm {
    channel: String,
    reason: String,
}

/// `POST /{client}/contacts/{id}/lift`
pub async fn lift(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Form(form): Form<LiftForm>,
) -> Result<Response> {
    let input = LiftInput { channel: form.channel, reason: form.reason };
    let done: Done<()> = lift::lift(&app, &caller.actor, (caller.client_id()?, id), &input, &Expected::any()).await;
    let said = match done {
        Ok(()) => "Suppression lifted. An opt-out that is ticked on the contact stays until it is taken back there."
            .to_owned(),
        // lifted by somebody else, or sent without a reason by what is no page of ours
        Err(error @ (Error::Conflict { .. } | Error::Invalid(_))) => web::detail(&error),
        Err(error) => return Err(error.into()),
    };
    Ok(redirect_with(&format!("/{}/contacts/{id}", caller.client()?.slug), &said))
}
