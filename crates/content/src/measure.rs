//! How large a page is, measured in one pass over it, before anything is done that grows faster than its input: a parser
//! walks up the open elements for every tag, and makes copies of formatting that was never closed.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts};
use web::view::number;

use crate::lookalike;

/// The largest page, in bytes of HTML and style together: with the largest form and the frame it stays under 100 kB,
/// but for what merge tags put in.
pub const MAX_PAGE: usize = 60_000;
/// The most tags. Each begins with `<`, so that counting those is never too few, however the rest is read.
const MAX_TAGS: usize = 4_000;
const MAX_ELEMENTS: usize = 2_000;
const MAX_DEPTH: usize = 50;
const MAX_ATTRIBUTES: usize = 30;
const MAX_ATTRIBUTES_IN_ALL: usize = 4_000;
/// Formatting that ends in another order than it began: the parser goes on with it in every paragraph that follows.
const MAX_LEFT_OPEN: usize = 10;

const VOID: [&str; 14] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"];
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];
/// Elements whose end may be left out before another of their kind.
const SIBLINGS: [&[&str]; 5] = [
    &["li"],
    &["dt", "dd"],
    &["option", "optgroup"],
    &["td", "th", "tr", "tbody", "thead", "tfoot"],
    &["rb", "rt", "rp"],
];
/// What ends a paragraph that was not closed.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "th",
    "tr",
    "ul",
];

/// The code of a page that is within every limit, and holds what cleaning would take out without a word.
pub const NOT_ALLOWED: &str = "invalid";

/// What is too much, or not allowed at all: a code for programs and a sentence.
pub type TooMuch = (&'static str, String);

/// Measures a page.
///
/// # Errors
/// The first limit it is over.
pub fn measure(html: &str, css: &str) -> Result<(), TooMuch> {
    let size = html.len() + css.len();
    if size > MAX_PAGE {
        return Err((
            "too_long",
            format!("page and style are {} bytes together; {} are allowed", number(size), number(MAX_PAGE)),
        ));
    }
    if html.bytes().filter(|byte| *byte == b'<').count() > MAX_TAGS {
        return Err(("too_many", format!("a page has at most {MAX_TAGS} tags")));
    }
    let queue = BufferQueue::default();
    queue.push_back(StrTendril::from(html));
    let tokenizer = Tokenizer::new(Measure::default(), TokenizerOpts::default());
    while !queue.is_empty() {
        let _ = tokenizer.feed(&queue);
    }
    tokenizer.end();
    let counted = tokenizer.sink.0.into_inner();
    match counted.too_much {
        Some(too_much) => Err(too_much),
        None if counted.asks_for_password => Err((NOT_ALLOWED, "a page cannot ask for a password".to_owned())),
        None => Ok(()),
    }
}

#[derive(Default)]
struct Measure(RefCell<Counted>);

#[derive(Default)]
struct Counted {
    elements: usize,
    attributes: usize,
    open: Vec<String>,
    left_open: usize,
    asks_for_password: bool,
    too_much: Option<TooMuch>,
}

impl TokenSink for Measure {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let Token::TagToken(tag) = token else { return TokenSinkResult::Continue };
        let mut counted = self.0.borrow_mut();
        if counted.too_much.is_none() {
            counted.too_much = counted.tag(&tag).err();
        }
        let foreign = counted.open.iter().any(|name| name == "svg" || name == "math");
        match tag.kind {
            TagKind::StartTag if !foreign => raw_text(&tag.name),
            _ => TokenSinkResult::Continue,
        }
    }
}

impl Counted {
    fn tag(&mut self, tag: &Tag) -> Result<(), TooMuch> {
        self.elements += 1;
        if self.elements > 2 * MAX_ELEMENTS {
            return Err(("too_many", format!("a page has at most {MAX_ELEMENTS} elements")));
        }
        match tag.kind {
            TagKind::StartTag => self.begin(tag),
            TagKind::EndTag => self.end(&tag.name),
        }
    }

    fn begin(&mut self, tag: &Tag) -> Result<(), TooMuch> {
        let name: &str = &tag.name;
        self.attributes += tag.attrs.len();
        if tag.attrs.len() > MAX_ATTRIBUTES {
            return Err((
                "too_many",
                format!("<{name}> has {} attributes; {MAX_ATTRIBUTES} are allowed", tag.attrs.len()),
            ));
        }
        if self.attributes > MAX_ATTRIBUTES_IN_ALL {
            return Err(("too_many", format!("a page has at most {MAX_ATTRIBUTES_IN_ALL} attributes")));
        }
        let asks = |value: &str| value.trim().eq_ignore_ascii_case("password") || lookalike::asks_for_password(value);
        let typed = |name: &str| ["type", "autocomplete", "name"].contains(&name);
        if name == "input" && tag.attrs.iter().any(|a| typed(&a.name.local) && asks(&a.value)) {
            self.asks_for_password = true;
        }
        let foreign = self.open.iter().any(|open| open == "svg" || open == "math");
        if VOID.contains(&name) || (tag.self_closing && foreign) {
            return Ok(());
        }
        while self.open.last().is_some_and(|top| ends_before(top, name)) {
            self.open.pop();
        }
        if self.open.len() >= MAX_DEPTH {
            return Err((
                "too_deep",
                format!("elements stand inside each other {MAX_DEPTH} deep at most; is one not closed?"),
            ));
        }
        self.open.push(name.to_owned());
        Ok(())
    }

    fn end(&mut self, name: &str) -> Result<(), TooMuch> {
        let Some(at) = self.open.iter().rposition(|open| open == name) else { return Ok(()) };
        let crossed = self.open.drain(at..).skip(1).filter(|open| FORMATTING.contains(&open.as_str())).count();
        self.left_open += crossed;
        if self.left_open > MAX_LEFT_OPEN {
            return Err((
                "too_many",
                format!("more than {MAX_LEFT_OPEN} elements such as <b> are not closed where they should be"),
            ));
        }
        Ok(())
    }
}

/// Whether an open `top` ends where `next` begins.
fn ends_before(top: &str, next: &str) -> bool {
    (top == "p" && BLOCKS.contains(&next)) || SIBLINGS.iter().any(|kind| kind.contains(&top) && kind.contains(&next))
}

/// How what follows a tag is to be read: some elements hold text only.
fn raw_text(name: &str) -> TokenSinkResult<()> {
    match name {
        "textarea" | "title" => TokenSinkResult::RawData(RawKind::Rcdata),
        "style" | "xmp" | "iframe" | "noembed" | "noframes" => TokenSinkResult::RawData(RawKind::Rawtext),
        "script" => TokenSinkResult::RawData(RawKind::ScriptData),
        "plaintext" => TokenSinkResult::Plaintext,
        _ => TokenSinkResult::Continue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(html: &str) -> Option<&'static str> {
        measure(html, "").err().map(|(code, _)| code)
    }

    #[test]
    fn what_makes_a_parser_slow_is_refused_by_name() {
        let attributes: String = (0..31).map(|n| format!(" a{n}=1")).collect();
        let formatting: String = (0..900).map(|n| format!("<p><b id={n}>x</p>")).collect();
        let paragraph = format!("<p{attributes}>x</p>");
        for (html, expected) in [
            ("x".repeat(MAX_PAGE + 1), "too_long"),
            ("<br>".repeat(2 * MAX_ELEMENTS + 1), "too_many"),
            ("</p>".repeat(2 * MAX_ELEMENTS + 1), "too_many"),
            ("<div>".repeat(MAX_DEPTH + 1), "too_deep"),
            ("<ul><li>".repeat(MAX_DEPTH), "too_deep"),
            ("<b><i>".repeat(MAX_DEPTH), "too_deep"),
            (format!("<svg><style>{}", "<div>".repeat(MAX_DEPTH)), "too_deep"),
            (paragraph, "too_many"),
            (formatting, "too_many"),
            ("<input type=' Password '>".to_owned(), "invalid"),
            ("<input autocomplete=current-password>".to_owned(), "invalid"),
        ] {
            assert_eq!(code(&html), Some(expected), "{html:.80}");
        }
        assert!(measure("x", &"y".repeat(MAX_PAGE)).is_err(), "page and style count together");
    }

    #[test]
    fn ordinary_pages_pass_also_with_ends_left_out() {
        let list = format!("<ul>{}</ul>", "<li>One thing<p>said<p>twice".repeat(200));
        let table = format!("<table>{}</table>", "<tr><td>a<td><b>b</b>".repeat(200));
        let sections = "<section><h2>A</h2><p>b <em>c</em><br>d</p><img src=x alt=y></section>".repeat(300);
        let script = format!("<script>'{}'</script><style>a>b{{}}</style>", "<div>".repeat(100));
        for html in [list, table, sections, script, "<p>a <b>bold <i>both</b> i</i></p>".repeat(10)] {
            assert_eq!(measure(&html, "").err(), None, "{html:.80}");
        }
    }
}
