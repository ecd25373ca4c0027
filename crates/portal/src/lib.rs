//! Help: the repository's user docs as pages of the console.
//!
//! Owns `/help`. The pages are compiled in, so they always speak of the program that shows them.
//! Refuses: anything but showing them; what people wrote stays Markdown in `docs/`.

mod pages;
mod topics;

use web::{App, Method, Routes};

/// The route table.
pub fn routes(app: &App) -> Routes {
    Routes::new(app).account_page(Method::GET, "/help", "docs.view", pages::list).account_page(
        Method::GET,
        "/help/{topic}",
        "docs.view",
        pages::show,
    )
}
