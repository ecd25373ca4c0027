//! Console handlers and their pages.

pub mod calls;
pub mod desk;
pub mod numbers;
mod work;

use campaigns::store::recipients::Recipient;

/// A recipient's name, or what stands in for it.
fn name_of(recipient: &Recipient) -> String {
    let name = [recipient.first_name.as_deref(), recipient.last_name.as_deref()].into_iter().flatten();
    let name = name.collect::<Vec<_>>().join(" ");
    if name.trim().is_empty() { "No name".to_owned() } else { name }
}
