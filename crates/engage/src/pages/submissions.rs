//! Design → Forms → Submissions: what people answered.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use content::forms::{Field, FieldType, FormConfig};
use content::store::forms::{self, Form};
use kernel::Error;
use kernel::page::{DEFAULT_LIMIT, Page, PageParams};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;
use web::view::{Filters, Pager};
use web::{App, Caller, Path, Query, Result, Shell, render};

use crate::masked;
use crate::store::submissions::{self as store, Received};

/// What the list's URL says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    after: String,
}

#[derive(Template)]
#[template(path = "submissions/list.html")]
struct ListPage {
    shell: Shell,
    form: Form,
    rows: Vec<(Received, Vec<(String, String)>)>,
    pager: Pager,
    may_see_contacts: bool,
}

/// `GET /{client}/forms/{id}/submissions`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path((_, id)): Path<(String, Uuid)>,
    Query(query): Query<ListQuery>,
) -> Result<Response> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    let form = forms::find(&scope, client_id, id).await?;
    let config: FormConfig = serde_json::from_value(form.form_config.clone()).map_err(Error::internal)?;
    let list = Shell::new(&caller, "").at("forms");
    let shell = Shell::new(&caller, "Submissions").crumb("Forms", &list).crumb(&form.name, format!("{list}/{id}"));
    let filters = Filters::new(shell.at(&format!("forms/{id}/submissions")), [("after", &query.after)]);
    let params = PageParams { limit: None, after: Some(query.after.clone()) };
    let rows = store::received(&scope, client_id, id, params.after()?, DEFAULT_LIMIT).await?;
    let page = Page::from_rows(rows, DEFAULT_LIMIT, |row| (row.submitted_at, row.id));
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref());
    let answered = |row: Received| {
        let data = masked::codes(&config, row.submission_data.clone());
        let mut answers = answers(&config, &data);
        if let Some(given) = &row.unconfirmed {
            answers.push(("Not confirmed".to_owned(), unconfirmed(given)));
        }
        (row, answers)
    };
    let rows = page.data.into_iter().map(answered).collect();
    render(&ListPage { may_see_contacts: caller.may("contacts.view"), shell, form, rows, pager })
}

/// Labels and answers in the order of the form; what an older form asked comes last, by its key.
fn answers(config: &FormConfig, data: &Value) -> Vec<(String, String)> {
    let Some(data) = data.as_object() else { return Vec::new() };
    let asked = config.fields.iter().filter_map(|field| Some((label(field), answer(field, data.get(&field.id)?))));
    let known = |key: &String| config.fields.iter().any(|field| field.id == *key);
    let others = data.iter().filter(|(key, _)| !known(key)).map(|(key, value)| (key.clone(), text(value)));
    asked.chain(others).filter(|(_, answer)| !answer.is_empty()).collect()
}

/// What was given for a known contact that nobody has confirmed.
fn unconfirmed(given: &Value) -> String {
    let phone = given["phone"].as_str().map(kernel::phone::display);
    let all = [given["email"].as_str().map(ToOwned::to_owned), phone];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn label(field: &Field) -> String {
    if field.label.is_empty() { field.id.clone() } else { field.label.clone() }
}

fn answer(field: &Field, value: &Value) -> String {
    let answer = text(value);
    if field.kind == FieldType::Phone { kernel::phone::display(&answer) } else { answer }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => (if *yes { "Yes" } else { "No" }).to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(chosen) => chosen.iter().map(text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn answers_stand_in_the_order_of_the_form_with_its_labels_and_older_ones_last() {
        let config: FormConfig = serde_json::from_value(json!({ "fields": [
            { "id": "roof", "type": "select", "label": "Roof", "options": ["Tile", "Slate"] },
            { "id": "owner", "type": "checkbox", "label": "I own it" },
            { "id": "mobile", "type": "phone", "label": "Mobile" },
            { "id": "note", "type": "textarea", "label": "Anything else?" },
        ] }))
        .unwrap();
        let data = json!({ "age": 12, "owner": true, "roof": ["Tile", "Slate"], "note": "", "mobile": "+16145550123" });
        let read = answers(&config, &data);
        let read: Vec<(&str, &str)> = read.iter().map(|(label, answer)| (label.as_str(), answer.as_str())).collect();
        assert_eq!(read, [("Roof", "Tile, Slate"), ("I own it", "Yes"), ("Mobile", "(614) 555-0123"), ("age", "12")]);
    }
}
