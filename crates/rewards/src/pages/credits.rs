//! Rewards → Credits: the balance and the ledger behind it.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::page::{DEFAULT_LIMIT, Page, PageParams};
use kernel::version::Expected;
use serde::Deserialize;
use web::view::{Choice, FieldErrors, Filters, Pager, Stat};
use web::{App, Caller, Form, Query, Result, Shell, redirect_with, render, render_with};

use crate::actions::credits::{self as actions, GrantInput};
use crate::store::credits::{self as store, Entry};

/// What the URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    reason: String,
    after: String,
}

#[derive(Template)]
#[template(path = "credits/list.html")]
struct ListPage {
    shell: Shell,
    stats: Vec<Stat>,
    filters: Filters,
    rows: Vec<Entry>,
    pager: Pager,
    form: GrantInput,
    errors: FieldErrors,
    may_grant: bool,
    makes_credits: bool,
    givers: Vec<Choice>,
}

impl ListPage {
    fn amount_help(&self) -> &'static str {
        if self.makes_credits { "A negative number takes back." } else { "They are taken from another client." }
    }
}

/// `GET /{client}/credits`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    // Made with the page: the button pressed twice books once.
    let form = GrantInput { id: Some(kernel::new_id()), ..GrantInput::default() };
    render(&page(&app, &caller, query, form, FieldErrors::none()).await?)
}

/// `POST /{client}/credits`
pub async fn grant(State(app): State<App>, caller: Caller, Form(form): Form<GrantInput>) -> Result<Response> {
    match actions::grant(&app, &caller.actor, caller.client_id()?, &form, &Expected::any()).await {
        Ok(balance) => {
            let text = format!("Booked. The balance is {}.", web::view::count(balance, "credit"));
            Ok(redirect_with(&Shell::new(&caller, "").at("credits"), &text))
        }
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            let page = page(&app, &caller, ListQuery::default(), form, errors).await?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

async fn page(app: &App, caller: &Caller, query: ListQuery, form: GrantInput, errors: FieldErrors) -> Result<ListPage> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let shell = Shell::new(caller, "Credits");
    let filters = Filters::new(shell.at("credits"), [("reason", &query.reason), ("after", &query.after)]).choice(
        "reason",
        "Reason",
        ["grant", "piece", "reward", "refund", "correction", "transfer"],
    );
    let params = PageParams { limit: None, after: Some(query.after) };
    let reason = Some(query.reason).filter(|text| !text.is_empty());
    let rows = store::list(&scope, client_id, reason, params.after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.created_at, row.id));
    let balance = store::balance(&scope, client_id).await?;
    let price = |what| store::price(&scope, client_id, what);
    let stats = vec![
        Stat::count("Credits left", i64::from(balance)),
        Stat::count("Promised to campaigns", i64::from(store::standing(&scope, client_id).await?.promised))
            .note("of those"),
        Stat::count("A mail piece costs", i64::from(price("piece").await?)).note("credits"),
        Stat::count("A reward costs", i64::from(price("reward").await?)).note("credits"),
    ];
    let makes_credits = store::makes_credits(&scope).await?;
    let givers = store::givers(&scope, client_id).await?;
    let giver = |giver: &store::Giver| {
        Choice::new(&giver.slug, format!("{} ({})", giver.name, web::view::count(giver.credits, "credit")))
    };
    Ok(ListPage {
        makes_credits,
        givers: givers.iter().map(giver).collect(),
        pager: Pager::new(&filters, page.data.len(), page.next.as_deref()),
        rows: page.data,
        may_grant: caller.may("credits.grant"),
        shell,
        stats,
        filters,
        form,
        errors,
    })
}
