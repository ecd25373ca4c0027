//! Campaigns on a real database: the wizard, the launch, the life after it, and who may not.
#![cfg(test)]

mod api;
mod conditions;
mod launch;
mod life;
mod pages;
mod world;
