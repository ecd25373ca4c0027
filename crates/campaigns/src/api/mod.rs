//! JSON handlers.

pub mod campaigns;
pub mod launch;
pub mod recipients;

use kernel::page::PageParams;
use serde::Deserialize;
use utoipa::IntoParams;

/// A page of a list, with a search.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// What to look for.
    pub q: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

impl ListParams {
    fn page(&self) -> PageParams {
        PageParams { limit: self.limit, after: self.after.clone() }
    }
}

/// A page of campaigns.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignParams {
    /// Part of the name.
    pub q: Option<String>,
    /// Only this status: `draft`, `ready`, `in_production`, `mailed`, `active` or `completed`.
    pub status: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}
