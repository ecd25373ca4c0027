//! Every route of this room, with its permission.

use providers::Drivers;
use web::{App, Doc, Method, Routes};

use crate::actions::lift::LiftInput;
use crate::actions::resend::ResendInput;
use crate::api::hooks::Refused;
use crate::api::messages::{ListParams, MessageOut, SegmentsIn};
use crate::segments::Segments;
use crate::{api, pages};

/// The route table.
pub fn routes(app: &App, drivers: &Drivers) -> Routes {
    console(Routes::new(app))
        .merge(rest(Routes::new(app)))
        .merge(hooks(Routes::new(app)).extension(drivers.webhooks.clone()).extension(Refused::default()))
}

#[rustfmt::skip]
fn console(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/deliveries", "messages.view", pages::deliveries::list)
        .page(Method::GET, "/{client}/deliveries/{id}", "messages.view", pages::deliveries::show)
        .page(Method::POST, "/{client}/deliveries/{id}/resend", "messages.resend", pages::deliveries::resend)
        .page(Method::POST, "/{client}/contacts/{id}/lift", "contacts.edit", pages::lift::lift)
        .account_page(Method::GET, "/sandbox", "messages.view", pages::sandbox::show)
        .account_page(Method::GET, "/sandbox/latest", "messages.view", pages::sandbox::latest)
}

#[rustfmt::skip]
fn rest(routes: Routes) -> Routes {
    routes
        .api(Method::GET, "/v1/messages", "messages.view", api::messages::list, Doc::new("List messages").query::<ListParams>().words("status", "MessageStatus", &[]).words("channel", "MessageChannel", &[]).returns_page_of::<MessageOut>())
        .api(Method::GET, "/v1/messages/{id}", "messages.view", api::messages::get, Doc::new("Get a message").returns::<MessageOut>().versioned())
        .api(Method::POST, "/v1/messages/{id}/resend", "messages.resend", api::messages::resend, Doc::new("Send a message once more").describe("The same card to the same person. Another address needs gift_cards.reveal and a reason, and is refused (409) once the card arrived.").body::<ResendInput>().returns_with::<MessageOut>(201).versioned())
        .api(Method::POST, "/v1/contacts/{id}/lift-suppression", "contacts.edit", api::lift::lift, Doc::new("Lift the suppression of a contact's number or address").describe("For a person who asked for messages again. The contact's own opt-outs stay: take them back with PATCH. A provider may go on refusing until the phone sends START. Leaves an audit row.").body::<LiftInput>().returns_nothing().versioned())
        .api(Method::POST, "/v1/messages/segments", "messages.view", api::messages::segments, Doc::new("Count the segments of a text").body::<SegmentsIn>().returns::<Segments>())
}

/// Receivers of providers' callbacks: no one is signed in, a signature decides.
fn hooks(routes: Routes) -> Routes {
    routes.public_api(Method::POST, "/hooks/twilio/sms-status/{message_id}", api::hooks::sms_status)
}
