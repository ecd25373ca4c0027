//! Campaigns on a real database: the wizard, the launch, the life after it, and who may not.
#![cfg(test)]

mod addresses;
mod api;
mod archived;
mod codes;
mod conditions;
mod consent;
mod launch;
mod life;
mod pages;
mod planner;
mod promises;
mod world;
