//! Contacts: the list, one contact, its form.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Error;
use kernel::page::{Page, PageParams};
use kernel::version::Expected;
use serde::Deserialize;
use web::view::{Choice, FieldErrors, Filters, Pager};
use web::{App, Caller, Form, Path, Query, Result, Shell, redirect_with, render, render_with};

use super::{Id, some};
use crate::actions::contacts as action;
use crate::contacts::{Contact, ContactInput, STAGES};
use crate::export::{self, Format};
use crate::pages::contact_form::ContactForm;
use crate::store::contact_search::{self as search, ContactRow, Cursor, Order, Wanted};
use crate::store::contacts::{self as store, Activity, Consent};
use crate::store::history::{self, Answered, Earned, TakenPart};
use crate::store::lists::{self as list_store, Membership};
use crate::store::unconfirmed::{self, Unconfirmed};

/// What the URL of the list says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    list: String,
    stage: String,
    suppressed: String,
    sort: String,
    after: String,
    format: String,
}

impl ListQuery {
    fn wanted(&self) -> Wanted {
        Wanted {
            search: some(&self.q),
            ids: None,
            // a list that is none has no members
            list_id: some(&self.list).map(|id| id.parse().unwrap_or_default()),
            stage: some(&self.stage),
            suppressed: some(&self.suppressed).map(|word| word == "yes"),
            order: match self.sort.as_str() {
                "name" => Order::Name,
                "-name" => Order::NameBackwards,
                "added" => Order::Oldest,
                _ => Order::Newest,
            },
        }
    }

    fn filters(&self, shell: &Shell, lists: Vec<Choice>) -> Filters {
        let set = [
            ("q", &self.q),
            ("list", &self.list),
            ("stage", &self.stage),
            ("suppressed", &self.suppressed),
            ("sort", &self.sort),
            ("after", &self.after),
        ];
        Filters::new(shell.at("contacts"), set)
            .search("Search name, e-mail, phone, code")
            .choice("list", "List", lists)
            .choice("stage", "Stage", STAGES)
            .choice("suppressed", "Do not contact", [("yes", "Suppressed"), ("no", "May be contacted")])
    }
}

#[derive(Template)]
#[template(path = "contacts/list.html")]
struct ListPage {
    shell: Shell,
    filters: Filters,
    export: String,
    back: String,
    rows: Vec<ContactRow>,
    lists: Vec<Choice>,
    pager: Pager,
    may: May,
}

/// What the caller may do here.
#[derive(Debug, Clone, Copy)]
struct May {
    create: bool,
    edit: bool,
    delete: bool,
    import: bool,
    export: bool,
    edit_lists: bool,
    see_campaigns: bool,
    see_cards: bool,
    see_answers: bool,
}

impl May {
    /// Whether anything can be done to several contacts at once.
    fn pick(self) -> bool {
        self.edit_lists || self.edit || self.export
    }

    fn of(caller: &Caller) -> Self {
        Self {
            create: caller.may("contacts.create"),
            edit: caller.may("contacts.edit"),
            delete: caller.may("contacts.delete"),
            import: caller.may("contacts.import"),
            export: caller.may("contacts.export"),
            edit_lists: caller.may("lists.edit"),
            see_campaigns: caller.may("campaigns.view"),
            see_cards: caller.may("gift_cards.view"),
            see_answers: caller.may("forms.submissions"),
        }
    }
}

/// The first lists by name, to choose from.
async fn choices(app: &App, caller: &Caller) -> kernel::Result<Vec<Choice>> {
    let lists = list_store::list(&caller.scope(app), caller.client_id()?, None, None, 199).await?;
    Ok(lists.into_iter().map(|list| Choice::new(list.id, list.name)).collect())
}

pub async fn list(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let (scope, client_id, wanted) = (caller.scope(&app), caller.client_id()?, query.wanted());
    let page = PageParams { limit: None, after: some(&query.after) };
    let (limit, after) = (page.limit()?, page.after::<Cursor>()?);
    let rows = search::list(&scope, client_id, &wanted, after.as_ref(), limit);
    let (rows, total, lists) =
        futures_util::try_join!(rows, search::count(&scope, client_id, &wanted), choices(&app, &caller))?;
    let page = Page::from_rows(rows, limit, search::cursor);
    let shell = Shell::new(&caller, "Contacts").count(total);
    let filters = query.filters(&shell, lists.clone());
    let pager = Pager::new(&filters, page.data.len(), page.next.as_deref()).total(total);
    let back = filters.href_with("after", &query.after);
    let export = filters.href_with("sort", "").replacen("/contacts", "/contacts/export", 1);
    render(&ListPage { shell, filters, export, back, rows: page.data, lists, pager, may: May::of(&caller) })
}

pub async fn export(State(app): State<App>, caller: Caller, Query(query): Query<ListQuery>) -> Result<Response> {
    let format = Format::parse(some(&query.format).as_deref())?;
    Ok(export::contacts(&app, &caller.actor, caller.client_id()?, query.wanted(), format).await?)
}

#[derive(Template)]
#[template(path = "contacts/show.html")]
struct ShowPage {
    shell: Shell,
    contact: Contact,
    custom: Vec<(String, String)>,
    tags: Vec<String>,
    lists: Vec<Membership>,
    consents: Vec<Consent>,
    activity: Vec<Activity>,
    unconfirmed: Vec<Unconfirmed>,
    campaigns: Vec<TakenPart>,
    cards: Vec<Earned>,
    answers: Vec<Answered>,
    base: String,
    may: May,
}

pub async fn show(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let (scope, client_id) = (caller.scope(&app), caller.client_id()?);
    let contact = store::find(&scope, client_id, id).await?;
    let (tags, lists) = (store::tags(&scope, client_id, id), list_store::of_contact(&scope, client_id, id));
    let (consents, activity) = (store::consents(&scope, client_id, id), store::activity(&scope, client_id, id));
    let unconfirmed = unconfirmed::of_contact(&scope, client_id, id);
    let may = May::of(&caller);
    let part =
        async { if may.see_campaigns { history::campaigns(&scope, client_id, id).await } else { Ok(Vec::new()) } };
    let cards = async { if may.see_campaigns { history::cards(&scope, client_id, id).await } else { Ok(Vec::new()) } };
    let answers =
        async { if may.see_answers { history::answers(&scope, client_id, id).await } else { Ok(Vec::new()) } };
    let (tags, lists, consents, activity, unconfirmed) =
        futures_util::try_join!(tags, lists, consents, activity, unconfirmed)?;
    let (campaigns, cards, answers) = futures_util::try_join!(part, cards, answers)?;
    let shell = Shell::new(&caller, contact.name());
    let contacts = shell.at("contacts");
    let shell = shell.crumb("Contacts", contacts.clone()).status(if contact.do_not_contact {
        "suppressed"
    } else {
        &contact.lifecycle_stage
    });
    let shell = shell.lede(
        [contact.job_title.as_deref(), contact.company.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", "),
    );
    let custom = contact.custom_fields.as_object().into_iter().flatten();
    let custom = custom
        .map(|(key, value)| (key.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        .collect();
    let base = format!("{contacts}/{id}");
    let page = ShowPage {
        shell,
        contact,
        custom,
        tags,
        lists,
        consents,
        activity,
        unconfirmed,
        campaigns,
        cards,
        answers,
        base,
        may,
    };
    render(&page)
}

#[derive(Template)]
#[template(path = "contacts/form.html")]
struct FormPage {
    shell: Shell,
    form: ContactForm,
    errors: FieldErrors,
    action: String,
    cancel: String,
    stages: [&'static str; 6],
    submit: &'static str,
}

impl FormPage {
    fn for_new(caller: &Caller, form: ContactForm, errors: FieldErrors) -> Self {
        let shell = Shell::new(caller, "New contact");
        let contacts = shell.at("contacts");
        let shell = shell.crumb("Contacts", contacts.clone());
        Self {
            shell,
            form,
            errors,
            action: contacts.clone(),
            cancel: contacts,
            stages: STAGES,
            submit: "Create contact",
        }
    }

    fn for_one(caller: &Caller, contact: &Contact, form: ContactForm, errors: FieldErrors) -> Self {
        let shell = Shell::new(caller, format!("Edit {}", contact.name()));
        let contacts = shell.at("contacts");
        let own = format!("{contacts}/{}", contact.id);
        let shell = shell.crumb("Contacts", contacts).crumb(contact.name(), own.clone());
        Self { shell, form, errors, action: own.clone(), cancel: own, stages: STAGES, submit: "Save contact" }
    }
}

pub async fn new(caller: Caller) -> Result<Response> {
    render(&FormPage::for_new(&caller, ContactForm::blank(), FieldErrors::none()))
}

pub async fn create(State(app): State<App>, caller: Caller, Form(form): Form<ContactForm>) -> Result<Response> {
    match action::create(&app, &caller.actor, caller.client_id()?, form.input(&ContactInput::default())).await {
        Ok(contact) => {
            Ok(redirect_with(&Shell::new(&caller, "").at(&format!("contacts/{}", contact.id)), "Contact created"))
        }
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::for_new(&caller, form, errors))
        }
    }
}

pub async fn edit(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let contact = store::find(&caller.scope(&app), caller.client_id()?, id).await?;
    render(&FormPage::for_one(&caller, &contact, ContactForm::of(&contact), FieldErrors::none()))
}

pub async fn update(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Form(form): Form<ContactForm>,
) -> Result<Response> {
    let client_id = caller.client_id()?;
    let before = store::find(&caller.scope(&app), client_id, id).await?;
    match action::update(
        &app,
        &caller.actor,
        (client_id, id),
        form.input(&before.input()),
        &if form.version.is_empty() { Expected::any() } else { Expected::of(&form.version) },
    )
    .await
    {
        Ok(_) => Ok(redirect_with(&Shell::new(&caller, "").at(&format!("contacts/{id}")), "Contact saved")),
        Err(error) => {
            let errors = FieldErrors::from_error(error)?;
            render_with(StatusCode::UNPROCESSABLE_ENTITY, &FormPage::for_one(&caller, &before, form, errors))
        }
    }
}

/// The switch of do-not-contact.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct SuppressForm {
    do_not_contact: bool,
}

pub async fn suppress(
    State(app): State<App>,
    caller: Caller,
    Path(Id { id }): Path<Id>,
    Form(form): Form<SuppressForm>,
) -> Result<Response> {
    let contact = action::suppress(&app, &caller.actor, (caller.client_id()?, id), form.do_not_contact).await?;
    let text = if contact.do_not_contact {
        "Nothing will be sent to this contact"
    } else {
        "This contact may be contacted again"
    };
    Ok(redirect_with(&Shell::new(&caller, "").at(&format!("contacts/{id}")), text))
}

pub async fn delete(State(app): State<App>, caller: Caller, Path(Id { id }): Path<Id>) -> Result<Response> {
    let contacts = Shell::new(&caller, "").at("contacts");
    match action::delete(&app, &caller.actor, (caller.client_id()?, id), &Expected::any()).await {
        Ok(()) => Ok(redirect_with(&contacts, "Contact deleted")),
        Err(Error::Conflict { message, .. }) => Ok(redirect_with(&format!("{contacts}/{id}"), &message)),
        Err(error) => Err(error.into()),
    }
}
