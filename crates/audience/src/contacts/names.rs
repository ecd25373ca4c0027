//! Whether two names can be one person's. People share e-mail addresses and phones: a couple, a family, an office.

use kernel::email;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::code_of;
use crate::import::words;

/// How many people with one address are told apart by their names; more have an office's, and it tells of nobody.
pub const HOUSEHOLD: usize = 20;
/// Words before and between names that tell nobody from another.
const NO_NAMES: [&str; 11] = ["and", "und", "et", "mr", "mrs", "ms", "miss", "dr", "prof", "rev", "the"];

/// A name made fit to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    first: Vec<String>,
    last: Vec<String>,
    generation: Option<String>,
}

impl Name {
    /// The name of somebody.
    pub fn of(first: &str, last: &str) -> Self {
        let words = |text: &str| -> Vec<String> {
            words(&text.to_lowercase()).split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
        };
        let (mut first, mut last) = (words(first), words(last));
        let generation = last.iter().chain(&first).find_map(|word| generation(word)).map(str::to_owned);
        for part in [&mut first, &mut last] {
            part.retain(|word| generation_or_none(word) && !NO_NAMES.contains(&word.as_str()));
            // the middle initial is half the world's
            let mut at = 0;
            part.retain(|word| {
                at += 1;
                at == 1 || word.chars().count() > 1
            });
        }
        Self { first, last, generation }
    }

    /// Whether it is clearly somebody else's: no word of the first names, or none of the last, is alike. What one of the
    /// two leaves out tells nothing.
    pub fn is_anothers(&self, other: &Self) -> bool {
        if self.is_empty() || other.is_empty() {
            return false;
        }
        let fits = |one: &[String], other: &[String], alike: fn(&str, &str) -> bool| {
            one.is_empty() || other.is_empty() || one.iter().any(|one| other.iter().any(|other| alike(one, other)))
        };
        let straight = fits(&self.first, &other.first, alike_first) && fits(&self.last, &other.last, alike_last);
        let turned = self.is_whole()
            && other.is_whole()
            && fits(&self.first, &other.last, alike_last)
            && fits(&self.last, &other.first, alike_last);
        self.generation != other.generation || !(straight || turned)
    }

    /// Whether first and last name are known: half a name says little, and may be mended by a later file.
    pub fn is_whole(&self) -> bool {
        !self.first.is_empty() && !self.last.is_empty()
    }

    fn is_empty(&self) -> bool {
        self.first.is_empty() && self.last.is_empty()
    }

    /// The code of somebody who shares `address` with another: the same whenever they come again.
    pub fn code(&self, client_id: Uuid, address: &str) -> String {
        let mut digest = Sha256::new();
        digest.update(client_id.as_bytes());
        for text in [address].into_iter().chain(self.first.iter().chain(&self.last).map(String::as_str)) {
            digest.update(text.as_bytes());
            digest.update([0]);
        }
        digest.update(self.generation.as_deref().unwrap_or_default().as_bytes());
        let hash = digest.finalize();
        code_of(u64::from_le_bytes(std::array::from_fn(|index| hash[index])))
    }
}

/// Jr., III: what tells a son from his father, who is seldom called Sr.
fn generation(word: &str) -> Option<&'static str> {
    match word {
        "jr" | "junior" => Some("jr"),
        "ii" => Some("ii"),
        "iii" => Some("iii"),
        "iv" => Some("iv"),
        _ => None,
    }
}

fn generation_or_none(word: &str) -> bool {
    generation(word).is_none() && !matches!(word, "sr" | "senior")
}

/// `Dan` and `Daniel`, `J` and `John`; but not `Paul` and `Paula`.
fn alike_first(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    let (letters, more) = (short.chars().count(), long.chars().count());
    one == other || (long.starts_with(short) && (letters == 1 || (letters >= 3 && more >= letters + 2)))
}

/// `Lee` and `Lee`, `L` and `Lee`.
fn alike_last(one: &str, other: &str) -> bool {
    let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    one == other || initial(one, other) || initial(other, one)
}

/// What people call an address: an e-mail, or a phone.
pub fn kind_of(address: &str) -> &'static str {
    if email::normalise(address).is_some() { "e-mail" } else { "phone" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clearly_different_names_are_two_people_and_one_written_twice_is_one() {
        let name = |text: &str| {
            let (first, last) = text.split_once('|').unwrap();
            Name::of(first, last)
        };
        for (one, other) in [
            ("John|Lee", "Mary|Lee"),
            ("Ada|Lee", "Bo|Hall"),
            ("Ada M.|Lee", "Bob M.|Lee"),
            ("Paul|Smith", "Paula|Smith"),
            ("Dr. John|Lee", "Dr. Mary|Lee"),
            ("John|Smith", "John|Smith Jr."),
            ("Maria|Lopez", "Maria|Garcia"),
            ("John and Mary|Doe", "Bob and Sue|Doe"),
            ("Kavya|அன்பு", "Ravi|அன்பு"),
        ] {
            assert!(name(one).is_anothers(&name(other)) && name(other).is_anothers(&name(one)), "{one} {other}");
        }
        for (one, other) in [
            ("John|Lee", "JOHN|LEE"),
            ("John|Lee", "J.|Lee"),
            ("John Q.|Lee", "John|Lee"),
            ("Dan|Lee", "Daniel|Lee"),
            ("Jose|Nunez", "José|Núñez"),
            ("Mac|McDonald", "MAC|MCDONALD"),
            ("Ada|Lee", "Ada|Lee-Hall"),
            ("John & Mary|Doe", "Mary|Doe"),
            ("John|Smith Sr.", "John|Smith"),
            ("John|Smith, Junior", "John|Smith Jr"),
            ("Lee|Ada", "Ada|Lee"),
            ("Ada|", "Ada|Lee"),
            ("|", "Ada|Lee"),
        ] {
            assert!(!name(one).is_anothers(&name(other)) && !name(other).is_anothers(&name(one)), "{one} {other}");
        }
        let code = |text: &str| name(text).code(Uuid::nil(), "a@b.co");
        assert_eq!(code("José|Núñez"), code("JOSE|NUNEZ"));
        assert_ne!(code("John|Lee"), code("Mary|Lee"));
    }
}
