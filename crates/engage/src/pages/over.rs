//! The way back to a card: whoever earned one sees it again for the same proof as the first time, while the campaign runs and
//! when it is over. A form that asked for neither e-mail nor phone asks for them here: the card was sent somewhere.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use content::forms::{Field, FieldType, FormConfig, validate};
use kernel::{FieldError, Result as Answer};
use web::shell::RecipientShell;
use web::{App, Result, Visitor};

use super::done::On;
use super::form_view::FormView;
use super::forms::answered;
use super::sent::Sent;
use super::{ClosedPage, Markup};
use crate::actions::answers::Who;
use crate::actions::reveal::{self, Shown};
use crate::actions::submit::Outcome;
use crate::limits;
use crate::person::Person;
use crate::state::OpenForm;

/// What the answer to an address says that is not the one of the first time.
const NOT_THE_SAME: &str = "this is not what you gave the first time";

/// Everything was earned before, with a form that asks for nothing to prove it by.
#[derive(Template)]
#[template(path = "links/before.html")]
struct BeforePage {
    shell: RecipientShell,
    ground: Option<String>,
    /// Where the card was sent, masked.
    sent_to: Option<String>,
    again: Markup,
}

/// The answer to the form to prove with, and to any form of a campaign that is over: the card once more for whoever gives
/// the address of the first time, else the way back to it.
///
/// # Errors
/// `TooMany`, what the database answered, or that a code cannot be opened.
pub async fn submitted(
    (on, visitor): (On<'_>, &Visitor),
    form: &OpenForm,
    person: &Person,
    sent: &Sent,
) -> Result<Response> {
    if !person.earned {
        return ended(on, form, Some(person), (sent, &[]));
    }
    limits::redemption(on.app, &person.redemption_code)?;
    let asked = proof_of(&form.config);
    let errors = match validate(&asked, &sent.answers) {
        Ok(answers) => {
            let who = Who::read(&asked, &answers);
            if let Some(cards) = proven(on.app, visitor, person, &who).await? {
                return answered(on, form, Some(person), Outcome::Rewards(cards)).await;
            }
            let given = asked.fields.iter().find(|field| answers.contains_key(&field.id));
            let error = |field: &str| FieldError { field: field.into(), code: "invalid", message: NOT_THE_SAME.into() };
            given.map(|field| error(&field.id)).into_iter().collect()
        }
        Err(errors) => errors,
    };
    if person.status == "completed" {
        return ended(on, form, Some(person), (sent, &errors));
    }
    before(on, form, (person, None), (sent, &errors))
}

/// That everything was earned before, with the form to prove who earned it.
///
/// # Errors
/// `Internal` when a template fails.
pub fn before(
    on: On<'_>,
    form: &OpenForm,
    (person, sent_to): (&Person, Option<String>),
    (sent, errors): (&Sent, &[FieldError]),
) -> Result<Response> {
    let (shell, ground) = form.frame("Thank you");
    let again = Markup(FormView::to_prove(form, &proof_of(&form.config), person, (sent, errors)).markup()?);
    on.page(StatusCode::OK, &BeforePage { shell, ground, sent_to, again })
}

/// Whether a form asks for something that proves who somebody is.
pub fn asks_for_proof(config: &FormConfig) -> bool {
    config.fields.iter().any(is_proof)
}

fn is_proof(field: &Field) -> bool {
    matches!(field.kind, FieldType::Email | FieldType::Phone)
}

/// The cards of somebody, when what is said is what was said the first time.
///
/// # Errors
/// What the database answered, or that a code cannot be opened.
pub async fn proven(app: &App, visitor: &Visitor, person: &Person, who: &Who) -> Answer<Option<Vec<Shown>>> {
    let given: Vec<&str> = who.email.iter().chain(&who.phone).map(String::as_str).collect();
    reveal::proven(app, &visitor.origin, (person.client_id, person.recipient_id), &given).await
}

/// That the offer has ended, with the way back to the card of somebody who earned one.
///
/// # Errors
/// `Internal` when a template fails.
pub fn ended(
    on: On<'_>,
    form: &OpenForm,
    person: Option<&Person>,
    (sent, errors): (&Sent, &[FieldError]),
) -> Result<Response> {
    let (shell, ground) = form.frame("This offer has ended");
    let again = way_back(form, person, (sent, errors))?;
    on.page(StatusCode::OK, &ClosedPage { shell, ground, support_phone: None, again })
}

/// The form to prove with, for somebody who earned a card.
///
/// # Errors
/// `Internal` when the template fails.
pub(super) fn way_back(
    form: &OpenForm,
    person: Option<&Person>,
    (sent, errors): (&Sent, &[FieldError]),
) -> Result<Option<Markup>> {
    let Some(person) = person.filter(|person| person.earned) else { return Ok(None) };
    Ok(Some(Markup(FormView::to_prove(form, &proof_of(&form.config), person, (sent, errors)).markup()?)))
}

/// The form with nothing but what proves who somebody is: its e-mail addresses and phones, any of them; where it asks for
/// none, one of each.
fn proof_of(config: &FormConfig) -> FormConfig {
    let mut asked = config.clone();
    asked.fields.retain(is_proof);
    for field in &mut asked.fields {
        (field.required, field.show_if) = (false, None);
        field.validation.clear();
    }
    if asked.fields.is_empty() {
        let field = |id: &str, kind, label: &str| Field {
            id: id.into(),
            kind,
            label: label.into(),
            placeholder: None,
            help: None,
            required: false,
            validation: Vec::new(),
            options: Vec::new(),
            show_if: None,
            channel: None,
        };
        asked.fields = vec![field("email", FieldType::Email, "E-mail"), field("phone", FieldType::Phone, "Phone")];
    }
    asked.settings.submit_label = "See your card again".into();
    asked
}
