//! Console handlers and their page structs, one file a place.

pub mod account;
pub mod admin_audit;
pub mod admin_organizations;
pub mod admin_permissions;
pub mod admin_users;
pub mod api_keys;
pub mod invitation;
pub mod new_client;
pub mod reset;
pub mod second_factor;
pub mod settings;
pub mod sign_in;
pub mod team;

use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::page::{MAX_LIMIT, PageParams};
use kernel::role::Role;
use web::view::{Choice, FieldErrors};

/// The status of a form page: fine, or back with errors.
fn status_of(errors: &FieldErrors) -> StatusCode {
    if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// A page with a secret on it is kept nowhere.
fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(axum::http::header::CACHE_CONTROL, axum::http::HeaderValue::from_static("no-store"));
    response
}

/// The time zone that somebody means, or what they typed where nobody can know.
fn zone_of(typed: &str) -> &str {
    kernel::zone::named(typed).map_or(typed.trim(), |zone| zone.name())
}

/// Too many mails to one address, as a sentence of the form that asked for another.
fn many_mails(error: Error) -> Error {
    let Error::TooMany { retry_after } = error else { return error };
    let minutes = retry_after.div_ceil(60);
    Error::conflict(
        "too_many_mails",
        format!("This address was sent many mails lately. Wait {minutes} min and try again."),
    )
}

/// What becomes of the API keys of somebody whose access is taken.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub struct KeysForm {
    api_keys: crate::actions::TheirKeys,
}

/// Open invitations beside the people they join: as many as a page can have.
const OPEN: PageParams = PageParams { limit: Some(MAX_LIMIT), after: None };

/// The roles somebody may hand out, of those wanted.
fn grantable(held: &[String], wanted: impl Fn(Role) -> bool) -> Vec<Choice> {
    let held: Vec<Role> = held.iter().filter_map(|word| word.parse().ok()).collect();
    let may = |target: &Role| wanted(*target) && held.iter().any(|own| kernel::role::may_grant(*own, *target));
    Role::ALL.into_iter().filter(may).map(|role| Choice::new(role, role.title())).collect()
}
