//! What every driver of a kind promises, checked against servers that play the provider, and what each does when
//! its provider misbehaves.

#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used)]

mod email;
mod sandbox;
mod sms;
mod smtp;
mod smtp_server;
mod story;
