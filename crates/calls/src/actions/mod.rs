//! What can be done on the phone; console, API and demo call the same functions.

pub mod handle;
pub mod lookup;
pub mod numbers;
