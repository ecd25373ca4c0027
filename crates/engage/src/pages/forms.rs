//! `/f/{form}`: a form on a page of its own, and where every form is sent.

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use content::forms::{FieldType, Reveal, validate};
use kernel::codes::PurlToken;
use kernel::{FieldError, Result as Answer};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;
use web::shell::RecipientShell;
use web::{App, Form, Path, Query, Result, Visitor};

use super::form_view::{FormView, new_token};
use super::sent::Sent;
use super::{ClosedPage, Markup, Stranger, page, unknown};
use crate::actions::reveal::{Card, Shown};
use crate::actions::submit::{Input, Outcome, submit as store};
use crate::limits;
use crate::person::Person;
use crate::state::{Engage, OpenForm};
use crate::store::people;

/// A form's page may stand in any site.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data: https:; \
    font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors *";

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

#[derive(Template)]
#[template(path = "forms/done.html")]
struct DonePage {
    shell: RecipientShell,
    ground: Option<String>,
    title: String,
    text: String,
    reveal: Reveal,
    cards: Vec<(Card, Option<Markup>)>,
    on_its_way: bool,
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
    let Stranger { visitor, machine } = stranger;
    let Some(form) = open(&app, &engage, &id).await? else { return unknown(&app, &visitor) };
    let token = (!query.r.is_empty()).then(|| PurlToken::parse(&query.r).map_err(|_| ()));
    let person = person(&app, &visitor, &form, token).await?;
    if person.as_ref().is_some_and(|person| person.status == "completed") {
        return ended(&form);
    }
    if !machine {
        engage.count_view(&app, form.row.id);
    }
    form_page(StatusCode::OK, &form, person.as_ref(), (&Sent::default(), &[]))
}

/// `POST /f/{form}`
pub async fn submit(
    State(app): State<App>,
    Extension(engage): Extension<Engage>,
    stranger: Stranger,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let visitor = stranger.visitor;
    let Some(form) = open(&app, &engage, &id).await? else { return unknown(&app, &visitor) };
    let mut sent = Sent::read(pairs);
    if sent.trapped {
        return done(&form, Outcome::Thanks);
    }
    let known = person(&app, &visitor, &form, sent.recipient.take()).await?;
    match known.as_ref().map(|person| person.status.as_str()) {
        Some("completed") => return ended(&form),
        None | Some("mailed" | "active") => {}
        Some(_) => return preview(&form),
    }
    if let Some(person) = &known {
        limits::redemption(&app, &person.redemption_code)?;
    }
    let answers = match validate(&form.config, &sent.answers) {
        Ok(answers) => answers,
        Err(errors) => return refused(&form, known.as_ref(), &sent, &errors),
    };
    let person = match by_code(&app, &visitor, (&form, known.as_ref()), &answers).await? {
        ByCode::Person(person) => Some(*person),
        ByCode::NotAsked => known.clone(),
        ByCode::Wrong(error) => return refused(&form, known.as_ref(), &sent, &[error]),
    };
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
        Outcome::SpentCode => refused(&form, known.as_ref(), &sent, &[no_such_code(&form)]),
        outcome => done(&form, outcome),
    }
}

async fn open(app: &App, engage: &Engage, id: &str) -> Answer<Option<OpenForm>> {
    match Uuid::parse_str(id) {
        Ok(id) => engage.form(app, id).await,
        Err(_) => Ok(None),
    }
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
        limits::wrong(app, visitor)?;
    }
    Ok(found)
}

/// What a redemption code in the answers came to.
enum ByCode {
    /// It is this recipient's.
    Person(Box<Person>),
    /// The form has no such field, or it was left empty.
    NotAsked,
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
        limits::wrong(app, visitor)?;
        return Ok(ByCode::Wrong(no_such_code(form)));
    }
    limits::bare_code(app, visitor, &code)?;
    let actor = visitor.actor();
    let found = people::by_code(&app.scope(&actor), form.row.client_id, form.row.id, &code).await?;
    Ok(match found.filter(|person| ["mailed", "active"].contains(&person.status.as_str())) {
        Some(person) => ByCode::Person(Box::new(person)),
        None => ByCode::Wrong(no_such_code(form)),
    })
}

fn no_such_code(form: &OpenForm) -> FieldError {
    let field = form.config.fields.iter().find(|field| field.kind == FieldType::GiftCardCode);
    let field = field.map(|field| field.id.clone()).unwrap_or_default();
    FieldError { field, code: "invalid", message: NO_SUCH_CODE.into() }
}

fn refused(form: &OpenForm, person: Option<&Person>, sent: &Sent, errors: &[FieldError]) -> Result<Response> {
    form_page(StatusCode::UNPROCESSABLE_ENTITY, form, person, (sent, errors))
}

fn form_page(
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
    framable(page(status, &template)?)
}

fn done(form: &OpenForm, outcome: Outcome) -> Result<Response> {
    let (settings, reveal) = (&form.config.settings, &form.config.reveal);
    let (shown, title, text) = match outcome {
        Outcome::Rewards(shown) if shown.iter().any(|shown| matches!(shown, Shown::Card(_))) => {
            (shown, reveal.title.clone(), reveal.subtitle.clone())
        }
        Outcome::Rewards(shown) => (shown, "Your reward is on its way".to_owned(), String::new()),
        Outcome::SentBefore(address) => {
            let to = address.map_or_else(String::new, |address| format!(" to {address}"));
            (
                Vec::new(),
                "Thank you".to_owned(),
                format!("Your reward was sent{to} before. Each recipient gets it once."),
            )
        }
        Outcome::Thanks | Outcome::SpentCode => (Vec::new(), "Thank you".to_owned(), settings.success_message.clone()),
    };
    let on_its_way = shown.contains(&Shown::OnItsWay);
    let cards = shown.into_iter().filter_map(|shown| match shown {
        Shown::Card(card) => Some(card),
        Shown::OnItsWay => None,
    });
    let cards = cards.map(|card| with_qr(card, reveal.show_qr)).collect::<Answer<Vec<_>>>()?;
    let (shell, ground) = form.frame(&title);
    let reveal = reveal.clone();
    framable(page(StatusCode::OK, &DonePage { shell, ground, title, text, reveal, cards, on_its_way })?)
}

fn with_qr(card: Card, wanted: bool) -> Answer<(Card, Option<Markup>)> {
    let qr = if wanted { Some(Markup(crate::qr::svg(&card.code)?)) } else { None };
    Ok((card, qr))
}

fn preview(form: &OpenForm) -> Result<Response> {
    let title = "Preview".to_owned();
    let text = "The campaign is not in the mail yet: nothing was stored or sent.".to_owned();
    let (shell, ground) = form.frame(&title);
    let (reveal, cards) = (Reveal::default(), Vec::new());
    framable(page(StatusCode::OK, &DonePage { shell, ground, title, text, reveal, cards, on_its_way: false })?)
}

fn ended(form: &OpenForm) -> Result<Response> {
    let (shell, ground) = form.frame("This offer has ended");
    framable(page(StatusCode::OK, &ClosedPage { shell, ground, support_phone: None })?)
}

fn framable(mut response: Response) -> Result<Response> {
    let policy = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    Ok(response)
}
