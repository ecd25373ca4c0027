//! The desk, the log and the numbers, through the router and against PostgreSQL.
#![cfg(test)]

mod api;
mod console;
mod numbers;
mod scene;
