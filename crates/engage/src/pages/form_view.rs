//! A form as HTML: the same on its own page, on a landing page, and when it comes back with errors. It works without
//! JavaScript: fields that depend on another say so, and the server leaves out what does not count.

use askama::Template;
use content::forms::{Field as Asked, FieldType, FormConfig, Validation, is_yes};
use kernel::{Error, FieldError, random};
use messaging::Channel;
use uuid::Uuid;
use web::Result;
use web::view::{Choice, Field, FieldErrors, slug_id};

use super::sent::{AGAIN, CHANNEL, HONEYPOT, LANDING, PAGE, RECIPIENT, Sent, TOKEN};
use crate::person::Person;
use crate::state::OpenForm;

/// The form element.
#[derive(Template)]
#[template(path = "forms/form.html")]
pub struct FormView {
    action: String,
    title: String,
    description: String,
    entries: Vec<Entry>,
    problems: Vec<(String, String, String)>,
    submit_label: String,
    token: String,
    recipient: Option<String>,
    channel: Option<Field>,
    sample: bool,
    on_landing: bool,
}

enum Entry {
    Field(Box<Field>),
    Many(Many),
    Step(Step),
    Hidden(String, String),
}

/// The head of one of several steps, which all stand on one page: it works without JavaScript, and nothing that was
/// typed can get lost between them.
struct Step {
    number: usize,
    of: usize,
    label: String,
    help: String,
}

/// Any of several options.
struct Many {
    name: String,
    label: String,
    help: String,
    required: bool,
    options: Vec<(String, bool)>,
    error: Option<String>,
}

impl FormView {
    /// On a landing page, with its own heading.
    ///
    /// # Errors
    /// `Internal` when the template fails.
    pub fn embedded(form: &OpenForm, person: &Person) -> Result<String> {
        match form.compiled.as_ref().and_then(|compiled| compiled.fill(person)) {
            Some(html) => Ok(html),
            None => Self::on_its_page(form, Some(person), &Sent::default(), &[]).headed(&form.config).markup(),
        }
    }

    /// On a landing page again, with what was sent and what is wrong with it.
    pub fn back(form: &OpenForm, person: &Person, sent: &Sent, errors: &[FieldError]) -> Self {
        Self::on_its_page(form, Some(person), sent, errors).headed(&form.config)
    }

    /// With a tag wherever visitors differ.
    pub fn with_tags(form: &OpenForm, sent: &Sent) -> Self {
        let view = Self::on_its_page(form, None, sent, &[]).headed(&form.config);
        Self { token: format!("{{{{{TOKEN}}}}}"), recipient: Some(format!("{{{{{RECIPIENT}}}}}")), ..view }
    }

    /// In a preview: nothing can be sent.
    pub fn sample(config: &FormConfig, person: &Person) -> Self {
        let view = Self::new(Uuid::nil(), config, Some(person), (&Sent::default(), &[])).headed(config);
        Self { sample: true, ..view }
    }

    /// With nothing but what is `asked` of somebody who wants to see their card again.
    pub fn to_prove(
        form: &OpenForm,
        asked: &FormConfig,
        person: &Person,
        (sent, errors): (&Sent, &[FieldError]),
    ) -> Self {
        let mut view = Self::new(form.row.id, asked, Some(person), (sent, errors));
        view.entries.push(Entry::Hidden(AGAIN.to_owned(), "yes".to_owned()));
        view
    }

    fn headed(self, config: &FormConfig) -> Self {
        Self {
            title: config.settings.title.clone(),
            description: config.settings.description.clone(),
            on_landing: true,
            ..self
        }
    }

    /// On its own page, with what was sent and what is wrong with it.
    pub fn on_its_page(form: &OpenForm, person: Option<&Person>, sent: &Sent, errors: &[FieldError]) -> Self {
        let mut view = Self::new(form.row.id, &form.config, person, (sent, errors));
        let asks = |kind| form.config.fields.iter().any(|field| field.kind == kind);
        if form.row.offers_choice && asks(FieldType::Email) && asks(FieldType::Phone) {
            view.channel = Some(channel(sent));
        }
        view
    }

    fn new(id: Uuid, config: &FormConfig, person: Option<&Person>, (sent, errors): (&Sent, &[FieldError])) -> Self {
        let label = |name: &str| {
            let field = config.fields.iter().find(|field| field.id == name);
            field.map_or_else(|| name.to_owned(), |field| field.label.clone())
        };
        let problem = |error: &FieldError| (slug_id(&error.field), short(&label(&error.field)), error.message.clone());
        let problems = errors.iter().map(problem).collect();
        // Invalid is what these errors are; anything else would be a bug that shows as a form without errors.
        let errors = FieldErrors::from_error(Error::Invalid(errors.to_vec())).unwrap_or_else(|_| FieldErrors::none());
        Self {
            action: format!("/f/{id}"),
            title: String::new(),
            description: String::new(),
            entries: entries(config, person, (sent, &errors)),
            problems,
            submit_label: some_or(&config.settings.submit_label, "Send"),
            token: sent.token.unwrap_or_else(new_token).to_string(),
            recipient: person.map(|person| person.purl_token.clone()),
            channel: None,
            sample: false,
            on_landing: false,
        }
    }

    /// The form as HTML. Drawn where it is asked for: a form is measured when it is saved (`content::forms::MAX_FORM`, 30 kB),
    /// and one of half that size takes half a millisecond without optimisation.
    ///
    /// # Errors
    /// `Internal` when the template fails.
    pub fn markup(&self) -> Result<String> {
        Ok(self.render().map_err(Error::internal)?)
    }
}

/// What makes the same page sent twice one submission; nobody can guess another's.
pub fn new_token() -> Uuid {
    uuid::Builder::from_random_bytes(random::bytes::<16>()).into_uuid()
}

fn channel(sent: &Sent) -> Field {
    let options = vec![Choice::new("sms", "Text message"), Choice::new("email", "E-mail")];
    let chosen = sent.channel.unwrap_or(Channel::Sms).as_str();
    Field::radio(CHANNEL, "Send my reward by", options).value(chosen)
}

/// The fields in order; where there are several steps, each has its head.
fn entries(config: &FormConfig, person: Option<&Person>, sent: (&Sent, &FieldErrors)) -> Vec<Entry> {
    let breaks = config.fields.iter().filter(|field| field.kind == FieldType::PageBreak).count();
    let begins_with_break = config.fields.first().is_some_and(|field| field.kind == FieldType::PageBreak);
    let of = if begins_with_break { breaks } else { breaks + 1 };
    let step = |number, label: &str, help| Entry::Step(Step { number, of, label: label.to_owned(), help });
    let mut entries = Vec::with_capacity(config.fields.len() + 1);
    let mut number = 0;
    if of > 1 && !begins_with_break {
        number = 1;
        entries.push(step(number, "", String::new()));
    }
    for field in &config.fields {
        entries.push(if field.kind == FieldType::PageBreak {
            number += 1;
            step(number, &field.label, help(config, field))
        } else {
            entry(config, field, person, sent)
        });
    }
    entries
}

fn entry(config: &FormConfig, asked: &Asked, person: Option<&Person>, (sent, errors): (&Sent, &FieldErrors)) -> Entry {
    let given: Vec<String> = match sent.answers.get(&asked.id) {
        Some(values) => values.clone(),
        None if sent.is_empty() => person.and_then(|person| person.answer_to(asked)).into_iter().collect(),
        None => Vec::new(),
    };
    // what no field keeps is not sent back either: five bytes may stand for one there
    let first = given.first().map(String::as_str).unwrap_or_default();
    let first = first.char_indices().nth(asked.longest()).map_or(first, |(end, _)| &first[..end]);
    match asked.kind {
        FieldType::Hidden => {
            let made = if first.is_empty() { asked.placeholder.as_deref().unwrap_or_default() } else { first };
            Entry::Hidden(asked.id.clone(), made.to_owned())
        }
        FieldType::Multiselect => Entry::Many(Many {
            name: asked.id.clone(),
            label: asked.label.clone(),
            help: help(config, asked),
            required: asked.required && asked.show_if.is_none(),
            options: asked.options.iter().map(|option| (option.clone(), given.contains(option))).collect(),
            error: errors.of(&asked.id).map(ToOwned::to_owned),
        }),
        _ => Entry::Field(Box::new(field(config, asked, first, errors))),
    }
}

fn field(config: &FormConfig, asked: &Asked, value: &str, errors: &FieldErrors) -> Field {
    let (name, label) = (&asked.id, &asked.label);
    let options = || asked.options.iter().map(|option| Choice::new(option, option)).collect::<Vec<_>>();
    let field = match asked.kind {
        FieldType::Email => Field::input("email", name, label),
        FieldType::Phone => Field::input("tel", name, label),
        FieldType::Number => Field::input("number", name, label).with("step", "any"),
        FieldType::Date => Field::input("date", name, label),
        FieldType::Textarea => Field::new(web::view::Kind::Textarea, name, label).with("rows", 4),
        FieldType::Select => Field::select(name, label, options()).blank("Choose…"),
        FieldType::Radio => Field::radio(name, label, options()),
        FieldType::Checkbox | FieldType::Consent => Field::new(web::view::Kind::Checkbox, name, label),
        FieldType::GiftCardCode => Field::input("text", name, label).with("data-code-input", "on"),
        _ => Field::input("text", name, label),
    };
    let field = asked.validation.iter().fold(field, bound);
    field
        .value(value)
        .checked(is_yes(value))
        .help(help(config, asked))
        // A browser would insist on a field that does not count.
        .required(asked.required && asked.show_if.is_none())
        .with("placeholder", asked.placeholder.as_deref().unwrap_or_default())
        .with("autocomplete", autocomplete(asked))
        .errors(errors)
}

fn bound(field: Field, rule: &Validation) -> Field {
    match rule {
        Validation::MinLength { value } => field.with("minlength", value),
        Validation::MaxLength { value } => field.with("maxlength", value),
        Validation::Min { value } => field.with("min", value),
        Validation::Max { value } => field.with("max", value),
    }
}

/// The field's own help, and on what it depends: without JavaScript it is always in sight.
fn help(config: &FormConfig, asked: &Asked) -> String {
    let own = asked.help.clone().unwrap_or_default();
    let Some(condition) = &asked.show_if else { return own };
    let other = config.fields.iter().find(|field| field.id == condition.field);
    let other = other.map_or(condition.field.as_str(), |field| field.label.as_str());
    let value = condition.value.as_str().map_or_else(|| condition.value.to_string(), ToOwned::to_owned);
    let only = match condition.operator.as_str() {
        "equals" | "contains" => format!("Only if “{other}” is {value}."),
        "not_equals" => format!("Only if “{other}” is not {value}."),
        "is_empty" => format!("Only if “{other}” is empty."),
        _ => format!("Only if “{other}” is answered."),
    };
    format!("{own} {only}").trim().to_owned()
}

/// What browsers may fill in by themselves.
fn autocomplete(asked: &Asked) -> &'static str {
    match (asked.kind, asked.id.as_str()) {
        (FieldType::GiftCardCode, _) => "off",
        (FieldType::Email, _) => "email",
        (FieldType::Phone, _) => "tel",
        (FieldType::Text, "first_name") => "given-name",
        (FieldType::Text, "last_name") => "family-name",
        (FieldType::Text, "name" | "full_name") => "name",
        (FieldType::Text, "company") => "organization",
        (FieldType::Text, "address") => "address-line1",
        (FieldType::Text, "address2") => "address-line2",
        (FieldType::Text, "city") => "address-level2",
        (FieldType::Text, "state") => "address-level1",
        (FieldType::Text, "zip") => "postal-code",
        _ => "",
    }
}

/// The beginning of a label: a consent's is a whole paragraph.
fn short(label: &str) -> String {
    const LONGEST: usize = 48;
    if label.chars().count() <= LONGEST {
        return label.to_owned();
    }
    let begin: String = label.chars().take(LONGEST).collect();
    let words = begin.rsplit_once(' ').map_or(begin.as_str(), |(words, _)| words);
    format!("{words} …")
}

fn some_or(text: &str, other: &str) -> String {
    if text.trim().is_empty() { other.to_owned() } else { text.to_owned() }
}

impl FormView {
    fn honeypot(&self) -> &'static str {
        HONEYPOT
    }

    fn page_name(&self) -> &'static str {
        PAGE
    }

    fn landing(&self) -> &'static str {
        LANDING
    }

    fn token_name(&self) -> &'static str {
        TOKEN
    }

    fn recipient_name(&self) -> &'static str {
        RECIPIENT
    }
}
