//! Home: what needs somebody today, running campaigns, the last thirty days; for a new client the way to a first campaign.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use web::view::{Chart, Stat};
use web::{App, Caller, Result, Shell, redirect, render};

use super::checklist::{self, Step};
use super::needs::{self, Need};
use crate::store::home::{self as store, Day, Month, Running};
use crate::store::needs as needs_store;
use crate::store::progress;

/// Lines of what needs somebody, before the link to all of them.
const LINES: i64 = 10;

#[derive(Template)]
#[template(path = "home/show.html")]
struct HomePage {
    shell: Shell,
    needs: Vec<Need>,
    more: i64,
    may_acknowledge: bool,
    running: Vec<Running>,
    stats: Vec<Stat>,
    days: Chart,
    as_of: DateTime<Utc>,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "home/new.html")]
struct NewClientPage {
    shell: Shell,
    needs: Vec<Need>,
    more: i64,
    may_acknowledge: bool,
    steps: Vec<Step>,
    done: usize,
}

/// `GET /{client}`
pub async fn short(caller: Caller) -> Result<Response> {
    Ok(redirect(&format!("/{}/{}", caller.client()?.slug, caller.landing())))
}

/// `GET /{client}/home`
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Response> {
    let scope = caller.scope(&app);
    let (client_id, now) = (caller.client_id()?, app.clock.now());
    let (progress, found) =
        tokio::try_join!(progress::of_client(&scope, client_id), needs_store::of_client(&scope, client_id, LINES))?;
    let more = found.first().map_or(0, |first| first.lines) - found.len() as i64;
    let needs = needs::list(&caller, &caller.client()?.slug, found);
    let shell = Shell::new(&caller, "Home");
    let may_acknowledge = caller.may("alerts.acknowledge");
    if let Some(steps) = checklist::steps(&caller, &shell, &progress) {
        let done = steps.iter().filter(|step| step.done).count();
        return render(&NewClientPage { shell, needs, more, may_acknowledge, steps, done });
    }
    let (month, days, running) = tokio::try_join!(
        store::month(&scope, client_id, now),
        store::days(&scope, client_id, now, caller.time_zone()),
        store::running(&scope, client_id)
    )?;
    render(&HomePage {
        stats: stats(&caller, &shell, &month),
        days: chart(&caller, &days),
        shell: shell.with_charts(),
        needs,
        more,
        may_acknowledge,
        running,
        as_of: now,
        may_create: caller.may("campaigns.create"),
    })
}

fn chart(caller: &Caller, days: &[Day]) -> Chart {
    Chart::bars("Last 30 days", "Day", "Events")
        .labels(days.iter().map(|day| kernel::zone::format(day.at, caller.time_zone(), "%b %-d")))
        .series("Visits", days.iter().map(|day| day.visits))
        .series("Submissions", days.iter().map(|day| day.submissions))
        .series("Rewards", days.iter().map(|day| day.rewards))
}

fn stats(caller: &Caller, shell: &Shell, month: &Month) -> Vec<Stat> {
    let stat = |label, (count, before), permission, path| {
        let stat = Stat::count(label, count).against(count, before).note("last 30 days");
        if caller.may(permission) { stat.href(shell.at(path)) } else { stat }
    };
    vec![
        stat("Visits", (month.visits, month.visits_before), "campaigns.view", "campaigns"),
        stat("Submissions", (month.submissions, month.submissions_before), "forms.view", "forms"),
        stat("Rewards", (month.rewards, month.rewards_before), "messages.view", "deliveries"),
    ]
}
