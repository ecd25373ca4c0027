//! SQL of this room, one file per noun.

pub mod forms;
pub mod landing_pages;
pub mod templates;
