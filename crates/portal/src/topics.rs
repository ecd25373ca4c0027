//! The topics of the help, from `docs/`.

use std::collections::BTreeSet;

use pulldown_cmark::{Options, Parser, html};

/// One topic.
#[derive(Debug, Clone, Copy)]
pub struct Topic {
    /// The word in the URL: the file's name.
    pub slug: &'static str,
    /// What it answers, in a line.
    pub about: &'static str,
    markdown: &'static str,
}

macro_rules! topics {
    ($($slug:literal: $about:literal),+ $(,)?) => {
        /// Every topic, in reading order.
        pub const TOPICS: &[Topic] = &[$(Topic {
            slug: $slug,
            about: $about,
            markdown: include_str!(concat!("../../../docs/", $slug, ".md")),
        }),+];
    };
}

topics! {
    "getting-started": "Your first campaign, step by step",
    "contacts": "Importing, duplicates, suppression, exporting",
    "gift-cards": "Pools, codes, claims, delivery, credits",
    "campaigns": "Conditions, the check list, a campaign's life",
    "landing-pages-and-forms": "What recipients see and fill in",
    "links-and-qr": "What the printed link and QR do",
    "agent-desk": "Finding a caller and confirming a call",
    "roles": "Who reaches and may do what",
    "api": "Keys, errors, paging, repeating a request",
    "errors": "What every error code means",
    "operations": "Settings, the database, processes, keys",
}

/// The topics that have every word of `text` somewhere, in reading order, those named by it first.
pub fn matching(text: &str) -> impl Iterator<Item = &'static Topic> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let has = |hay: &str| {
        let hay = hay.to_lowercase();
        words.iter().all(|word| hay.contains(word.as_str()))
    };
    let (named, inside): (Vec<_>, Vec<_>) =
        TOPICS.iter().filter(|topic| has(topic.markdown) || has(topic.about)).partition(|topic| has(topic.title()));
    named.into_iter().chain(inside)
}

impl Topic {
    /// The first heading.
    pub fn title(&self) -> &'static str {
        self.markdown.lines().next().unwrap_or_default().trim_start_matches("# ")
    }

    /// The text below the first heading, as HTML; links between topics lead to their pages here.
    pub fn html(&self) -> String {
        let body = self.markdown.split_once('\n').map_or("", |(_, body)| body);
        let linked = TOPICS.iter().fold(body.to_owned(), |text, topic| {
            text.replace(&format!("]({}.md)", topic.slug), &format!("](/help/{})", topic.slug))
        });
        let mut out = String::new();
        html::push_html(&mut out, Parser::new_ext(&linked, Options::ENABLE_TABLES));
        // long lines scroll, and whoever has no mouse must be able to scroll them
        out.replace("<pre>", "<pre tabindex=\"0\">")
    }
}

impl Topic {
    /// The same, every first cell of a table being a place that links lead to: `#invalid`. Of two with one name the first.
    pub fn html_with_places(&self) -> String {
        let mut known = BTreeSet::new();
        let html = self.html();
        let mut rows = html.split("<tr><td><code>");
        let mut out = rows.next().unwrap_or_default().to_owned();
        for row in rows {
            let code = row.split('<').next().unwrap_or_default();
            let place = if known.insert(code) { format!(" id=\"{code}\"") } else { String::new() };
            out.push_str(&format!("<tr{place}><td><code>{row}"));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_code_has_a_place_of_its_own() {
        let errors = TOPICS.iter().find(|topic| topic.slug == "errors").unwrap().html_with_places();
        for code in ["unauthenticated", "invalid", "GC-006", "idempotency_key_reused"] {
            assert_eq!(errors.matches(&format!("<tr id=\"{code}\">")).count(), 1, "{code}");
        }
    }

    #[test]
    fn topics_are_found_by_every_word_of_theirs_and_first_by_their_title() {
        let slugs = |text| matching(text).map(|topic| topic.slug).collect::<Vec<_>>();
        assert_eq!(slugs("CAMPAIGNS")[0], "campaigns");
        assert!(slugs("idempotency-key repeat").contains(&"api") && !slugs("idempotency-key").contains(&"roles"));
        assert!(slugs("zebra crossing").is_empty());
    }

    #[test]
    fn every_topic_has_a_title_and_no_link_leads_to_a_file() {
        for topic in TOPICS {
            assert!(!topic.title().is_empty(), "{}", topic.slug);
            assert!(!topic.html().contains(".md\""), "{}", topic.slug);
            assert!(!topic.html().contains("<script"), "{}", topic.slug);
        }
    }
}
