//! Figures against a database full of raw events, recounted.
#![cfg(test)]

mod alerts;
mod campaign;
mod clients;
mod events;
mod home;
mod world;
