//! Everybody within sight.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::page::PageParams;
use kernel::role::Role;
use kernel::version::Expected;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, Filters, Pager};
use web::{App, Caller, Shell, redirect_with, render};

use super::KeysForm;
use crate::actions;
use crate::store::team::{self, Member, PeopleFilter};

#[derive(Template)]
#[template(path = "users/list.html")]
struct UsersPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Member>,
    pager: Pager,
    own_id: Option<Uuid>,
    may_deactivate: bool,
    may_reset: bool,
}

/// Which people.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    role: String,
    after: String,
}

/// `GET /admin/users`
pub async fn list(State(app): State<App>, caller: Caller, query: web::Query<Wanted>) -> web::Result<Response> {
    let wanted = query.0;
    let role: Option<Role> = if wanted.role.is_empty() { None } else { Some(wanted.role.parse()?) };
    let page = PageParams { limit: None, after: Some(wanted.after.clone()) };
    let people = team::list_people(&caller.scope(&app), &PeopleFilter { search: &wanted.q, role }, &page).await?;
    let roles: Vec<Choice> = Role::ALL.into_iter().map(|role| Choice::new(role, role.title())).collect();
    let filters = Filters::new("/admin/users", [("q", wanted.q), ("role", wanted.role), ("after", wanted.after)])
        .search("Search name or address")
        .choice("role", "Role", roles);
    let pager = Pager::new(&filters, people.data.len(), people.next.as_deref());
    render(&UsersPage {
        shell: Shell::new(&caller, "Users"),
        filters,
        rows: people.data,
        pager,
        own_id: caller.user_id(),
        may_deactivate: caller.may("users.deactivate"),
        may_reset: caller.user.as_ref().is_some_and(|user| user.roles.iter().any(|role| role == Role::Admin.as_str())),
    })
}

/// `POST /admin/users/{id}/deactivate`
pub async fn deactivate(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
    form: web::Form<KeysForm>,
) -> web::Result<Response> {
    actions::deactivate(&app, &caller.actor, path.0, form.0.api_keys, &Expected::any()).await?;
    Ok(redirect_with("/admin/users", "Deactivated. All of their sessions have ended."))
}

/// `POST /admin/users/{id}/reactivate`
pub async fn reactivate(State(app): State<App>, caller: Caller, path: web::Path<Uuid>) -> web::Result<Response> {
    actions::reactivate(&app, &caller.actor, path.0, &Expected::any()).await?;
    Ok(redirect_with("/admin/users", "Active again."))
}

/// `POST /admin/users/{id}/reset-second-factor`
pub async fn reset_second_factor(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<Uuid>,
) -> web::Result<Response> {
    actions::reset_second_factor(&app, &caller.actor, path.0).await?;
    Ok(redirect_with("/admin/users", "Second factor reset. All of their sessions have ended, and they were told."))
}
