//! Pools: make, rename, archive.

use database::Audited;
use kernel::money::Money;
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use super::found;
use crate::codes;
use crate::store::pools::InUse;
use crate::store::{brands, pools as store};

/// The most a card can be worth.
const MOST: Money = Money::from_cents(200_000);

/// What a person gives for a pool.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PoolInput {
    /// Unique among the client's pools.
    #[schema(required = true, max_length = 120)]
    pub pool_name: String,
    /// The brand's id.
    #[schema(required = true, format = Uuid)]
    pub brand_id: String,
    /// What each card is worth, such as `25.00`.
    #[schema(required = true)]
    pub value_amount: String,
}

/// Another name.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = PoolNameInput)]
pub struct RenameInput {
    /// Unique among the client's pools.
    #[schema(required = true, max_length = 120)]
    pub pool_name: String,
}

/// Makes a pool; returns its id.
///
/// # Errors
/// Names the wrong fields; `GC-002` when the brand is switched off.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: &PoolInput) -> Result<Uuid> {
    let mut problems = Problems::new();
    let pool_name = name(&mut problems, &input.pool_name);
    let brand_id = Uuid::parse_str(problems.require("brand_id", &input.brand_id)).unwrap_or_default();
    let value = input.value_amount.parse::<Money>().unwrap_or_default();
    if value <= Money::ZERO || value > MOST {
        problems.invalid("value_amount", format!("enter an amount such as 25 or 25.00, at most {MOST}"));
    }
    problems.finish()?;
    match brands::find(&app.scope(actor), brand_id).await {
        Ok(brand) if brand.is_active => {}
        Ok(_) => return Err(codes::brand_off()),
        Err(Error::NotFound) => return Err(Error::invalid("brand_id", "choose one of the brands")),
        Err(other) => return Err(other),
    }
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    store::insert(&tx, client_id, id, (brand_id, &pool_name, value)).await?;
    let what = Audited {
        client_id: Some(client_id),
        after: Some(json!({ "pool_name": pool_name, "brand_id": brand_id, "value_amount": value })),
        ..Audited::default()
    };
    tx.audit("pool.created", "gift_card_pools", Some(id), what).await?;
    tx.commit().await?;
    Ok(id)
}

/// Gives a pool another name; with the same one it keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is archived or not the expected version any more, or `pool_name`.
pub async fn rename(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    input: &RenameInput,
    expected: &Expected,
) -> Result<()> {
    let mut problems = Problems::new();
    let pool_name = name(&mut problems, &input.pool_name);
    problems.finish()?;
    let tx = app.scope(actor).transaction().await?;
    let before = store::expect(&tx, client_id, id, expected).await?;
    if before.pool_name == pool_name {
        return Ok(());
    }
    if before.archived_at.is_some() {
        return Err(Error::conflict("archived", "this pool is archived: bring it back first"));
    }
    found(store::rename(&tx, client_id, id, &pool_name).await?)?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "pool_name": before.pool_name })),
        after: Some(json!({ "pool_name": pool_name })),
    };
    tx.audit("pool.renamed", "gift_card_pools", Some(id), what).await?;
    tx.commit().await
}

/// Archives a pool: no cards come in, no campaign can choose it. Its cards stay.
///
/// # Errors
/// `NotFound`, or a conflict while cards are promised, somebody waits for one, a campaign under way hands them out, or it
/// is not the expected version any more.
pub async fn archive(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    // Under the pool's lock: whoever claims or launches meanwhile comes before or after.
    store::expect(&tx, client_id, id, expected).await?;
    refuse_in_use(&store::in_use(&tx, client_id, id).await?)?;
    if !store::archive(&tx, client_id, id).await? {
        return Err(Error::conflict("already_archived", "this pool is archived already"));
    }
    let what = Audited { client_id: Some(client_id), ..Audited::default() };
    tx.audit("pool.archived", "gift_card_pools", Some(id), what).await?;
    tx.commit().await
}

/// Brings an archived pool back: cards come in, and campaigns can choose it.
///
/// # Errors
/// `NotFound`, a conflict when it is not archived or not the expected version any more, or `pool_name` when another pool
/// took its name meanwhile.
pub async fn restore(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    store::expect(&tx, client_id, id, expected).await?;
    if !store::restore(&tx, client_id, id).await? {
        return Err(Error::conflict("not_archived", "this pool is not archived"));
    }
    store::mend_promises(&tx, id).await?;
    let what = Audited { client_id: Some(client_id), ..Audited::default() };
    tx.audit("pool.restored", "gift_card_pools", Some(id), what).await?;
    tx.commit().await
}

fn refuse_in_use(pool: &InUse) -> Result<()> {
    if let Some(names) = &pool.campaigns {
        let text = format!("its cards are handed out by {names}: complete that first, or take it back to draft");
        return Err(Error::conflict("pool_in_use", text));
    }
    if pool.waiting > 0 {
        let text = format!("rewards wait for a card of this pool ({}): upload cards for them first", pool.waiting);
        return Err(Error::conflict("pool_awaited", text));
    }
    if pool.reserved > 0 {
        let text = format!("some of its cards are promised to campaigns ({})", pool.reserved);
        return Err(Error::conflict("pool_reserved", text));
    }
    Ok(())
}

fn name(problems: &mut Problems, given: &str) -> String {
    let name = problems.require("pool_name", given);
    if name.chars().count() > 120 {
        problems.add("pool_name", "too_long", "use at most 120 characters");
    }
    name.to_owned()
}
