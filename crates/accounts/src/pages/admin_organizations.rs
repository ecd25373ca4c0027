//! Organizations, their clients and their own people.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use kernel::page::PageParams;
use kernel::role::Role;
use kernel::version::{Expected, etag};
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Edit, Shell, redirect_with, render_with, version_of};

use super::{OPEN, grantable, many_mails, no_store, status_of};
use crate::actions::{
    self, Invited, NewClient, NewInvite, NewOrganization, OrganizationChange, PriceChange, industries,
};
use crate::store::invitation::{self, Invitation};
use crate::store::organization::{
    Client, ClientFilter, FIND_ORGANIZATION_BY_SLUG, Organization, list_clients, list_organizations,
};
use crate::store::team::{Member, ORG_MEMBERS};

#[derive(Template)]
#[template(path = "organizations/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Organization>,
    pager: Pager,
    may_create: bool,
    form: OrganizationForm,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "organizations/show.html")]
struct ShowPage {
    shell: Shell,
    org: Organization,
    clients: Vec<Client>,
    members: Vec<Member>,
    invitations: Vec<Invitation>,
    roles: Vec<Choice>,
    industries: Vec<Choice>,
    may_edit: bool,
    may_set_prices: bool,
    may_create_client: bool,
    may_invite: bool,
    change: ChangeForm,
    version: String,
    typed: Typed,
    errors: FieldErrors,
}

/// Which organizations.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Wanted {
    q: String,
    after: String,
}

/// A new organization.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct OrganizationForm {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// What can be changed of one. Its name is not called `name`: the page has a client's name, too.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangeForm {
    org_name: String,
    require_second_factor: bool,
    #[serde(rename = "prices/piece")]
    price_piece: String,
    #[serde(rename = "prices/reward")]
    price_reward: String,
}

impl ChangeForm {
    fn of(org: &Organization) -> Self {
        Self {
            org_name: org.name.clone(),
            require_second_factor: org.requires_second_factor(),
            price_piece: org.price("piece").to_string(),
            price_reward: org.price("reward").to_string(),
        }
    }

    /// The prices that were typed.
    fn prices(&self) -> kernel::Result<PriceChange> {
        let price = |field: &str, typed: &str| match typed.trim() {
            "" => Ok(None),
            typed => typed.parse().map(Some).map_err(|_| Error::invalid(field, "a price is a whole number of credits")),
        };
        Ok(PriceChange {
            piece: price("prices/piece", &self.price_piece)?,
            reward: price("prices/reward", &self.price_reward)?,
        })
    }
}

/// A new client.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ClientForm {
    name: String,
    industry: String,
    time_zone: String,
}

/// Whom to invite.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct InviteForm {
    email: String,
    role: String,
}

/// What was typed into the forms of the page, and what came of it.
#[derive(Default)]
struct Typed {
    change: Option<(ChangeForm, String)>,
    client: ClientForm,
    invite: InviteForm,
    invited: Option<Invited>,
    errors: FieldErrors,
}

/// `GET /admin/organizations`
pub async fn list(State(app): State<App>, caller: Caller, query: web::Query<Wanted>) -> web::Result<Response> {
    list_page(&app, &caller, query.0, (OrganizationForm::default(), FieldErrors::none())).await
}

/// `POST /admin/organizations`
pub async fn create(
    State(app): State<App>,
    caller: Caller,
    form: web::Form<OrganizationForm>,
) -> web::Result<Response> {
    let new = NewOrganization { name: &form.0.name, kind: &form.0.kind };
    match actions::create_organization(&app, &caller.actor, &new).await {
        Ok(org) => Ok(redirect_with(&format!("/admin/organizations/{}", org.slug), "Organization created.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            list_page(&app, &caller, Wanted::default(), (form.0, errors)).await
        }
    }
}

/// `GET /admin/organizations/{org}`
pub async fn show(State(app): State<App>, caller: Caller, path: web::Path<String>) -> web::Result<Response> {
    page(&app, &caller, &path.0, Typed::default()).await
}

/// `POST /admin/organizations/{org}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<String>,
    edit: Edit<ChangeForm>,
) -> web::Result<Response> {
    let org = find(&app, &caller, &path.0).await?;
    let saved = ChangeForm::of(&org);
    let changed = async {
        let prices = edit.form.prices()?;
        if prices != PriceChange::default() {
            caller.require("platform.settings")?;
        }
        edit.expect(&saved)?;
        let change = OrganizationChange {
            name: Some(&edit.form.org_name),
            require_second_factor: Some(edit.form.require_second_factor),
            prices,
            expected: Expected::of(&etag(org.updated_at)),
        };
        actions::update_organization(&app, &caller.actor, org.id, &change).await
    };
    match changed.await {
        Ok(_) => Ok(redirect_with(&format!("/admin/organizations/{}", org.slug), "Organization saved.")),
        Err(error) => {
            let (errors, version) = edit.refused(error, &saved)?;
            let errors = errors.renamed(|field| if field == "name" { "org_name" } else { field });
            page(&app, &caller, &path.0, Typed { change: Some((edit.form, version)), errors, ..Typed::default() }).await
        }
    }
}

/// `POST /admin/organizations/{org}/clients`
pub async fn create_client(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<String>,
    form: web::Form<ClientForm>,
) -> web::Result<Response> {
    let org = find(&app, &caller, &path.0).await?;
    let form = form.0;
    let new = NewClient {
        org_id: org.id,
        name: &form.name,
        industry: &form.industry,
        website_url: None,
        time_zone: super::zone_of(&form.time_zone),
    };
    match actions::create_client(&app, &caller.actor, &new).await {
        Ok(client) => Ok(redirect_with(&format!("/{}/settings", client.slug), "Client created. Check its settings.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            page(&app, &caller, &path.0, Typed { client: form, errors, ..Typed::default() }).await
        }
    }
}

/// `POST /admin/organizations/{org}/invitations`: shows the link, this once.
pub async fn invite(
    State(app): State<App>,
    caller: Caller,
    path: web::Path<String>,
    form: web::Form<InviteForm>,
) -> web::Result<Response> {
    let org = find(&app, &caller, &path.0).await?;
    let form = form.0;
    let invited = async {
        let new = NewInvite { email: &form.email, role: form.role.parse()?, org_id: Some(org.id), client_id: None };
        actions::invite(&app, &caller.actor, &new).await
    };
    let typed = match invited.await {
        Ok(invited) => Typed { invited: Some(invited), ..Typed::default() },
        Err(error) => Typed { errors: FieldErrors::from_error(many_mails(error))?, invite: form, ..Typed::default() },
    };
    page(&app, &caller, &path.0, typed).await
}

/// `POST /admin/organizations/{org}/invitations/{id}/revoke`
pub async fn revoke(State(app): State<App>, caller: Caller, path: web::Path<(String, Uuid)>) -> web::Result<Response> {
    actions::revoke_invitation(&app, &caller.actor, path.0.1, &Expected::any()).await?;
    let said = "Invitation revoked. Its link does not work any more.";
    Ok(redirect_with(&format!("/admin/organizations/{}", path.0.0), said))
}

async fn find(app: &App, caller: &Caller, slug: &String) -> kernel::Result<Organization> {
    caller.scope(app).query_one(&FIND_ORGANIZATION_BY_SLUG, &[slug]).await
}

async fn list_page(
    app: &App,
    caller: &Caller,
    wanted: Wanted,
    (form, errors): (OrganizationForm, FieldErrors),
) -> web::Result<Response> {
    let page = PageParams { limit: None, after: Some(wanted.after.clone()) };
    let found = list_organizations(&caller.scope(app), &wanted.q, &page).await?;
    let set = [("q", wanted.q), ("after", wanted.after)];
    let filters = Filters::new("/admin/organizations", set).search("Search organizations");
    let pager = Pager::new(&filters, found.data.len(), found.next.as_deref());
    let shell = Shell::new(caller, "Organizations");
    let may_create = caller.may("organizations.create");
    render_with(status_of(&errors), &ListPage { shell, filters, rows: found.data, pager, may_create, form, errors })
}

async fn page(app: &App, caller: &Caller, slug: &String, mut typed: Typed) -> web::Result<Response> {
    let scope = caller.scope(app);
    let org = find(app, caller, slug).await?;
    let wanted = ClientFilter { org_id: Some(org.id), archived: true, ..ClientFilter::default() };
    let limit = PageParams { limit: Some(kernel::page::MAX_LIMIT), after: None };
    let clients = list_clients(&scope, &wanted, &limit).await?.data;
    let members: Vec<Member> = scope.query(&ORG_MEMBERS, &[&org.id]).await?;
    let invitations = invitation::list_pending(&scope, (org.id, None), app.clock.now(), &OPEN).await?.data;
    let held = caller.user.as_ref().map(|user| user.roles.clone()).unwrap_or_default();
    let fits = |role| match org.kind.as_str() {
        "internal" => matches!(role, Role::Admin | Role::TechSupport),
        "agency" => role == Role::AgencyOwner,
        _ => false,
    };
    let errors = std::mem::take(&mut typed.errors);
    let (change, version) = match typed.change.take() {
        Some(change) => change,
        None => (ChangeForm::of(&org), version_of(&ChangeForm::of(&org))?),
    };
    let page = ShowPage {
        shell: Shell::new(caller, org.name.clone()).crumb("Organizations", "/admin/organizations").status(&org.kind),
        clients,
        members,
        invitations,
        roles: grantable(&held, fits),
        industries: industries(),
        may_edit: caller.may("organizations.edit"),
        may_set_prices: caller.may("platform.settings"),
        may_create_client: caller.may("clients.create"),
        may_invite: caller.may("users.invite"),
        org,
        change,
        version,
        typed,
        errors,
    };
    let secret = page.typed.invited.is_some();
    let response = render_with(status_of(&page.errors), &page)?;
    Ok(if secret { no_store(response) } else { response })
}
