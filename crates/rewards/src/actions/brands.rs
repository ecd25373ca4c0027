//! Brands: add and change.

use database::Audited;
use kernel::money::Money;
use kernel::version::Expected;
use kernel::{Actor, Problems, Result, new_id, phone};
use regex::RegexBuilder;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::{found, some};
use crate::store::brands::{self as store, Draft};

/// The largest compiled pattern: an admin's slip must not fill the memory.
const MOST_PATTERN: usize = 100_000;

/// What a person gives for a brand.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BrandInput {
    /// Unique in the catalogue.
    #[schema(required = true, max_length = 80)]
    pub brand_name: String,
    /// Where its logo is, `https://…`.
    pub brand_logo_url: String,
    /// What a card is mostly worth, such as `25.00`.
    pub default_value: String,
    /// A regular expression that a code must match as a whole; empty accepts any.
    pub code_pattern: String,
    /// Likewise for the PIN; empty: cards of this brand need none.
    pub pin_pattern: String,
    /// Where people redeem, `https://…`.
    pub redemption_url: String,
    /// Whom people ask.
    pub support_phone: String,
    /// Whether new pools can have it.
    #[serde(default = "yes")]
    pub is_active: bool,
}

fn yes() -> bool {
    true
}

/// Adds a brand; returns its id.
///
/// # Errors
/// Names the wrong fields.
pub async fn create(app: &App, actor: &Actor, input: &BrandInput) -> Result<Uuid> {
    let draft = check(input)?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    store::insert(&tx, id, &draft).await?;
    let what = Audited { after: Some(json!({ "brand_name": draft.brand_name })), ..Audited::default() };
    tx.audit("brand.created", "gift_card_brands", Some(id), what).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a brand; one that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is not the expected version any more, or the wrong fields.
pub async fn update(app: &App, actor: &Actor, id: Uuid, input: &BrandInput, expected: &Expected) -> Result<()> {
    let draft = check(input)?;
    let tx = app.scope(actor).transaction().await?;
    let before = store::expect(&tx, id, expected).await?;
    if check(&input_of(&before)).is_ok_and(|present| present == draft) {
        return Ok(());
    }
    found(store::update(&tx, id, &draft).await?)?;
    let what = Audited {
        client_id: None,
        before: Some(json!({ "brand_name": before.brand_name, "is_active": before.is_active })),
        after: Some(json!({ "brand_name": draft.brand_name, "is_active": draft.is_active })),
    };
    tx.audit("brand.updated", "gift_card_brands", Some(id), what).await?;
    tx.commit().await
}

/// A brand as the input that would make it.
pub fn input_of(brand: &store::Brand) -> BrandInput {
    let text = |given: &Option<String>| given.clone().unwrap_or_default();
    BrandInput {
        brand_name: brand.brand_name.clone(),
        brand_logo_url: text(&brand.brand_logo_url),
        default_value: brand.default_value.map(|value| value.to_string()).unwrap_or_default(),
        code_pattern: text(&brand.code_pattern),
        pin_pattern: text(&brand.pin_pattern),
        redemption_url: text(&brand.redemption_url),
        support_phone: text(&brand.support_phone),
        is_active: brand.is_active,
    }
}

fn check(input: &BrandInput) -> Result<Draft> {
    let mut problems = Problems::new();
    let brand_name = problems.require("brand_name", &input.brand_name).to_owned();
    if brand_name.chars().count() > 80 {
        problems.add("brand_name", "too_long", "use at most 80 characters");
    }
    for (field, url) in [("brand_logo_url", &input.brand_logo_url), ("redemption_url", &input.redemption_url)] {
        if !url.trim().is_empty() && !url.trim().starts_with("https://") {
            problems.invalid(field, "an address that begins with https://");
        }
    }
    problems.at_most("brand_logo_url", &input.brand_logo_url, 2_000);
    problems.at_most("redemption_url", &input.redemption_url, 2_000);
    for (field, text) in [("code_pattern", &input.code_pattern), ("pin_pattern", &input.pin_pattern)] {
        problems.at_most(field, text, 200);
        if text.len() <= 800 && pattern(text).is_err() {
            problems.invalid(field, "enter a regular expression");
        }
    }
    let default_value = value(&mut problems, &input.default_value);
    let support_phone = match some(&input.support_phone) {
        Some(text) => phone::normalise(&text, phone::DEFAULT_REGION).or_else(|| {
            problems.invalid("support_phone", phone::WANTED);
            None
        }),
        None => None,
    };
    problems.finish()?;
    Ok(Draft {
        brand_name,
        brand_logo_url: some(&input.brand_logo_url),
        default_value,
        code_pattern: some(&input.code_pattern),
        pin_pattern: some(&input.pin_pattern),
        redemption_url: some(&input.redemption_url),
        support_phone,
        is_active: input.is_active,
    })
}

fn value(problems: &mut Problems, text: &str) -> Option<Money> {
    let text = some(text)?;
    match text.parse::<Money>() {
        Ok(value) if value > Money::ZERO => Some(value),
        _ => {
            problems.invalid("default_value", "enter an amount such as 25 or 25.00");
            None
        }
    }
}

/// A pattern that matches a text as a whole.
pub(crate) fn pattern(text: &str) -> std::result::Result<regex::Regex, regex::Error> {
    RegexBuilder::new(&format!("^(?:{})$", text.trim())).size_limit(MOST_PATTERN).build()
}
