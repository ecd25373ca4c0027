//! The brands that ship with ACE, so that nobody starts with an empty catalogue.

use kernel::money::Money;
use kernel::{Actor, Result, new_id};
use web::App;

use crate::store::brands as store;

/// Digits in any grouping, and nothing else.
const DIGITS_15: &str = "[0-9](?:[- ]?[0-9]){14}";
const DIGITS_16: &str = "[0-9](?:[- ]?[0-9]){15}";

/// Name, what a card is mostly worth in dollars, where people redeem, and what codes look like where the brand tells
/// everybody. A pattern that refuses a good card is worse than none.
const SHIPPED: &[(&str, i64, &str, Option<&str>)] = &[
    ("Amazon", 25, "https://www.amazon.com/gc/redeem", Some("(?i)[A-Z0-9](?:[- ]?[A-Z0-9]){12,15}")),
    ("Apple", 25, "https://www.apple.com/redeem", Some("(?i)X(?:[- ]?[A-Z0-9]){15}")),
    ("Best Buy", 25, "https://www.bestbuy.com/gift-card-balance", Some(DIGITS_16)),
    ("Chipotle", 15, "https://www.chipotle.com/gift-cards", None),
    ("DoorDash", 25, "https://www.doordash.com/gift-cards", None),
    ("Dunkin'", 10, "https://www.dunkindonuts.com/en/dd-cards", None),
    ("Home Depot", 50, "https://www.homedepot.com/mycheckout/giftcard", None),
    ("Kroger", 25, "https://giftcards.kroger.com", None),
    ("Lowe's", 50, "https://www.lowes.com/l/gift-cards", None),
    ("Mastercard", 50, "https://www.mastercardgiftcard.com", None),
    ("Panera Bread", 15, "https://www.panerabread.com/en-us/gift-cards.html", None),
    ("Sephora", 25, "https://www.sephora.com/beauty/giftcards", None),
    ("Starbucks", 10, "https://www.starbucks.com/gift", Some(DIGITS_16)),
    ("Target", 25, "https://www.target.com/gift-cards", Some(DIGITS_15)),
    ("Uber", 25, "https://www.uber.com/redeem", None),
    ("Visa", 50, "https://www.visa.com", None),
    ("Walmart", 25, "https://www.walmart.com/account/giftcards", Some(DIGITS_16)),
    ("Whole Foods Market", 25, "https://www.wholefoodsmarket.com/giftcards", None),
];

/// Adds the shipped brands that are missing by name; answers how many. The operator runs it at every start.
///
/// # Errors
/// `NotFound` for somebody who may not edit the catalogue.
pub async fn ensure_shipped(app: &App, actor: &Actor) -> Result<usize> {
    let tx = app.scope(actor).transaction().await?;
    let mut added = 0;
    for (name, dollars, url, pattern) in SHIPPED {
        let value = Money::from_cents(dollars * 100);
        added += usize::from(store::insert_shipped(&tx, new_id(), (name, url), value, *pattern).await?);
    }
    tx.commit().await?;
    Ok(added)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::brands::pattern;

    #[test]
    fn the_shipped_patterns_take_codes_as_the_brands_print_them_and_no_others() {
        let form = |brand: &str| {
            let (.., text) = SHIPPED.iter().find(|(name, ..)| *name == brand).unwrap();
            pattern(text.unwrap()).unwrap()
        };
        for (brand, code) in [
            ("Amazon", "AB1C-D2EF3G-H4IJ"),
            ("Amazon", "ab1cd2ef3gh4ij5"),
            ("Apple", "X1Y2 Z3A4 B5C6 D7E8"),
            ("Starbucks", "6012 3456 7890 1234"),
            ("Walmart", "6012345678901234"),
            ("Best Buy", "6012-3456-7890-1234"),
            ("Target", "041-234-567-890-123"),
        ] {
            assert!(form(brand).is_match(code), "{brand} {code}");
            for wrong in [format!("{code}99999"), code[..6].to_owned(), format!("{code}!")] {
                assert!(!form(brand).is_match(&wrong), "{brand} {wrong}");
            }
        }
        assert!(SHIPPED.iter().filter_map(|(.., text)| *text).all(|text| pattern(text).is_ok()));
    }
}
