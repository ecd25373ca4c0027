//! One file per command.

pub mod config;
pub mod demo;
pub mod doctor;
pub mod find;
pub mod import;
pub mod keys;
pub mod migrate;
pub mod openapi;
pub mod user;
