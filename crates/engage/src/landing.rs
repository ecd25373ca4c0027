//! A landing page, compiled from its published version and filled in for one person.

use content::Said;
use content::actions::landing_pages::clean_again;
use content::actions::landing_pages::form_id;
use content::forms::FormConfig;
use content::merge::{MAX_FILLED, Template, Values};
use content::store::landing_pages::Version;
use kernel::{Error, Result};
use uuid::Uuid;

/// A page ready to be filled in.
#[derive(Debug)]
pub struct Landing {
    template: Template,
    /// The tags it uses, each once: nothing else has to be looked up for a visit.
    pub tags: Vec<String>,
    /// Its style.
    pub css: String,
    /// The form that stands on it.
    pub form_id: Option<Uuid>,
    /// Whether it has a `main` of its own.
    pub has_main: bool,
    said: Said,
}

impl Landing {
    /// Compiles a published version, cleaned once more: it may have been published before a rule there is today.
    ///
    /// # Errors
    /// `Internal`: what was published is always a template.
    pub fn new(version: &Version) -> Result<Self> {
        let (html, css) = clean_again(&version.html, &version.css);
        Self::compile(&html, &css, form_id(&version.content_json))
    }

    /// Compiles sanitised HTML and CSS.
    ///
    /// # Errors
    /// `Internal` when the HTML is not a template.
    pub fn compile(html: &str, css: &str, form_id: Option<Uuid>) -> Result<Self> {
        let wrong = |error: content::merge::Malformed| Error::internal(error.message);
        let template = Template::parse(html).map_err(wrong)?;
        let mut tags: Vec<String> = template.tags().map(ToOwned::to_owned).collect();
        tags.sort_unstable();
        tags.dedup();
        Ok(Self {
            template,
            tags,
            css: css.to_owned(),
            form_id,
            has_main: html.contains("<main"),
            said: Said::of(html),
        })
    }

    /// Whether it may have this form on it: together they must not ask for a password. Both can change alone, and pages are
    /// from before there was this rule.
    pub fn may_show(&self, form: &FormConfig) -> bool {
        !self.said.names_password_with(form)
    }

    /// Whether the page says where its form stands.
    pub fn places_form(&self) -> bool {
        self.tags.iter().any(|tag| tag == "form")
    }

    /// Whether the page says what the form earns.
    pub fn names_reward(&self) -> bool {
        self.tags.iter().any(|tag| tag == "amount" || tag == "brand")
    }

    /// The page for one person; `None` when it is over the limit. A form that the page has no place for stands at its end.
    pub fn fill(&self, values: Values, form: &str) -> Option<String> {
        let mut html = self.template.html_within(&values.with_html("form", form), MAX_FILLED)?;
        if !self.places_form() {
            html.push_str(form);
        }
        Some(html)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_escaped_and_the_form_stands_in_its_place_or_at_the_end() {
        let page = Landing::compile("<main><p>{{first_name|there}}</p>{{form}}</main>", "", None).unwrap();
        let evil = Values::new().with("first_name", "<script>alert(1)</script>{{form}}");
        let html = page.fill(evil, "<form></form>");
        assert_eq!(html.unwrap(), "<main><p>&lt;script&gt;alert(1)&lt;/script&gt;{{form}}</p><form></form></main>");
        assert!(page.has_main);
        let page = Landing::compile("<p>{{city}}</p>", "", None).unwrap();
        assert_eq!(page.fill(Values::new(), "<form></form>").unwrap(), "<p></p><form></form>");
    }

    #[test]
    fn a_page_over_the_limit_is_not_filled_in() {
        let page = Landing::compile(&"{{form}}".repeat(7_000), "", None).unwrap();
        assert_eq!(page.fill(Values::new(), &"x".repeat(15_000)), None);
        let page = Landing::compile(&"{{custom_fields.k}}".repeat(60), "", None).unwrap();
        assert_eq!(page.fill(Values::new().with("custom_fields.k", "x".repeat(1_900_000)), ""), None);
    }
}
