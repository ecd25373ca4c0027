//! What every room shares and that rarely changes: errors, actors, ids, the clock, chance, and the
//! pure rules for e-mail addresses, phones, postal addresses, money, codes, roles and permissions.
//!
//! Belongs here: small values and rules without SQL and without HTTP.
//! Does not belong here: anything that reads a table or answers a request.

pub mod actor;
pub mod cells;
pub mod clock;
pub mod codes;
pub mod custom_fields;
pub mod email;
pub mod encoding;
pub mod error;
pub mod keyring;
pub mod money;
pub mod number;
pub mod page;
pub mod permissions;
pub mod phone;
pub mod postal;
pub mod random;
pub mod role;
pub mod settings;
pub mod slug;
pub mod version;
pub mod zone;

pub use actor::{Actor, Origin, System, Who};
pub use clock::Clock;
pub use error::{Error, FieldError, Problems, Result, is_one_line};
pub use random::new_id;
