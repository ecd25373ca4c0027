//! Every route of this room, with its permission.

use web::{App, Doc, Method, Routes};

use crate::actions::numbers::NumberInput;
use crate::api::calls::{CallIn, CallOut, CallParams};
use crate::api::numbers::NumberOut;
use crate::api::recipients::{ConfirmIn, ConfirmOut, KnownOut, LookupParams};
use crate::{api, pages};

/// The route table.
pub fn routes(app: &App) -> Routes {
    console(Routes::new(app)).merge(rest(Routes::new(app)))
}

#[rustfmt::skip]
fn console(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/desk", "calls.handle", pages::desk::find)
        .page(Method::GET, "/{client}/desk/{recipient}", "calls.handle", pages::desk::show)
        .page(Method::POST, "/{client}/desk/{recipient}", "calls.handle", pages::desk::act)
        .page(Method::GET, "/{client}/calls", "calls.view", pages::calls::list)
        .page(Method::GET, "/{client}/calls/{id}", "calls.view", pages::calls::show)
        .page(Method::GET, "/{client}/numbers", "calls.numbers", pages::numbers::list)
        .page(Method::POST, "/{client}/numbers", "calls.numbers", pages::numbers::create)
        .page(Method::GET, "/{client}/numbers/new", "calls.numbers", pages::numbers::new)
        .page(Method::POST, "/{client}/numbers/{id}/release", "calls.numbers", pages::numbers::release)
}

#[rustfmt::skip]
fn rest(routes: Routes) -> Routes {
    routes
        .api(Method::GET, "/v1/recipients/lookup", "calls.handle", api::recipients::find, Doc::new("Find a recipient by redemption code").query::<LookupParams>().returns::<KnownOut>())
        .api(Method::POST, "/v1/recipients/{id}/conditions/{number}/confirm", "calls.confirm_condition", api::recipients::confirm, Doc::new("Confirm a call condition").describe("At least two of name, address and phone must have been checked. Confirming again changes nothing and answers `already_met`.").body::<ConfirmIn>().returns::<ConfirmOut>())
        .api(Method::GET, "/v1/calls", "calls.view", api::calls::list, Doc::new("List calls").query::<CallParams>().words("disposition", "CallDisposition", &["open"]).returns_page_of::<CallOut>())
        .api(Method::POST, "/v1/calls", "calls.handle", api::calls::create, Doc::new("Write down a call").body::<CallIn>().returns_with::<CallOut>(201).versioned())
        .api(Method::GET, "/v1/calls/{id}", "calls.view", api::calls::get, Doc::new("Get a call").returns::<CallOut>().versioned())
        .api(Method::PATCH, "/v1/calls/{id}", "calls.handle", api::calls::update, Doc::new("Change a call").patch::<CallIn>().returns::<CallOut>().versioned())
        .api(Method::GET, "/v1/numbers", "calls.numbers", api::numbers::list, Doc::new("List tracked numbers").query::<web::PageQuery>().returns_page_of::<NumberOut>())
        .api(Method::POST, "/v1/numbers", "calls.numbers", api::numbers::create, Doc::new("Enter a tracked number").body::<NumberInput>().returns_with::<NumberOut>(201).versioned())
        .api(Method::GET, "/v1/numbers/{id}", "calls.numbers", api::numbers::get, Doc::new("Get a tracked number").returns::<NumberOut>().versioned())
        .api(Method::POST, "/v1/numbers/{id}/release", "calls.numbers", api::numbers::release, Doc::new("Give a tracked number back").returns_nothing().versioned())
}
