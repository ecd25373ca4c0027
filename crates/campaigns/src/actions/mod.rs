//! What can be done with campaigns; console, API and demo call the same functions.

pub mod address;
pub mod clear;
pub mod draft;
pub mod launch;
pub mod steps;
