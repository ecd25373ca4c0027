//! What can be done with designs; console, API and demo call the same functions.

pub mod forms;
pub mod landing_pages;
pub mod templates;

use kernel::{Error, Problems};

/// A name of 1 to 120 characters.
fn name(problems: &mut Problems, given: &str) -> String {
    let name = problems.require("name", given);
    problems.at_most("name", name, 120);
    name.to_owned()
}

/// `NotFound` unless a row was changed.
fn found(changed: bool) -> Result<(), Error> {
    if changed { Ok(()) } else { Err(Error::NotFound) }
}
