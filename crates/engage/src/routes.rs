//! Every route of this room, with its permission.

use events::VisitWriter;
use web::{App, Doc, Method, Routes};

use crate::api::submissions::{ListParams, SubmissionOut};
use crate::state::Engage;
use crate::{api, pages};

/// The route table. Visits are recorded by `writer`.
#[rustfmt::skip]
pub fn routes(app: &App, writer: VisitWriter) -> Routes {
    Routes::new(app)
        .public(Method::GET, "/r/{token}", pages::links::purl)
        .public(Method::GET, "/q/{token}", pages::links::qr)
        // what programs and people make of a printed link
        .public(Method::GET, "/r/{token}/", pages::links::purl)
        .public(Method::GET, "/q/{token}/", pages::links::qr)
        .public(Method::GET, "/R/{token}", pages::links::purl)
        .public(Method::GET, "/Q/{token}", pages::links::qr)
        .public(Method::GET, "/R/{token}/", pages::links::purl)
        .public(Method::GET, "/Q/{token}/", pages::links::qr)
        .public(Method::GET, "/r/{token}/{*rest}", pages::links::purl_and_more)
        .public(Method::GET, "/q/{token}/{*rest}", pages::links::qr_and_more)
        .public(Method::GET, "/R/{token}/{*rest}", pages::links::purl_and_more)
        .public(Method::GET, "/Q/{token}/{*rest}", pages::links::qr_and_more)
        .public(Method::GET, "/f/{form}/", pages::forms::show)
        .public(Method::GET, "/F/{form}", pages::forms::show)
        .public(Method::POST, "/r/{token}/seen", pages::seen::tell)
        .public(Method::GET, "/r/{token}/qr.svg", pages::codes::svg)
        .public(Method::GET, "/r/{token}/qr.png", pages::codes::png)
        .public(Method::GET, "/p/{file}", pages::links::css)
        .public(Method::GET, "/f/{form}", pages::forms::show)
        .public(Method::POST, "/f/{form}", pages::forms::submit)
        .page(Method::GET, "/{client}/landing-pages/{id}/preview", "landing_pages.view", pages::preview::show)
        .page(Method::POST, "/{client}/landing-pages/{id}/preview", "landing_pages.edit", pages::preview::typed)
        .page(Method::GET, "/{client}/recipients/{id}/preview", "campaigns.view", pages::preview::recipient)
        .page(Method::POST, "/{client}/forms/preview", "forms.view", pages::preview::form)
        .page(Method::GET, "/{client}/forms/{id}/submissions", "forms.submissions", pages::submissions::list)
        .api(Method::GET, "/v1/forms/{id}/submissions", "forms.submissions", api::submissions::list, Doc::new("List a form's submissions").query::<ListParams>().returns_page_of::<SubmissionOut>())
        .extension(Engage::new(writer))
}
