//! Forms: make, change, open and close.

use database::Audited;
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::{found, name};
use crate::forms::{FormConfig, check as check_config};
use crate::store::forms::{self as store, Draft};

/// What a person gives for a form.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FormInput {
    /// Unique among the client's forms.
    #[schema(required = true, max_length = 120)]
    pub name: String,
    /// What it is for.
    #[schema(max_length = 500)]
    pub description: String,
    /// Fields, settings, reveal.
    pub form_config: FormConfig,
}

/// Makes a form, a draft; returns its id.
///
/// # Errors
/// Names the wrong fields.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: &FormInput) -> Result<Uuid> {
    let draft = check(input)?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    store::insert(&tx, client_id, id, &draft).await?;
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "name": draft.name })), ..Audited::default() };
    tx.audit("form.created", "ace_forms", Some(id), what).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a form; an open one changes for strangers at once, and one that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn update(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &FormInput,
    expected: &Expected,
) -> Result<()> {
    let draft = check(input)?;
    let tx = app.scope(actor).transaction().await?;
    let before = store::expect(&tx, client_id, id, expected).await?;
    if check(&input_of(&before)?).is_ok_and(|present| present == draft) {
        return Ok(());
    }
    found(store::update(&tx, client_id, id, &draft).await?)?;
    let what = Audited { client_id: Some(client_id), after: Some(json!({ "name": draft.name })), ..Audited::default() };
    tx.audit("form.updated", "ace_forms", Some(id), what).await?;
    tx.commit().await
}

/// Opens a form to strangers, or closes it.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or `form_config` when a form without fields is
/// opened.
pub async fn set_active(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    active: bool,
    expected: &Expected,
) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    let form = store::expect(&tx, client_id, id, expected).await?;
    let config: FormConfig = serde_json::from_value(form.form_config).map_err(Error::internal)?;
    if active && config.fields.is_empty() {
        return Err(Error::invalid("form_config", "give the form at least one field before opening it"));
    }
    found(store::set_active(&tx, client_id, id, active).await?)?;
    let action = if active { "form.opened" } else { "form.closed" };
    tx.audit(action, "ace_forms", Some(id), Audited { client_id: Some(client_id), ..Audited::default() }).await?;
    tx.commit().await
}

/// A form as the input that would make it.
///
/// # Errors
/// `Internal` when what is stored is no form.
pub fn input_of(form: &store::Form) -> Result<FormInput> {
    Ok(FormInput {
        name: form.name.clone(),
        description: form.description.clone().unwrap_or_default(),
        form_config: serde_json::from_value(form.form_config.clone()).map_err(Error::internal)?,
    })
}

fn check(input: &FormInput) -> Result<Draft> {
    let mut problems = Problems::new();
    let name = name(&mut problems, &input.name);
    problems.at_most("description", &input.description, 500);
    check_config(&input.form_config, &mut problems);
    problems.finish()?;
    let description = Some(input.description.trim().to_owned()).filter(|text| !text.is_empty());
    let form_config = serde_json::to_value(&input.form_config).map_err(Error::internal)?;
    Ok(Draft { name, description, form_config })
}
