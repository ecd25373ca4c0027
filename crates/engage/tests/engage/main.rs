//! The public pages against a real database and the real router.
#![cfg(test)]

mod forms;
mod links;
mod persons;
mod previews;
mod rings;
mod submissions;
mod world;
