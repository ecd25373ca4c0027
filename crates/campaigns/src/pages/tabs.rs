//! The other tabs of a campaign: recipients, conditions, who was skipped, history.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::codes::{CodeError, RedemptionCode};
use kernel::page::{DEFAULT_LIMIT, Page, PageParams};
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Filters, Pager, count};
use web::{App, Caller, Path, Query, Result, Shell, render};

use super::show::{Head, head};
use super::{ListQuery, named};
use crate::actions::draft::TRIGGERS;
use crate::store::conditions::{self, Condition};
use crate::store::life::{self, HistoryRow};
use crate::store::recipients::{self, Recipient, Skip};
use crate::store::search::{self, Did, Search};

#[derive(Template)]
#[template(path = "campaigns/recipients.html")]
struct RecipientsPage {
    shell: Shell,
    head: Head,
    filters: Filters,
    rows: Vec<RecipientRow>,
    pager: Pager,
    mistyped: bool,
    may_see_contacts: bool,
}

/// A recipient as lists and pages show them.
pub struct RecipientRow {
    /// Their name.
    pub name: String,
    /// Where the piece went.
    pub address: String,
    /// As people write it; empty when unknown.
    pub phone: String,
    /// The end of it.
    pub code: String,
    /// The row.
    pub recipient: Recipient,
}

#[derive(Template)]
#[template(path = "campaigns/conditions.html")]
struct ConditionsPage {
    shell: Shell,
    head: Head,
    conditions: Vec<ConditionView>,
    may_see_cards: bool,
}

struct ConditionView {
    title: String,
    trigger: String,
    condition: Condition,
}

#[derive(Template)]
#[template(path = "campaigns/skipped.html")]
struct SkippedPage {
    shell: Shell,
    head: Head,
    rows: Vec<Skip>,
    pager: Pager,
    may_see_contacts: bool,
}

#[derive(Template)]
#[template(path = "campaigns/history.html")]
struct HistoryPage {
    shell: Shell,
    head: Head,
    steps: Vec<HistoryRow>,
}

/// Which recipients.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct RecipientQuery {
    q: String,
    did: String,
    after: String,
}

/// `GET /{client}/campaigns/{campaign}/recipients`
pub async fn recipients(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    Query(query): Query<RecipientQuery>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let (scope, after) = (caller.scope(&app), PageParams { limit: None, after: Some(query.after.clone()) }.after()?);
    let (text, did) = (Some(query.q.as_str()), Did::of(&query.did));
    let of = Search { campaign_id: Some(campaign.id), text, did, after, ..Search::default() };
    let rows = search::search(&scope, campaign.client_id, of, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| row.id).map(recipient_row);
    let (shell, head) = head(&app, &caller, campaign).await?;
    let path = format!("{}/recipients", head.base);
    let filters = Filters::new(path, [("q", &query.q), ("did", &query.did), ("after", &query.after)])
        .search("Search name, e-mail, phone or code")
        .choice("did", "Did", Did::ALL.map(|(_, word, label)| (word, label)));
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let mistyped = matches!(RedemptionCode::parse(&query.q), Err(CodeError::CheckCharacter));
    let may_see_contacts = caller.may("contacts.view");
    render(&RecipientsPage { shell, head, filters, rows: page.data, pager, mistyped, may_see_contacts })
}

/// A recipient as lists and pages show them.
pub fn recipient_row(recipient: Recipient) -> RecipientRow {
    let part = |text: &Option<String>| text.clone().unwrap_or_default();
    let lines = [&recipient.address, &recipient.address2, &recipient.city, &recipient.state, &recipient.zip].map(part);
    let name = format!("{} {}", part(&recipient.first_name), part(&recipient.last_name)).trim().to_owned();
    RecipientRow {
        name: if name.is_empty() { "No name".into() } else { name },
        address: web::view::address(&lines.each_ref().map(String::as_str)),
        phone: recipient.phone.as_deref().map(web::view::phone).unwrap_or_default(),
        code: RedemptionCode::masked(&recipient.redemption_code),
        recipient,
    }
}

/// `GET /{client}/campaigns/{campaign}/conditions`
pub async fn conditions(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let rows = conditions::list(&caller.scope(&app), campaign.client_id, campaign.id).await?;
    let (shell, head) = head(&app, &caller, campaign).await?;
    let conditions = rows.into_iter().map(condition_view).collect();
    render(&ConditionsPage { shell, head, conditions, may_see_cards: caller.may("gift_cards.view") })
}

fn condition_view(condition: Condition) -> ConditionView {
    let title = format!("{}. {}", condition.condition_number, condition.condition_name);
    ConditionView { title, trigger: condition_met(&condition), condition }
}

/// What meets a condition, in words.
pub fn condition_met(condition: &Condition) -> String {
    let label = TRIGGERS.iter().find(|(word, _)| *word == condition.trigger_type).map_or("", |(_, label)| label);
    match (condition.time_delay_hours, condition.crm_event_name.as_deref()) {
        (Some(hours), _) if condition.trigger_type == "time_delay" => format!("{label}: {}", count(hours, "hour")),
        (_, Some(event)) if condition.trigger_type == "crm_event" => format!("{label}: {event}"),
        _ => label.to_owned(),
    }
}

/// `GET /{client}/campaigns/{campaign}/skipped`
pub async fn skipped(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let after: Option<Uuid> = query.page().after()?;
    let rows = recipients::skips(&caller.scope(&app), campaign.client_id, campaign.id, after, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| row.contact_id);
    let (shell, head) = head(&app, &caller, campaign).await?;
    let filters = Filters::new(format!("{}/skipped", head.base), [("after", &query.after)]);
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let may_see_contacts = caller.may("contacts.view");
    render(&SkippedPage { shell, head, rows: page.data, pager, may_see_contacts })
}

/// `GET /{client}/campaigns/{campaign}/history`
pub async fn history(
    State(app): State<App>,
    caller: Caller,
    Path((_, slug)): Path<(String, String)>,
) -> Result<Response> {
    let campaign = named(&app, &caller, &slug).await?;
    let steps = life::steps(&caller.scope(&app), campaign.client_id, campaign.id).await?;
    let (shell, head) = head(&app, &caller, campaign).await?;
    render(&HistoryPage { shell, head, steps })
}

impl HistoryRow {
    /// What happened, as people say it.
    fn sentence(&self) -> String {
        let who = self.changed_by.as_deref();
        let by = who.map(|who| format!(" by {who}")).unwrap_or_default();
        match (self.from_status.as_deref(), self.to_status.as_str()) {
            (None, _) => format!("Created{by}"),
            (Some("draft"), "ready") => format!("Launched{by}"),
            (Some(_), "draft") => format!("Taken back to draft{by}"),
            (_, "in_production") => format!("Sent to production{by}"),
            (_, "mailed") => format!("Confirmed as mailed{by}"),
            (_, "active") => format!("Became active{by}"),
            (_, to) => format!("{}{by}", web::view::Badge::of(to).text),
        }
    }

    fn icon(&self) -> &'static str {
        match (self.from_status.as_deref(), self.to_status.as_str()) {
            (None, _) => "plus",
            (_, "ready") => "rocket",
            (_, "draft") => "undo-2",
            (_, "in_production") => "printer",
            (_, "mailed") => "mail-check",
            (_, "active") => "zap",
            _ => "circle-check",
        }
    }
}
