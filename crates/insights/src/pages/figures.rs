//! The figures of a campaign: the overview of its page, and a page of its own.

use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use campaigns::store::campaigns::{self as campaign_store, Campaign};
use chrono::{DateTime, Utc};
use web::view::{Chart, Stat};
use web::{App, Caller, Path, Result, Shell, render};

use crate::store::campaign::{self as store, Deliveries, EventFilter, EventRow, Funnel, Point, Stretch};

/// Events in the feed.
const LATEST: i64 = 15;

/// What changes while somebody looks: fetched again and again.
struct Live {
    /// The campaign's word in URLs.
    slug: String,
    may_see_recipients: bool,
    funnel: Funnel,
    deliveries: Deliveries,
    latest: Vec<EventRow>,
    as_of: DateTime<Utc>,
}

/// Everything the figures show.
struct Figures {
    live: Live,
    funnel_chart: Chart,
    timeline: Chart,
    path: String,
}

#[derive(Template)]
#[template(path = "figures/page.html")]
struct FiguresPage {
    shell: Shell,
    figures: Figures,
}

#[derive(Template)]
#[template(path = "figures/whole.html")]
struct FiguresFragment {
    shell: Shell,
    figures: Figures,
}

/// The counts in distinct recipients.
#[derive(Template)]
#[template(path = "figures/live.html")]
struct LivePart<'a> {
    shell: &'a Shell,
    live: &'a Live,
}

impl LivePart<'_> {
    /// Each figure leads to its rows among the campaign's recipients.
    fn stats(&self) -> Vec<Stat> {
        let funnel = &self.live.funnel;
        let recipients = self.shell.at(&format!("campaigns/{}/recipients", self.live.slug));
        // before the mailing there is nobody behind the figures, though there are recipients
        let linked = funnel.mailed > 0 && self.live.may_see_recipients;
        let stat = |label, count, note: String, did: &str| {
            let stat = Stat::count(label, count).note(note);
            if linked { stat.href(format!("{recipients}{did}")) } else { stat }
        };
        let step = |label, count, did| {
            stat(label, count, format!("{} of mailed", web::view::percent(count, funnel.mailed)), did)
        };
        vec![
            stat("Mailed", funnel.mailed, "recipients".into(), ""),
            step("Visited", funnel.visited, "?did=visited"),
            step("Submitted", funnel.submitted, "?did=submitted"),
            step("Rewarded", funnel.rewarded, "?did=rewarded"),
        ]
    }
}

impl HtmlSafe for LivePart<'_> {}

/// The latest events and what became of the rewards; `fresh` when it replaces what the page has.
#[derive(Template)]
#[template(path = "figures/feed.html")]
struct FeedPart<'a> {
    shell: &'a Shell,
    live: &'a Live,
    fresh: bool,
}

impl FeedPart<'_> {
    /// Where the person of an event is looked at; nowhere for those who may not.
    fn person(&self, event: &EventRow) -> String {
        let id = event.recipient_id.filter(|_| self.live.may_see_recipients);
        id.map_or_else(String::new, |id| self.shell.at(&format!("recipients/{id}")))
    }
}

impl HtmlSafe for FeedPart<'_> {}

/// What the page asks for every two seconds.
#[derive(Template)]
#[template(path = "figures/fresh.html")]
struct FreshFragment {
    shell: Shell,
    live: Live,
}

/// What the page asks for every ten seconds: the charts cost more, and lines move slower than counts.
#[derive(Template)]
#[template(path = "figures/charts.html")]
struct ChartsFragment {
    timeline: Chart,
    funnel: Chart,
}

/// `GET /{client}/campaigns/{campaign}/figures`: a fragment for the campaign's page, or a page.
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response> {
    let campaign = campaign_store::find_by_slug(&caller.scope(&app), caller.client_id()?, &slug).await?;
    let figures = figures(&app, &caller, &campaign).await?;
    let shell = Shell::new(&caller, "Figures").with_charts();
    if headers.contains_key("hx-request") {
        return render(&FiguresFragment { shell, figures });
    }
    let up = shell.at(&format!("campaigns/{slug}"));
    let list = shell.at("campaigns");
    let shell = shell.crumb("Campaigns", list).crumb(campaign.name, up);
    render(&FiguresPage { shell, figures })
}

/// `GET /{client}/campaigns/{campaign}/figures/live`: counts and feed, fetched again and again.
pub async fn live(State(app): State<App>, caller: Caller, Path((_, slug)): Path<(String, String)>) -> Result<Response> {
    let campaign = campaign_store::find_by_slug(&caller.scope(&app), caller.client_id()?, &slug).await?;
    let live = counted(&app, &caller, &campaign).await?;
    render(&FreshFragment { shell: Shell::new(&caller, "Figures"), live })
}

/// `GET /{client}/campaigns/{campaign}/figures/charts`: the values of the charts, fetched again now and then.
pub async fn charts(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = campaign_store::find_by_slug(&caller.scope(&app), caller.client_id()?, &slug).await?;
    let (scope, zone) = (caller.scope(&app), caller.time_zone());
    let stretch = stretch(&campaign, app.clock.now(), zone);
    let (funnel, points) = tokio::try_join!(
        store::funnel(&scope, campaign.client_id, campaign.id),
        store::timeline(&scope, campaign.client_id, campaign.id, &stretch)
    )?;
    render(&ChartsFragment { funnel: funnel_chart(&funnel), timeline: timeline(&points, &stretch, zone) })
}

/// The time that a campaign's chart shows.
fn stretch(campaign: &Campaign, now: DateTime<Utc>, zone: &str) -> Stretch {
    let since = campaign.mailed_at.or(campaign.launched_at).unwrap_or(campaign.created_at);
    Stretch::of(since, campaign.completed_at.unwrap_or(now), zone)
}

async fn figures(app: &App, caller: &Caller, campaign: &Campaign) -> Result<Figures> {
    let (scope, zone, now) = (caller.scope(app), caller.time_zone(), app.clock.now());
    let stretch = stretch(campaign, now, zone);
    // Side by side: people wait for the slowest of the counts, not for their sum.
    let (live, points) = tokio::try_join!(
        counted(app, caller, campaign),
        store::timeline(&scope, campaign.client_id, campaign.id, &stretch)
    )?;
    Ok(Figures {
        funnel_chart: funnel_chart(&live.funnel),
        live,
        timeline: timeline(&points, &stretch, zone),
        path: format!("{}/figures", caller.path.trim_end_matches("/figures")),
    })
}

async fn counted(app: &App, caller: &Caller, campaign: &Campaign) -> kernel::Result<Live> {
    let (scope, now) = (&caller.scope(app), app.clock.now());
    let (client_id, id) = (campaign.client_id, campaign.id);
    let feed = EventFilter { campaign_id: Some(id), people_only: true, ..EventFilter::default() };
    let (funnel, deliveries, mut latest) = tokio::try_join!(
        store::funnel(scope, client_id, id),
        store::deliveries(scope, client_id, id),
        store::events(scope, client_id, &feed, LATEST)
    )?;
    latest.truncate(usize::try_from(LATEST).unwrap_or(15));
    Ok(Live {
        slug: campaign.slug.clone(),
        may_see_recipients: caller.may("campaigns.view"),
        funnel,
        deliveries,
        latest,
        as_of: now,
    })
}

fn timeline(points: &[Point], stretch: &Stretch, zone: &str) -> Chart {
    let (pattern, unit) = if stretch.step == "hour" { ("%b %-d, %-I %p", "Hour") } else { ("%b %-d", "Day") };
    Chart::lines("Over time", unit, "Events")
        .labels(points.iter().map(|point| kernel::zone::format(point.at, zone, pattern)))
        .series("Visits", points.iter().map(|point| point.visits))
        .series("Submissions", points.iter().map(|point| point.submissions))
        .series("Rewards", points.iter().map(|point| point.rewards))
}

impl Live {
    fn counts<'a>(&'a self, shell: &'a Shell) -> LivePart<'a> {
        LivePart { shell, live: self }
    }

    fn feed<'a>(&'a self, shell: &'a Shell, fresh: bool) -> FeedPart<'a> {
        FeedPart { shell, live: self, fresh }
    }
}

fn funnel_chart(funnel: &Funnel) -> Chart {
    let steps = [
        ("Mailed", funnel.mailed),
        ("Visited", funnel.visited),
        ("Submitted", funnel.submitted),
        ("Called", funnel.called),
        ("Rewarded", funnel.rewarded),
    ];
    Chart::rows("Funnel in distinct recipients", "Step", "Recipients")
        .labels(steps.map(|(label, _)| label))
        .series("Recipients", steps.map(|(_, count)| count))
}
