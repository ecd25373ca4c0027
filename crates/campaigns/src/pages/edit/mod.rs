//! The wizard: five steps, each with its own URL and saved as one goes. Works without JavaScript.

pub mod basics;
pub mod conditions;
pub mod fields;
pub mod review;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;
use web::view::{Choice, FieldErrors, StepState, Steps};
use web::{App, Caller, Edit, Form, Path, Result, Shell, redirect, version_of};

use self::basics::AudienceForm;
use super::{at, named};
use crate::actions::draft::{self, CampaignInput, input_of};
use crate::checklist::{self, Checklist, Level};
use crate::store::campaigns::Campaign;
use crate::store::choices::{self, Named, PoolChoice};
use crate::store::{conditions as condition_store, launches};

/// The steps: the word in the URL and what people read.
const STEPS: [(&str, &str); 5] = [
    ("audience", "Audience"),
    ("design", "Design"),
    ("page", "Page and form"),
    ("conditions", "Conditions and rewards"),
    ("review", "Review"),
];

/// One step that is a form.
pub trait StepForm: Default + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its word in the URL.
    const STEP: &'static str;

    /// The form of a saved draft.
    fn of(input: &CampaignInput) -> Self;

    /// Puts what was typed into the draft.
    ///
    /// # Errors
    /// Names the fields that cannot be read.
    fn apply(&self, input: &mut CampaignInput) -> kernel::Result<()>;

    /// Does what an arranging button asked for; false when the form is to be saved.
    fn rearrange(&mut self) -> bool {
        false
    }

    /// The page with this form on it.
    ///
    /// # Errors
    /// `Internal` when the template fails.
    fn draw(self, status: StatusCode, parts: Parts) -> Result<Response>;
}

/// What every step's page is made of.
pub struct Parts {
    /// The frame.
    pub shell: Shell,
    /// The steps.
    pub steps: Steps,
    /// Where the form is sent.
    pub action: String,
    /// What the form was made from; empty for a campaign that is new.
    pub version: String,
    /// The way out.
    pub cancel: String,
    /// The step before; none in front of the first.
    pub back: Option<String>,
    /// What is wrong.
    pub errors: FieldErrors,
    /// What can be chosen.
    pub offers: Offers,
}

/// What a step offers; only what that step needs is looked up.
#[derive(Default)]
pub struct Offers {
    /// Contact lists.
    pub lists: Vec<Choice>,
    /// Mail pieces.
    pub templates: Vec<Choice>,
    /// Landing pages.
    pub landing_pages: Vec<Choice>,
    /// Forms.
    pub forms: Vec<Choice>,
    /// Pools.
    pub pools: Vec<Choice>,
}

/// `GET /{client}/campaigns/new`
pub async fn new(State(app): State<App>, caller: Caller) -> Result<Response> {
    draw_new(&app, &caller, AudienceForm::default(), None).await
}

/// `POST /{client}/campaigns`
pub async fn create(State(app): State<App>, caller: Caller, Form(form): Form<AudienceForm>) -> Result<Response> {
    let mut input = CampaignInput::default();
    let made = match form.apply(&mut input) {
        Ok(()) => draft::create(&app, &caller.actor, caller.client_id()?, &input).await,
        Err(error) => Err(error),
    };
    match made {
        Ok((_, slug)) => Ok(redirect(&at(&caller, &slug, "/edit/design"))),
        Err(error) => draw_new(&app, &caller, form, Some(error)).await,
    }
}

/// `GET /{client}/campaigns/{campaign}/edit`
pub async fn first(caller: Caller, Path((_, slug)): Path<(String, String)>) -> Result<Response> {
    Ok(redirect(&at(&caller, &slug, "/edit/audience")))
}

/// `GET /{client}/campaigns/{campaign}/edit/{step}`
pub async fn show<F: StepForm>(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    if let Some(elsewhere) = elsewhere(&app, &caller, &campaign).await? {
        return Ok(elsewhere);
    }
    let form = F::of(&input(&app, &caller, &campaign).await?);
    let version = version_of(&form)?;
    draw(&app, &caller, &campaign, form, (FieldErrors::none(), version)).await
}

/// `POST /{client}/campaigns/{campaign}/edit/{step}`
pub async fn save<F: StepForm>(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    mut edit: Edit<F>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    if edit.form.rearrange() {
        let as_before = (FieldErrors::none(), edit.version());
        return draw(&app, &caller, &campaign, edit.form, as_before).await;
    }
    let mut input = input(&app, &caller, &campaign).await?;
    let there = F::of(&input);
    let saved = match edit.expect(&there).and_then(|()| edit.form.apply(&mut input)) {
        Ok(()) => draft::update(&app, &caller.actor, &campaign, &input).await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(redirect(&at(&caller, &slug, &format!("/edit/{}", next(F::STEP))))),
        Err(error) => {
            let again = edit.refused(error, &there)?;
            draw(&app, &caller, &campaign, edit.form, again).await
        }
    }
}

fn next(step: &str) -> &'static str {
    let here = STEPS.iter().position(|(word, _)| *word == step).unwrap_or(0);
    STEPS.get(here + 1).map_or("review", |(word, _)| word)
}

fn before(step: &str) -> Option<&'static str> {
    let here = STEPS.iter().position(|(word, _)| *word == step)?;
    STEPS.get(here.checked_sub(1)?).map(|(word, _)| *word)
}

/// A campaign that is no draft, or is being launched, has nothing to edit.
async fn elsewhere(app: &App, caller: &Caller, campaign: &Campaign) -> Result<Option<Response>> {
    if campaign.status != "draft" {
        return Ok(Some(redirect(&at(caller, &campaign.slug, ""))));
    }
    let launch = launches::latest(&caller.scope(app), campaign.client_id, campaign.id).await?;
    let running = launch.is_some_and(|launch| launch.is_running());
    Ok(running.then(|| redirect(&at(caller, &campaign.slug, "/launch"))))
}

async fn input(app: &App, caller: &Caller, campaign: &Campaign) -> Result<CampaignInput> {
    let conditions = condition_store::list(&caller.scope(app), campaign.client_id, campaign.id).await?;
    Ok(input_of(campaign, conditions))
}

async fn draw<F: StepForm>(
    app: &App,
    caller: &Caller,
    campaign: &Campaign,
    form: F,
    (errors, version): (FieldErrors, String),
) -> Result<Response> {
    let status = status_of(&errors);
    let checklist = checklist::make(&caller.scope(app), campaign, app.clock.now()).await?;
    let base = at(caller, &campaign.slug, "");
    let parts = Parts {
        shell: shell(caller, campaign),
        steps: steps(&format!("{base}/edit"), F::STEP, Some(&checklist)),
        action: format!("{base}/edit/{}", F::STEP),
        version,
        back: before(F::STEP).map(|step| format!("{base}/edit/{step}")),
        cancel: base,
        errors,
        offers: offers(app, caller, F::STEP).await?,
    };
    form.draw(status, parts)
}

async fn draw_new(app: &App, caller: &Caller, form: AudienceForm, error: Option<Error>) -> Result<Response> {
    let errors = error.map_or_else(|| Ok(FieldErrors::none()), FieldErrors::from_error)?;
    let status = status_of(&errors);
    let shell = Shell::new(caller, "New campaign");
    let list = shell.at("campaigns");
    let parts = Parts {
        shell: shell.crumb("Campaigns", list.clone()),
        steps: steps(&format!("{list}/new"), "audience", None),
        action: list.clone(),
        version: String::new(),
        back: None,
        cancel: list,
        errors,
        offers: offers(app, caller, "audience").await?,
    };
    form.draw(status, parts)
}

fn shell(caller: &Caller, campaign: &Campaign) -> Shell {
    let shell = Shell::new(caller, &campaign.name);
    let list = shell.at("campaigns");
    shell.crumb("Campaigns", list).status(&campaign.status)
}

fn status_of(errors: &FieldErrors) -> StatusCode {
    if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// The steps with their state. Before the draft is saved (no check list yet) the others lead back to its name.
fn steps(base: &str, current: &str, checklist: Option<&Checklist>) -> Steps {
    let href = |word: &str| match checklist {
        Some(_) => format!("{base}/{word}"),
        None if word == "audience" => base.to_owned(),
        None => format!("{base}#f-name"),
    };
    STEPS.iter().fold(Steps::at(href(current)), |steps, (word, label)| {
        let state = checklist.map_or(StepState::Open, |checklist| state(checklist, word, current == "review"));
        steps.step(label, href(word), state)
    })
}

/// Something missing is a problem only once the person has come to the review.
fn state(checklist: &Checklist, step: &str, reviewing: bool) -> StepState {
    let of_step = || checklist.items.iter().filter(|item| item.step == step);
    if step == "review" || of_step().any(|item| item.field == "conditions") {
        return StepState::Open;
    }
    match of_step().any(|item| item.level == Level::Missing) {
        true if reviewing => StepState::Problem,
        true => StepState::Open,
        false => StepState::Done,
    }
}

async fn offers(app: &App, caller: &Caller, step: &str) -> Result<Offers> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let mut offers = Offers::default();
    match step {
        "audience" => offers.lists = choices_of(choices::named(&scope, client_id, &choices::LISTS).await?),
        "design" => offers.templates = choices_of(choices::named(&scope, client_id, &choices::TEMPLATES).await?),
        "page" => {
            offers.landing_pages = choices_of(choices::named(&scope, client_id, &choices::LANDING_PAGES).await?);
            offers.forms = choices_of(choices::named(&scope, client_id, &choices::FORMS).await?);
        }
        "conditions" => {
            offers.forms = choices_of(choices::named(&scope, client_id, &choices::FORMS).await?);
            offers.pools = choices::pools(&scope, client_id).await?.iter().map(pool_choice).collect();
        }
        _ => {}
    }
    Ok(offers)
}

fn choices_of(rows: Vec<Named>) -> Vec<Choice> {
    rows.into_iter().map(|row| Choice::new(row.id, format!("{} ({})", row.name, row.detail))).collect()
}

fn pool_choice(pool: &PoolChoice) -> Choice {
    let value = web::view::money(pool.value_amount);
    let free = web::view::number(pool.free_cards);
    Choice::new(pool.id, format!("{} ({value} {}, {free} free)", pool.pool_name, pool.brand_name))
}
