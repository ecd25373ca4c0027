//! Mail templates: make and change.

use database::Audited;
use kernel::version::Expected;
use kernel::{Actor, Problems, Result, new_id};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::{found, name};
use crate::merge::{self, LANDING_PAGE};
use crate::store::templates::{self as store, Draft};

/// The sizes of a mail piece, trim in inches.
pub const SIZES: [(&str, &str); 4] =
    [("4x6", "4 × 6 postcard"), ("6x9", "6 × 9 postcard"), ("6x11", "6 × 11 postcard"), ("letter", "Letter")];

/// The longest text of a side, in characters: more than fits on a letter.
const MAX_SIDE: usize = 5_000;

/// What a person gives for a mail template.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateInput {
    /// Unique among the client's templates.
    #[schema(required = true, max_length = 120)]
    pub name: String,
    /// `4x6`, `6x9`, `6x11` or `letter`.
    #[schema(required = true)]
    pub size: String,
    /// A word to sort by.
    #[schema(max_length = 60)]
    pub category: String,
    /// The front's text; merge tags allowed.
    #[schema(max_length = 5000)]
    pub front: String,
    /// The text beside the address block on the back; merge tags allowed.
    #[schema(max_length = 5000)]
    pub back: String,
}

/// Makes a template; returns its id.
///
/// # Errors
/// Names the wrong fields.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: &TemplateInput) -> Result<Uuid> {
    let draft = check(input)?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    store::insert(&tx, client_id, id, &draft).await?;
    let after = Some(json!({ "name": draft.name, "size": draft.size }));
    tx.audit(
        "template.created",
        "templates",
        Some(id),
        Audited { client_id: Some(client_id), after, ..Audited::default() },
    )
    .await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a template; one that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn update(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &TemplateInput,
    expected: &Expected,
) -> Result<()> {
    let draft = check(input)?;
    let tx = app.scope(actor).transaction().await?;
    let before = store::expect(&tx, client_id, id, expected).await?;
    if check(&input_of(&before)).is_ok_and(|present| present == draft) {
        return Ok(());
    }
    found(store::update(&tx, client_id, id, &draft).await?)?;
    let after = Some(json!({ "name": draft.name, "size": draft.size }));
    tx.audit(
        "template.updated",
        "templates",
        Some(id),
        Audited { client_id: Some(client_id), after, ..Audited::default() },
    )
    .await?;
    tx.commit().await
}

/// A template as the input that would make it.
pub fn input_of(template: &store::Template) -> TemplateInput {
    TemplateInput {
        name: template.name.clone(),
        size: template.size.clone(),
        category: template.category.clone().unwrap_or_default(),
        front: side(&template.design_json, "front"),
        back: side(&template.design_json, "back"),
    }
}

fn check(input: &TemplateInput) -> Result<Draft> {
    let mut problems = Problems::new();
    let name = name(&mut problems, &input.name);
    if !SIZES.iter().any(|(size, _)| *size == input.size) {
        problems.invalid("size", "choose 4x6, 6x9, 6x11 or letter");
    }
    problems.line("category", input.category.trim(), 60);
    for (field, text) in [("front", &input.front), ("back", &input.back)] {
        problems.at_most(field, text, MAX_SIDE);
        if text.chars().nth(MAX_SIDE).is_some() {
            continue;
        }
        for error in merge::check(field, text, LANDING_PAGE) {
            problems.add(error.field, error.code, error.message);
        }
    }
    problems.finish()?;
    let category = Some(input.category.trim().to_owned()).filter(|text| !text.is_empty());
    let design_json = json!({ "front": { "text": input.front }, "back": { "text": input.back } });
    Ok(Draft { name, size: input.size.clone(), design_json, category })
}

/// The text of one side of a design, `front` or `back`.
pub fn side(design: &Value, side: &str) -> String {
    design[side]["text"].as_str().unwrap_or_default().to_owned()
}
