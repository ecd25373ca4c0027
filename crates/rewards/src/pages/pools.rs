//! Rewards → Stock: pools, their counters, and uploading cards.

use askama::Template;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::page::{DEFAULT_LIMIT, MAX_LIMIT, Page, PageParams};
use kernel::version::Expected;
use serde::Deserialize;
use uuid::Uuid;
use web::view::{Choice, FieldErrors, Filters, Pager, Stat};
use web::{App, Caller, Edit, Form, Path, Query, Result, Shell, redirect_with, render, render_with, version_of};

use crate::actions::pools::{self as actions, PoolInput, RenameInput};
use crate::store::alerts::{self, Alert};
use crate::store::brands;
use crate::store::cards::{self, Card};
use crate::store::pools::{self as store, Pool, Reservation};
use crate::upload::{self, MOST_BYTES, UploadReport};

/// What the list's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    show: String,
    after: String,
}

/// What a pool's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CardsQuery {
    q: String,
    status: String,
    after: String,
}

#[derive(Template)]
#[template(path = "pools/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    rows: Vec<Pool>,
    pager: Pager,
    may_create: bool,
}

#[derive(Template)]
#[template(path = "pools/new.html")]
struct NewPage {
    shell: Shell,
    input: PoolInput,
    brands: Vec<Choice>,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "pools/show.html")]
struct ShowPage {
    shell: Shell,
    pool: Pool,
    named: RenameInput,
    version: String,
    action: String,
    archive_action: String,
    restore_action: String,
    stats: Vec<Stat>,
    alerts: Vec<Alert>,
    reservations: Vec<Reservation>,
    filters: Filters,
    rows: Vec<Card>,
    pager: Pager,
    report: Option<UploadReport>,
    errors: FieldErrors,
    may_manage: bool,
    may_restore: bool,
    may_upload: bool,
}

/// `GET /{client}/pools`
pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let shell = Shell::new(&caller, "Stock");
    let filters = Filters::new(shell.at("pools"), [("q", &query.q), ("show", &query.show), ("after", &query.after)])
        .search("Search by name")
        .choice("show", "Show", [("archived", "Archived")]);
    let params = PageParams { limit: None, after: Some(query.after.clone()) };
    let which = (Some(query.q.clone()).filter(|text| !text.is_empty()), query.show == "archived");
    let rows = store::list(&caller.scope(&app), caller.client_id()?, which, params.after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.pool_name.clone(), row.id));
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    render(&ListPage { shell, filters, rows: page.data, pager, may_create: caller.may("gift_cards.manage_pools") })
}

/// `GET /{client}/pools/new`
pub async fn new(State(app): State<App>, caller: Caller) -> Result<Response> {
    render(&new_page(&app, &caller, PoolInput::default(), FieldErrors::none()).await?)
}

/// `POST /{client}/pools`
pub async fn create(State(app): State<App>, caller: Caller, Form(input): Form<PoolInput>) -> Result<Response> {
    match actions::create(&app, &caller.actor, caller.client_id()?, &input).await {
        Ok(id) => Ok(redirect_with(&at(&caller, id), "Pool made. Upload its cards next.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &new_page(&app, &caller, input, errors).await?)
        }
    }
}

/// `GET /{client}/pools/{id}`
pub async fn show(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Query(query): Query<CardsQuery>,
) -> Result<Response> {
    render(&show_page(&app, &caller, id, query).await?)
}

/// `POST /{client}/pools/{id}`
pub async fn rename(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    edit: Edit<RenameInput>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let pool = store::find(&caller.scope(&app), client_id, id).await?;
    let saved = RenameInput { pool_name: pool.pool_name };
    let done = match edit.expect(&saved) {
        // the name is as it was seen; the rest of the row moves with every card that goes out
        Ok(()) => actions::rename(&app, &caller.actor, (client_id, id), &edit.form, &Expected::any()).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Pool renamed")),
        Err(error) => {
            let (errors, version) = edit.refused(error, &saved)?;
            let page = show_page(&app, &caller, id, CardsQuery::default()).await?;
            let page = ShowPage { errors, version, named: edit.form, ..page };
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
    }
}

/// `POST /{client}/pools/{id}/archive`
pub async fn archive(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    match actions::archive(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&Shell::new(&caller, "").at("pools"), "Pool archived")),
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

/// `POST /{client}/pools/{id}/restore`
pub async fn restore(State(app): State<App>, caller: Caller, Path((_, id)): Path<(String, Uuid)>) -> Result<Response> {
    match actions::restore(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&at(&caller, id), "Pool brought back")),
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

/// `POST /{client}/pools/{id}/cards`
pub async fn upload(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    request: Request,
) -> Result<Response> {
    store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    let uploaded = match file(request).await {
        Ok(bytes) => upload::run(&app, &caller.actor, id, std::io::Cursor::new(bytes)).await,
        Err(error) => Err(error),
    };
    match uploaded {
        Ok(report) if report.refused == 0 => {
            Ok(redirect_with(&at(&caller, id), &format!("{} added", web::view::count(report.added, "card"))))
        }
        Ok(report) => {
            let page = ShowPage { report: Some(report), ..show_page(&app, &caller, id, CardsQuery::default()).await? };
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(error) => refused(&app, &caller, id, error).await,
    }
}

/// The field `file` of a form with a file.
async fn file(mut request: Request) -> kernel::Result<axum::body::Bytes> {
    let cut_off = || Error::invalid("file", "too large, or cut off on its way");
    // room for the form around the file
    let limit = usize::try_from(MOST_BYTES + 10_000).unwrap_or(usize::MAX);
    DefaultBodyLimit::max(limit).apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Error::required("file"))?;
    while let Some(field) = form.next_field().await.map_err(|_| cut_off())? {
        if field.name() == Some("file") {
            return field.bytes().await.map_err(|_| cut_off());
        }
    }
    Err(Error::required("file"))
}

async fn new_page(app: &App, caller: &Caller, input: PoolInput, errors: FieldErrors) -> Result<NewPage> {
    let offered = PageParams { limit: Some(MAX_LIMIT), after: None };
    let brands = brands::list(&caller.scope(app), true, &offered).await?.data;
    let shell = Shell::new(caller, "New pool");
    let list = shell.at("pools");
    Ok(NewPage {
        shell: shell.crumb("Stock", list),
        input,
        brands: brands.iter().map(|brand| Choice::new(brand.id, &brand.brand_name)).collect(),
        errors,
    })
}

async fn refused(app: &App, caller: &Caller, id: Uuid, error: Error) -> Result<Response> {
    let errors = FieldErrors::from_error(error)?;
    let page = ShowPage { errors, ..show_page(app, caller, id, CardsQuery::default()).await? };
    render_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn show_page(app: &App, caller: &Caller, id: Uuid, query: CardsQuery) -> Result<ShowPage> {
    let (scope, client_id) = (caller.scope(app), caller.client_id()?);
    let pool = store::find(&scope, client_id, id).await?;
    let shell = Shell::new(caller, &pool.pool_name);
    let (list, action) = (shell.at("pools"), at(caller, id));
    let set = [("q", &query.q), ("status", &query.status), ("after", &query.after)];
    let filters = Filters::new(&action, set).search("Last four of the code").choice(
        "status",
        "Status",
        ["available", "claimed", "delivered", "redeemed", "expired"],
    );
    let which = cards::Which {
        pool_id: Some(id),
        status: Some(query.status).filter(|text| !text.is_empty()),
        last4: Some(query.q.trim().to_uppercase()).filter(|text| !text.is_empty()),
        recipient_id: None,
    };
    let params = PageParams { limit: None, after: Some(query.after) };
    let rows = cards::list(&scope, client_id, &which, params.after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.created_at, row.id));
    let level = pool.level();
    let named = RenameInput { pool_name: pool.pool_name.clone() };
    Ok(ShowPage {
        shell: shell
            .crumb("Stock", list)
            .status(level.word())
            .lede(format!("{} · {}", pool.brand_name, pool.value_amount)),
        stats: stats(&pool, &action),
        alerts: alerts::about(&scope, client_id, id).await?,
        reservations: store::reservations(&scope, client_id, id).await?,
        pager: Pager::new(&filters, page.data.len(), page.next.as_deref()),
        rows: page.data,
        may_manage: caller.may("gift_cards.manage_pools") && pool.archived_at.is_none(),
        may_restore: caller.may("gift_cards.manage_pools") && pool.archived_at.is_some(),
        may_upload: caller.may("gift_cards.upload") && pool.archived_at.is_none(),
        report: None,
        errors: FieldErrors::none(),
        filters,
        archive_action: format!("{action}/archive"),
        restore_action: format!("{action}/restore"),
        action,
        version: version_of(&named)?,
        named,
        pool,
    })
}

fn stats(pool: &Pool, action: &str) -> Vec<Stat> {
    let count = |label: &str, cards: i32| Stat::count(label, i64::from(cards));
    vec![
        count("Available", pool.available_cards).href(format!("{action}?status=available")),
        count("Reserved", pool.reserved_cards).note("promised to campaigns"),
        count("Delivered", pool.delivered_cards).href(format!("{action}?status=delivered")),
        count("All cards", pool.total_cards),
    ]
}

fn at(caller: &Caller, id: Uuid) -> String {
    let slug = caller.client.as_ref().map_or("", |client| client.slug.as_str());
    format!("/{slug}/pools/{id}")
}
