//! What recipients touch: links and QR codes, the pages behind them, forms, and the reveal of what they earned.
//!
//! Owns the table `ace_form_submissions`, the public routes `/r`, `/q`, `/p` and `/f`, the console's preview of
//! landing pages and `/v1/forms/{id}/submissions`.
//! Refuses: deciding what is earned (that is `campaigns`), handing out cards (`rewards`) and sending (`messaging`).

pub mod actions;
mod api;
pub mod bots;
mod ground;
mod invariants;
mod landing;
mod limits;
mod masked;
mod pages;
mod person;
mod policy;
pub mod qr;
mod redirect;
mod routes;
mod seen;
mod shown;
mod state;
pub mod store;
mod tokens;

pub use invariants::INVARIANTS;
pub use routes::routes;
