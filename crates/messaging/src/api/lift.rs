//! Lifting a suppression over REST.

use axum::extract::State;
use axum::http::StatusCode;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Path, Result};

use crate::actions::lift::{self, LiftInput};

/// `POST /v1/contacts/{id}/lift-suppression`
pub async fn lift(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<LiftInput>,
) -> Result<StatusCode> {
    lift::lift(&app, &caller.actor, (caller.client_id()?, id), &input, &expected).await?;
    Ok(StatusCode::NO_CONTENT)
}
