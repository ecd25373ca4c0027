//! The one error page: next to the shell for people who are signed in, bare for strangers.

use askama::Template;
use axum::response::{Html, IntoResponse, Response};
use kernel::Error;
use kernel::role::Role;

use crate::extract::TOO_LARGE;
use crate::failure::{Asked, detail, status};
use crate::{App, Shell, guard};

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage {
    shell: Shell,
    status: u16,
    detail: String,
    request_id: String,
}

impl ErrorPage {
    fn icon(&self) -> &'static str {
        match self.status {
            404 => "map-pin-off",
            403 => "lock",
            429 => "hourglass",
            _ => "triangle-alert",
        }
    }
}

/// What happened and what to do, once, in words: a permission by what it allows, not by its key.
fn advice(error: &Error) -> String {
    match error {
        Error::Forbidden { permission } => {
            let grant = kernel::permissions::GRANTS.iter().find(|grant| grant.key == permission);
            let needed = crate::view::permission(permission);
            let who = if grant.is_some_and(|grant| grant.roles.iter().any(|role| *role != Role::TechSupport)) {
                "Ask somebody who manages your team for a role that does."
            } else {
                "It is for those who run ACE: ask one of its administrators."
            };
            format!("Your role does not include “{needed}”. {who}")
        }
        Error::NotFound => {
            "There is nothing at this address, or it is not for you. Search for what you are looking for, \
                            or check the address."
                .into()
        }
        Error::Invalid(fields) if fields.iter().any(|field| field.field == "after") => {
            "This address leads into the middle of another list, or of one that has changed. Open the list again and go on \
                            from its first page."
                .into()
        }
        Error::Conflict { code: TOO_LARGE, .. } => format!(
            "A page of ACE sends {} kB at most, and this was more. Go back: your browser has kept what you typed. Shorten it, \
             then send it again.",
            guard::MOST_OF_FORMS / 1_000
        ),
        other => detail(other),
    }
}

pub(crate) fn render(_app: &App, error: &Error, asked: Asked<'_>) -> Response {
    let title = match error {
        Error::NotFound => "Not found",
        Error::Forbidden { .. } => "Not allowed",
        Error::TooMany { .. } => "Too many tries",
        Error::Invalid(_) | Error::Conflict { .. } | Error::Constraint(_) => "That did not work",
        Error::Unavailable(_) => "Not available right now",
        Error::Internal(_) | Error::Unauthenticated => "Something went wrong",
    };
    let shell = asked.caller.as_ref().map_or_else(|| Shell::bare(title), |caller| Shell::new(caller, title));
    let status = status(error);
    let page =
        ErrorPage { shell, status: status.as_u16(), detail: advice(error), request_id: asked.request_id.to_string() };
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "the error page could not be rendered");
            status.into_response()
        }
    }
}
