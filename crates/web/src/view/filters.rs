//! Search, filter chips and sort order of a list. All of it lives in the URL and works by plain links.

use askama::Template;
use askama::filters::HtmlSafe;

use super::choices::Choices;

/// One filter: a menu of links.
#[derive(Debug, Clone)]
pub struct Chip {
    label: String,
    current: Option<String>,
    clear: String,
    options: Vec<ChipOption>,
}

/// One value of a filter.
#[derive(Debug, Clone)]
pub struct ChipOption {
    label: String,
    href: String,
    current: bool,
}

/// The bar above a list.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/filters.html")]
pub struct Filters {
    path: String,
    set: Vec<(String, String)>,
    placeholder: Option<String>,
    chips: Vec<Chip>,
}

impl HtmlSafe for Filters {}

impl Filters {
    /// The filters of the list at `path`, with what is set at present (empty values are ignored).
    pub fn new<N: ToString, V: ToString>(path: impl Into<String>, set: impl IntoIterator<Item = (N, V)>) -> Self {
        let set = set
            .into_iter()
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        Self { path: path.into(), set, placeholder: None, chips: Vec::new() }
    }

    /// A search box; it sends `q`.
    #[must_use]
    pub fn search(mut self, placeholder: &str) -> Self {
        self.placeholder = Some(placeholder.into());
        self
    }

    /// A filter chip with its options.
    #[must_use]
    pub fn choice(mut self, name: &str, label: &str, options: impl Choices) -> Self {
        let chosen = self.get(name).map(str::to_owned);
        let options: Vec<ChipOption> = options
            .choices()
            .into_iter()
            .map(|choice| ChipOption {
                current: chosen.as_deref() == Some(choice.value.as_str()),
                href: self.href_with(name, &choice.value),
                label: choice.label,
            })
            .collect();
        let shown = options.iter().find(|option| option.current).map(|option| option.label.clone());
        let chip = Chip { label: label.into(), current: shown.or(chosen), clear: self.href_with(name, ""), options };
        self.chips.push(chip);
        self
    }

    /// The present value of a filter.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.set.iter().find(|(set, _)| set == name).map(|(_, value)| value.as_str())
    }

    /// Whether anything narrows the list.
    pub fn any(&self) -> bool {
        self.set.iter().any(|(name, _)| !matches!(name.as_str(), "after" | "sort" | "limit"))
    }

    /// The list without any filter.
    pub fn clear(&self) -> &str {
        &self.path
    }

    /// The list with one filter set to `value`, or taken away when empty, from its first page.
    pub fn href_with(&self, name: &str, value: &str) -> String {
        let kept = self.set.iter().filter(|(set, _)| set != name && set != "after");
        let mut pairs: Vec<(&str, &str)> = kept.map(|(set, value)| (set.as_str(), value.as_str())).collect();
        if !value.is_empty() {
            pairs.push((name, value));
        }
        address(&self.path, &pairs)
    }

    /// A column head that sorts by `column`: ascending first, then descending (`-column`).
    pub fn sort(&self, column: &str, label: &str) -> SortHeader {
        let (order, next) = match self.get("sort") {
            Some(set) if set == column => (Some("ascending"), format!("-{column}")),
            Some(set) if set.strip_prefix('-') == Some(column) => (Some("descending"), column.to_owned()),
            _ => (None, column.to_owned()),
        };
        SortHeader { label: label.into(), href: self.href_with("sort", &next), order, num: false }
    }

    /// The same for a column of numbers, which stand to the right.
    pub fn sort_num(&self, column: &str, label: &str) -> SortHeader {
        SortHeader { num: true, ..self.sort(column, label) }
    }

    pub(super) fn is_paged(&self) -> bool {
        self.get("after").is_some()
    }

    pub(super) fn first_page(&self) -> String {
        self.href_with("after", "")
    }

    pub(super) fn page_after(&self, cursor: &str) -> String {
        self.href_with("after", cursor)
    }

    /// What the search form must carry along.
    fn hidden(&self) -> impl Iterator<Item = &(String, String)> {
        self.set.iter().filter(|(name, _)| !matches!(name.as_str(), "q" | "after"))
    }
}

/// A column head that is a link to sort by it.
#[derive(Debug, Clone, Template)]
#[template(path = "parts/sort.html")]
pub struct SortHeader {
    label: String,
    href: String,
    order: Option<&'static str>,
    num: bool,
}

impl HtmlSafe for SortHeader {}

fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    match serde_html_form::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contacts() -> Filters {
        Filters::new("/acme/contacts", [("q", "o'hara & co"), ("stage", "lead"), ("after", "xyz"), ("tag", "")])
            .search("Search")
            .choice("stage", "Stage", ["lead", "mql"])
    }

    #[test]
    fn every_filter_lives_in_the_url_and_a_change_starts_from_the_first_page() {
        assert_eq!(contacts().href_with("stage", "mql"), "/acme/contacts?q=o%27hara+%26+co&stage=mql");
        assert_eq!(contacts().href_with("stage", ""), "/acme/contacts?q=o%27hara+%26+co");
        assert_eq!(contacts().page_after("abc"), "/acme/contacts?q=o%27hara+%26+co&stage=lead&after=abc");
    }

    #[test]
    fn an_order_alone_does_not_count_as_narrowing() {
        assert!(contacts().any());
        assert!(!Filters::new("/x", [("sort", "name"), ("after", "c")]).any());
    }
}
