//! The last step: everything that is missing with a link to where it is mended, what it costs, and the button.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::version::Expected;
use web::view::{FieldErrors, Steps, count, money, slug_id};
use web::{App, Caller, Path, Result, Shell, redirect, render_with};

use super::super::facts::{self, Fact};
use super::super::tabs::condition_met;
use super::super::{at, named};
use super::{elsewhere, shell, steps};
use crate::actions::launch;
use crate::checklist::{self, CheckItem, Checklist};
use crate::store::campaigns::Campaign;
use crate::store::conditions::{self, Condition};
use crate::store::launches;

#[derive(Template)]
#[template(path = "campaigns/review.html")]
struct ReviewPage {
    shell: Shell,
    steps: Steps,
    errors: FieldErrors,
    entries: Vec<Entry>,
    checklist: Checklist,
    facts: Vec<Fact>,
    told: Vec<String>,
    back: String,
    rewards: i64,
    failed: Option<String>,
    confirm: String,
    launch: String,
    may_launch: bool,
    ready: bool,
}

/// An entry of the check list with its link.
pub struct Entry {
    /// How it is marked.
    pub mark: &'static str,
    /// What it says.
    pub text: String,
    /// Where it is mended; empty when nothing is to be done.
    pub href: String,
}

/// The check list as pages show it.
pub fn entries(checklist: &Checklist, edit: &str) -> Vec<Entry> {
    let client = edit.split('/').nth(1).unwrap_or_default();
    let href = |item: &CheckItem| match item.step {
        _ if let Some(pool) = item.pool_id => format!("/{client}/pools/{pool}"),
        "review" if item.field == "credits" => format!("/{client}/credits"),
        "review" => String::new(),
        step => format!("{edit}/{step}#{}", slug_id(&item.field)),
    };
    let entry = |item: &CheckItem| {
        let mark = item.level.mark();
        Entry { mark, text: item.text.clone(), href: if mark == "done" { String::new() } else { href(item) } }
    };
    checklist.items.iter().map(entry).collect()
}

/// `GET /{client}/campaigns/{campaign}/edit/review`
pub async fn show(State(app): State<App>, caller: Caller, Path((_, slug)): Path<(String, String)>) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    match elsewhere(&app, &caller, &campaign).await? {
        Some(elsewhere) => Ok(elsewhere),
        None => draw(&app, &caller, &campaign, FieldErrors::none()).await,
    }
}

/// `POST /{client}/campaigns/{campaign}/launch`
pub async fn begin(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    match launch::begin(&app, &caller.actor, (campaign.client_id, campaign.id), &Expected::any()).await {
        // Pressed twice, or by two people: both see how far it is.
        Ok(()) | Err(Error::Conflict { .. }) => Ok(redirect(&at(&caller, &slug, "/launch"))),
        Err(error) => draw(&app, &caller, &campaign, FieldErrors::from_error(error)?).await,
    }
}

async fn draw(app: &App, caller: &Caller, campaign: &Campaign, errors: FieldErrors) -> Result<Response> {
    let scope = caller.scope(app);
    let checklist = checklist::make(&scope, campaign, app.clock.now()).await?;
    let conditions = conditions::list(&scope, campaign.client_id, campaign.id).await?;
    let rewards = conditions.iter().filter(|condition| condition.gift_card_pool_id.is_some()).count();
    let rewards = i64::try_from(rewards).unwrap_or(0);
    let launch = launches::latest(&scope, campaign.client_id, campaign.id).await?;
    let base = at(caller, &campaign.slug, "");
    let edit = format!("{base}/edit");
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = ReviewPage {
        shell: shell(caller, campaign),
        steps: steps(&edit, "review", Some(&checklist)),
        errors,
        entries: entries(&checklist, &edit),
        failed: launch.filter(|launch| launch.state == "failed").and_then(|launch| launch.error),
        confirm: confirm(&checklist, rewards),
        launch: format!("{base}/launch"),
        may_launch: caller.may("campaigns.launch"),
        ready: checklist.ready(),
        facts: facts::of(app, caller, campaign).await?,
        told: conditions.iter().map(|condition| told(condition, checklist.cards_per_reward)).collect(),
        back: format!("{edit}/conditions"),
        rewards,
        checklist,
    };
    render_with(status, &page)
}

/// What pressing the button will do, and to how many.
fn confirm(checklist: &Checklist, rewards: i64) -> String {
    let facts = &checklist.facts;
    let mut text = format!("Makes {}, each with a code and a link of their own.", count(facts.mailable, "recipient"));
    match facts.contacts - facts.mailable {
        ..=0 => {}
        1 => text += " 1 contact is skipped.",
        skipped => text += &format!(" {} are skipped.", count(skipped, "contact")),
    }
    if rewards > 0 {
        text += &format!(" Promises {}.", count(checklist.cards_per_reward * rewards, "gift card"));
    }
    if checklist.credits_needed > 0 {
        text += &format!(" Pieces and rewards can cost up to {}.", count(checklist.credits_needed, "credit"));
    }
    text + " Nothing is printed or charged yet, and you can undo it with Back to draft."
}

/// What a condition asks and earns, in a sentence.
fn told(condition: &Condition, cards: i64) -> String {
    let met = condition_met(condition);
    match (&condition.pool_name, condition.value_amount) {
        (Some(pool), Some(value)) => {
            let brand = condition.brand_name.as_deref().unwrap_or_default();
            let way = match condition.delivery_channel.as_deref() {
                Some("sms") => "by SMS",
                Some("email") => "by e-mail",
                _ => "by SMS or e-mail, as chosen",
            };
            format!(
                "{met}: earns a {} {brand} card from {pool}, sent {way}. {} promised.",
                money(value),
                count(cards, "card")
            )
        }
        _ => format!("{met}: earns nothing."),
    }
}
