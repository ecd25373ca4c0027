//! What people do to contacts and lists, whichever way they come: each act is checked, written and audited here.

pub mod contacts;
pub mod lists;
