//! Which role holds which permission.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use kernel::permissions::GRANTS;
use kernel::role::Role;
use serde::Deserialize;
use web::{App, Caller, Shell, redirect_with, render};

use crate::actions;
use crate::store::permission::{self, Grant};

#[derive(Template)]
#[template(path = "permissions/show.html")]
struct PermissionsPage {
    shell: Shell,
    roles: Vec<Role>,
    areas: Vec<Area>,
}

struct Area {
    name: String,
    rows: Vec<Row>,
}

struct Row {
    key: &'static str,
    meaning: &'static str,
    /// One for each role below admin: what the checkbox sends, and whether it is ticked.
    cells: Vec<Cell>,
}

struct Cell {
    value: String,
    label: String,
    held: bool,
}

/// The ticked boxes: `role:key`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct GrantsForm {
    grant: Vec<String>,
}

/// `GET /admin/permissions`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    let held: BTreeSet<Grant> = permission::list(&caller.scope(&app)).await?.into_iter().collect();
    let roles: Vec<Role> = Role::ALL.into_iter().filter(|role| *role != Role::Admin).collect();
    let mut areas: Vec<Area> = Vec::new();
    for grant in GRANTS {
        let cell = |role: &Role| Cell {
            value: format!("{role}:{}", grant.key),
            label: format!("{}: {}", role.title(), grant.meaning),
            held: held.contains(&Grant { role: *role, permission_key: grant.key.to_owned() }),
        };
        let row = Row { key: grant.key, meaning: grant.meaning, cells: roles.iter().map(cell).collect() };
        match areas.last_mut() {
            Some(area) if area.name == grant.area() => area.rows.push(row),
            _ => areas.push(Area { name: grant.area().to_owned(), rows: vec![row] }),
        }
    }
    let shell = Shell::new(&caller, "Permissions")
        .lede("What each role may do. Administrators hold every permission. Which clients somebody reaches is a separate question.");
    render(&PermissionsPage { shell, roles, areas })
}

/// `POST /admin/permissions`
pub async fn update(State(app): State<App>, caller: Caller, form: web::Form<GrantsForm>) -> web::Result<Response> {
    let wanted: Vec<Grant> = form.0.grant.iter().map(|text| read(text)).collect::<kernel::Result<_>>()?;
    let changed = actions::set_grants(&app, &caller.actor, &wanted).await?;
    let said = match changed {
        0 => "Nothing changed.".to_owned(),
        1 => "1 permission changed.".to_owned(),
        n => format!("{n} permissions changed."),
    };
    Ok(redirect_with("/admin/permissions", &said))
}

fn read(text: &str) -> kernel::Result<Grant> {
    let (role, key) = text.split_once(':').ok_or_else(|| Error::invalid("grant", "a grant looks like role:key"))?;
    Ok(Grant { role: role.parse()?, permission_key: key.to_owned() })
}
