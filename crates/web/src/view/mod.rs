//! What pages are made of: small values that know how to draw themselves, each compiled once here.
//!
//! Belongs here: fields, filters, pagers, badges, tabs, figures, charts, and how numbers, money and times read.
//! Does not belong here: anything that knows a table or a rule. Templates reach these through `components.html`.

mod arranged;
mod badge;
mod chart;
mod choices;
mod errors;
mod field;
mod filters;
mod icon;
mod pager;
mod stat;
mod summary;
mod tabs;
mod text;

pub use arranged::arranged;
pub use badge::{Badge, Tone};
pub use chart::Chart;
pub use choices::{Choice, Choices};
pub(crate) use errors::name_fields;
pub use errors::{FieldErrors, Listed, capitalised};
pub use field::{Field, FieldValue, Flag, Kind};
pub use filters::{Chip, ChipOption, Filters, SortHeader};
pub use icon::Icon;
pub use pager::Pager;
pub use stat::{Stat, Trend};
pub use summary::{Summary, Theirs};
pub use tabs::{Step, StepState, Steps, Tab, Tabs};
pub use text::{address, bytes, colon, count, money, number, percent, permission, phone, piece_size, reached, slug_id};
