//! What tags are filled in with.

use std::collections::BTreeMap;

use serde_json::Value;

/// Values by tag name. An empty value counts as absent, so that the tag's default shows.
#[derive(Debug, Clone, Default)]
pub struct Values {
    plain: BTreeMap<String, String>,
    html: BTreeMap<&'static str, String>,
}

impl Values {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value; what a person typed goes here and nowhere else.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.plain.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a value when there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds every entry of a contact's or recipient's `custom_fields` as `custom_fields.<key>`.
    #[must_use]
    pub fn with_custom_fields(mut self, fields: &Value) -> Self {
        let entries = fields.as_object().into_iter().flatten();
        for (key, value) in entries {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            if !value.is_null() {
                self.plain.insert(format!("custom_fields.{key}"), text);
            }
        }
        self
    }

    /// Adds HTML made by the program itself, such as a rendered form.
    #[must_use]
    pub fn with_html(mut self, name: &'static str, html: impl Into<String>) -> Self {
        self.html.insert(name, html.into());
        self
    }

    /// Every value cut at `most` characters, but for those of the tags in `whole`.
    #[must_use]
    pub fn cut(mut self, most: usize, whole: &[&str]) -> Self {
        for (_, value) in self.plain.iter_mut().filter(|(name, _)| !whole.contains(&name.as_str())) {
            if let Some((end, _)) = value.char_indices().nth(most) {
                value.truncate(end);
            }
        }
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.plain.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    pub(super) fn html_slot(&self, name: &str) -> Option<&str> {
        self.html.get(name).map(String::as_str)
    }
}
