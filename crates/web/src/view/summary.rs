//! The list of problems above a form, each a link to its field.

use askama::Template;
use askama::filters::HtmlSafe;

use super::errors::FieldErrors;

/// Draws nothing when nothing is wrong.
#[derive(Template)]
#[template(path = "parts/summary.html")]
pub struct Summary<'a>(pub &'a FieldErrors);

impl HtmlSafe for Summary<'_> {}
