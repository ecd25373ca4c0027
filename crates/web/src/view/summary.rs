//! The list of problems above a form, each a link to its field.

use askama::Template;
use askama::filters::HtmlSafe;

use super::errors::FieldErrors;

/// Draws nothing when nothing is wrong.
#[derive(Template)]
#[template(path = "parts/summary.html")]
pub struct Summary<'a>(pub &'a FieldErrors);

impl HtmlSafe for Summary<'_> {}

/// What somebody else saved meanwhile, under the field that differs.
#[derive(Template)]
#[template(path = "parts/theirs.html")]
pub struct Theirs<'a> {
    /// The id of the control.
    pub id: &'a str,
    /// What they saved.
    pub value: &'a str,
}

impl HtmlSafe for Theirs<'_> {}
