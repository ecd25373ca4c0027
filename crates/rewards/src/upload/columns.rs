//! Which column of a card file holds what, by the names that people and shops give them.

use csv::StringRecord;
use kernel::{Error, Result};

use super::states::State;

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
    /// Whether the code is from a column that may as well number the rows.
    pub(super) is_vague: bool,
    /// Columns that hold nothing of this, with their names.
    pub(super) ignored: Vec<(usize, String)>,
    /// Cells of the row of names.
    pub(super) width: usize,
    /// Those up to the last one with a name.
    pub(super) named: usize,
}

/// The most columns of a file.
const MOST_COLUMNS: usize = 500;

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
    "vouchernumber",
    "voucherno",
];
/// Names of codes, or of a product: they count where no other column is one of codes.
const CARD: &[&str] = &["card", "giftcard", "egiftcard", "egift"];
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
    "csc",
    "pinno",
    "passcode",
    "verificationcode",
    "accessnumber",
];
const NUMBER: &[&str] = &["cardnumber", "cardno", "giftcardnumber", "giftcardno", "egiftcardnumber"];
/// Names of card numbers, or of what only numbers the rows.
const VAGUE: &[&str] = &["number", "serial", "serialnumber"];
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
    "expiredate",
    "expiresdate",
    "dateofexpiry",
    "cardexpiry",
    "cardexpirydate",
    "cardexpiration",
    "cardexpirationdate",
    "expirydatetime",
    "expirationdatetime",
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
    "giftamount",
    "giftvalue",
    "valuein",
    "amountin",
    "cardfacevalue",
    "giftcardfacevalue",
    "giftcardbalance",
];
const CURRENCY: &[&str] = &["currency", "currencycode", "cur", "ccy", "isocurrency", "valuecurrency", "cardcurrency"];
const BRAND: &[&str] = &[
    "brand",
    "brandname",
    "giftcardbrand",
    "cardbrand",
    "merchant",
    "retailer",
    "store",
    "storename",
    "issuer",
    "issuername",
];

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
            is_vague: false,
            ignored: Vec::new(),
            width: 1,
            named: 1,
        }
    }

    /// Whether a row names the columns once more: two files in one.
    pub(super) fn are_named_again(&self, row: &StringRecord) -> bool {
        const ALL: [&[&str]; 10] = [CODE, CARD, NUMBER, VAGUE, PIN, EXPIRY, COST, VALUE, CURRENCY, BRAND];
        let of_code =
            row.get(self.code).map(plain).is_some_and(|name| ALL[..4].iter().any(|known| known.contains(&&*name)));
        let names = row.iter().map(plain).filter(|name| ALL.iter().any(|known| known.contains(&&**name)));
        of_code || names.count() > 1
    }

    /// What a name speaks of that no column holds: it is asked about, and not passed over.
    fn missed(&self, name: &str) -> Option<&'static str> {
        let words = words(name);
        let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if has(&["url", "link", "website", "phone", "instructions", "terms"]) {
            return None;
        }
        let expires = words.iter().any(|word| word.starts_with("expir") || word == "exp");
        [
            (self.pin, has(&["pin", "pins", "csc", "cvv", "cvc", "passcode", "password"]), "pin"),
            (self.value, has(&["value", "amount", "balance", "denomination", "worth"]), "value"),
            (self.currency, has(&["currency"]), "currency"),
            (self.expiry, expires, "expiry"),
        ]
        .into_iter()
        .find_map(|(place, speaks, what)| (place.is_none() && speaks).then_some(what))
    }
}

/// The refusal of a file with a column that may be meant for something.
pub(super) fn asked(name: &str, what: &str) -> Error {
    Error::invalid(
        "file",
        format!("the column “{name}” may be meant as {what}: name it so, or take it out of the file"),
    )
}

/// Whether a row names a column of codes.
pub(super) fn names_codes(row: &StringRecord) -> bool {
    names_one_of(row, &[CODE, NUMBER, VAGUE])
}

/// Whether a row names a column that may be one of codes.
pub(super) fn may_name_codes(row: &StringRecord) -> bool {
    names_one_of(row, &[CARD])
}

fn names_one_of(row: &StringRecord, lists: &[&[&str]]) -> bool {
    row.iter().map(plain).any(|name| lists.iter().any(|known| known.contains(&name.as_str())))
}

pub(super) fn places(headers: &StringRecord) -> Result<Places> {
    if headers.len() > MOST_COLUMNS {
        let columns = web::view::count(headers.len(), "column");
        return Err(Error::invalid("file", format!("the first row has {columns}; a file can have {MOST_COLUMNS}")));
    }
    let names: Vec<String> = headers.iter().map(plain).collect();
    let (code, number) = (find(&names, CODE, "the code")?, find(&names, NUMBER, "the number")?);
    let (card, vague) = (find(&names, CARD, "the code")?, find(&names, VAGUE, "the number")?);
    // many brands' cards have a number and a PIN, and no other code
    let (code, card_number) = match (code, number, card) {
        (Some(code), ..) => (code, number.or(vague)),
        (None, Some(number), _) => (number, None),
        (None, None, Some(card)) => (card, vague),
        (None, None, None) => {
            (vague.ok_or_else(|| Error::invalid("file", "the first line must name a column code"))?, None)
        }
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
        states: headers.iter().enumerate().filter_map(|(at, name)| Some((at, State::of(name)?))).collect(),
        is_vague: vague == Some(code),
        ignored: Vec::new(),
        width: headers.len(),
        named: names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1),
    };
    for (at, name) in headers.iter().enumerate() {
        if name.trim().is_empty() || places.holds(at) {
            continue;
        }
        let short: String = name.trim().chars().take(60).collect();
        if let Some(what) = places.missed(name) {
            return Err(asked(&short, what));
        }
        places.ignored.push((at, short));
    }
    Ok(places)
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

/// The words of a name, also where only capitals part them: `PINCode`, `Pin Code`, `pin_code`.
fn words(name: &str) -> Vec<String> {
    let (mut spaced, mut before) = (String::with_capacity(name.len() + 8), ' ');
    for c in name.chars() {
        if before.is_lowercase() && c.is_uppercase() {
            spaced.push(' ');
        }
        spaced.push(c);
        before = c;
    }
    spaced.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect()
}

/// A name without what people put between its letters.
pub(super) fn plain(header: &str) -> String {
    let letters = header.chars().filter(|c| c.is_alphanumeric() || *c == '€' || *c == '£');
    letters.collect::<String>().to_lowercase().replace('€', "eur").replace('£', "gbp")
}
