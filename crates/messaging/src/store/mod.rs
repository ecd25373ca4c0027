//! SQL of this room, one file per noun.

pub mod composing;
pub mod messages;
pub mod system_messages;
pub(crate) mod tries;
