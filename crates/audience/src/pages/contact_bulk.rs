//! What is done to the contacts that are ticked: add to a list, suppress, export.

use axum::extract::State;
use axum::response::Response;
use kernel::Error;
use serde::Deserialize;
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Form, Result, Shell, redirect_with};

use super::some;
use crate::actions::{contacts as action, lists as list_action};
use crate::export::{self, Format};
use crate::lists::some_ids;
use crate::store::contact_search::Wanted;

/// The ticked contacts, and what the bar beside them holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct BulkForm {
    ids: Vec<Uuid>,
    list: String,
    new_list: String,
    back: String,
}

impl BulkForm {
    /// The list as it was filtered, when it is ours.
    fn back(&self, caller: &Caller) -> String {
        let contacts = Shell::new(caller, "").at("contacts");
        let ours = self.back.strip_prefix(&contacts).is_some_and(|rest| rest.is_empty() || rest.starts_with('?'));
        if ours && kernel::is_one_line(&self.back) { self.back.clone() } else { contacts }
    }
}

/// `POST /{client}/contacts/bulk`: adds them to a list, which is made when a name is given.
pub async fn add_to_list(State(app): State<App>, caller: Caller, Form(form): Form<BulkForm>) -> Result<Response> {
    let (client_id, back) = (caller.client_id()?, form.back(&caller));
    let list_id = match (some(&form.new_list), form.list.parse::<Uuid>()) {
        (Some(name), _) => {
            caller.require("lists.create")?;
            let input = crate::lists::ListInput { name, ..Default::default() };
            list_action::create(&app, &caller.actor, client_id, input).await.map(|list| list.id)
        }
        (None, Ok(id)) => Ok(id),
        (None, Err(_)) => Err(Error::invalid("list", "choose a list")),
    };
    let done = match list_id {
        Ok(id) => list_action::add_members(&app, &caller.actor, (client_id, id), &form.ids).await,
        Err(error) => Err(error),
    };
    said(&back, done.map(|added| format!("{added} added to the list")))
}

/// `POST /{client}/contacts/bulk/suppress`: nothing is sent to them any more.
pub async fn suppress(State(app): State<App>, caller: Caller, Form(form): Form<BulkForm>) -> Result<Response> {
    let done = action::suppress_all(&app, &caller.actor, caller.client_id()?, &form.ids).await;
    let text = done.map(|changed| match (changed, form.ids.len() - changed) {
        (0, _) => "All of them were suppressed already".to_owned(),
        (1, 0) => "1 contact suppressed: nothing will be sent to it".to_owned(),
        (changed, 0) => format!("{} suppressed: nothing will be sent to them", web::view::count(changed, "contact")),
        (changed, before) => {
            let (changed, before) = (web::view::number(changed), web::view::number(before));
            format!("{changed} suppressed now; {before} were already, or are gone")
        }
    });
    said(&form.back(&caller), text)
}

/// `POST /{client}/contacts/bulk/export`: a file of them.
pub async fn export(State(app): State<App>, caller: Caller, Form(form): Form<BulkForm>) -> Result<Response> {
    if let Err(error) = some_ids(&form.ids) {
        return said(&form.back(&caller), Err(error));
    }
    let wanted = Wanted { ids: Some(form.ids), ..Wanted::default() };
    Ok(export::contacts(&app, &caller.actor, caller.client_id()?, wanted, Format::Csv).await?)
}

/// Back to the list, which says what was done or what is wrong.
fn said(back: &str, done: kernel::Result<String>) -> Result<Response> {
    let text = match done {
        Ok(text) => text,
        Err(error) => {
            FieldErrors::from_error(error)?.all().first().map_or_else(String::new, |error| error.message.clone())
        }
    };
    Ok(redirect_with(back, &text))
}
