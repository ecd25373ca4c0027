//! Every route of this room, with its permission.

use web::{App, Doc, Method, Routes};

use crate::actions::address::AddressInput;
use crate::actions::codes::Codes;
use crate::actions::draft::CampaignInput;
use crate::api;
use crate::api::campaigns::{CampaignOut, ConditionOut, StepOut};
use crate::api::launch::{LaunchOut, StepInput};
use crate::api::recipients::{DetailOut, RecipientOut, RecipientParams, SkipOut};
use crate::api::{CampaignParams, ListParams};
use crate::checklist::Checklist;
use crate::pages::edit::basics::{AudienceForm, DesignForm, PageForm};
use crate::pages::edit::conditions::ConditionsForm;
use crate::pages::{edit, launch, list, recipient, show, tabs};

/// The route table.
pub fn routes(app: &App) -> Routes {
    wizard(console(Routes::new(app))).merge(rest(Routes::new(app)))
}

#[rustfmt::skip]
fn console(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/campaigns", "campaigns.view", list::list)
        .page(Method::GET, "/{client}/campaigns/{campaign}", "campaigns.view", show::overview)
        .page(Method::GET, "/{client}/campaigns/{campaign}/recipients", "campaigns.view", tabs::recipients)
        .page(Method::GET, "/{client}/campaigns/{campaign}/conditions", "campaigns.view", tabs::conditions)
        .page(Method::GET, "/{client}/campaigns/{campaign}/skipped", "campaigns.view", tabs::skipped)
        .page(Method::GET, "/{client}/campaigns/{campaign}/history", "campaigns.view", tabs::history)
        .page(Method::GET, "/{client}/campaigns/{campaign}/launch", "campaigns.view", launch::show)
        .page(Method::POST, "/{client}/campaigns/{campaign}/launch", "campaigns.launch", edit::review::begin)
        // What a step takes depends on the step, and is checked when it is known.
        .page(Method::GET, "/{client}/campaigns/{campaign}/steps", "campaigns.view", show::steps_page)
        .page(Method::POST, "/{client}/campaigns/{campaign}/steps", "campaigns.view", show::step)
        .page(Method::POST, "/{client}/campaigns/{campaign}/duplicate", "campaigns.create", show::duplicate)
        .page(Method::POST, "/{client}/campaigns/{campaign}/archive", "campaigns.delete", show::archive)
        .page(Method::POST, "/{client}/campaigns/{campaign}/mail-file", "campaigns.codes", recipient::mail_file)
        .page(Method::GET, "/{client}/recipients/{id}", "campaigns.view", recipient::show)
        .page(Method::POST, "/{client}/recipients/{id}/codes", "campaigns.codes", recipient::open_codes)
        .page(Method::POST, "/{client}/recipients/{id}/release", "campaigns.launch", recipient::release)
        .page(Method::POST, "/{client}/recipients/{id}/address", "gift_cards.provision", recipient::give_address)
}

#[rustfmt::skip]
fn wizard(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/campaigns/new", "campaigns.create", edit::new)
        .page(Method::POST, "/{client}/campaigns", "campaigns.create", edit::create)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit", "campaigns.edit", edit::first)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit/audience", "campaigns.edit", edit::show::<AudienceForm>)
        .page(Method::POST, "/{client}/campaigns/{campaign}/edit/audience", "campaigns.edit", edit::save::<AudienceForm>)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit/design", "campaigns.edit", edit::show::<DesignForm>)
        .page(Method::POST, "/{client}/campaigns/{campaign}/edit/design", "campaigns.edit", edit::save::<DesignForm>)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit/page", "campaigns.edit", edit::show::<PageForm>)
        .page(Method::POST, "/{client}/campaigns/{campaign}/edit/page", "campaigns.edit", edit::save::<PageForm>)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit/conditions", "campaigns.edit", edit::show::<ConditionsForm>)
        .page(Method::POST, "/{client}/campaigns/{campaign}/edit/conditions", "campaigns.edit", edit::save::<ConditionsForm>)
        .page(Method::GET, "/{client}/campaigns/{campaign}/edit/review", "campaigns.edit", edit::review::show)
}

#[rustfmt::skip]
fn rest(routes: Routes) -> Routes {
    routes
        .api(Method::GET, "/v1/campaigns", "campaigns.view", api::campaigns::list, Doc::new("List campaigns").describe("Newest first.").query::<CampaignParams>().words("status", "CampaignStatus", &[]).returns_page_of::<CampaignOut>())
        .api(Method::POST, "/v1/campaigns", "campaigns.create", api::campaigns::create, Doc::new("Create a campaign").describe("A draft with its conditions and rewards.").body::<CampaignInput>().returns_with::<CampaignOut>(201).versioned())
        .api(Method::GET, "/v1/campaigns/{id}", "campaigns.view", api::campaigns::get, Doc::new("Get a campaign").returns::<CampaignOut>().versioned())
        .api(Method::PATCH, "/v1/campaigns/{id}", "campaigns.edit", api::campaigns::update, Doc::new("Change a draft").describe("The conditions given replace all that were there.").patch::<CampaignInput>().returns::<CampaignOut>().versioned())
        .api(Method::DELETE, "/v1/campaigns/{id}", "campaigns.delete", api::campaigns::archive, Doc::new("Archive a campaign").describe("Only a draft or a completed one.").returns_nothing().versioned())
        .api(Method::GET, "/v1/campaigns/{id}/checklist", "campaigns.view", api::campaigns::checklist, Doc::new("Get the check list before launch").returns::<Checklist>())
        .api(Method::GET, "/v1/campaigns/{id}/conditions", "campaigns.view", api::campaigns::conditions, Doc::new("List the conditions of a campaign").returns_page_of::<ConditionOut>())
        .api(Method::GET, "/v1/campaigns/{id}/history", "campaigns.view", api::campaigns::history, Doc::new("List the steps a campaign took").returns_page_of::<StepOut>())
        .api(Method::POST, "/v1/campaigns/{id}/duplicate", "campaigns.create", api::campaigns::duplicate, Doc::new("Duplicate a campaign").describe("Without its recipients and mail date.").returns_with::<CampaignOut>(201).versioned())
        .api(Method::POST, "/v1/campaigns/{id}/launch", "campaigns.launch", api::launch::begin, Doc::new("Launch a campaign").describe("Begins to make the recipients; GET tells how far it is. Refused with everything the check list misses.").returns_with::<LaunchOut>(202).versioned().answers_else())
        .api(Method::GET, "/v1/campaigns/{id}/launch", "campaigns.view", api::launch::progress, Doc::new("Get how far a launch is").returns::<LaunchOut>())
        .api(Method::POST, "/v1/campaigns/{id}/steps", "campaigns.view", api::launch::step, Doc::new("Take a step of a campaign's life").describe("To in_production and mailed: campaigns.submit; to completed: campaigns.complete; back to draft: campaigns.launch, and the recipients are deleted in the background.").body::<StepInput>().returns::<CampaignOut>().versioned())
        .api(Method::GET, "/v1/campaigns/{id}/recipients", "campaigns.view", api::recipients::list, Doc::new("List the recipients of a campaign").describe("`q` looks for part of a name or e-mail address, a phone, or a code; `did` lists who stands behind a figure of the funnel.").query::<RecipientParams>().returns_page_of::<RecipientOut>())
        .api(Method::POST, "/v1/campaigns/{id}/mail-file", "campaigns.codes", api::recipients::mail_file, Doc::new("Download the mail file of a campaign").describe("CSV for the printer: a line a recipient with address, redemption code, link and QR link. Leaves an audit row. Refused (409) before launch and once it is archived.").returns_text("text/csv"))
        .api(Method::GET, "/v1/campaigns/{id}/skipped", "campaigns.view", api::recipients::skipped, Doc::new("List the contacts that a launch left out").query::<ListParams>().returns_page_of::<SkipOut>())
        .api(Method::GET, "/v1/recipients/{id}", "campaigns.view", api::recipients::get, Doc::new("Get a recipient").describe("With the conditions they have met. Code and link are masked.").returns::<DetailOut>().versioned())
        .api(Method::POST, "/v1/recipients/{id}/codes", "campaigns.codes", api::recipients::codes, Doc::new("Open a recipient's code and link").describe("Whoever has them can have the recipient's card: everywhere else they are masked, and opening them leaves an audit row.").returns::<Codes>().versioned().answers_else())
        .api(Method::POST, "/v1/recipients/{id}/release", "campaigns.launch", api::recipients::release, Doc::new("Release a recipient's held rewards").describe("For rewards kept for a person's look (`hold_reason`): they are sent. It takes the right to launch campaigns, which agents, whose acts can cause a hold, do not have. Refused (409) when none is held.").returns::<DetailOut>().versioned())
        .api(Method::POST, "/v1/recipients/{id}/address", "gift_cards.provision", api::recipients::give_address, Doc::new("Say where a recipient's rewards go").describe("For rewards that were earned and could be sent nowhere (`needs_address`): their cards are handed out a moment later. An address that is not on record needs gift_cards.reveal as well, and gets only so many rewards a day. Refused (409) when none waits for an address.").body::<AddressInput>().returns::<DetailOut>().versioned())
}
