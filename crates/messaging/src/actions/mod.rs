//! What can be done with messages; every other room, the console and the API call these.

pub mod deliver;
pub mod lift;
pub mod resend;
pub mod send;
pub mod status;
pub mod sweep;
pub mod system_mail;
