//! SQL.

pub mod calls;
pub mod numbers;
