//! The web kit: who is calling, what they may, how pages and JSON are answered, and the console's shell.
//!
//! Belongs here: the route table and its guard, extractors, errors as problem+json or as a page, layout and
//! components, assets, the OpenAPI document. Does not belong here: any noun of a domain.

mod app;
mod beside;
mod caller;
mod contract;
mod edit;
mod error_page;
mod extract;
mod failure;
mod fetch;
mod guard;
mod hosts;
mod idempotency;
pub mod identity;
pub mod limits;
pub mod lines;
pub mod openapi;
mod paging;
mod respond;
mod routes;
mod stack;
pub mod token;
mod version;
mod visitor;
mod work;

pub use app::App;
pub use axum::http::Method;
pub use caller::{Caller, ClientRef, SignedIn};
pub use edit::{Edit, version_of};
pub use extract::{Form, Json, Path, Query};
pub use failure::{Code, Failure, Problem, ProblemField, auth_code, detail, retry_after, status};
pub use guard::TurnedAway;
pub use idempotency::Unkept;
pub use openapi::Doc;
pub use paging::PageQuery;
pub use respond::{Result, redirect, redirect_with, render, render_with, set_cookie, streamed};
pub use routes::{Access, Kind, RouteSpec, Routes};
pub use stack::stack;
pub use version::{IfMatch, Made, Patch, Tagged};
pub use visitor::Visitor;
pub use work::Work;

extern crate self as web;

pub mod assets;
pub mod flash;
pub mod nav;
pub mod shell;
pub mod time;
pub mod view;
pub use shell::Shell;
