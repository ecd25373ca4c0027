//! Icons, drawn from the sprite that the asset build makes.

use std::fmt;

use askama::filters::HtmlSafe;

use crate::assets;

/// An icon of the sprite, hidden from screen readers: the word beside it says what it means.
#[derive(Debug, Clone)]
pub struct Icon<'a>(pub &'a str);

impl fmt::Display for Icon<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let safe = self.0.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let name = if safe { self.0 } else { "circle" };
        write!(
            f,
            r##"<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{name}"></use></svg>"##,
            assets::url("icons.svg"),
        )
    }
}

impl HtmlSafe for Icon<'_> {}
