//! Forms: what they are made of, and what a submission to them must be.

pub mod config;
mod rules;
mod submission;

pub use config::{Condition, Field, FieldType, FormConfig, Reveal, Settings, Validation};
pub use rules::check;
pub use submission::{Submitted, validate, visible};
