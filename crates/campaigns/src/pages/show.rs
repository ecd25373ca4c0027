//! The campaign's page: its head with the steps that can be taken, and the overview.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::NaiveDate;
use kernel::version::Expected;
use serde::Deserialize;
use web::view::{Tabs, count};
use web::{App, Caller, Form, Path, Result, Shell, redirect, redirect_with, render};

use super::edit::review::{Entry, entries};
use super::facts::{self, Fact};
use super::{at, given, named};
use crate::actions::draft;
use crate::actions::steps::{self, Step, Wish};
use crate::checklist;
use crate::store::campaigns::Campaign;
use crate::store::recipients::{self, Counts};
use crate::store::{launches, reservations};

/// What every page of a campaign has above its tab.
pub struct Head {
    /// The campaign.
    pub campaign: Campaign,
    /// The tabs.
    pub tabs: Tabs,
    /// The path of the campaign.
    pub base: String,
    /// The steps this person can take now.
    pub steps: Vec<StepView>,
    /// Today in the person's zone, for the mail date.
    pub today: String,
    /// Whether it is being launched.
    pub running: bool,
    /// Whether this person may edit it, and it is a draft.
    pub may_edit: bool,
    /// Whether this person may make a copy.
    pub may_duplicate: bool,
    /// Whether this person may archive it now.
    pub may_archive: bool,
    /// Whether this person may take the printer's file, and there is one.
    pub may_take_file: bool,
}

/// A step as a button and what it says before.
pub struct StepView {
    /// The status after.
    pub to: &'static str,
    /// The button.
    pub label: &'static str,
    /// What will happen, and to how many.
    pub means: String,
    /// The button's look.
    pub variant: &'static str,
    /// Whether it ends the campaign: then it is no button of the head but an entry of the menu.
    pub ends: bool,
}

impl Head {
    /// Whether there is more to do with it than the buttons of the head.
    pub fn has_more(&self) -> bool {
        self.may_duplicate || self.may_archive || self.may_take_file || self.steps.iter().any(|step| step.ends)
    }

    /// A path under the campaign's: `head.at("launch")`.
    pub fn at(&self, path: &str) -> String {
        format!("{}/{path}", self.base)
    }
}

impl StepView {
    /// The id of its dialog.
    pub fn id(&self) -> String {
        format!("step-{}", self.to)
    }

    /// The look of the button that says yes.
    pub fn yes(&self) -> &'static str {
        if ["draft", "completed"].contains(&self.to) { "danger" } else { "primary" }
    }
}

#[derive(Template)]
#[template(path = "campaigns/overview.html")]
struct OverviewPage {
    shell: Shell,
    head: Head,
    entries: Vec<Entry>,
    facts: Vec<Fact>,
    figures: bool,
}

/// What a step's dialog sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StepForm {
    to: String,
    reason: String,
    mail_date: String,
}

/// `GET /{client}/campaigns/{campaign}`
pub async fn overview(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let (shell, head) = head(&app, &caller, campaign).await?;
    let draft = head.campaign.status == "draft";
    let entries = if draft {
        entries(
            &checklist::make(&caller.scope(&app), &head.campaign, app.clock.now()).await?,
            &format!("{}/edit", head.base),
        )
    } else {
        Vec::new()
    };
    let facts = facts::of(&app, &caller, &head.campaign).await?;
    let figures = !draft && caller.may("campaigns.analytics");
    render(&OverviewPage { shell: if figures { shell.with_charts() } else { shell }, head, entries, facts, figures })
}

/// `POST /{client}/campaigns/{campaign}/steps`
pub async fn step(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    Form(form): Form<StepForm>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let wish = Wish { to: form.to, reason: given(&form.reason), mail_date: mail_date(&form.mail_date)? };
    let step = steps::take_as(&app, &caller, &campaign, &wish, &Expected::any()).await?;
    Ok(redirect_with(&at(&caller, &slug, ""), step.done))
}

fn mail_date(text: &str) -> kernel::Result<Option<NaiveDate>> {
    let wrong = || kernel::Error::invalid("mail_date", "enter a date such as 2026-03-31");
    given(text).map(|text| kernel::zone::parse_day(&text).ok_or_else(wrong)).transpose()
}

/// `POST /{client}/campaigns/{campaign}/duplicate`
pub async fn duplicate(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let (_, copy) = draft::duplicate(&app, &caller.actor, (campaign.client_id, campaign.id), &Expected::any()).await?;
    let text = format!("This is a copy of {}, without its recipients and mail date.", campaign.name);
    Ok(redirect_with(&at(&caller, &copy, "/edit/audience"), &text))
}

/// `POST /{client}/campaigns/{campaign}/archive`
pub async fn archive(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    draft::archive(&app, &caller.actor, (campaign.client_id, campaign.id), &Expected::any()).await?;
    let list = at(&caller, "", "");
    Ok(redirect_with(list.trim_end_matches('/'), &format!("{} is archived", campaign.name)))
}

/// `GET /{client}/campaigns/{campaign}/steps`: where a reload after a refused step leads.
pub async fn steps_page(caller: Caller, Path((_, slug)): Path<(String, String)>) -> Result<Response> {
    Ok(redirect(&at(&caller, &slug, "")))
}

/// The frame and the head of a campaign's page.
pub async fn head(app: &App, caller: &Caller, campaign: Campaign) -> Result<(Shell, Head)> {
    let scope = caller.scope(app);
    let counts = recipients::counts(&scope, campaign.client_id, campaign.id).await?;
    let launch = launches::latest(&scope, campaign.client_id, campaign.id).await?;
    let base = at(caller, &campaign.slug, "");
    let tabs = Tabs::at(&caller.path)
        .tab("Overview", base.clone())
        .counted("Recipients", format!("{base}/recipients"), counts.recipients)
        .tab("Conditions", format!("{base}/conditions"))
        .counted("Skipped", format!("{base}/skipped"), counts.skipped)
        .tab("History", format!("{base}/history"));
    let shell = Shell::new(caller, &campaign.name);
    let list = shell.at("campaigns");
    // what was deleted is read, and nothing more
    let lives = campaign.archived_at.is_none();
    let at_rest = lives && ["draft", "completed"].contains(&campaign.status.as_str());
    let head = Head {
        tabs,
        steps: views(app, caller, &campaign, &counts).await?,
        today: kernel::zone::day(app.clock.now(), caller.time_zone()).to_string(),
        running: launch.is_some_and(|launch| launch.is_running()),
        may_edit: lives && campaign.status == "draft" && caller.may("campaigns.edit"),
        may_duplicate: lives && caller.may("campaigns.create"),
        may_archive: at_rest && caller.may("campaigns.delete"),
        may_take_file: lives && campaign.status != "draft" && caller.may("campaigns.codes"),
        base,
        campaign,
    };
    Ok((shell.crumb("Campaigns", list).status(&head.campaign.status), head))
}

/// The steps this person can take, each saying what it will do and to how many.
async fn views(app: &App, caller: &Caller, campaign: &Campaign, counts: &Counts) -> Result<Vec<StepView>> {
    let scope = caller.scope(app);
    let mut views = Vec::new();
    for step in steps::from(&campaign.status).filter(|_| campaign.archived_at.is_none()) {
        let needed = steps::permissions(&scope, campaign.client_id, step).await?;
        if !needed.iter().all(|permission| caller.may(permission)) {
            continue;
        }
        let promised = reservations::promised(&scope, campaign.client_id, campaign.id).await?;
        let variant = match step.to {
            "draft" => "outline",
            "completed" => "danger",
            _ => "primary",
        };
        views.push(StepView {
            to: step.to,
            label: step.label,
            means: means(step, campaign, counts, promised),
            variant,
            ends: step.to == "completed",
        });
    }
    Ok(views)
}

fn means(step: &Step, campaign: &Campaign, counts: &Counts, promised: i64) -> String {
    let recipients = count(counts.recipients, "recipient");
    let pieces = count(counts.recipients * campaign.estimated("price_piece").unwrap_or(0), "credit");
    let cards = count(promised, "card");
    let numbers = match step.to {
        "in_production" => format!("{recipients}, {pieces} now."),
        "mailed" => format!("{recipients}."),
        "draft" if step.from == "in_production" => format!("{recipients}, {cards}, {pieces}."),
        "draft" => format!("{recipients}, {cards}."),
        _ => format!("{}.", count(promised, "unused card")),
    };
    format!("{} {numbers} {}", step.means, step.undo)
}
