//! Which column of a card file holds what, by the names that people and shops give them.

use csv::StringRecord;
use kernel::{Error, Result};

/// Which column holds what.
pub(super) struct Places {
    pub(super) code: usize,
    pub(super) pin: Option<usize>,
    pub(super) card_number: Option<usize>,
    pub(super) expiry: Option<usize>,
    pub(super) cost: Option<usize>,
    pub(super) value: Option<usize>,
    pub(super) currency: Option<usize>,
    pub(super) brand: Option<usize>,
    /// What says whether a card can still be used.
    pub(super) states: Vec<(usize, State)>,
    /// The names of columns that hold nothing of this.
    pub(super) ignored: Vec<String>,
}

/// How a column says that a card can be used no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// By a word: `Status: redeemed`.
    Word,
    /// By a yes: `Used: yes`, `Redeemed: 3/2/2026`.
    Over,
    /// By a no: `Active: no`.
    Good,
}

impl State {
    /// Whether a cell says that its card can be used no more.
    pub(super) fn is_over(self, cell: &str) -> bool {
        let word = plain(cell);
        let no = ["", "no", "n", "false", "0", "f", "off", "never", "na", "none", "null"].contains(&word.as_str());
        match self {
            Self::Word => says_gone(&word),
            Self::Over => !no && !["un", "not", "never"].iter().any(|start| word.starts_with(start)),
            Self::Good => (no && !word.is_empty()) || says_gone(&word),
        }
    }
}

fn says_gone(word: &str) -> bool {
    let denied = ["un", "notused", "notredeemed", "notexpired", "notclaimed", "notsold", "never"];
    !denied.iter().any(|start| word.starts_with(start)) && GONE.iter().any(|gone| word.contains(gone))
}

/// Words of a card that is used, over or not to be used.
const GONE: &[&str] = &[
    "used",
    "redeemed",
    "expired",
    "void",
    "cancel",
    "inactive",
    "notactiv",
    "deactivated",
    "disabled",
    "blocked",
    "sold",
    "claimed",
    "spent",
    "lost",
    "stolen",
    "refunded",
    "closed",
    "invalid",
];
const STATUS: &[&str] = &["status", "cardstatus", "giftcardstatus", "codestatus", "state"];
const OVER: &[&str] = &[
    "used",
    "isused",
    "redeemed",
    "isredeemed",
    "expired",
    "isexpired",
    "void",
    "voided",
    "sold",
    "claimed",
    "cancelled",
    "canceled",
    "spent",
    "usedon",
    "redeemedon",
    "redeemedat",
    "dateredeemed",
    "dateused",
    "useddate",
    "redeemeddate",
];
const GOOD: &[&str] =
    &["active", "isactive", "activated", "isactivated", "enabled", "valid", "isvalid", "available", "unused"];

const CODE: &[&str] = &[
    "code",
    "cardcode",
    "giftcardcode",
    "giftcode",
    "egiftcode",
    "egiftcardcode",
    "ecode",
    "claimcode",
    "redemptioncode",
    "redeemcode",
    "activationcode",
    "vouchercode",
    "voucher",
    "couponcode",
    "certificatecode",
];
const PIN: &[&str] = &[
    "pin",
    "pincode",
    "pinnumber",
    "cardpin",
    "giftcardpin",
    "securitycode",
    "accesscode",
    "scratchcode",
    "cvv",
    "cvc",
    "cvv2",
];
const NUMBER: &[&str] =
    &["cardnumber", "cardno", "giftcardnumber", "giftcardno", "egiftcardnumber", "number", "serial", "serialnumber"];
const EXPIRY: &[&str] = &[
    "expiry",
    "expires",
    "expireson",
    "expiresat",
    "expirationdate",
    "expiration",
    "expirydate",
    "expdate",
    "exp",
    "validuntil",
    "validthru",
    "validthrough",
    "validto",
    "goodthru",
    "goodthrough",
    "validtill",
    "bestbefore",
    "useby",
    "usebydate",
    "enddate",
    "expirymmyy",
    "expmmyy",
    "expirydatemmyy",
    "expirationmmyy",
    "expirationdatemmyy",
];
const COST: &[&str] = &["cost", "costamount", "unitcost", "price", "purchaseprice", "unitprice"];
const VALUE: &[&str] = &[
    "value",
    "valueamount",
    "cardvalue",
    "giftcardvalue",
    "facevalue",
    "amount",
    "cardamount",
    "giftcardamount",
    "denomination",
    "balance",
    "initialbalance",
    "loadamount",
    "denom",
    "nominal",
    "nominalvalue",
    "retailvalue",
    "worth",
    "total",
    "totalvalue",
    "currentbalance",
    "cardbalance",
    "availablebalance",
    "remainingbalance",
];
const CURRENCY: &[&str] = &["currency", "currencycode", "cur", "ccy", "isocurrency"];
const BRAND: &[&str] = &["brand", "brandname", "merchant", "retailer", "store", "storename", "issuer", "issuername"];

/// Currencies that a header may name behind the amount: `Amount (EUR)`.
const CURRENCIES: &[&str] = &["usd", "eur", "gbp", "cad", "aud", "mxn", "jpy", "chf", "inr", "nzd"];

impl Places {
    /// Whether something is read from a column.
    fn holds(&self, at: usize) -> bool {
        let some = [self.pin, self.card_number, self.expiry, self.cost, self.value, self.currency, self.brand];
        self.code == at || some.contains(&Some(at)) || self.states.iter().any(|(state, _)| *state == at)
    }

    /// The places in a file of nothing but codes.
    pub(super) fn codes_only() -> Self {
        Self {
            code: 0,
            pin: None,
            card_number: None,
            expiry: None,
            cost: None,
            value: None,
            currency: None,
            brand: None,
            states: Vec::new(),
            ignored: Vec::new(),
        }
    }
}

/// Whether a row names a column of codes.
pub(super) fn names_codes(row: &StringRecord) -> bool {
    row.iter().map(plain).any(|name| [CODE, NUMBER].iter().any(|known| known.contains(&name.as_str())))
}

pub(super) fn places(headers: &StringRecord) -> Result<Places> {
    let names: Vec<String> = headers.iter().map(plain).collect();
    let (code, number) = (find(&names, CODE, "the code")?, find(&names, NUMBER, "the number")?);
    // many brands' cards have a number and a PIN, and no other code
    let (code, card_number) = match (code, number) {
        (Some(code), number) => (code, number),
        (None, Some(number)) => (number, None),
        (None, None) => return Err(Error::invalid("file", "the first line must name a column code")),
    };
    let mut places = Places {
        code,
        card_number,
        pin: find(&names, PIN, "the PIN")?,
        expiry: find(&names, EXPIRY, "the last day")?,
        cost: find(&names, COST, "the cost")?,
        value: find_value(&names)?,
        currency: find(&names, CURRENCY, "the currency")?,
        brand: find(&names, BRAND, "the brand")?,
        states: names.iter().enumerate().filter_map(|(at, name)| Some((at, state(name)?))).collect(),
        ignored: Vec::new(),
    };
    let unread = headers.iter().enumerate().filter(|(at, name)| !name.trim().is_empty() && !places.holds(*at));
    places.ignored = unread.map(|(_, name)| name.trim().chars().take(60).collect()).collect();
    Ok(places)
}

fn state(name: &str) -> Option<State> {
    [(STATUS, State::Word), (OVER, State::Over), (GOOD, State::Good)]
        .into_iter()
        .find_map(|(known, state)| known.contains(&name).then_some(state))
}

fn find(names: &[String], known: &[&str], what: &str) -> Result<Option<usize>> {
    let mut found = names.iter().enumerate().filter(|(_, name)| known.contains(&name.as_str())).map(|(at, _)| at);
    match (found.next(), found.next()) {
        (Some(_), Some(_)) => {
            Err(Error::invalid("file", format!("the first line names two columns for {what}: keep one")))
        }
        (first, _) => Ok(first),
    }
}

/// The column of the value, whose name may end in its currency.
fn find_value(names: &[String]) -> Result<Option<usize>> {
    let mut bare = Vec::with_capacity(names.len());
    for name in names {
        let currency =
            CURRENCIES.iter().find(|word| name.strip_suffix(**word).is_some_and(|rest| VALUE.contains(&rest)));
        if currency.is_some_and(|word| *word != "usd") {
            return Err(Error::invalid("file", "the first line names another currency: cards are in US dollars"));
        }
        bare.push(currency.and_then(|word| name.strip_suffix(*word)).unwrap_or(name).to_owned());
    }
    find(&bare, VALUE, "the value")
}

fn plain(header: &str) -> String {
    let letters = header.chars().filter(|c| c.is_alphanumeric() || *c == '€' || *c == '£');
    letters.collect::<String>().to_lowercase().replace('€', "eur").replace('£', "gbp")
}
