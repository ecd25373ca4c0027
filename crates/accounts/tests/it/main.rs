//! The rules of section 1 of the behaviour, each with its denial, through the real router and database.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails right there")]

mod account;
mod admin;
mod api_keys;
mod frame;
mod guard;
mod idempotency;
mod invitations;
mod pages;
mod reset;
mod sign_in;
mod supabase;
mod support;
mod team;
