//! `POST /r/{token}/seen`: a page says that a person sees it.

use axum::extract::State;
use axum::http::StatusCode;
use events::VisitKind;
use kernel::random;
use serde::Deserialize;
use web::{App, Form, Path, Result};

use super::Stranger;
use crate::{seen, tokens};

/// What the page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SeenForm {
    seen: String,
}

/// What a page needs to say that a person sees it.
pub struct Sign {
    /// Lets its script run.
    pub nonce: String,
    /// Where it says so.
    pub action: String,
    /// With what.
    pub token: String,
}

impl Sign {
    /// For a page of this link that is served now.
    pub fn new(app: &App, purl_token: &str, kind: VisitKind) -> Self {
        Self {
            nonce: random::token(),
            action: format!("/r/{purl_token}/seen"),
            token: seen::token(&app.keyring, purl_token, kind, app.clock.now().timestamp()),
        }
    }
}

/// `POST /r/{token}/seen`. The answer tells nothing: neither whether there is such a link nor what it earned.
pub async fn tell(
    State(app): State<App>,
    stranger: Stranger,
    Path(token): Path<String>,
    Form(form): Form<SeenForm>,
) -> Result<StatusCode> {
    let now = app.clock.now();
    let told = tokens::purl(&token).filter(|_| !stranger.machine).and_then(|token| {
        let kind = seen::read(&app.keyring, token.as_str(), &form.seen, now.timestamp())?;
        Some((token, kind))
    });
    if let Some((token, kind)) = told {
        events::seen(&app.scope(&stranger.visitor.actor()), token.as_str(), kind, now).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
