//! Console handlers and their pages.

pub mod alerts;
mod checklist;
pub mod clients;
pub mod figures;
pub mod home;
pub mod jobs;
mod needs;

/// What a feed says of an event, and the icon beside it.
fn words(event_type: &str) -> (&'static str, &'static str) {
    events::EventType::of(event_type).map_or(("Something happened", "circle"), events::EventType::told)
}
