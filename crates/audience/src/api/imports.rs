//! Imports over REST.

use axum::Json as Reply;
use axum::extract::{FromRequest, Multipart, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::Response;
use futures_util::{StreamExt, TryStreamExt};
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use kernel::{Error, Problems};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;
use web::{App, Caller, IfMatch, Path, Query, Result, Tagged};

use super::Id;
use crate::import::{self, ImportOptions, Preview, Runs};
use crate::store::imports::{self as store, Import};

/// How a file is imported.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ImportParams {
    /// The file's name; the list is called after it when no name is given.
    pub filename: Option<String>,
    /// The static list the contacts go to.
    pub list: Option<String>,
    /// COLUMN=field, repeated; #3=field for the third column; *=email_opt_out for everybody; skip and custom_fields.name are fields too.
    pub map: Vec<String>,
    /// email, customer_code, phone or name_address; the best of what the file holds when absent.
    pub dedupe: Option<String>,
    /// skip, update or create; skip when absent.
    pub on_duplicate: Option<String>,
    /// custom_fields or skip; custom_fields when absent.
    pub unmapped: Option<String>,
    /// yes: the first row holds names of columns; no: it is somebody already. Guessed when absent, asked when unclear.
    pub header: Option<String>,
    /// The line the table begins on, below titles; guessed when absent.
    pub first_line: Option<u64>,
    /// true: the file is meant although most of its rows repeat an earlier one.
    pub allow_repeats: Option<bool>,
    /// false: only upload, to look at the preview first.
    pub start: Option<bool>,
}

/// Which rows of the report are wanted.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ReportParams {
    /// true: the rows that were kept with a value as given, instead of the refused ones.
    pub kept: bool,
}

impl ImportParams {
    fn options(&self) -> kernel::Result<ImportOptions> {
        let mut options = ImportOptions { list_name: self.list.clone(), ..ImportOptions::default() };
        let mut problems = Problems::new();
        for text in &self.map {
            if let Err(error) = options.map(text) {
                problems.invalid("map", error.fields().first().map_or_else(String::new, |field| field.message.clone()));
            }
        }
        options.dedupe = word("dedupe", self.dedupe.as_deref(), &mut problems);
        options.on_duplicate = word("on_duplicate", self.on_duplicate.as_deref(), &mut problems);
        options.unmapped = word("unmapped", self.unmapped.as_deref(), &mut problems);
        options.header = match self.header.as_deref() {
            None | Some("") => None,
            Some("yes" | "true") => Some(true),
            Some("no" | "false") => Some(false),
            Some(_) => {
                problems.invalid("header", "must be yes or no");
                None
            }
        };
        options.first_line = self.first_line;
        options.allow_repeats = self.allow_repeats;
        problems.finish()?;
        Ok(options)
    }
}

fn word<T: std::str::FromStr<Err = String>>(field: &str, text: Option<&str>, problems: &mut Problems) -> Option<T> {
    match text.filter(|text| !text.is_empty()).map(str::parse)? {
        Ok(value) => Some(value),
        Err(problem) => {
            problems.invalid(field, problem);
            None
        }
    }
}

pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(page): Query<web::PageQuery>,
) -> Result<Reply<Page<Import>>> {
    let page = PageParams::from(page);
    let (limit, after) = (page.limit()?, page.after::<Uuid>()?);
    let rows = store::list(&caller.scope(&app), caller.client_id()?, after, limit).await?;
    Ok(Reply(Page::from_rows(rows, limit, |import| import.id)))
}

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ImportParams>,
    request: Request,
) -> Result<Begun> {
    let options = params.options()?;
    let import = store_body(&app, &caller, params.filename.as_deref(), request).await?;
    let ids = (import.client_id, import.id);
    let done = if params.start == Some(false) {
        import::save(&app, &caller.actor, ids, &options).await.map(|_| StatusCode::CREATED)
    } else {
        import::begin(&app, &caller.actor, ids, (&options, Runs::Queued), &Expected::any())
            .await
            .map(|_| StatusCode::ACCEPTED)
    };
    match done {
        Ok(status) => {
            let location = [(header::LOCATION, format!("/v1/imports/{}", ids.1))];
            Ok((status, location, tagged(store::find(&caller.scope(&app), ids.0, ids.1).await?)?))
        }
        Err(error) => {
            import::forget(&app, &caller.actor, ids).await;
            Err(error.into())
        }
    }
}

/// Stores the file of a request: its body, or the part `file` of a multipart form.
async fn store_body(app: &App, caller: &Caller, filename: Option<&str>, request: Request) -> kernel::Result<Import> {
    let client_id = caller.client_id()?;
    let media_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !media_type.starts_with("multipart/form-data") {
        let source = request.into_body().into_data_stream().map_err(std::io::Error::other).boxed();
        return import::upload(app, &caller.actor, client_id, filename.unwrap_or_default(), source).await;
    }
    let wrong = |error: &dyn std::fmt::Display| Error::invalid("file", error.to_string());
    let mut form = Multipart::from_request(request, app).await.map_err(|error| wrong(&error))?;
    while let Some(part) = form.next_field().await.map_err(|error| wrong(&error))? {
        if part.name() == Some("file") {
            let name = filename.or(part.file_name()).unwrap_or_default().to_owned();
            let source = part.map_err(std::io::Error::other).boxed();
            return import::upload(app, &caller.actor, client_id, &name, source).await;
        }
    }
    Err(Error::required("file"))
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Tagged<Import>> {
    Ok(tagged(store::find(&caller.scope(&app), caller.client_id()?, id).await?)?)
}

fn tagged(import: Import) -> kernel::Result<Tagged<Import>> {
    Ok(Tagged { etag: import.etag()?, body: import })
}

pub async fn preview(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Reply<Preview>> {
    Ok(Reply(import::preview(&app, &caller.actor, (caller.client_id()?, id)).await?.1))
}

pub async fn start(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Query(params): Query<ImportParams>,
    IfMatch(expected): IfMatch,
) -> Result<Begun> {
    let (ids, options) = ((caller.client_id()?, id), params.options()?);
    Ok(begun(import::begin(&app, &caller.actor, ids, (&options, Runs::Queued), &expected).await?)?)
}

pub async fn refused(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Query(params): Query<ReportParams>,
) -> Result<Response> {
    Ok(crate::export::remarks(&app, &caller.actor, (caller.client_id()?, id), !params.kept).await?)
}

pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    IfMatch(expected): IfMatch,
) -> Result<Tagged<Import>> {
    Ok(tagged(import::cancel(&app, &caller.actor, (caller.client_id()?, id), &expected).await?)?)
}

pub async fn retry(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    IfMatch(expected): IfMatch,
) -> Result<Begun> {
    Ok(begun(import::retry(&app, &caller.actor, (caller.client_id()?, id), &expected).await?)?)
}

/// An import that goes on in the background; `Location` says where to look.
type Begun = (StatusCode, [(HeaderName, String); 1], Tagged<Import>);

fn begun(import: Import) -> kernel::Result<Begun> {
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, format!("/v1/imports/{}", import.id))], tagged(import)?))
}
