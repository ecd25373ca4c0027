//! Home: what needs somebody today, running campaigns, the last thirty days.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use web::view::{Chart, Stat};
use web::{App, Caller, Result, Shell, redirect, render};

use super::needs::{self, Need};
use crate::store::home::{self as store, Running};

#[derive(Template)]
#[template(path = "home/show.html")]
struct HomePage {
    shell: Shell,
    needs: Vec<Need>,
    running: Vec<Running>,
    stats: Vec<Stat>,
    days: Chart,
    as_of: DateTime<Utc>,
    may_create: bool,
}

/// `GET /{client}`
pub async fn short(caller: Caller) -> Result<Response> {
    Ok(redirect(&format!("/{}/home", caller.client()?.slug)))
}

/// `GET /{client}/home`
pub async fn show(State(app): State<App>, caller: Caller) -> Result<Response> {
    let scope = caller.scope(&app);
    let (client_id, now) = (caller.client_id()?, app.clock.now());
    let (month, days, alerts, needs, running) = tokio::try_join!(
        store::month(&scope, client_id, now),
        store::days(&scope, client_id, now, caller.time_zone()),
        store::alerts(&scope, client_id),
        store::needs(&scope, client_id),
        store::running(&scope, client_id)
    )?;
    let chart = Chart::bars("Last 30 days", "Day", "Events")
        .labels(days.iter().map(|day| kernel::zone::format(day.at, caller.time_zone(), "%b %-d")))
        .series("Visits", days.iter().map(|day| day.visits))
        .series("Submissions", days.iter().map(|day| day.submissions))
        .series("Rewards", days.iter().map(|day| day.rewards));
    let shell = Shell::new(&caller, "Home").with_charts();
    let stat = |label, (count, before), permission, path| {
        let stat = Stat::count(label, count).against(count, before).note("last 30 days");
        if caller.may(permission) { stat.href(shell.at(path)) } else { stat }
    };
    let stats = vec![
        stat("Visits", (month.visits, month.visits_before), "campaigns.view", "campaigns"),
        stat("Submissions", (month.submissions, month.submissions_before), "forms.view", "forms"),
        stat("Rewards", (month.rewards, month.rewards_before), "messages.view", "deliveries"),
    ];
    let needs = needs::list(&caller, &shell, alerts, &needs);
    render(&HomePage {
        shell,
        needs,
        running,
        stats,
        days: chart,
        as_of: now,
        may_create: caller.may("campaigns.create"),
    })
}
