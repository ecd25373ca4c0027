//! The companies behind the messages: SMS and e-mail, each behind a small trait with one file per vendor, and the
//! sandbox, a provider of our own that lets a newcomer see the whole loop without an account anywhere.
//!
//! Owns the table `sandbox_messages`, the one outbound HTTP client, and Twilio's request signature.
//!
//! Refuses: deciding whether a message may leave (consent, quiet hours, retries are `messaging`'s) and knowing what
//! is in it. A driver is handed a finished text and answers what became of it, nothing else.

pub mod config;
pub mod delivery;
pub mod email;
pub mod http;
pub mod sandbox;
pub mod sms;
pub mod twilio_signature;

pub use config::Drivers;
pub use delivery::{Accepted, DeliveryStatus, SendError, Sending, StatusUpdate};
pub use email::{EmailDriver, OutgoingEmail};
pub use sms::{IncomingSms, OutgoingSms, SmsDriver};
