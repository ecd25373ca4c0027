//! JSON handlers.

pub mod brands;
pub mod cards;
pub mod credits;
pub mod pools;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RewardCreated)]
pub struct Created {
    /// Its id.
    pub id: Uuid,
}
