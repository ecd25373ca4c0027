//! The sandbox's inbox.

use super::{EmailDriver, OutgoingEmail};
use crate::delivery::Sending;
use crate::sandbox::{Mailroom, NAME};

/// Keeps e-mail for the inbox at `/sandbox`.
pub struct SandboxEmail(pub(crate) Mailroom);

impl EmailDriver for SandboxEmail {
    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, message: &'a OutgoingEmail) -> Sending<'a> {
        Box::pin(self.0.take(message.into()))
    }
}
