//! `/v1/me`: who is calling.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::{App, Caller};

/// Who is calling.
#[derive(Serialize, ToSchema)]
pub struct Me {
    /// `user` or `key`.
    pub kind: &'static str,
    /// The person's or the key's id.
    pub id: Option<Uuid>,
    /// The person's address.
    pub email: Option<String>,
    /// The person's name.
    pub full_name: Option<String>,
    /// The person's roles.
    pub roles: Vec<String>,
    /// The permission keys held.
    pub permissions: Vec<String>,
    /// The clients within reach, at most 200.
    pub clients: Vec<MyClient>,
}

/// A client within reach.
#[derive(Serialize, ToSchema)]
pub struct MyClient {
    /// Its id.
    pub id: Uuid,
    /// Its word in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// `GET /v1/me`
pub async fn get(State(app): State<App>, caller: Caller) -> web::Result<axum::Json<Me>> {
    use crate::store::organization::{ClientFilter, list_clients};
    let page = kernel::page::PageParams { limit: Some(kernel::page::MAX_LIMIT), after: None };
    let clients = list_clients(&caller.scope(&app), &ClientFilter::default(), &page).await?;
    let id = match caller.actor.who {
        kernel::Who::User(id) | kernel::Who::Key(id) => Some(id),
        kernel::Who::System(_) => None,
    };
    let user = caller.user.as_ref();
    Ok(axum::Json(Me {
        kind: caller.actor.kind(),
        id,
        email: user.map(|user| user.email.clone()),
        full_name: user.map(|user| user.full_name.clone()),
        roles: user.map(|user| user.roles.clone()).unwrap_or_default(),
        permissions: caller.permissions.iter().cloned().collect(),
        clients: clients
            .data
            .into_iter()
            .map(|client| MyClient { id: client.id, slug: client.slug, name: client.name })
            .collect(),
    }))
}
