//! A client's own settings.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State};
use axum::response::Response;
use kernel::Error;
use kernel::version::{Expected, etag};
use serde::{Deserialize, Serialize};
use web::view::{Choice, FieldErrors};
use web::{App, Caller, Edit, Shell, redirect_with, render_with, version_of};

use super::status_of;
use crate::actions::{self, ClientChange, industries};
use crate::store::organization::{Client, FIND_CLIENT};

#[derive(Template)]
#[template(path = "settings/client.html")]
struct SettingsPage {
    shell: Shell,
    client: Client,
    form: SettingsForm,
    version: String,
    industries: Vec<Choice>,
    may_edit: bool,
    may_archive: bool,
    errors: FieldErrors,
}

/// What can be set.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SettingsForm {
    name: String,
    industry: String,
    website_url: String,
    logo_url: String,
    support_phone: String,
    time_zone: String,
    primary_color: String,
    secondary_color: String,
}

/// Putting away or taking out.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct ArchiveForm {
    archived: bool,
}

/// `GET /{client}/settings`
pub async fn show(State(app): State<App>, caller: Caller) -> web::Result<Response> {
    page(&app, &caller, None).await
}

/// `POST /{client}/settings`
pub async fn update(State(app): State<App>, caller: Caller, edit: Edit<SettingsForm>) -> web::Result<Response> {
    let (client, form) = (caller.client()?, &edit.form);
    let found: Client = caller.scope(&app).query_one(&FIND_CLIENT, &[&client.id]).await?;
    let saved = form_of(&found);
    let change = ClientChange {
        name: Some(&form.name),
        industry: Some(&form.industry),
        website_url: Some(&form.website_url),
        logo_url: Some(&form.logo_url),
        support_phone: Some(&form.support_phone),
        time_zone: Some(super::zone_of(&form.time_zone)),
        primary_color: Some(&form.primary_color),
        secondary_color: Some(&form.secondary_color),
        expected: Expected::of(&etag(found.updated_at)),
    };
    let done = match edit.expect(&saved) {
        Ok(()) => actions::update_client(&app, &caller.actor, client.id, &change).await,
        Err(error) => Err(error),
    };
    match done {
        Ok(_) => Ok(redirect_with(&format!("/{}/settings", client.slug), "Settings saved.")),
        Err(error) => {
            let (errors, version) = edit.refused(error, &saved)?;
            page(&app, &caller, Some((edit.form, errors, version))).await
        }
    }
}

/// `POST /{client}/settings/logo`
pub async fn logo(State(app): State<App>, caller: Caller, request: Request) -> web::Result<Response> {
    let client = caller.client()?;
    let kept = match picture(request).await {
        Ok(picture) => actions::keep_logo(&app, &caller.actor, client.id, &picture).await,
        Err(error) => Err(error),
    };
    match kept {
        Ok(()) => Ok(redirect_with(&format!("/{}/settings", client.slug), "Logo saved.")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            let found: Client = caller.scope(&app).query_one(&FIND_CLIENT, &[&client.id]).await?;
            let (form, version) = (form_of(&found), version_of(&form_of(&found))?);
            page(&app, &caller, Some((form, errors, version))).await
        }
    }
}

/// The field `file` of the form.
async fn picture(mut request: Request) -> kernel::Result<Bytes> {
    let cut_off = || Error::invalid("file", "choose a picture of at most 200 kB");
    // room for the form around it, and for one that is a little too large to be told so
    DefaultBodyLimit::max(4 * actions::MOST_LOGO_BYTES).apply(&mut request);
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| Error::required("file"))?;
    while let Some(field) = form.next_field().await.map_err(|_| cut_off())? {
        if field.name() == Some("file") {
            return field.bytes().await.map_err(|_| cut_off());
        }
    }
    Err(Error::required("file"))
}

/// `POST /{client}/settings/archive`
pub async fn archive(State(app): State<App>, caller: Caller, form: web::Form<ArchiveForm>) -> web::Result<Response> {
    let client = caller.client()?;
    actions::archive_client(&app, &caller.actor, client.id, form.0.archived).await?;
    let said = if form.0.archived { "archived" } else { "restored" };
    Ok(redirect_with(&format!("/{}/settings", client.slug), &format!("{} is {said}.", client.name)))
}

async fn page(app: &App, caller: &Caller, typed: Option<(SettingsForm, FieldErrors, String)>) -> web::Result<Response> {
    let client: Client = caller.scope(app).query_one(&FIND_CLIENT, &[&caller.client_id()?]).await?;
    let (form, errors, version) = match typed {
        Some(typed) => typed,
        None => (form_of(&client), FieldErrors::none(), version_of(&form_of(&client))?),
    };
    let page = SettingsPage {
        shell: Shell::new(caller, "Client settings"),
        form,
        version,
        industries: industries(),
        may_edit: caller.may("clients.edit"),
        may_archive: caller.may("clients.archive"),
        client,
        errors,
    };
    render_with(status_of(&page.errors), &page)
}

fn form_of(client: &Client) -> SettingsForm {
    let colour = |key: &str| client.brand_colors_json[key].as_str().unwrap_or_default().to_owned();
    SettingsForm {
        name: client.name.clone(),
        industry: client.industry.clone(),
        website_url: client.website_url.clone().unwrap_or_default(),
        logo_url: client.logo_url.clone().unwrap_or_default(),
        support_phone: client.support_phone.as_deref().map(kernel::phone::display).unwrap_or_default(),
        time_zone: client.time_zone.clone(),
        primary_color: colour("primary"),
        secondary_color: colour("secondary"),
    }
}
