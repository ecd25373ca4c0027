//! What a style sheet writes into a page: signs, and no words. Words that a page shows stand in its HTML, where they can be
//! read together: a style could put "word" behind a label "Pass", or call a counter to the same end.

/// Where a text in quotes is a name and nothing that is shown.
const NAMES: [&str; 8] = [
    "font",
    "font-family",
    "font-feature-settings",
    "font-variation-settings",
    "font-language-override",
    "grid",
    "grid-template",
    "grid-template-areas",
];
/// What `content` may be besides signs in quotes.
const CONTENT: [&str; 13] = [
    "none",
    "normal",
    "open-quote",
    "close-quote",
    "no-open-quote",
    "no-close-quote",
    "inherit",
    "initial",
    "unset",
    "revert",
    "important",
    "!important",
    "/",
];
const NO_WORDS: &str = "a style cannot write letters or digits: put words into the HTML";

/// Looks at every declaration of a style without comments and escapes.
///
/// # Errors
/// A sentence that says what is not allowed.
pub fn check(css: &str) -> Result<(), String> {
    let (mut bare, mut texts) = (String::new(), Vec::new());
    let mut rest = css.chars();
    while let Some(c) = rest.next() {
        match c {
            '"' | '\'' => {
                texts.push(quoted(&mut rest, c)?);
                bare.push(' ');
            }
            // a selector, or what stands in front of a block
            '{' => {
                bare.clear();
                texts.clear();
            }
            ';' | '}' => {
                declaration(&bare, &texts)?;
                bare.clear();
                texts.clear();
            }
            _ => bare.push(c),
        }
    }
    declaration(&bare, &texts)
}

/// A text up to its closing quote. Browsers give one up at the end of its line, and read what follows as something else.
fn quoted(rest: &mut std::str::Chars<'_>, quote: char) -> Result<String, String> {
    let mut text = String::new();
    for c in rest.by_ref() {
        match c {
            c if c == quote => return Ok(text),
            '\n' | '\r' | '\u{c}' => break,
            _ => text.push(c),
        }
    }
    Err("a text in quotes ends on its line".to_owned())
}

fn declaration(bare: &str, texts: &[String]) -> Result<(), String> {
    let (name, value) = bare.split_once(':').unwrap_or(("", bare));
    let (name, value) = (name.trim().to_ascii_lowercase(), value.to_ascii_lowercase());
    let shown = !NAMES.contains(&name.as_str()) && !bare.trim_start().starts_with('@');
    if shown && texts.iter().any(|text| text.chars().any(is_written)) {
        return Err(NO_WORDS.to_owned());
    }
    if name == "content" && !value.split_whitespace().all(|part| CONTENT.contains(&part) || is_counter(part)) {
        return Err("content holds signs in quotes, counter(name) or none: put words into the HTML".to_owned());
    }
    Ok(())
}

/// A number that counts, in the digits of its own: another style of counter has letters.
fn is_counter(part: &str) -> bool {
    let name = part.strip_prefix("counter(").and_then(|name| name.strip_suffix(')'));
    name.is_some_and(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)))
}

/// A letter or a digit, also one in a circle or a box.
fn is_written(c: char) -> bool {
    c.is_alphanumeric() || ('\u{1f100}'..='\u{1f1ff}').contains(&c) || ('\u{e0000}'..='\u{e007f}').contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_writes_no_words_however_they_come_in() {
        for css in [
            "label::after{content:\"word\"}",
            "label::after{content:'wo' 'rd'}",
            "label::before{CONTENT : 'P'}",
            "label::after{content:\"\u{24df}\"}",
            "label::after{content:'\u{1f17f}'}",
            "a{--w:'word'}label::after{content:var(--w)}",
            "a{content:var(--w)}",
            "li{list-style-type:'word'}",
            "a{quotes:'word' 'x'}",
            "a::after{content:counter(a,lower-alpha)}",
            "a::after{content:counters(a,'.',lower-alpha)}",
            "@media print{a{}b::after{content:'word'",
            "a{x:'\n}label::after{content:\"word\"}",
            "a{content:'word}",
        ] {
            assert!(check(css).is_err(), "{css}");
        }
    }

    #[test]
    fn signs_names_and_selectors_pass() {
        for css in [
            "li::before{content:'✓ ';font-family:'Segoe UI', \"Helvetica Neue\"}",
            "a::after{content:\" →\" / none}q{quotes:'«' '»'}q::before{content:open-quote !important}",
            "input[type='text'] > b{color:red}@media (min-width: 40rem){.a{grid-template-areas:'head head' 'side main'}}",
            "ol{counter-reset:step}li::before{content:counter(step) '.'}.clear::after{content:''}",
            "@charset 'utf-8';a{content:none}",
        ] {
            assert_eq!(check(css), Ok(()), "{css}");
        }
    }
}
