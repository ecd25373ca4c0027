//! Merge tags: `{{first_name}}` and, with a default for people who have none, `{{first_name|there}}`.
//!
//! The grammar is these two forms and nothing else: no loops, no conditions, no calls. A template is parsed once
//! into pieces and filled in by concatenation, so what a tenant wrote can neither run nor fail at send time.

mod limits;
mod tags;
mod values;

pub use limits::{
    MAX_FILLED, MAX_MAIL, MAX_SMS, MAX_VALUE_IN_SMS, WHOLE_IN_SMS, check_mail, check_page, check_sms, check_subject,
};
pub use tags::{Allowed, LANDING_PAGE, MESSAGE, check, check_html};
pub use values::Values;

/// A parsed template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Tag { name: String, default: String },
}

/// Why a text is not a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// Where in the text, in characters from its start.
    pub at: usize,
    /// What is wrong there.
    pub message: String,
}

impl Template {
    /// Parses `text`.
    ///
    /// # Errors
    /// When a tag is not closed or its name is not made of letters, digits, `_` and dots.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find("{{") {
            let at = || text[..text.len() - rest.len() + open].chars().count();
            let inside = &rest[open + 2..];
            let Some(close) = inside.find("}}") else {
                return Err(Malformed { at: at(), message: "this tag is not closed with }}".into() });
            };
            let tag = parse_tag(&inside[..close]).map_err(|message| Malformed { at: at(), message })?;
            pieces.push(Piece::Text(rest[..open].to_owned()));
            pieces.push(tag);
            rest = &inside[close + 2..];
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { pieces })
    }

    /// The names of the tags, in order of appearance, repeated ones included.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Tag { name, .. } => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// The names of the tags, each with its default.
    fn defaults(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Tag { name, default } => Some((name.as_str(), default.as_str())),
            Piece::Text(_) => None,
        })
    }

    /// Filled in as plain text: for SMS, subjects, text mails.
    pub fn text(&self, values: &Values) -> String {
        self.text_within(values, usize::MAX).unwrap_or_default()
    }

    /// The same, given up as soon as it has more than `most` bytes.
    pub fn text_within(&self, values: &Values, most: usize) -> Option<String> {
        self.fill(values, most, |out, value| out.push_str(value))
    }

    /// Filled in as HTML: every value is escaped, but for the slots the program itself put in as HTML. The template
    /// has to be HTML that was cleaned; its defaults are part of that HTML and stand as they are.
    pub fn html(&self, values: &Values) -> String {
        self.html_within(values, usize::MAX).unwrap_or_default()
    }

    /// The same, given up as soon as it has more than `most` bytes.
    pub fn html_within(&self, values: &Values, most: usize) -> Option<String> {
        self.fill(values, most, escape_into)
    }

    /// The most bytes it has once filled in, when no value of a tag has more than `largest` says.
    pub fn at_most(&self, largest: impl Fn(&str) -> usize) -> usize {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.len(),
            Piece::Tag { name, default } => largest(name).max(default.len()),
        };
        self.pieces.iter().map(piece).fold(0, usize::saturating_add)
    }

    fn fill(&self, values: &Values, most: usize, put: impl Fn(&mut String, &str)) -> Option<String> {
        let mut out = String::with_capacity(self.pieces.len() * 32);
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Tag { name, default } => match values.html_slot(name) {
                    Some(html) => out.push_str(html),
                    None => match values.get(name) {
                        Some(value) => put(&mut out, value),
                        None => out.push_str(default),
                    },
                },
            }
            if out.len() > most {
                return None;
            }
        }
        Some(out)
    }
}

fn parse_tag(inside: &str) -> Result<Piece, String> {
    let (name, default) = inside.split_once('|').unwrap_or((inside, ""));
    let name = name.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == '-';
    if name.is_empty() || !name.chars().all(fits) {
        return Err(format!("{{{{{}}}}} is not a tag", inside.trim()));
    }
    Ok(Piece::Tag { name: name.to_owned(), default: default.trim().to_owned() })
}

/// Escapes for HTML text and quoted attributes alike.
pub fn escape_into(out: &mut String, value: &str) {
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ada() -> Values {
        Values::new().with("first_name", "Ada").with("last_name", "")
    }

    #[test]
    fn a_tag_takes_the_value_or_its_default() {
        let template = Template::parse("Hi {{ first_name | there }}, {{last_name|friend}}{{city}}!").unwrap();
        assert_eq!(template.text(&ada()), "Hi Ada, friend!");
        assert_eq!(template.tags().collect::<Vec<_>>(), ["first_name", "last_name", "city"]);
    }

    #[test]
    fn html_escapes_values_but_not_the_slots_of_the_program() {
        let values = ada().with("company", "<script>\"A&B'</script>").with_html("form", "<form></form>");
        let template = Template::parse("<p>{{company}}</p>{{form}}").unwrap();
        let html = template.html(&values);
        assert_eq!(html, "<p>&lt;script&gt;&quot;A&amp;B&#39;&lt;/script&gt;</p><form></form>");
    }

    #[test]
    fn a_default_is_escaped_once_by_whoever_wrote_the_html() {
        let template = Template::parse("<p>{{company|Smith &amp; Sons}} {{first_name|x}}</p>").unwrap();
        assert_eq!(template.html(&Values::new().with("first_name", "A & B")), "<p>Smith &amp; Sons A &amp; B</p>");
        assert_eq!(Template::parse("{{company|Smith & Sons}}").unwrap().text(&Values::new()), "Smith & Sons");
    }

    #[test]
    fn filling_stops_at_a_limit_and_the_worst_case_is_known_before() {
        let template = Template::parse("{{city}}-{{city|nowhere}}").unwrap();
        let values = Values::new().with("city", "<Bonn>");
        assert_eq!(template.html_within(&values, 25).as_deref(), Some("&lt;Bonn&gt;-&lt;Bonn&gt;"));
        assert_eq!(template.html_within(&values, 24), None);
        assert_eq!((template.at_most(|_| 100), template.at_most(|_| 3)), (201, 11));
    }

    #[test]
    fn an_open_tag_and_a_strange_name_are_refused_with_their_place() {
        assert_eq!(Template::parse("né {{first_name").unwrap_err().at, 3);
        assert!(Template::parse("{{ first name }}").unwrap_err().message.contains("not a tag"));
        assert!(Template::parse("{{}}").is_err());
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_and_text_without_tags_stays_itself(text in ".*") {
            match Template::parse(&text) {
                Ok(template) if !text.contains("{{") => prop_assert_eq!(template.text(&ada()), text),
                Ok(_) | Err(_) => {}
            }
        }

        #[test]
        fn no_value_can_open_an_element(value in ".*") {
            let html = Template::parse("{{city}}").unwrap().html(&Values::new().with("city", value));
            prop_assert!(!html.contains('<') && !html.contains('"'));
        }
    }
}
