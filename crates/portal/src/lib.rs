//! Finding one's way: the search of the top bar, and help, which is the repository's user docs as pages of the console.
//!
//! Owns `/help` and `/{client}/search`. The docs are compiled in, so they always speak of the program that shows them.
//! Refuses: changing anything; what people wrote stays Markdown in `docs/`.

mod pages;
mod routes;
pub mod search;
mod topics;

pub use routes::routes;
