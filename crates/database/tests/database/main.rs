//! What must hold of the database itself, read from its catalogue rather than from a list somebody has to keep.
#![cfg(test)]

mod cancellation;
mod catalogue;
mod guarded;
mod injection;
mod memberships;
mod migrations;
mod model;
mod rows;
mod tenants;
