//! The figures of a campaign: the overview of its page, and a page of its own.

use askama::Template;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use campaigns::store::campaigns::{self as campaign_store, Campaign};
use chrono::{DateTime, Utc};
use database::Scope;
use web::view::{Chart, Stat};
use web::{App, Caller, Path, Result, Shell, render};

use crate::store::campaign::{self as store, Deliveries, EventFilter, EventRow, Funnel, Stretch};

/// Events in the feed.
const LATEST: i64 = 15;

/// Everything the figures show.
struct Figures {
    funnel: Funnel,
    stats: Vec<Stat>,
    funnel_chart: Chart,
    timeline: Chart,
    deliveries: Deliveries,
    latest: Vec<EventRow>,
    as_of: DateTime<Utc>,
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

#[derive(Template)]
#[template(path = "figures/live.html")]
struct LiveFragment {
    shell: Shell,
    figures: Figures,
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

/// `GET /{client}/campaigns/{campaign}/figures/live`: the part that is fetched again and again.
pub async fn live(State(app): State<App>, caller: Caller, Path((_, slug)): Path<(String, String)>) -> Result<Response> {
    let campaign = campaign_store::find_by_slug(&caller.scope(&app), caller.client_id()?, &slug).await?;
    let figures = figures(&app, &caller, &campaign).await?;
    render(&LiveFragment { shell: Shell::new(&caller, "Figures"), figures })
}

async fn figures(app: &App, caller: &Caller, campaign: &Campaign) -> Result<Figures> {
    let scope: Scope<'_> = caller.scope(app);
    let (client_id, id, now) = (campaign.client_id, campaign.id, app.clock.now());
    let zone = caller.time_zone();
    let funnel = store::funnel(&scope, client_id, id).await?;
    let since = campaign.mailed_at.or(campaign.launched_at).unwrap_or(campaign.created_at);
    let stretch = Stretch::of(since, campaign.completed_at.unwrap_or(now), zone);
    let points = store::timeline(&scope, client_id, id, &stretch).await?;
    let feed = EventFilter { campaign_id: Some(id), ..EventFilter::default() };
    let mut latest = store::events(&scope, client_id, &feed, LATEST).await?;
    latest.truncate(usize::try_from(LATEST).unwrap_or(15));
    let pattern = if stretch.step == "hour" { "%-d %b %H:00" } else { "%-d %b" };
    let labels = points.iter().map(|point| kernel::zone::format(point.at, zone, pattern));
    let timeline = Chart::lines("Over time", if stretch.step == "hour" { "Hour" } else { "Day" }, "Events")
        .labels(labels)
        .series("Visits", points.iter().map(|point| point.visits))
        .series("Submissions", points.iter().map(|point| point.submissions))
        .series("Rewards", points.iter().map(|point| point.rewards));
    Ok(Figures {
        stats: stats(&funnel),
        funnel_chart: funnel_chart(&funnel),
        timeline,
        deliveries: store::deliveries(&scope, client_id, id).await?,
        latest,
        as_of: now,
        path: format!("{}/figures/live", caller.path.trim_end_matches("/live").trim_end_matches("/figures")),
        funnel,
    })
}

fn stats(funnel: &Funnel) -> Vec<Stat> {
    let of_mailed = |part: i64| format!("{} of mailed", web::view::percent(part, funnel.mailed));
    vec![
        Stat::count("Mailed", funnel.mailed).note("recipients"),
        Stat::count("Visited", funnel.visited).note(of_mailed(funnel.visited)),
        Stat::count("Submitted", funnel.submitted).note(of_mailed(funnel.submitted)),
        Stat::count("Rewarded", funnel.rewarded).note(of_mailed(funnel.rewarded)),
    ]
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
