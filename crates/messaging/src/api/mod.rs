//! JSON handlers, and the receivers of callbacks.

pub mod hooks;
pub mod messages;
