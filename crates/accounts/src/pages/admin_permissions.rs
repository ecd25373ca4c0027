//! Which role holds which permission.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use kernel::permissions::GRANTS;
use kernel::role::Role;
use serde::{Deserialize, Serialize};
use web::view::FieldErrors;
use web::{App, Caller, Edit, Shell, redirect_with, render_with, version_of};

use super::status_of;
use crate::actions;
use crate::store::permission::{self, Grant};

#[derive(Template)]
#[template(path = "permissions/show.html")]
struct PermissionsPage {
    shell: Shell,
    roles: Vec<Role>,
    areas: Vec<Area>,
    version: String,
    errors: FieldErrors,
    /// What somebody else allowed or took away meanwhile.
    theirs: String,
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

/// The ticked boxes, `role:key`, in the order of the page.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct GrantsForm {
    grant: Vec<String>,
}

/// `GET /admin/permissions`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    let saved = saved(&app, &caller).await?;
    let version = version_of(&saved)?;
    page(&caller, &saved, &saved, (FieldErrors::none(), version))
}

/// `POST /admin/permissions`
pub async fn update(State(app): State<App>, caller: Caller, edit: Edit<GrantsForm>) -> web::Result<Response> {
    let wanted: Vec<Grant> = edit.form.grant.iter().map(|text| read(text)).collect::<kernel::Result<_>>()?;
    let saved = saved(&app, &caller).await?;
    if let Err(error) = edit.expect(&saved) {
        let again = edit.refused(error, &saved)?;
        return page(&caller, &edit.form, &saved, again);
    }
    let changed = actions::set_grants(&app, &caller.actor, &wanted).await?;
    let said = match changed {
        0 => "Nothing changed.".to_owned(),
        1 => "1 permission changed.".to_owned(),
        n => format!("{n} permissions changed."),
    };
    Ok(redirect_with("/admin/permissions", &said))
}

fn roles() -> impl Iterator<Item = Role> + Clone {
    Role::ALL.into_iter().filter(|role| *role != Role::Admin)
}

async fn saved(app: &App, caller: &Caller) -> kernel::Result<GrantsForm> {
    let held: BTreeSet<Grant> = permission::list(&caller.scope(app)).await?.into_iter().collect();
    let all = GRANTS.iter().flat_map(|grant| roles().map(move |role| (role, grant.key)));
    let is_held = |(role, key): &(Role, &str)| held.contains(&Grant { role: *role, permission_key: (*key).to_owned() });
    Ok(GrantsForm { grant: all.filter(is_held).map(|(role, key)| format!("{role}:{key}")).collect() })
}

fn page(
    caller: &Caller,
    ticked: &GrantsForm,
    saved: &GrantsForm,
    (errors, version): (FieldErrors, String),
) -> web::Result<Response> {
    let held = |form: &GrantsForm| form.grant.iter().cloned().collect::<BTreeSet<String>>();
    let (ticked, saved) = (held(ticked), held(saved));
    let (mut areas, mut theirs): (Vec<Area>, Vec<String>) = (Vec::new(), Vec::new());
    for grant in GRANTS {
        let mut cells = Vec::new();
        for role in roles() {
            let value = format!("{role}:{}", grant.key);
            let (label, held) = (format!("{}: {}", role.title(), grant.meaning), ticked.contains(&value));
            if held != saved.contains(&value) {
                theirs.push(format!("{label}: {}", if held { "not ticked" } else { "ticked" }));
            }
            cells.push(Cell { value, label, held });
        }
        let row = Row { key: grant.key, meaning: grant.meaning, cells };
        match areas.last_mut() {
            Some(area) if area.name == grant.area() => area.rows.push(row),
            _ => areas.push(Area { name: grant.area().to_owned(), rows: vec![row] }),
        }
    }
    let shell = Shell::new(caller, "Permissions")
        .lede("What each role may do. Administrators hold every permission. Which clients somebody reaches is a separate question.");
    let (roles, theirs) = (roles().collect(), theirs.join("\n"));
    let page = PermissionsPage { shell, roles, areas, version, errors, theirs };
    render_with(status_of(&page.errors), &page)
}

fn read(text: &str) -> kernel::Result<Grant> {
    let (role, key) = text.split_once(':').ok_or_else(|| Error::invalid("grant", "a grant looks like role:key"))?;
    Ok(Grant { role: role.parse()?, permission_key: key.to_owned() })
}
