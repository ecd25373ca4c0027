//! The sandbox's phone.

use super::{OutgoingSms, SmsDriver};
use crate::delivery::Sending;
use crate::sandbox::{Mailroom, NAME};

/// Keeps text messages for the phone at `/sandbox`.
pub struct SandboxSms(pub(crate) Mailroom);

impl SmsDriver for SandboxSms {
    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, message: &'a OutgoingSms) -> Sending<'a> {
        Box::pin(self.0.take(message.into()))
    }
}
