//! `/f/{form}`: a form on a page of its own, and where every form is sent.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use content::forms::{FieldType, validate};
use kernel::codes::PurlToken;
use kernel::{FieldError, Result as Answer};
use serde::Deserialize;
use serde_json::{Map, Value};
use web::shell::RecipientShell;
use web::{App, Form, Path, Query, Result, Visitor};

use super::done::{self, On};
use super::form_view::{FormView, new_token};
use super::links;
use super::sent::Sent;
use super::{ClosedPage, Markup, Stranger, over, page, unknown};
use crate::actions::answers::Who;
use crate::actions::reveal::{self, Shown};
use crate::actions::submit::{Input, Outcome, submit as store};
use crate::person::Person;
use crate::policy::Policy;
use crate::state::{Engage, OpenForm};
use crate::store::people;
use crate::{limits, shown, tokens};

/// What the answer to a code says that is unknown, another's, or spent.
const NO_SUCH_CODE: &str = "this code is not valid here, or it was used already";

#[derive(Template)]
#[template(path = "forms/page.html")]
struct FormPage {
    shell: RecipientShell,
    ground: Option<String>,
    title: String,
    description: String,
    preview: bool,
    form: Markup,
}

/// Whose form it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShowQuery {
    r: String,
}

/// `GET /f/{form}`
pub async fn show(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    stranger: Stranger,
    Path(id): Path<String>,
    Query(query): Query<ShowQuery>,
) -> Result<Response> {
    let Stranger { visitor, machine, cookies, host } = stranger;
    let Some(form) = open(&app, &engage, &id).await? else { return not_open(&app, &visitor, &id) };
    let on = On::form(&app, &form, host.as_deref());
    let token = (!query.r.is_empty()).then(|| tokens::purl(&query.r).ok_or(()));
    let person = person(&app, &visitor, &form, token).await?;
    if let Some(person) =
        person.as_ref().filter(|person| !machine && shown::proves(&app.keyring, &cookies, person.recipient_id))
    {
        let ids = (person.client_id, person.recipient_id, person.redemption_code.as_str());
        if let Some(cards) = reveal::again(&app, &visitor.origin, ids).await? {
            return done::again(on, Some(&form), RecipientShell::new("", "", None), cards);
        }
    }
    if person.as_ref().is_some_and(|person| person.status == "completed") {
        return over::ended(on, &form, person.as_ref(), (&Sent::default(), &[]));
    }
    if !machine {
        engage.count_view(&app, form.row.id);
    }
    form_page(on, StatusCode::OK, &form, person.as_ref(), (&Sent::default(), &[]))
}

/// `POST /f/{form}`
pub async fn submit(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    stranger: Stranger,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let Stranger { visitor, host, .. } = stranger;
    let Some(form) = open(&app, &engage, &id).await? else { return not_open(&app, &visitor, &id) };
    let on = On::form(&app, &form, host.as_deref());
    let mut sent = Sent::read(pairs);
    if sent.trapped {
        return done::done(on, &form, Outcome::Thanks);
    }
    let known = person(&app, &visitor, &form, sent.recipient.take()).await?;
    match &known {
        Some(person) if person.status == "completed" || (sent.again && person.earned) => {
            return over::submitted((on, &visitor), &form, person, &sent).await;
        }
        Some(person) if !["mailed", "active"].contains(&person.status.as_str()) => return done::preview(on, &form),
        _ => {}
    }
    if let Some(person) = &known {
        limits::redemption(&app, &person.redemption_code)?;
    }
    let answers = match validate(&form.config, &sent.answers) {
        Ok(answers) => answers,
        Err(errors) => return refused((on, &engage, &visitor), &form, known.as_ref(), &sent, &errors).await,
    };
    let person = match by_code(&app, &visitor, (&form, known.as_ref()), &answers).await? {
        ByCode::Person(person) => Some(*person),
        ByCode::NotAsked => known.clone(),
        ByCode::Ended(person) => {
            let who = Who::read(&form.config, &answers);
            return match over::proven(&app, &visitor, &person, &who).await? {
                Some(cards) => answered(on, &form, Some(&person), Outcome::Rewards(cards)),
                None => refused((on, &engage, &visitor), &form, known.as_ref(), &sent, &[no_such_code(&form)]).await,
            };
        }
        ByCode::Wrong(error) => return refused((on, &engage, &visitor), &form, known.as_ref(), &sent, &[error]).await,
    };
    if person.is_none() {
        limits::stranger(&app, &visitor, form.row.id)?;
    }
    let input = Input {
        client_id: form.row.client_id,
        form_id: form.row.id,
        config: &form.config,
        answers,
        person: person.as_ref(),
        token: sent.token.unwrap_or_else(new_token),
        channel: sent.channel,
        referrer: visitor.referrer.clone(),
    };
    match store(&app, &visitor.origin, &input).await? {
        Outcome::SpentCode => {
            refused((on, &engage, &visitor), &form, known.as_ref(), &sent, &[no_such_code(&form)]).await
        }
        outcome => answered(on, &form, person.as_ref(), outcome),
    }
}

/// What came of it. The browser that is shown a card keeps the proof of it; whoever was asked for none is asked now.
pub(super) fn answered(on: On<'_>, form: &OpenForm, person: Option<&Person>, outcome: Outcome) -> Result<Response> {
    let outcome = match (outcome, person) {
        (Outcome::SentBefore(to), Some(person)) if !over::asks_for_proof(&form.config) => {
            return over::before(on, form, (person, to), (&Sent::default(), &[]));
        }
        (outcome, _) => outcome,
    };
    let shows_card = matches!(&outcome, Outcome::Rewards(all) if all.iter().any(|one| matches!(one, Shown::Card(_))));
    let mut response = done::done(on, form, outcome)?;
    if let Some(person) = person.filter(|_| shows_card) {
        let https = on.app.settings.server.pages().starts_with("https://");
        web::set_cookie(&mut response, &shown::cookie(&on.app.keyring, person.recipient_id, https));
    }
    Ok(response)
}

async fn open(app: &App, engage: &Engage, id: &str) -> Answer<Option<OpenForm>> {
    match tokens::form(id) {
        Some(id) => engage.form(app, id).await,
        None => Ok(None),
    }
}

/// Nobody guesses the id of a form: one that is not open any more, or whose client was archived, is over.
fn not_open(app: &App, visitor: &Visitor, id: &str) -> Result<Response> {
    if tokens::form(id).is_none() {
        return unknown(app, visitor);
    }
    let shell = RecipientShell::new("This offer has ended", "", None);
    let over = ClosedPage { shell, ground: None, support_phone: None, again: None };
    page(app, Policy::default(), StatusCode::NOT_FOUND, &over)
}

/// The recipient with this link, when the form is one of theirs. Another's link is a wrong one: counted, and the
/// visitor a stranger.
async fn person(
    app: &App,
    visitor: &Visitor,
    form: &OpenForm,
    token: Option<std::result::Result<PurlToken, ()>>,
) -> Answer<Option<Person>> {
    let Some(token) = token else { return Ok(None) };
    let actor = visitor.actor();
    let found = match token {
        Ok(token) => people::by_token(&app.scope(&actor), form.row.client_id, form.row.id, token.as_str()).await?,
        Err(()) => None,
    };
    if found.is_none() {
        limits::wrong_link(app, visitor)?;
    }
    Ok(found)
}

/// What a redemption code in the answers came to.
enum ByCode {
    /// It is this recipient's.
    Person(Box<Person>),
    /// The form has no such field, or it was left empty.
    NotAsked,
    /// It is this recipient's, whose campaign is over: only who gives the address of the first time is told more than for
    /// a wrong one.
    Ended(Box<Person>),
    /// Unknown, another's, or of a campaign that is not under way: all the same to a stranger.
    Wrong(FieldError),
}

/// Whose code it is, within the form's client and campaigns only. On a recipient's page it can only be theirs.
async fn by_code(
    app: &App,
    visitor: &Visitor,
    (form, known): (&OpenForm, Option<&Person>),
    answers: &Map<String, Value>,
) -> Answer<ByCode> {
    let field = form.config.fields.iter().find(|field| field.kind == FieldType::GiftCardCode);
    let Some(code) = field.and_then(|field| answers.get(&field.id)).and_then(Value::as_str) else {
        return Ok(ByCode::NotAsked);
    };
    let code = code.replace('-', "");
    if let Some(known) = known {
        if known.redemption_code == code {
            return Ok(ByCode::Person(Box::new(known.clone())));
        }
        limits::wrong_code(app, visitor)?;
        return Ok(ByCode::Wrong(no_such_code(form)));
    }
    limits::bare_code(app, visitor, &code)?;
    let actor = visitor.actor();
    let found = people::by_code(&app.scope(&actor), form.row.client_id, form.row.id, &code).await?;
    Ok(match found.map(Box::new) {
        Some(person) if ["mailed", "active"].contains(&person.status.as_str()) => ByCode::Person(person),
        Some(person) if person.status == "completed" => ByCode::Ended(person),
        _ => ByCode::Wrong(no_such_code(form)),
    })
}

fn no_such_code(form: &OpenForm) -> FieldError {
    let field = form.config.fields.iter().find(|field| field.kind == FieldType::GiftCardCode);
    let field = field.map(|field| field.id.clone()).unwrap_or_default();
    FieldError { field, code: "invalid", message: NO_SUCH_CODE.into() }
}

/// The form with its errors, on the page it was sent from.
async fn refused(
    (on, engage, visitor): (On<'_>, &Engage, &Visitor),
    form: &OpenForm,
    person: Option<&Person>,
    sent: &Sent,
    errors: &[FieldError],
) -> Result<Response> {
    match person.filter(|_| sent.on_landing) {
        Some(person) => {
            let html = FormView::back(form, person, sent, errors).markup()?;
            links::around((on.app, engage), form, person, (html, on.policy.host), &visitor.actor()).await
        }
        None => form_page(on, StatusCode::UNPROCESSABLE_ENTITY, form, person, (sent, errors)),
    }
}

fn form_page(
    on: On<'_>,
    status: StatusCode,
    form: &OpenForm,
    person: Option<&Person>,
    (sent, errors): (&Sent, &[FieldError]),
) -> Result<Response> {
    let settings = &form.config.settings;
    let title = if settings.title.is_empty() { form.row.client_name.clone() } else { settings.title.clone() };
    let preview = person.is_some_and(|person| !["mailed", "active"].contains(&person.status.as_str()));
    let view = FormView::on_its_page(form, person, sent, errors).markup()?;
    let (shell, ground) = form.frame(&title);
    let template =
        FormPage { shell, ground, title, description: settings.description.clone(), preview, form: Markup(view) };
    on.page(status, &template)
}
