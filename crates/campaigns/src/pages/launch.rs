//! How far a launch is: a page that can be left and found again, and the fragment on it that renews itself.

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use web::flash::Flash;
use web::view::count;
use web::{App, Caller, Path, Result, Shell, redirect, render, set_cookie};

use super::{at, named};
use crate::store::launches::{self, Launch};
use crate::store::recipients;

#[derive(Template)]
#[template(path = "campaigns/launch.html")]
struct LaunchPage {
    shell: Shell,
    progress: Progress,
}

#[derive(Template)]
#[template(path = "campaigns/progress.html")]
struct Progress {
    launch: Launch,
    here: String,
}

impl askama::filters::HtmlSafe for Progress {}

/// `GET /{client}/campaigns/{campaign}/launch`
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let scope = caller.scope(&app);
    let launch = launches::latest(&scope, campaign.client_id, campaign.id).await?;
    let by_htmx = headers.contains_key("hx-request");
    let Some(launch) = launch else { return Ok(redirect(&at(&caller, &slug, ""))) };
    if launch.state == "failed" {
        return Ok(leave(by_htmx, &at(&caller, &slug, "/edit/review"), None));
    }
    if !launch.is_running() {
        let counts = recipients::counts(&scope, campaign.client_id, campaign.id).await?;
        let (made, skipped) = (count(counts.recipients, "recipient"), count(counts.skipped, "contact"));
        let text = format!("Launched: {made}, {skipped} skipped");
        return Ok(leave(by_htmx, &at(&caller, &slug, ""), Some(text)));
    }
    let progress = Progress { launch, here: at(&caller, &slug, "/launch") };
    if by_htmx {
        return render(&progress);
    }
    let shell = Shell::new(&caller, &campaign.name).crumb("Campaigns", at(&caller, "", "").trim_end_matches('/'));
    render(&LaunchPage { shell: shell.status(&campaign.status), progress })
}

/// To another page, also from within a fragment.
fn leave(by_htmx: bool, to: &str, flash: Option<String>) -> Response {
    let mut response = if by_htmx { ().into_response() } else { redirect(to) };
    if let Some(target) = HeaderValue::from_str(to).ok().filter(|_| by_htmx) {
        response.headers_mut().insert(HeaderName::from_static("hx-redirect"), target);
    }
    if let Some(text) = flash {
        set_cookie(&mut response, &Flash::done(text).cookie());
    }
    response
}
