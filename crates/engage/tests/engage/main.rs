//! The public pages against a real database and the real router.
#![cfg(test)]

mod forms;
mod links;
mod persons;
mod previews;
mod rings;
mod strangers;
mod submissions;
mod world;
