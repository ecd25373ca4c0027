//! The money path on a real database.
#![cfg(test)]

mod cards;
mod claims;
mod deliveries;
mod pages;
mod stock;
mod support;
mod uploads;
