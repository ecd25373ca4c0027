//! Admin → Brands.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::version::Expected;
use uuid::Uuid;
use web::view::{FieldErrors, Filters, Pager};
use web::{
    App, Caller, Edit, Form, PageQuery, Path, Query, Result, Shell, redirect_with, render, render_with, version_of,
};

use crate::actions::brands::{self as actions, BrandInput};
use crate::store::brands::{self as store, Brand};

#[derive(Template)]
#[template(path = "brands/list.html")]
struct ListPage {
    shell: Shell,
    rows: Vec<Brand>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "brands/edit.html")]
struct EditPage {
    shell: Shell,
    action: String,
    input: BrandInput,
    version: String,
    errors: FieldErrors,
}

/// `GET /admin/brands`
pub async fn list(State(app): State<App>, caller: Caller, Query(page): Query<PageQuery>) -> Result<Response> {
    let filters = Filters::new("/admin/brands", [("after", page.after.clone().unwrap_or_default())]);
    let rows = store::list(&caller.scope(&app), false, &page.into()).await?;
    let pager = Pager::new(&filters, rows.data.len(), rows.next.as_deref());
    render(&ListPage { shell: Shell::new(&caller, "Brands"), rows: rows.data, pager })
}

/// `GET /admin/brands/new`
pub async fn new(caller: Caller) -> Result<Response> {
    let input = BrandInput { is_active: true, ..BrandInput::default() };
    render(&edit_page(&caller, None, input, (FieldErrors::none(), String::new())))
}

/// `POST /admin/brands`
pub async fn create(State(app): State<App>, caller: Caller, Form(input): Form<BrandInput>) -> Result<Response> {
    match actions::create(&app, &caller.actor, &input).await {
        Ok(_) => Ok(redirect_with("/admin/brands", &format!("{} added", input.brand_name.trim()))),
        Err(error) => {
            let errors = (FieldErrors::from_error(error)?, String::new());
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&caller, None, input, errors))
        }
    }
}

/// `POST /admin/brands/shipped`
pub async fn add_shipped(State(app): State<App>, caller: Caller) -> Result<Response> {
    let added = crate::brands::ensure_shipped(&app, &caller.actor).await?;
    Ok(redirect_with("/admin/brands", &format!("{added} brands added")))
}

/// `GET /admin/brands/{id}`
pub async fn show(State(app): State<App>, caller: Caller, Path(id): Path<Uuid>) -> Result<Response> {
    let brand = store::find(&caller.scope(&app), id).await?;
    let input = saved_input(&brand);
    let version = version_of(&input)?;
    render(&edit_page(&caller, Some(id), input, (FieldErrors::none(), version)))
}

/// `POST /admin/brands/{id}`
pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<Uuid>,
    edit: Edit<BrandInput>,
) -> Result<Response> {
    let brand = store::find(&caller.scope(&app), id).await?;
    let saved = saved_input(&brand);
    let done = match edit.expect(&saved) {
        Ok(()) => actions::update(&app, &caller.actor, id, &edit.form, &Expected::of(&brand.etag())).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(()) => Ok(redirect_with("/admin/brands", &format!("{} saved", edit.form.brand_name.trim()))),
        Err(error) => {
            let again = edit.refused(error, &saved)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &edit_page(&caller, Some(id), edit.form, again))
        }
    }
}

fn saved_input(brand: &Brand) -> BrandInput {
    let default_value = brand.default_value.map(|value| value.plain()).unwrap_or_default();
    BrandInput { default_value, ..actions::input_of(brand) }
}

fn edit_page(
    caller: &Caller,
    id: Option<Uuid>,
    input: BrandInput,
    (errors, version): (FieldErrors, String),
) -> EditPage {
    let title = if id.is_some() { input.brand_name.clone() } else { "New brand".to_owned() };
    let action = id.map_or_else(|| "/admin/brands".to_owned(), |id| format!("/admin/brands/{id}"));
    EditPage { shell: Shell::new(caller, title).crumb("Brands", "/admin/brands"), action, input, version, errors }
}
