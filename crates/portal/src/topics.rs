//! The topics of the help, from `docs/`.

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
    "operations": "Settings, the database, processes, keys",
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
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_has_a_title_and_no_link_leads_to_a_file() {
        for topic in TOPICS {
            assert!(!topic.title().is_empty(), "{}", topic.slug);
            assert!(!topic.html().contains(".md\""), "{}", topic.slug);
            assert!(!topic.html().contains("<script"), "{}", topic.slug);
        }
    }
}
