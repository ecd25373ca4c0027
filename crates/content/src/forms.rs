//! Forms: what they are made of, and what a submission to them must be.

pub mod config;
mod number;
mod rules;
mod shown;
mod size;
mod submission;

pub use config::{Condition, ConsentChannel, Field, FieldType, FormConfig, Reveal, Settings, Validation};
pub use rules::{ANIMATIONS, CARD_STYLES, MAX_FIELDS, check, is_colour};
pub use shown::visible;
pub use size::MAX_FORM;
pub use submission::{Submitted, is_yes, validate};
