//! Every route of this room, with its permission.

use web::{App, Doc, Method, Routes};

use crate::actions::forms::FormInput;
use crate::actions::landing_pages::LandingPageInput;
use crate::actions::templates::TemplateInput;
use crate::api::ListParams;
use crate::api::forms::FormOut;
use crate::api::landing_pages::LandingPageOut;
use crate::api::templates::TemplateOut;
use crate::{api, pages};

/// The route table.
pub fn routes(app: &App) -> Routes {
    console(Routes::new(app)).merge(rest(Routes::new(app)))
}

#[rustfmt::skip]
fn console(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/templates", "templates.view", pages::templates::list)
        .page(Method::POST, "/{client}/templates", "templates.create", pages::templates::create)
        .page(Method::GET, "/{client}/templates/new", "templates.create", pages::templates::new)
        .page(Method::GET, "/{client}/templates/{id}", "templates.view", pages::templates::show)
        .page(Method::POST, "/{client}/templates/{id}", "templates.edit", pages::templates::update)
        .page(Method::GET, "/{client}/landing-pages", "landing_pages.view", pages::landing_pages::list)
        .page(Method::POST, "/{client}/landing-pages", "landing_pages.create", pages::landing_pages::create)
        .page(Method::GET, "/{client}/landing-pages/new", "landing_pages.create", pages::landing_pages::new)
        .page(Method::POST, "/{client}/landing-pages/new", "landing_pages.create", pages::landing_pages::begin)
        .page(Method::GET, "/{client}/landing-pages/{id}", "landing_pages.view", pages::landing_pages::show)
        .page(Method::POST, "/{client}/landing-pages/{id}", "landing_pages.edit", pages::landing_pages::update)
        .page(Method::POST, "/{client}/landing-pages/{id}/publish", "landing_pages.publish", pages::landing_pages::publish)
        .page(Method::GET, "/{client}/forms", "forms.view", pages::forms::list)
        .page(Method::POST, "/{client}/forms", "forms.create", pages::forms::create)
        .page(Method::GET, "/{client}/forms/new", "forms.create", pages::forms::new)
        .page(Method::GET, "/{client}/forms/{id}", "forms.view", pages::forms::show)
        .page(Method::POST, "/{client}/forms/{id}", "forms.edit", pages::forms::update)
        .page(Method::POST, "/{client}/forms/{id}/publish", "forms.publish", pages::forms::publish)
        .page(Method::POST, "/{client}/forms/{id}/close", "forms.publish", pages::forms::close)
}

#[rustfmt::skip]
fn rest(routes: Routes) -> Routes {
    routes
        .public_api(Method::GET, "/v1/form-config.schema.json", api::forms::schema)
        .api(Method::GET, "/v1/templates", "templates.view", api::templates::list, Doc::new("List mail templates").query::<ListParams>().returns_page_of::<TemplateOut>())
        .api(Method::POST, "/v1/templates", "templates.create", api::templates::create, Doc::new("Create a mail template").body::<TemplateInput>().returns_with::<TemplateOut>(201).versioned())
        .api(Method::GET, "/v1/templates/{id}", "templates.view", api::templates::get, Doc::new("Get a mail template").returns::<TemplateOut>().versioned())
        .api(Method::PATCH, "/v1/templates/{id}", "templates.edit", api::templates::update, Doc::new("Change a mail template").patch::<TemplateInput>().returns::<TemplateOut>().versioned())
        .api(Method::GET, "/v1/landing-pages", "landing_pages.view", api::landing_pages::list, Doc::new("List landing pages").query::<ListParams>().returns_page_of::<LandingPageOut>())
        .api(Method::POST, "/v1/landing-pages", "landing_pages.create", api::landing_pages::create, Doc::new("Create a landing page").body::<LandingPageInput>().returns_with::<LandingPageOut>(201).versioned())
        .api(Method::GET, "/v1/landing-pages/{id}", "landing_pages.view", api::landing_pages::get, Doc::new("Get a landing page").returns::<LandingPageOut>().versioned())
        .api(Method::PATCH, "/v1/landing-pages/{id}", "landing_pages.edit", api::landing_pages::update, Doc::new("Change a landing page's draft").patch::<LandingPageInput>().returns::<LandingPageOut>().versioned())
        .api(Method::POST, "/v1/landing-pages/{id}/publish", "landing_pages.publish", api::landing_pages::publish, Doc::new("Publish a landing page").returns::<LandingPageOut>().versioned())
        .api(Method::GET, "/v1/forms", "forms.view", api::forms::list, Doc::new("List forms").query::<ListParams>().returns_page_of::<FormOut>())
        .api(Method::POST, "/v1/forms", "forms.create", api::forms::create, Doc::new("Create a form").body::<FormInput>().returns_with::<FormOut>(201).versioned())
        .api(Method::GET, "/v1/forms/{id}", "forms.view", api::forms::get, Doc::new("Get a form").returns::<FormOut>().versioned())
        .api(Method::PATCH, "/v1/forms/{id}", "forms.edit", api::forms::update, Doc::new("Change a form").patch::<FormInput>().returns::<FormOut>().versioned())
        .api(Method::POST, "/v1/forms/{id}/publish", "forms.publish", api::forms::publish, Doc::new("Open a form to strangers").returns::<FormOut>().versioned())
        .api(Method::POST, "/v1/forms/{id}/close", "forms.publish", api::forms::close, Doc::new("Close a form").returns::<FormOut>().versioned())
}
