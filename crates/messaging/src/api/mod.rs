//! JSON handlers, and the receivers of callbacks.

pub mod hooks;
pub mod lift;
pub mod messages;
