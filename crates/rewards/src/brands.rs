//! The brands that ship with ACE, so that nobody starts with an empty catalogue.

use kernel::money::Money;
use kernel::{Actor, Result, new_id};
use web::App;

use crate::store::brands as store;

/// Name, what a card is mostly worth in dollars, where people redeem.
const SHIPPED: &[(&str, i64, &str)] = &[
    ("Amazon", 25, "https://www.amazon.com/gc/redeem"),
    ("Apple", 25, "https://www.apple.com/redeem"),
    ("Best Buy", 25, "https://www.bestbuy.com/gift-card-balance"),
    ("Chipotle", 15, "https://www.chipotle.com/gift-cards"),
    ("DoorDash", 25, "https://www.doordash.com/gift-cards"),
    ("Dunkin'", 10, "https://www.dunkindonuts.com/en/dd-cards"),
    ("Home Depot", 50, "https://www.homedepot.com/mycheckout/giftcard"),
    ("Kroger", 25, "https://giftcards.kroger.com"),
    ("Lowe's", 50, "https://www.lowes.com/l/gift-cards"),
    ("Mastercard", 50, "https://www.mastercardgiftcard.com"),
    ("Panera Bread", 15, "https://www.panerabread.com/en-us/gift-cards.html"),
    ("Sephora", 25, "https://www.sephora.com/beauty/giftcards"),
    ("Starbucks", 10, "https://www.starbucks.com/gift"),
    ("Target", 25, "https://www.target.com/gift-cards"),
    ("Uber", 25, "https://www.uber.com/redeem"),
    ("Visa", 50, "https://www.visa.com"),
    ("Walmart", 25, "https://www.walmart.com/account/giftcards"),
    ("Whole Foods Market", 25, "https://www.wholefoodsmarket.com/giftcards"),
];

/// Adds the shipped brands that are missing by name; answers how many. The operator runs it at every start.
///
/// # Errors
/// `NotFound` for somebody who may not edit the catalogue.
pub async fn ensure_shipped(app: &App, actor: &Actor) -> Result<usize> {
    let tx = app.scope(actor).transaction().await?;
    let mut added = 0;
    for (name, dollars, url) in SHIPPED {
        let value = Money::from_cents(dollars * 100);
        added += usize::from(store::insert_shipped(&tx, new_id(), name, value, url).await?);
    }
    tx.commit().await?;
    Ok(added)
}
