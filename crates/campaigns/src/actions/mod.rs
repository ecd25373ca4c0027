//! What can be done with campaigns; console, API and demo call the same functions.

pub mod address;
pub mod clear;
pub mod codes;
pub mod delays;
pub mod draft;
pub mod held;
pub mod launch;
pub mod mail_file;
pub mod steps;
