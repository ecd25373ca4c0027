//! The people of a client.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::role::Role;
use kernel::version::Expected;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors};
use web::{App, Caller, Shell, redirect_with, render_with};

use super::{KeysForm, OPEN, grantable, many_mails, no_store, status_of};
use crate::actions::{self, Invited, NewInvite};
use crate::store::invitation::{self, Invitation};
use crate::store::team::{MEMBERS, Member};
use crate::store::user::belongs_to_client;

#[derive(Template)]
#[template(path = "team/show.html")]
struct TeamPage {
    shell: Shell,
    members: Vec<Member>,
    invitations: Vec<Invitation>,
    roles: Vec<Choice>,
    own_id: Option<Uuid>,
    may_invite: bool,
    may_edit: bool,
    may_deactivate: bool,
    invited: Option<Invited>,
    form: InviteForm,
    errors: FieldErrors,
}

impl TeamPage {
    /// Whether somebody's roles are all the reader's to give and take.
    fn may_change(&self, member: &Member) -> bool {
        let mine = |role: &Role| self.roles.iter().any(|choice| choice.value == role.as_str());
        Some(member.id) != self.own_id && member.of_client && member.roles.iter().all(mine)
    }

    fn has_role(&self, member: &Member, word: &str) -> bool {
        member.roles.iter().any(|role| role.as_str() == word)
    }

    fn status(&self, member: &Member) -> &'static str {
        if member.deactivated_at.is_some() { "deactivated" } else { "active" }
    }
}

/// Whom to invite.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    email: String,
    role: String,
}

/// The role from now on.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct RoleForm {
    role: String,
}

/// What was just done on the page.
#[derive(Default)]
struct Done {
    invited: Option<Invited>,
    form: InviteForm,
    errors: FieldErrors,
}

/// `GET /{client}/team`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    page(&app, &caller, Done::default()).await
}

/// `POST /{client}/team/invitations`: shows the link, this once.
pub async fn invite(State(app): State<App>, caller: Caller, form: web::Form<InviteForm>) -> web::Result<Response> {
    let form = form.0;
    let invited = async {
        let role = form.role.parse()?;
        let new = NewInvite { email: &form.email, role, org_id: None, client_id: Some(caller.client_id()?) };
        actions::invite(&app, &caller.actor, &new).await
    };
    let done = match invited.await {
        Ok(invited) => Done { invited: Some(invited), ..Done::default() },
        Err(error) => Done { errors: FieldErrors::from_error(many_mails(error))?, form, ..Done::default() },
    };
    page(&app, &caller, done).await
}

/// `POST /{client}/team/invitations/{id}/revoke`
pub async fn revoke_invitation(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> web::Result<Response> {
    actions::revoke_invitation(&app, &caller.actor, path.0.1, &Expected::any()).await?;
    back(&caller, "Invitation revoked. Its link does not work any more.")
}

/// `POST /{client}/team/{id}/role`
pub async fn change_role(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
    form: web::Form<RoleForm>,
) -> web::Result<Response> {
    let role: Role = form.0.role.parse()?;
    let changed =
        actions::change_role(&app, &caller.actor, (caller.client_id()?, path.0.1), role, &Expected::any()).await;
    told(&app, &caller, changed, "Role changed.").await
}

/// `POST /{client}/team/{id}/remove`
pub async fn remove(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
    form: web::Form<KeysForm>,
) -> web::Result<Response> {
    let of = (caller.client_id()?, path.0.1);
    let removed = actions::remove_from_client(&app, &caller.actor, of, form.0.api_keys, &Expected::any()).await;
    told(&app, &caller, removed, "Removed from the team.").await
}

/// `POST /{client}/team/{id}/deactivate`
pub async fn deactivate(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
    form: web::Form<KeysForm>,
) -> web::Result<Response> {
    let done = actions::deactivate(&app, &caller.actor, path.0.1, form.0.api_keys, &Expected::any()).await;
    told(&app, &caller, done, "Deactivated. All of their sessions have ended.").await
}

/// `POST /{client}/team/{id}/reactivate`
pub async fn reactivate(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<(String, Uuid)>,
) -> web::Result<Response> {
    let done = actions::reactivate(&app, &caller.actor, path.0.1, &Expected::any()).await;
    told(&app, &caller, done, "Active again.").await
}

async fn told(app: &App, caller: &Caller, done: kernel::Result<()>, said: &str) -> web::Result<Response> {
    match done {
        Ok(()) => back(caller, said),
        Err(error) => page(app, caller, Done { errors: FieldErrors::from_error(error)?, ..Done::default() }).await,
    }
}

fn back(caller: &Caller, said: &str) -> web::Result<Response> {
    Ok(redirect_with(&format!("/{}/team", caller.client()?.slug), said))
}

async fn page(app: &App, caller: &Caller, done: Done) -> web::Result<Response> {
    let client = caller.client()?;
    let scope = caller.scope(app);
    let members: Vec<Member> = scope.query(&MEMBERS, &[&client.id]).await?;
    let invitations =
        invitation::list_pending(&scope, (client.org_id, Some(client.id)), app.clock.now(), &OPEN).await?.data;
    let held = caller.user.as_ref().map(|user| user.roles.clone()).unwrap_or_default();
    let page = TeamPage {
        shell: Shell::new(caller, "Team").count(i64::try_from(members.len()).unwrap_or_default()),
        roles: grantable(&held, belongs_to_client),
        own_id: caller.user_id(),
        may_invite: caller.may("users.invite"),
        may_edit: caller.may("users.edit"),
        may_deactivate: caller.may("users.deactivate"),
        members,
        invitations,
        invited: done.invited,
        form: done.form,
        errors: done.errors,
    };
    let secret = page.invited.is_some();
    let response = render_with(status_of(&page.errors), &page)?;
    Ok(if secret { no_store(response) } else { response })
}
