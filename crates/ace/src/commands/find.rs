//! What people type for a client or an organization: its id or its slug.

use accounts::actions::{NewOrganization, create_organization};
use anyhow::Context;
use database::FromRow;
use kernel::{Actor, System};
use uuid::Uuid;

use crate::assemble::Ace;

database::statement! {
    /// A client by id or slug.
    CLIENT, app, "
        select id
        from clients
        where id::text = $1
           or slug = $1";
    /// An organization by id or slug.
    ORGANIZATION, app, "
        select id
        from organizations
        where id::text = $1
           or slug = $1";
    /// The organization of whoever runs this ACE.
    INTERNAL, app, "
        select id
        from organizations
        where type = 'internal'
        order by created_at, id
        limit 1"
}

#[derive(FromRow)]
struct Found {
    id: Uuid,
}

/// The command line's own actor: somebody at the machine.
pub fn operator() -> Actor {
    Actor::system(System::Operator)
}

/// The client that `typed` names.
///
/// # Errors
/// When there is none.
pub async fn client(ace: &Ace, typed: &str) -> anyhow::Result<Uuid> {
    let found: Option<Found> = ace.app.scope(&operator()).query_opt(&CLIENT, &[&typed]).await?;
    Ok(found.with_context(|| format!("--client: there is no client {typed:?}; give its id or its slug"))?.id)
}

/// The organization that `typed` names.
///
/// # Errors
/// When there is none.
pub async fn organization(ace: &Ace, typed: &str) -> anyhow::Result<Uuid> {
    let found: Option<Found> = ace.app.scope(&operator()).query_opt(&ORGANIZATION, &[&typed]).await?;
    Ok(found.with_context(|| format!("--org: there is no organization {typed:?}; give its id or its slug"))?.id)
}

/// The organization of whoever runs this ACE; made when there is none yet.
///
/// # Errors
/// What the database answered.
pub async fn internal_organization(ace: &Ace) -> anyhow::Result<Uuid> {
    let found: Option<Found> = ace.app.scope(&operator()).query_opt(&INTERNAL, &[]).await?;
    if let Some(found) = found {
        return Ok(found.id);
    }
    let new = NewOrganization { name: "Operator", kind: "internal" };
    Ok(create_organization(&ace.app, &operator(), &new).await?.id)
}
