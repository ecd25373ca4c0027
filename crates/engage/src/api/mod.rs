//! JSON handlers.

pub mod submissions;
