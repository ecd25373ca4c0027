//! Built-in landing pages to begin with, one plain and one for each of the first industries.

/// A page to begin with.
#[derive(Debug, Clone, Copy)]
pub struct Starter {
    /// The word in the URL.
    pub key: &'static str,
    /// What people read.
    pub label: &'static str,
    /// Its HTML, merge tags included.
    pub html: &'static str,
    /// Its style.
    pub css: &'static str,
}

const CSS: &str = "\
.offer { line-height: 1.6; }
.offer ul { padding-left: 1.25rem; }
.offer .note { font-size: 1rem; color: #4b5563; }";

/// Every starter; the first is taken when none is named.
pub const ALL: [Starter; 4] = [
    Starter {
        key: "plain",
        label: "a plain page",
        html: "<main class=\"offer\">\n<h1>Hello {{first_name|there}}</h1>\n<p>Thank you for looking. Tell us how to reach you, and your reward is on its way.</p>\n{{form}}\n<p class=\"note\">Your code: {{redemption_code}}</p>\n</main>",
        css: CSS,
    },
    Starter {
        key: "roofing",
        label: "roofing",
        html: "<main class=\"offer\">\n<h1>{{first_name|Neighbor}}, is your roof ready for the next storm?</h1>\n<p>We are checking roofs in {{city|your area}} this month. Book a free inspection of {{address|your home}} and we thank you with a gift card.</p>\n<ul><li>Takes 20 minutes</li><li>Photos of what we find</li><li>No obligation</li></ul>\n{{form}}\n<p class=\"note\">Your code: {{redemption_code}}</p>\n</main>",
        css: CSS,
    },
    Starter {
        key: "dental",
        label: "dental",
        html: "<main class=\"offer\">\n<h1>{{first_name|Hello}}, time for a check-up</h1>\n<p>Book a first visit and we thank you with a gift card. New patients in {{city|town}} are seen within a week.</p>\n{{form}}\n<p class=\"note\">Your code: {{redemption_code}}</p>\n</main>",
        css: CSS,
    },
    Starter {
        key: "auto",
        label: "car dealer",
        html: "<main class=\"offer\">\n<h1>{{first_name|Hello}}, come for a test drive</h1>\n<p>Tell us when you would like to come. After your test drive the gift card is yours.</p>\n{{form}}\n<p class=\"note\">Your code: {{redemption_code}}</p>\n</main>",
        css: CSS,
    },
];

/// The starter with this key, or the plain one.
pub fn find(key: &str) -> Starter {
    ALL.into_iter().find(|starter| starter.key == key).unwrap_or(ALL[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::{LANDING_PAGE, check};
    use crate::sanitise;

    #[test]
    fn every_starter_passes_what_its_own_pages_must() {
        for starter in ALL {
            assert!(check("html", starter.html, LANDING_PAGE).is_empty(), "{}", starter.key);
            assert!(sanitise::css(starter.css).is_ok(), "{}", starter.key);
            assert!(starter.html.contains("{{form}}"), "{}", starter.key);
            assert!(sanitise::html(starter.html).contains("<h1>"), "{}", starter.key);
        }
    }
}
