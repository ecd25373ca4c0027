//! Every route of this room, with its permission.

use web::{App, Doc, Method, Routes};

use crate::actions::brands::BrandInput;
use crate::actions::cards::{FindInput, OpenCard, RedeemInput, ReplaceInput, RevokeInput};
use crate::actions::credits::GrantInput;
use crate::actions::pools::{PoolInput, RenameInput};
use crate::api::brands::BrandOut;
use crate::api::cards::CardOut;
use crate::api::credits::{Balance, CreditsOut};
use crate::api::pools::PoolOut;
use crate::upload::UploadReport;
use crate::{api, pages};

/// The route table.
pub fn routes(app: &App) -> Routes {
    console(Routes::new(app))
        .merge(admin(Routes::new(app)))
        .merge(stock(Routes::new(app)))
        .merge(rest(Routes::new(app)))
}

#[rustfmt::skip]
fn console(routes: Routes) -> Routes {
    routes
        .page(Method::GET, "/{client}/pools", "gift_cards.view", pages::pools::list)
        .page(Method::POST, "/{client}/pools", "gift_cards.manage_pools", pages::pools::create)
        .page(Method::GET, "/{client}/pools/new", "gift_cards.manage_pools", pages::pools::new)
        .page(Method::GET, "/{client}/pools/{id}", "gift_cards.view", pages::pools::show)
        .page(Method::POST, "/{client}/pools/{id}", "gift_cards.manage_pools", pages::pools::rename)
        .page(Method::POST, "/{client}/pools/{id}/archive", "gift_cards.manage_pools", pages::pools::archive)
        .page(Method::POST, "/{client}/pools/{id}/restore", "gift_cards.manage_pools", pages::pools::restore)
        .page(Method::POST, "/{client}/pools/{id}/cards", "gift_cards.upload", pages::pools::upload)
        .page(Method::GET, "/{client}/cards/{id}", "gift_cards.view", pages::cards::show)
        .page(Method::POST, "/{client}/cards/{id}/reveal", "gift_cards.reveal", pages::cards::reveal)
        .page(Method::POST, "/{client}/cards/{id}/redeem", "gift_cards.provision", pages::cards::redeem)
        .page(Method::POST, "/{client}/cards/{id}/revoke", "gift_cards.revoke", pages::cards::revoke)
        .page(Method::POST, "/{client}/cards/{id}/replace", "gift_cards.revoke", pages::cards::replace)
        .page(Method::GET, "/{client}/credits", "credits.view", pages::credits::list)
        .page(Method::POST, "/{client}/credits", "credits.grant", pages::credits::grant)
}

#[rustfmt::skip]
fn admin(routes: Routes) -> Routes {
    routes
        .account_page(Method::GET, "/admin/brands", "platform.brands", pages::brands::list)
        .account_page(Method::POST, "/admin/brands", "platform.brands", pages::brands::create)
        .account_page(Method::GET, "/admin/brands/new", "platform.brands", pages::brands::new)
        .account_page(Method::POST, "/admin/brands/shipped", "platform.brands", pages::brands::add_shipped)
        .account_page(Method::GET, "/admin/brands/{id}", "platform.brands", pages::brands::show)
        .account_page(Method::POST, "/admin/brands/{id}", "platform.brands", pages::brands::update)
        .account_page(Method::GET, "/admin/quarantine", "platform.pools", pages::quarantine::list)
        .account_page(Method::POST, "/admin/quarantine/{id}/release", "platform.pools", pages::quarantine::release)
}

#[rustfmt::skip]
fn stock(routes: Routes) -> Routes {
    routes
        .api(Method::GET, "/v1/brands", "gift_cards.view", api::brands::list, Doc::new("List brands").query::<web::PageQuery>().returns_page_of::<BrandOut>())
        .account_api(Method::POST, "/v1/brands", "platform.brands", api::brands::create, Doc::new("Add a brand").body::<BrandInput>().returns_with::<BrandOut>(201).versioned())
        .api(Method::GET, "/v1/brands/{id}", "gift_cards.view", api::brands::get, Doc::new("Get a brand").returns::<BrandOut>().versioned())
        .account_api(Method::PATCH, "/v1/brands/{id}", "platform.brands", api::brands::update, Doc::new("Change a brand").patch::<BrandInput>().returns::<BrandOut>().versioned())
        .api(Method::GET, "/v1/pools", "gift_cards.view", api::pools::list, Doc::new("List pools").query::<api::pools::ListParams>().returns_page_of::<PoolOut>())
        .api(Method::POST, "/v1/pools", "gift_cards.manage_pools", api::pools::create, Doc::new("Create a pool").body::<PoolInput>().returns_with::<PoolOut>(201).versioned())
        .api(Method::GET, "/v1/pools/{id}", "gift_cards.view", api::pools::get, Doc::new("Get a pool").returns::<PoolOut>().versioned())
        .api(Method::PATCH, "/v1/pools/{id}", "gift_cards.manage_pools", api::pools::rename, Doc::new("Rename a pool").patch::<RenameInput>().returns::<PoolOut>().versioned())
        .api(Method::POST, "/v1/pools/{id}/archive", "gift_cards.manage_pools", api::pools::archive, Doc::new("Archive a pool").describe("Refused (409) while its cards are promised or awaited, or a campaign under way hands them out.").returns::<PoolOut>().versioned())
        .api(Method::POST, "/v1/pools/{id}/restore", "gift_cards.manage_pools", api::pools::restore, Doc::new("Bring a pool back").describe("Takes back its archiving: cards come in again, and campaigns can choose it.").returns::<PoolOut>().versioned())
        .api(Method::POST, "/v1/pools/{id}/cards", "gift_cards.upload", api::pools::upload, Doc::new("Upload cards").describe("A CSV with the columns code and, optionally, pin, number, expiry, cost, value and currency: all cards or none. A refused file leaves an audit row.").raw_body("text/csv").returns_with::<UploadReport>(201))
}

#[rustfmt::skip]
fn rest(routes: Routes) -> Routes {
    routes
        .api(Method::GET, "/v1/cards", "gift_cards.view", api::cards::list, Doc::new("List cards").query::<api::cards::ListParams>().words("status", "CardStatus", &[]).returns_page_of::<CardOut>())
        .api(Method::GET, "/v1/cards/{id}", "gift_cards.view", api::cards::get, Doc::new("Get a card").returns::<CardOut>().versioned())
        .api(Method::POST, "/v1/cards/find", "gift_cards.view", api::cards::find, Doc::new("Find a card by its code").describe("The code travels in the body, so that it is in no log.").body::<FindInput>().returns::<CardOut>().versioned())
        .api(Method::POST, "/v1/cards/{id}/reveal", "gift_cards.reveal", api::cards::reveal, Doc::new("Reveal a card's code").describe("Leaves an audit row. Refused (409) for a card that is still to be handed out.").returns::<OpenCard>().versioned().answers_else())
        .api(Method::POST, "/v1/cards/{id}/redeem", "gift_cards.provision", api::cards::redeem, Doc::new("Mark a card as redeemed").body::<RedeemInput>().returns::<CardOut>().versioned())
        .api(Method::POST, "/v1/cards/{id}/revoke", "gift_cards.revoke", api::cards::revoke, Doc::new("Revoke a card").describe("One in stock goes even when every card of its pool is promised: the newest promise is cut then, which an alert tells.").body::<RevokeInput>().returns::<CardOut>().versioned())
        .api(Method::POST, "/v1/cards/{id}/replace", "gift_cards.revoke", api::cards::replace, Doc::new("Replace a card").describe("Revokes it and issues another one of the same pool, free of credits. An address that is not on record (`to`) needs gift_cards.reveal as well, and gets only so many rewards a day. Refused (409) at the moment it is being sent.").body::<ReplaceInput>().returns_with::<CardOut>(201).versioned())
        .api(Method::GET, "/v1/credits", "credits.view", api::credits::list, Doc::new("Get credits").query::<api::credits::ListParams>().words("reason", "CreditReason", &[]).returns::<CreditsOut>().versioned())
        .api(Method::POST, "/v1/credits", "credits.grant", api::credits::grant, Doc::new("Grant credits").describe("The operator makes credits; everybody else moves them here from another client of the same organization (`from`). The same `id` again books nothing more.").body::<GrantInput>().returns_with::<Balance>(201).versioned().in_place().answers_else())
}
