//! Launch: the list becomes recipients, exactly once, and cards are promised.
//!
//! Everything is one transaction under the campaign's lock, in chunks that bound its memory: a crash leaves nothing,
//! a second launch finds the campaign ready and does nothing.

use database::{Audited, Transaction};
use jobs::{NewJob, enqueue};
use kernel::codes::{PurlToken, RedemptionCode};
use kernel::version::{Expected, etag};
use kernel::{Actor, Error, FieldError, Result, new_id, random};
use serde_json::json;
use uuid::Uuid;
use web::App;

use super::clear;
use crate::checklist::{self, CheckItem, Checklist, Level};
use crate::store::campaigns::{self as store, Campaign};
use crate::store::launches::Launch;
use crate::store::life::{self, Stepped};
use crate::store::recipients::{self, Given, Source};
use crate::store::reservations::Reserved;
use crate::store::{conditions, launches, reservations, stock};

/// Contacts looked at by one statement: large enough to be fast, small enough to show progress and bound memory.
const CHUNK: usize = 5_000;

/// The job that launches.
pub const JOB: &str = "campaigns.launch";

/// Checks and begins a launch; the job does the work.
///
/// # Errors
/// `Invalid` with everything the check list misses, `Conflict` when the campaign is no draft or not the expected version
/// any more.
pub async fn begin(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let scope = app.scope(actor);
    let campaign = store::find(&scope, client_id, id).await?;
    expected.check(&etag(campaign.updated_at))?;
    if campaign.archived_at.is_some() {
        return Err(life::archived());
    }
    if campaign.status != "draft" {
        return Err(launched_already());
    }
    refuse_missing(&checklist::make(&scope, &campaign, app.clock.now()).await?)?;
    let tx = scope.transaction().await?;
    // The running launch is refused first: its work holds the campaign's lock, and nobody should wait for that.
    launches::begin(&tx, client_id, id).await?;
    if life::expect(&tx, client_id, id, expected).await?.status != "draft" {
        return Err(launched_already());
    }
    let payload = json!({ "campaign_id": id });
    enqueue(&tx, &NewJob::new(JOB, payload).client(client_id).unique(format!("{JOB}:{id}"))).await?;
    tx.audit("campaign.launched", "campaigns", Some(id), Audited { client_id: Some(client_id), ..Audited::default() })
        .await?;
    tx.commit().await
}

fn launched_already() -> Error {
    Error::conflict("not_a_draft", "this campaign has been launched already")
}

/// What a launch came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Launched {
    /// Contacts looked at.
    pub contacts: i64,
    /// Recipients made.
    pub recipients: i64,
}

/// Does the work of a launch for the client's own actor; running it again changes nothing.
///
/// # Errors
/// What the check list misses by now, or what the database answered: nothing was written then.
pub async fn run(app: &App, client_id: Uuid, id: Uuid) -> Result<Launched> {
    let actor = Actor::client(client_id);
    let scope = app.scope(&actor);
    let tx = scope.transaction().await?;
    if life::lock(&tx, client_id, id).await? != "draft" {
        return Ok(Launched { contacts: 0, recipients: 0 });
    }
    // Read under the lock: nobody changes the draft from here on.
    let campaign = store::find(&scope, client_id, id).await?;
    let checklist = checklist::make(&scope, &campaign, app.clock.now()).await?;
    refuse_missing(&checklist)?;
    let list_id = campaign.contact_list_id.ok_or_else(|| Error::required("contact_list_id"))?;
    let watched = launches::latest(&scope, client_id, id).await?;
    recipients::plan_for_any_client(&tx).await?;
    clear::rest(&tx, client_id, id).await?;
    let source = Source { client_id, campaign_id: id, list_id, after: Uuid::nil() };
    let launched = generate(app, &tx, source, watched.as_ref()).await?;
    if launched.recipients == 0 {
        return Err(Error::invalid("contact_list_id", "none of the contacts on the list can be mailed"));
    }
    promise_cards(&tx, &campaign, launched.recipients, checklist.facts.price_reward).await?;
    let pieces = launched.recipients.saturating_mul(i64::from(checklist.facts.price_piece));
    let pieces = i32::try_from(pieces).map_err(|_| too_few_credits())?;
    life::promise(&tx, client_id, id, pieces).await.map_err(|error| match error {
        Error::Constraint(_) => too_few_credits(),
        other => other,
    })?;
    let estimate = json!({
        "recipients": launched.recipients,
        "skipped": launched.contacts - launched.recipients,
        "cards_per_reward": cards(&campaign, launched.recipients),
        "credits": checklist.credits_needed,
        "price_piece": checklist.facts.price_piece,
        "price_reward": checklist.facts.price_reward,
    });
    life::freeze(&tx, client_id, id, None, Some(estimate)).await?;
    let by = watched.and_then(|launch| launch.started_by_user_id);
    life::step(&tx, client_id, id, &Stepped { from: Some("draft"), to: "ready", reason: None, by }).await?;
    launches::finish(&tx, client_id, id, None).await?;
    tx.commit().await?;
    Ok(launched)
}

/// Ends a launch that cannot succeed, saying why.
///
/// # Errors
/// What the database answered.
pub async fn fail(app: &App, client_id: Uuid, id: Uuid, why: &str) -> Result<()> {
    let actor = Actor::client(client_id);
    let tx = app.scope(&actor).transaction().await?;
    launches::finish(&tx, client_id, id, Some(why)).await?;
    tx.commit().await
}

async fn generate(app: &App, tx: &Transaction, mut source: Source, watched: Option<&Launch>) -> Result<Launched> {
    let actor = Actor::client(source.client_id);
    let mut launched = Launched { contacts: 0, recipients: 0 };
    loop {
        let chunk = recipients::generate(tx, source, &draw(CHUNK)).await?;
        let Some(last) = chunk.last_contact_id else { return Ok(launched) };
        source.after = last;
        launched.contacts += chunk.contacts;
        launched.recipients += chunk.recipients;
        if let Some(launch) = watched {
            let done = i32::try_from(launched.contacts).unwrap_or(i32::MAX);
            launches::progress(&app.scope(&actor), source.client_id, launch.id, done).await?;
        }
    }
}

/// Ids, codes and tokens for `n` recipients.
fn draw(n: usize) -> Given {
    let mut generator = random::generator();
    Given {
        recipient_ids: (0..n).map(|_| new_id()).collect(),
        participation_ids: (0..n).map(|_| new_id()).collect(),
        redemption_codes: (0..n).map(|_| RedemptionCode::generate(&mut generator).as_str().to_owned()).collect(),
        purl_tokens: (0..n).map(|_| PurlToken::generate(&mut generator).as_str().to_owned()).collect(),
    }
}

fn too_few_credits() -> Error {
    Error::invalid("credits", "the free credits do not cover this campaign: others were promised some meanwhile")
}

async fn promise_cards(tx: &Transaction, campaign: &Campaign, recipients: i64, price: i32) -> Result<()> {
    let cards = i32::try_from(cards(campaign, recipients)).unwrap_or(i32::MAX);
    let mut conditions = conditions::list_in(tx, campaign.client_id, campaign.id).await?;
    // Every turn first, in the same order everywhere: the lock on the credits comes behind all of them.
    conditions.sort_by_key(|condition| condition.gift_card_pool_id);
    let active = conditions.iter().filter(|condition| condition.is_active);
    rewards::take_turns(tx, active.filter_map(|condition| condition.gift_card_pool_id)).await?;
    for condition in conditions.iter().filter(|condition| condition.is_active) {
        let Some(pool_id) = condition.gift_card_pool_id else { continue };
        match reservations::reserve(tx, (campaign.client_id, campaign.id), pool_id, (cards, price)).await? {
            Reserved::Done => {}
            Reserved::FewCredits => return Err(too_few_credits()),
            Reserved::FewCards => {
                let name = condition.pool_name.as_deref().unwrap_or("The pool");
                return Err(Error::invalid("cards_per_reward", format!("{name} has fewer than {cards} free cards")));
            }
        }
    }
    // Once more under the locks of the pools: nobody archives one from here on.
    let stock = stock::list_in(tx, campaign.client_id, campaign.id).await?;
    let fields: Vec<FieldError> = stock.iter().filter_map(checklist::closed).map(|item| problem(&item)).collect();
    if fields.is_empty() { Ok(()) } else { Err(Error::Invalid(fields)) }
}

fn cards(campaign: &Campaign, recipients: i64) -> i64 {
    campaign.cards_per_reward.map_or(recipients, i64::from)
}

fn refuse_missing(checklist: &Checklist) -> Result<()> {
    let missing = checklist.items.iter().filter(|item| item.level == Level::Missing);
    let fields: Vec<FieldError> = missing.map(problem).collect();
    if fields.is_empty() { Ok(()) } else { Err(Error::Invalid(fields)) }
}

fn problem(item: &CheckItem) -> FieldError {
    FieldError { field: item.field.clone(), code: item.code.unwrap_or("missing"), message: item.text.clone() }
}
