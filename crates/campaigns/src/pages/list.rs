//! Campaigns → All campaigns.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page};
use web::view::{Filters, Pager};
use web::{App, Caller, Query, Result, Shell, render};

use super::{ListQuery, day, given};
use crate::store::campaigns::{self as store, Campaign, ListFilter};

#[derive(Template)]
#[template(path = "campaigns/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
    may_create: bool,
}

struct Row {
    name: String,
    slug: String,
    status: String,
    size: String,
    recipients: Option<i64>,
    mail_date: String,
    campaign: Campaign,
}

impl From<Campaign> for Row {
    fn from(campaign: Campaign) -> Self {
        let size = campaign.size.as_deref().filter(|_| !campaign.no_mail_piece);
        Self {
            name: campaign.name.clone(),
            slug: campaign.slug.clone(),
            status: campaign.status.clone(),
            size: size.unwrap_or("–").to_owned(),
            recipients: campaign.launched_at.and(campaign.estimated("recipients")),
            mail_date: campaign.mail_date.map_or_else(|| "–".to_owned(), day),
            campaign,
        }
    }
}

/// `GET /{client}/campaigns`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let filter = ListFilter { search: query.search(), status: given(&query.status), after: query.page().after()? };
    let rows = store::list(&caller.scope(&app), caller.client_id()?, &filter, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.created_at, row.id)).map(Row::from);
    let shell = Shell::new(&caller, "Campaigns");
    let set = [("q", &query.q), ("status", &query.status), ("after", &query.after)];
    let filters = Filters::new(shell.at("campaigns"), set).search("Search by name").choice(
        "status",
        "Status",
        ["draft", "ready", "in_production", "mailed", "active", "completed"],
    );
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager, may_create: caller.may("campaigns.create") })
}
