//! A column's name: which field, and of which of several blocks.

use super::super::field::Field;
use super::knowledge::{self, role, title};

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// The field.
    pub field: Field,
    /// Which of several: `mailing`, `address 1`; empty for the only one.
    pub block: String,
    /// How sure that is, in percent.
    pub sure: u8,
}

/// Whether a text is the name of a column as programs write them.
pub fn recognises(header: &str) -> bool {
    let name = title(header);
    // a lone word such as "Church" or "West" is a value as well as a name
    meant(header).is_some() || super::consent::named(&name).is_some_and(|named| named.clear)
}

/// The field a name means, if it means one.
pub fn meant(header: &str) -> Option<Meant> {
    let (front, behind) = parts(header);
    let whole = title(header);
    let found = |name: &str, block: &str| {
        knowledge::field(name).map(|(field, sure)| Meant { field, block: block.to_owned(), sure })
    };
    found(&whole, "").or_else(|| qualified(&whole)).or_else(|| {
        let is_qualifier = !behind.is_empty() && behind.split(' ').all(|word| is_one_of(word, "behind"));
        let front = front.filter(|_| is_qualifier)?;
        let block = if behind == "value" { String::new() } else { behind.clone() };
        let bare = front.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        let meant = found(&front, &block).or_else(|| qualified(&front)).or_else(|| found(bare, &front));
        meant.map(|meant| Meant {
            sure: meant.sure.min(90),
            block: if meant.block.is_empty() { block } else { meant.block },
            ..meant
        })
    })
}

/// `mailing city`, `address 1 postal code`, `default address zip`: words that say which one, then the name itself.
fn qualified(name: &str) -> Option<Meant> {
    let words: Vec<&str> = name.split(' ').collect();
    let qualifier = |word: &&str| is_one_of(word, "before") || word.bytes().all(|b| b.is_ascii_digit());
    let most = words.iter().take_while(|word| qualifier(word)).count().min(words.len().saturating_sub(1));
    let split = |at: usize| {
        let rest = words[at..].join(" ");
        let (field, sure) = knowledge::field(&rest)?;
        let second = words[..at].iter().any(|word| is_one_of(word, "second_to"));
        let is_name = field != Field::FullName || rest.ends_with("name");
        is_name.then(|| Meant { field, block: words[..at].join(" "), sure: sure.min(if second { 85 } else { 90 }) })
    };
    let numbered = || {
        let bare = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end();
        let (field, sure) = knowledge::field(bare).filter(|_| bare != name)?;
        let many = matches!(field, Field::Email | Field::Phone | Field::MobilePhone);
        many.then(|| Meant { field, block: name.to_owned(), sure: sure.min(85) })
    };
    (1..=most).find_map(split).filter(is_sensible).or_else(numbered)
}

/// "Work code", "company first": these words go before addresses, numbers and names of people.
fn is_sensible(meant: &Meant) -> bool {
    match meant.field {
        Field::CustomerCode | Field::Tags | Field::Notes | Field::LifecycleStage | Field::LeadSource => false,
        Field::FullName | Field::FirstName | Field::LastName => {
            !meant.block.split(' ').any(|word| is_one_of(word, "no_person"))
        }
        _ => true,
    }
}

/// What stands before and behind a dash, a colon or a bracket.
fn parts(header: &str) -> (Option<String>, String) {
    let cut =
        [" - ", " – ", "(", ":"].iter().filter_map(|mark| header.rfind(mark).map(|at| (at, at + mark.len()))).max();
    match cut {
        Some((end, begin)) => (Some(title(&header[..end])), title(&header[begin..])),
        None => (None, String::new()),
    }
}

fn is_one_of(word: &str, name: &str) -> bool {
    role(name).iter().any(|known| known == word)
}
