//! The people a client may write to: contacts, lists, imports, consent.
//!
//! Owns the tables `contacts`, `contact_lists`, `contact_list_members`, `contact_tags`, `contact_consents`, `imports`,
//! `import_files` and `import_refusals`, the job `audience.import`, and the permissions `contacts.*` and `lists.*`.
//! Refuses: sending anything to anybody (that is `messaging`), and dynamic lists for the time being.

pub mod actions;
mod api;
pub mod contacts;
mod export;
pub mod import;
mod jobs;
pub mod lists;
mod pages;
mod routes;
pub mod store;

pub use jobs::jobs;
pub use routes::routes;

/// What must hold in this room's tables: a name, and a statement that counts the rows for which it does not.
pub static INVARIANTS: &[(&str, &database::Statement)] =
    &[("contact_lists.contact_count is the number of members", &store::lists::WRONG_COUNTS)];
