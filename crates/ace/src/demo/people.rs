//! Organizations, clients and the people who sign in.

use accounts::actions::{
    ClientChange, NewClient, NewOrganization, NewUser, create_client, create_organization, create_user, update_client,
};
use accounts::store::organization::{FIND_ORGANIZATION_BY_SLUG, Organization as Row};
use anyhow::bail;
use kernel::role::Role;
use kernel::{Actor, slug};
use serde_json::json;
use uuid::Uuid;

use super::story::{Client, Organization, Person, Story};
use super::{Demo, found, marker};

/// A client of the story with those who work for it.
#[derive(Debug, Clone)]
pub struct Tenant {
    /// `clients.id`.
    pub id: Uuid,
    /// Whoever runs its campaigns.
    pub manager: Actor,
    /// Whoever answers its calls.
    pub agents: Vec<Actor>,
}

/// Every organization, its people and its clients; the clients in the order of the story.
///
/// # Errors
/// When somebody else's organization has a name of the story.
pub async fn settle(demo: &Demo) -> anyhow::Result<Vec<Tenant>> {
    let Story { operator, organizations, .. } = &demo.story;
    let internal = organization(demo, &operator.name, "internal").await?;
    for person in &operator.people {
        user(demo, person, Some(internal), None).await?;
    }
    let mut tenants = Vec::new();
    for told in organizations {
        let org_id = organization(demo, &told.name, &told.kind).await?;
        let settings = json!({ "prices": told.prices });
        marker::set(&demo.scope(), org_id, &settings, demo.app.clock.now()).await?;
        let mut owner = None;
        for person in &told.people {
            owner = Some(user(demo, person, Some(org_id), None).await?);
        }
        for client in &told.clients {
            tenants.push(tenant(demo, org_id, client, owner).await?);
        }
    }
    Ok(tenants)
}

/// The organization of this name: the demo's own, or an empty one that an interrupted load left.
pub async fn organization(demo: &Demo, name: &str, kind: &str) -> anyhow::Result<Uuid> {
    let there: Option<Row> = demo.scope().query_opt(&FIND_ORGANIZATION_BY_SLUG, &[&slug::slugify(name)]).await?;
    let id = match there {
        Some(row) if row.settings_json.get("demo").is_some() => return Ok(row.id),
        Some(row) if row.clients == 0 && row.kind == kind => row.id,
        Some(_) => bail!("there is an organization called {name} already that is not the demo's"),
        None => create_organization(&demo.app, &demo.operator, &NewOrganization { name, kind }).await?.id,
    };
    marker::set(&demo.scope(), id, &json!({ "demo": {} }), demo.app.clock.now()).await?;
    Ok(id)
}

async fn tenant(demo: &Demo, org_id: Uuid, told: &Client, owner: Option<Uuid>) -> anyhow::Result<Tenant> {
    let id = client(demo, org_id, told).await?;
    let (mut manager, mut agents) = (owner, Vec::new());
    for person in &told.people {
        let user_id = user(demo, person, None, Some(id)).await?;
        match person.role {
            Role::CompanyOwner if manager.is_none() => manager = Some(user_id),
            Role::CallCenter => agents.push(Actor::user(user_id)),
            _ => {}
        }
    }
    let manager = manager.map_or_else(|| demo.operator.clone(), Actor::user);
    if agents.is_empty() {
        agents.push(manager.clone());
    }
    Ok(Tenant { id, manager, agents })
}

async fn client(demo: &Demo, org_id: Uuid, told: &Client) -> anyhow::Result<Uuid> {
    if let Some(id) = found::id(&demo.scope(), &found::CLIENT, &[&org_id, &told.name]).await? {
        return Ok(id);
    }
    let new = NewClient {
        org_id,
        name: &told.name,
        industry: &told.industry,
        website_url: Some(&told.website),
        time_zone: &told.time_zone,
    };
    let id = create_client(&demo.app, &demo.operator, &new).await?.id;
    let change = ClientChange {
        support_phone: Some(&told.support_phone),
        primary_color: Some(&told.colours[0]),
        secondary_color: Some(&told.colours[1]),
        ..ClientChange::default()
    };
    update_client(&demo.app, &demo.operator, id, &change).await?;
    Ok(id)
}

async fn user(demo: &Demo, told: &Person, org_id: Option<Uuid>, client_id: Option<Uuid>) -> anyhow::Result<Uuid> {
    if let Some(id) = found::id(&demo.scope(), &found::PERSON, &[&told.email]).await? {
        return Ok(id);
    }
    let password = Some(demo.app.settings.demo.password.as_str());
    let new = NewUser { email: &told.email, full_name: &told.name, role: told.role, org_id, client_id, password };
    Ok(create_user(&demo.app, &demo.operator, &new).await?)
}

/// One login of the demo, as it is printed.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Login {
    /// Where to sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// For whom.
    pub of: String,
}

/// Every login of the story.
pub fn logins(story: &Story) -> Vec<Login> {
    let login = |of: &str| {
        let of = of.to_owned();
        move |person: &Person| Login { email: person.email.clone(), role: person.role, of: of.clone() }
    };
    let of_organization = |told: &Organization| {
        let own = told.people.iter().map(login(&told.name)).collect::<Vec<_>>();
        let clients = told.clients.iter().flat_map(|client| client.people.iter().map(login(&client.name)));
        own.into_iter().chain(clients.collect::<Vec<_>>())
    };
    let operator = story.operator.people.iter().map(login(&story.operator.name));
    operator.chain(story.organizations.iter().flat_map(of_organization)).collect()
}
