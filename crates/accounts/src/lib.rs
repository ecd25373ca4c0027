//! Organizations, clients, people: who they are, how they sign in, what they may do, and the record of what they did.
//!
//! Owns the schema `auth` and the tables `organizations`, `clients`, `profiles`, `user_roles`, `role_permissions`,
//! `org_members`, `client_users`, `invitations`, `api_keys`, `audit_log` (which every room writes through
//! `tx.audit`). Routes: signing in and out, `/account`, `/auth/v1`, team, settings, API keys, administration.
//! Jobs: `accounts.send_reset`, `accounts.sweep`; it leaves `messages.system_mail` for `messaging`.
//! Permissions: `organizations.*`, `clients.*`, `users.*`, `api_keys.*`, `audit.*`, `platform.permissions`.
//!
//! Refuses: anything about what clients do; who may reach a row is decided by the policies of the database, which this
//! room fills but does not bend.

pub mod actions;
mod api;
pub mod api_key;
mod jobs;
pub mod mail;
mod pages;
pub mod password;
mod routes;
pub mod store;
pub mod totp;

pub use crate::jobs::jobs;
pub use routes::routes;
