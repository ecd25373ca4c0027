//! The words and rules of a handled call: no SQL, no HTTP.

use kernel::{Error, Problems, Result};

/// How a call can end: word, label, the key that chooses it at the desk.
pub const DISPOSITIONS: [(&str, &str, &str); 8] = [
    ("qualified", "Qualified", "q"),
    ("not_qualified", "Not qualified", "u"),
    ("callback", "Call back", "b"),
    ("wrong_number", "Wrong number", "w"),
    ("no_answer", "No answer", "a"),
    ("voicemail", "Voicemail", "v"),
    ("escalated", "Escalated", "e"),
    ("do_not_call", "Do not call", "x"),
];

/// The disposition after which the contact hears from the client no more.
pub const SUPPRESSES: &str = "do_not_call";

/// What an agent may ask a caller: word, question, the key that ticks it at the desk.
pub const IDENTITY: [(&str, &str, &str); 3] =
    [("name", "Full name", "i"), ("address", "Street address or ZIP", "z"), ("phone", "Phone number", "p")];

/// How many of the three questions a caller must answer before a condition is confirmed.
const QUESTIONS_NEEDED: usize = 2;

/// The most an agent may write about one call.
const MAX_NOTES: usize = 4_000;

/// What people call a disposition.
pub fn disposition_label(word: &str) -> &str {
    DISPOSITIONS.iter().find(|(known, ..)| *known == word).map_or(word, |(_, label, _)| label)
}

/// The answered questions, each once, in their order.
///
/// # Errors
/// Names a question that does not exist.
pub fn identity(given: &[String]) -> Result<Vec<String>> {
    let known = |word: &String| IDENTITY.iter().any(|(question, ..)| question == word);
    if let Some(wrong) = given.iter().find(|word| !known(word)) {
        return Err(Error::invalid("identity_checked", format!("{wrong}: choose from name, address and phone")));
    }
    let answered = IDENTITY.iter().filter(|(word, ..)| given.iter().any(|given| given == word));
    Ok(answered.map(|(word, ..)| (*word).to_owned()).collect())
}

/// Whether enough questions were answered to confirm something in the caller's name.
///
/// # Errors
/// Names what is missing.
pub fn expect_identified(answered: &[String]) -> Result<()> {
    if answered.len() >= QUESTIONS_NEEDED {
        return Ok(());
    }
    Err(Error::invalid("identity_checked", "two of name, address and phone must match before anything is confirmed"))
}

/// What an agent wrote and chose, checked.
///
/// # Errors
/// Names the wrong fields.
pub fn check(notes: &str, disposition: &str) -> Result<(Option<String>, Option<String>)> {
    let mut problems = Problems::new();
    let notes = notes.trim();
    if notes.chars().count() > MAX_NOTES {
        problems.add("notes", "too_long", format!("use at most {MAX_NOTES} characters"));
    }
    if !disposition.is_empty() && !DISPOSITIONS.iter().any(|(word, ..)| *word == disposition) {
        let labels = DISPOSITIONS.map(|(_, label, _)| label).join(", ");
        problems.invalid("disposition", format!("choose one of {labels}"));
    }
    problems.finish()?;
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Ok((some(notes), some(disposition)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_of_three_answers_identify_a_caller_and_the_same_answer_twice_does_not() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(identity(&words(&["phone", "name", "phone"])).unwrap(), ["name", "phone"]);
        assert!(expect_identified(&identity(&words(&["phone", "phone"])).unwrap()).is_err());
        assert!(expect_identified(&identity(&words(&["address", "phone"])).unwrap()).is_ok());
        assert_eq!(identity(&words(&["shoe_size"])).unwrap_err().fields()[0].field, "identity_checked");
    }

    #[test]
    fn every_disposition_and_question_has_a_key_of_its_own() {
        let keys = DISPOSITIONS.iter().chain(&IDENTITY).map(|(.., key)| *key);
        let reserved = ["f", "g", "m", "l", "s", "n", "?"];
        let all: Vec<_> = keys.chain(reserved).collect();
        let distinct: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn an_unknown_disposition_and_a_novel_are_refused_and_nothing_is_something_optional() {
        assert_eq!(check("  ", "").unwrap(), (None, None));
        assert_eq!(check("", "sold").unwrap_err().fields()[0].field, "disposition");
        assert_eq!(check(&"x".repeat(4_001), "qualified").unwrap_err().fields()[0].field, "notes");
    }
}
