//! Amounts of United States dollars, in whole cents: nothing is ever rounded behind anybody's back.
//!
//! Stored as `numeric`, carried in JSON as text (`"25.00"`), shown as `$25.00`.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};
use std::str::FromStr;

use bytes::BytesMut;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::Error;

/// An amount in cents; negative where money goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// So many cents.
    pub const fn from_cents(cents: i64) -> Self {
        Self(cents)
    }

    /// The amount in cents.
    pub const fn cents(self) -> i64 {
        self.0
    }

    /// The amount `count` times, as for `count` cards of one value; stops at the largest amount instead of wrapping.
    pub const fn times(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }

    /// The amount as a decimal number of dollars.
    pub fn to_decimal(self) -> Decimal {
        Decimal::new(self.0, 2)
    }

    /// A decimal number of dollars; `None` when it has fractions of a cent or does not fit.
    pub fn from_decimal(dollars: Decimal) -> Option<Self> {
        let cents = dollars.checked_mul(Decimal::ONE_HUNDRED)?;
        if cents.fract().is_zero() { cents.to_i64().map(Self) } else { None }
    }

    /// The amount without sign or separators, for JSON, CSV and form fields: `1234.50`.
    pub fn plain(self) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let cents = self.0.unsigned_abs();
        format!("{sign}{}.{:02}", cents / 100, cents % 100)
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cents = self.0.unsigned_abs();
        let digits = (cents / 100).to_string();
        let mut dollars = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                dollars.push(',');
            }
            dollars.push(digit);
        }
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}${dollars}.{:02}", cents % 100)
    }
}

impl FromStr for Money {
    type Err = Error;

    /// Reads `25`, `25.5`, `25.00`, `$25.00`, `$1,234.50` and `-$5`.
    fn from_str(text: &str) -> Result<Self, Error> {
        read(text.trim()).ok_or_else(|| Error::invalid("amount", "enter an amount such as 25 or $25.00"))
    }
}

fn read(text: &str) -> Option<Money> {
    let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let text = text.strip_prefix('$').unwrap_or(text);
    let (dollars, cents) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let dollars = without_separators(dollars)?;
    if !digits(&dollars) || !digits(cents) || cents.len() > 2 {
        return None;
    }
    let cents: i64 = if cents.len() == 1 { cents.parse::<i64>().ok()? * 10 } else { cents.parse().ok()? };
    let total = dollars.parse::<i64>().ok()?.checked_mul(100)?.checked_add(cents)?;
    Some(Money(if negative { -total } else { total }))
}

/// Drops thousands separators, refusing any that do not stand before three digits: `25,00` is not 2,500.
fn without_separators(dollars: &str) -> Option<String> {
    let mut groups = dollars.split(',');
    let first = groups.next()?;
    let mut digits = first.to_owned();
    for group in groups {
        if group.len() != 3 || first.is_empty() || first.len() > 3 {
            return None;
        }
        digits.push_str(group);
    }
    Some(digits)
}

/// A whole number as people type it: `2500`, `2,500`, `-40`. Refuses what could be read two ways, such as `2,5`.
pub fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let (negative, text) = text.strip_prefix(['-', '−']).map_or((false, text), |rest| (true, rest));
    let digits = without_separators(text)?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| digits.parse::<i64>().ok())??;
    Some(if negative { -number } else { number })
}

impl Add for Money {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Money {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Sum for Money {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.plain())
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Takes text as [`FromStr`] reads it, or a JSON number of dollars.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => text,
            serde_json::Value::Number(number) => number.to_string(),
            _ => return Err(serde::de::Error::custom("an amount looks like 25 or \"25.00\"")),
        };
        text.parse().map_err(|_| serde::de::Error::custom("an amount looks like 25 or \"25.00\""))
    }
}

impl ToSql for Money {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        self.to_decimal().to_sql(ty, out)
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Money {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        let dollars = Decimal::from_sql(ty, raw)?;
        Self::from_decimal(dollars).ok_or_else(|| format!("{dollars} is not a whole number of cents").into())
    }

    fn accepts(ty: &Type) -> bool {
        <Decimal as FromSql>::accepts(ty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, cents) in [
            ("25", 2500),
            ("$25.00", 2500),
            ("25.5", 2550),
            (" $1,234.50 ", 123_450),
            ("-$5", -500),
            ("0.07", 7),
            ("1234567", 123_456_700),
        ] {
            assert_eq!(text.parse::<Money>().unwrap().cents(), cents, "{text}");
        }
    }

    #[test]
    fn what_could_be_read_two_ways_is_refused() {
        for text in [
            "",
            "$",
            "25.",
            ".5",
            "25.001",
            "25,00",
            "1,23,456",
            "1234,567",
            ",123",
            "25 USD",
            "--5",
            "1e3",
            "99999999999999999999",
        ] {
            assert_eq!(text.parse::<Money>().unwrap_err().fields()[0].field, "amount", "{text}");
        }
        assert_eq!(Money::from_decimal(Decimal::new(25_001, 3)), None);
    }

    #[test]
    fn whole_numbers_have_separators_before_three_digits_or_none() {
        for (text, number) in [("2500", 2500), ("2,500", 2500), ("1,234,567", 1_234_567), (" -40 ", -40), ("0", 0)] {
            assert_eq!(whole(text), Some(number), "{text}");
        }
        for text in ["", "-", "2,5", "1,0", "2,50", "12,34", ",500", "2.5", "1e3", "+5", "٣", "99999999999999999999"] {
            assert_eq!(whole(text), None, "{text}");
        }
    }

    #[test]
    fn people_see_dollars_and_programs_see_text() {
        assert_eq!(Money::from_cents(123_456_789).to_string(), "$1,234,567.89");
        assert_eq!(Money::from_cents(-5).to_string(), "-$0.05");
        assert_eq!(Money::from_cents(100_000).to_string(), "$1,000.00");
        assert_eq!(serde_json::to_string(&Money::from_cents(2500)).unwrap(), "\"25.00\"");
        assert_eq!(serde_json::from_str::<Money>("25.5").unwrap(), Money::from_cents(2550));
        assert!(serde_json::from_str::<Money>("true").is_err());
    }

    proptest! {
        #[test]
        fn every_form_reads_back_as_the_same_amount(cents in -1_000_000_000_000_i64..1_000_000_000_000) {
            let money = Money::from_cents(cents);
            prop_assert_eq!(money.to_string().parse::<Money>().unwrap(), money);
            prop_assert_eq!(money.plain().parse::<Money>().unwrap(), money);
            prop_assert_eq!(Money::from_decimal(money.to_decimal()), Some(money));
            let mut raw = BytesMut::new();
            money.to_sql(&Type::NUMERIC, &mut raw).unwrap();
            prop_assert_eq!(Money::from_sql(&Type::NUMERIC, &raw).unwrap(), money);
        }
    }
}
