//! What strangers do.

pub mod answers;
pub mod reveal;
pub mod submit;
