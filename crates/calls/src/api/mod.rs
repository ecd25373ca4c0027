//! JSON handlers.

pub mod calls;
pub mod numbers;
pub mod recipients;
