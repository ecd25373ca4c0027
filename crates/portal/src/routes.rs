//! Every route of this room, with its permission.

use web::{App, Method, Routes};

use crate::pages;

/// The route table.
#[rustfmt::skip]
pub fn routes(app: &App) -> Routes {
    Routes::new(app)
        .account_page(Method::GET, "/search", "dashboard.view", pages::search::show)
        .page(Method::GET, "/{client}/search", "dashboard.view", pages::search::show)
        .account_page(Method::GET, "/help", "docs.view", pages::help::list)
        // where the `type` of every problem leads: read by programmers, whoever they are
        .public(Method::GET, "/help/errors", pages::help::errors)
        .account_page(Method::GET, "/help/{topic}", "docs.view", pages::help::show)
}
