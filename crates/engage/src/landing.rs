//! A landing page, compiled from its published version and filled in for one person.

use content::actions::landing_pages::form_id;
use content::merge::{Template, Values};
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
}

impl Landing {
    /// Compiles a published version.
    ///
    /// # Errors
    /// `Internal`: what was published is always a template.
    pub fn new(version: &Version) -> Result<Self> {
        Self::compile(&version.html, &version.css, form_id(&version.content_json))
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
        Ok(Self { template, tags, css: css.to_owned(), form_id, has_main: html.contains("<main") })
    }

    /// Whether the page says where its form stands.
    pub fn places_form(&self) -> bool {
        self.tags.iter().any(|tag| tag == "form")
    }

    /// Whether the page says what the form earns.
    pub fn names_reward(&self) -> bool {
        self.tags.iter().any(|tag| tag == "amount" || tag == "brand")
    }

    /// The page for one person. A form that the page has no place for stands at its end.
    pub fn fill(&self, values: Values, form: &str) -> String {
        let mut html = self.template.html(&values.with_html("form", form));
        if !self.places_form() {
            html.push_str(form);
        }
        html
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
        assert_eq!(html, "<main><p>&lt;script&gt;alert(1)&lt;/script&gt;{{form}}</p><form></form></main>");
        assert!(page.has_main);
        let page = Landing::compile("<p>{{city}}</p>", "", None).unwrap();
        assert_eq!(page.fill(Values::new(), "<form></form>"), "<p></p><form></form>");
    }
}
