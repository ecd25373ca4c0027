//! Every route of this room, with its permission.

use web::{App, Doc, Method, Routes};

use crate::api::{self, Analytics, EventParams};
use crate::pages;
use crate::store::campaign::EventRow;

/// The route table.
#[rustfmt::skip]
pub fn routes(app: &App) -> Routes {
    Routes::new(app)
        .signed_in(Method::GET, "/", pages::clients::show)
        .page(Method::GET, "/{client}", "dashboard.view", pages::home::short)
        .page(Method::GET, "/{client}/home", "dashboard.view", pages::home::show)
        .page(Method::GET, "/{client}/alerts", "dashboard.view", pages::alerts::show)
        .page(Method::POST, "/{client}/alerts/acknowledge", "alerts.acknowledge", pages::alerts::acknowledge)
        .account_page(Method::GET, "/admin/jobs", "platform.jobs", pages::jobs::list)
        .account_page(Method::POST, "/admin/jobs/{id}/retry", "platform.jobs", pages::jobs::retry)
        .page(Method::GET, "/{client}/campaigns/{campaign}/figures", "campaigns.analytics", pages::figures::show)
        .page(Method::GET, "/{client}/campaigns/{campaign}/figures/live", "campaigns.analytics", pages::figures::live)
        .page(Method::GET, "/{client}/campaigns/{campaign}/figures/charts", "campaigns.analytics", pages::figures::charts)
        .api(Method::GET, "/v1/campaigns/{id}/analytics", "campaigns.analytics", api::analytics, Doc::new("Say what became of a campaign").returns::<Analytics>())
        .api(Method::GET, "/v1/events", "campaigns.analytics", api::events, Doc::new("List events").query::<EventParams>().words("event_type", "EventType", &[]).returns_page_of::<EventRow>())
}
