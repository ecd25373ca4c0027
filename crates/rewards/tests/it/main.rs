//! The money path on a real database.
#![cfg(test)]

mod addresses;
mod cards;
mod claims;
mod deliveries;
mod pages;
mod queue;
mod repeats;
mod stock;
mod support;
mod uploads;
