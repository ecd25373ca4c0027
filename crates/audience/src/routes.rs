//! Every way into this room, with the permission it takes.

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use web::{App, Doc, Method, Routes};

use crate::api;
use crate::contacts::{Contact, ContactInput};
use crate::import::Preview;
use crate::lists::{List, ListInput, Mailable};
use crate::pages;
use crate::store::imports::Import;

/// The routes of contacts, lists and imports.
pub fn routes(app: &App) -> Routes {
    contact_pages(app)
        .merge(list_pages(app))
        .merge(import_pages(app))
        .merge(contact_api(app))
        .merge(list_api(app))
        .merge(member_api(app))
        .merge(import_api(app))
}

fn contact_pages(app: &App) -> Routes {
    use pages::{contact_bulk as bulk, contacts as page};
    Routes::new(app)
        .page(Method::GET, "/{client}/contacts", "contacts.view", page::list)
        .page(Method::POST, "/{client}/contacts", "contacts.create", page::create)
        .page(Method::GET, "/{client}/contacts/new", "contacts.create", page::new)
        .page(Method::POST, "/{client}/contacts/export", "contacts.export", page::export)
        .page(Method::POST, "/{client}/contacts/bulk", "lists.edit", bulk::add_to_list)
        .page(Method::POST, "/{client}/contacts/bulk/suppress", "contacts.edit", bulk::suppress)
        .page(Method::POST, "/{client}/contacts/bulk/export", "contacts.export", bulk::export)
        .page(Method::GET, "/{client}/contacts/{id}", "contacts.view", page::show)
        .page(Method::POST, "/{client}/contacts/{id}", "contacts.edit", page::update)
        .page(Method::GET, "/{client}/contacts/{id}/edit", "contacts.edit", page::edit)
        .page(Method::POST, "/{client}/contacts/{id}/suppress", "contacts.edit", page::suppress)
        .page(Method::POST, "/{client}/contacts/{id}/delete", "contacts.delete", page::delete)
}

fn list_pages(app: &App) -> Routes {
    use pages::lists as page;
    Routes::new(app)
        .page(Method::GET, "/{client}/lists", "lists.view", page::list)
        .page(Method::POST, "/{client}/lists", "lists.create", page::create)
        .page(Method::GET, "/{client}/lists/new", "lists.create", page::new)
        .page(Method::GET, "/{client}/lists/{id}", "lists.view", page::show)
        .page(Method::POST, "/{client}/lists/{id}", "lists.edit", page::update)
        .page(Method::GET, "/{client}/lists/{id}/edit", "lists.edit", page::edit)
        .page(Method::POST, "/{client}/lists/{id}/remove", "lists.edit", page::remove)
        .page(Method::POST, "/{client}/lists/{id}/delete", "lists.delete", page::delete)
}

fn import_pages(app: &App) -> Routes {
    use pages::{import_columns as columns, imports as page};
    // a file is streamed and held against import.max_bytes instead
    let upload = page::upload.layer(DefaultBodyLimit::disable());
    Routes::new(app)
        .page(Method::GET, "/{client}/imports", "contacts.import", page::list)
        .page(Method::POST, "/{client}/imports", "contacts.import", upload)
        .page(Method::GET, "/{client}/imports/new", "contacts.import", page::new)
        .page(Method::GET, "/{client}/imports/{id}", "contacts.import", page::show)
        .page(Method::GET, "/{client}/imports/{id}/progress", "contacts.import", page::progress)
        .page(Method::GET, "/{client}/imports/{id}/columns", "contacts.import", columns::show)
        .page(Method::POST, "/{client}/imports/{id}/columns", "contacts.import", columns::save)
        .page(Method::GET, "/{client}/imports/{id}/preview", "contacts.import", page::preview)
        .page(Method::POST, "/{client}/imports/{id}/start", "contacts.import", page::start)
        .page(Method::POST, "/{client}/imports/{id}/cancel", "contacts.import", page::cancel)
        .page(Method::POST, "/{client}/imports/{id}/retry", "contacts.import", page::retry)
        .page(Method::POST, "/{client}/imports/{id}/refused", "contacts.import", page::refused)
        .page(Method::POST, "/{client}/imports/{id}/remarks", "contacts.import", page::remarks)
}

fn contact_api(app: &App) -> Routes {
    use api::contacts::{self as handler, ExportParams, ListParams};
    Routes::new(app)
        .api(
            Method::GET,
            "/v1/contacts",
            "contacts.view",
            handler::list,
            Doc::new("List contacts")
                .describe("Newest first.")
                .query::<ListParams>()
                .words("lifecycle_stage", "LifecycleStage", &[])
                .returns_page_of::<Contact>(),
        )
        .api(
            Method::POST,
            "/v1/contacts",
            "contacts.create",
            handler::create,
            Doc::new("Create a contact").body::<ContactInput>().returns_with::<Contact>(201).versioned(),
        )
        .api(
            Method::GET,
            "/v1/contacts/export",
            "contacts.export",
            handler::export,
            Doc::new("Export contacts")
                .describe("Streamed, as CSV or JSON.")
                .query::<ExportParams>()
                .words("lifecycle_stage", "LifecycleStage", &[])
                .words("format", "ExportFormat", &[])
                .returns_text("text/csv")
                .returns_array_of::<Contact>(),
        )
        .api(
            Method::GET,
            "/v1/contacts/{id}",
            "contacts.view",
            handler::show,
            Doc::new("Show a contact").returns::<Contact>().versioned(),
        )
        .api(
            Method::PATCH,
            "/v1/contacts/{id}",
            "contacts.edit",
            handler::update,
            Doc::new("Change a contact").patch::<ContactInput>().returns::<Contact>().versioned(),
        )
        .api(
            Method::DELETE,
            "/v1/contacts/{id}",
            "contacts.delete",
            handler::delete,
            Doc::new("Delete a contact").returns_nothing().versioned(),
        )
}

fn list_api(app: &App) -> Routes {
    use api::lists::{self as handler, ListParams};
    Routes::new(app)
        .api(
            Method::GET,
            "/v1/lists",
            "lists.view",
            handler::list,
            Doc::new("List lists").describe("By name.").query::<ListParams>().returns_page_of::<List>(),
        )
        .api(
            Method::POST,
            "/v1/lists",
            "lists.create",
            handler::create,
            Doc::new("Create a list").body::<ListInput>().returns_with::<List>(201).versioned(),
        )
        .api(
            Method::GET,
            "/v1/lists/{id}",
            "lists.view",
            handler::show,
            Doc::new("Show a list").returns::<List>().versioned(),
        )
        .api(
            Method::PATCH,
            "/v1/lists/{id}",
            "lists.edit",
            handler::update,
            Doc::new("Change a list").patch::<ListInput>().returns::<List>().versioned(),
        )
        .api(
            Method::DELETE,
            "/v1/lists/{id}",
            "lists.delete",
            handler::delete,
            Doc::new("Delete a list").describe("Its contacts stay.").returns_nothing().versioned(),
        )
        .api(
            Method::GET,
            "/v1/lists/{id}/mailable",
            "lists.view",
            handler::mailable,
            Doc::new("Count whom mail can reach").returns::<Mailable>(),
        )
}

fn member_api(app: &App) -> Routes {
    use api::lists::{self as handler, Members, MembersChanged};
    Routes::new(app)
        .api(
            Method::GET,
            "/v1/lists/{id}/members",
            "lists.view",
            handler::members,
            Doc::new("List members").query::<web::PageQuery>().returns_page_of::<Contact>(),
        )
        .api(
            Method::POST,
            "/v1/lists/{id}/members",
            "lists.edit",
            handler::add,
            Doc::new("Add members").body::<Members>().returns::<MembersChanged>(),
        )
        .api(
            Method::DELETE,
            "/v1/lists/{id}/members/{contact_id}",
            "lists.edit",
            handler::remove,
            Doc::new("Remove a member").returns_nothing(),
        )
}

fn import_api(app: &App) -> Routes {
    use api::imports::{self as handler, ImportParams, ReportParams};
    let create = "The body is the file itself, or a multipart form whose part `file` holds it. With start=false nothing is \
        written yet: look at the preview, then start it.";
    Routes::new(app)
        .api(Method::GET, "/v1/imports", "contacts.import", handler::list, Doc::new("List imports").describe("Newest first.").query::<web::PageQuery>().returns_page_of::<Import>())
        .api(Method::POST, "/v1/imports", "contacts.import", handler::create.layer(DefaultBodyLimit::disable()), Doc::new("Import contacts").describe(create).query::<ImportParams>().words("dedupe", "Dedupe", &[]).words("on_duplicate", "OnDuplicate", &[]).words("unmapped", "Unmapped", &[]).raw_body("text/csv").file_body().returns_with::<Import>(202).returns_with::<Import>(201).versioned())
        .api(Method::GET, "/v1/imports/{id}", "contacts.import", handler::show, Doc::new("Show an import").describe("Its progress and what came of it.").returns::<Import>().versioned())
        .api(Method::GET, "/v1/imports/{id}/preview", "contacts.import", handler::preview, Doc::new("Preview an import").describe("First rows and problems, before anything is written.").may_conflict().returns::<Preview>())
        .api(Method::POST, "/v1/imports/{id}/start", "contacts.import", handler::start, Doc::new("Start an import").query::<ImportParams>().words("dedupe", "Dedupe", &[]).words("on_duplicate", "OnDuplicate", &[]).words("unmapped", "Unmapped", &[]).returns_with::<Import>(202).versioned())
        .api(Method::GET, "/v1/imports/{id}/refused", "contacts.import", handler::refused, Doc::new("Download refused rows").describe("CSV: line, column, reason, and the row's cells. With kept=true the rows that were kept with a value as given.").query::<ReportParams>().returns_text("text/csv"))
        .api(Method::POST, "/v1/imports/{id}/cancel", "contacts.import", handler::cancel, Doc::new("Cancel an import").describe("Also gives up one that failed. What was committed stays; the file is forgotten.").returns::<Import>().versioned())
        .api(Method::POST, "/v1/imports/{id}/retry", "contacts.import", handler::retry, Doc::new("Go on with a failed import").describe("After the last row that was committed.").returns_with::<Import>(202).versioned())
}
