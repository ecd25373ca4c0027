//! What a page says, for the question whether it asks for a password: by itself, or together with the form on it. A label
//! "Pass" is a ticket, and a heading "word" is a word; side by side above one field they are something else.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::{BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};

use crate::forms::FormConfig;
use crate::lookalike::{OVERRIDES, is_piece, meant, names_password};

/// The words of a page, as far as they can become a question for a password.
#[derive(Debug, Default)]
pub struct Said {
    names_password: bool,
    /// Beginnings and ends of such a word that stand alone: where they are seen, the style decides.
    pieces: Vec<String>,
}

impl Said {
    /// Of cleaned HTML.
    pub fn of(html: &str) -> Self {
        let texts = texts(html);
        let turned = texts.iter().any(|text| text.contains(OVERRIDES));
        let runs: Vec<String> = texts.iter().map(|text| meant(text)).collect();
        let pieces: Vec<String> = runs.iter().filter(|run| is_piece(run)).cloned().collect();
        let joined = |piece: &String| pieces.iter().any(|other| names_password(&format!("{piece}{other}")));
        let whole = turned || names_password(&runs.concat());
        Self { names_password: whole || pieces.iter().any(joined), pieces }
    }

    /// Whether the page names a password.
    pub fn names_password(&self) -> bool {
        self.names_password
    }

    /// Whether the page names one when this form stands on it.
    pub fn names_password_with(&self, form: &FormConfig) -> bool {
        self.names_password
            || (!self.pieces.is_empty()
                && form.asks().any(|text| {
                    let text = meant(text);
                    let beside = |piece: &String| [format!("{text}{piece}"), format!("{piece}{text}")];
                    self.pieces.iter().flat_map(beside).any(|both| names_password(&both))
                }))
    }
}

/// Whether a value that is filled into a page names a password.
pub fn names_a_password(value: &str) -> bool {
    names_password(&meant(value))
}

/// What people read of a page, piece by piece as its tags cut it, and what stands for its pictures or beside the pointer.
fn texts(html: &str) -> Vec<String> {
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Texts(RefCell::new(vec![String::new()])), TokenizerOpts::default());
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    tokenizer.sink.0.into_inner()
}

struct Texts(RefCell<Vec<String>>);

impl TokenSink for Texts {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut texts = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(text) => {
                if let Some(last) = texts.last_mut() {
                    last.push_str(&text);
                }
            }
            Token::TagToken(tag) => {
                let shown = tag.attrs.iter().filter(|attribute| ["alt", "title"].contains(&&*attribute.name.local));
                texts.extend(shown.map(|attribute| attribute.value.to_string()));
                texts.push(String::new());
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::starters;

    fn form(label: &str, placeholder: &str) -> FormConfig {
        serde_json::from_value(json!({ "fields": [
            { "id": "a", "type": "text", "label": label, "placeholder": placeholder },
            { "id": "b", "type": "consent", "label": "My password stays mine" }
        ] }))
        .unwrap()
    }

    #[test]
    fn a_page_and_its_form_are_judged_together() {
        for page in ["<i>word</i>", "<h2>Your</h2><p>wörd *</p>", "<b>word</b><b>of</b>", "<img alt=word src=x>"] {
            let said = Said::of(page);
            assert!(!said.names_password() && said.names_password_with(&form("Season pass", "")), "{page}");
            assert!(!said.names_password_with(&form("First name", "Ada")), "{page}");
        }
        assert!(Said::of("<i>Pass</i>").names_password_with(&form("Next", "word")), "in whatever order they stand");
    }

    #[test]
    fn a_page_names_a_password_in_one_piece_in_several_and_in_a_default() {
        for page in [
            "<p>Your password</p>{{form}}",
            "<i>Pass</i><i>word</i>",
            "<i>word</i><p>Now</p><i>Pass</i>",
            "<p>{{first_name|Password}}</p>",
            "<p>P&#97;ssword</p>",
        ] {
            assert!(Said::of(page).names_password(), "{page}");
        }
    }

    #[test]
    fn ordinary_pages_name_none() {
        let plain = form("Season pass", "Code on the card");
        let pages = ["<p>Word of mouth is our best advertisement</p>", "<p>One-time code</p>", "<b>Pass</b> it on", ""];
        for page in pages.into_iter().chain(starters::ALL.map(|starter| starter.html)) {
            assert!(!Said::of(page).names_password_with(&plain), "{page}");
        }
    }
}
