//! What somebody should look at, for the pages of every room above.

pub use crate::actions::alerts::{Seen, acknowledge};
pub use crate::store::alerts::{Alert, about, open, raise, resolve};
