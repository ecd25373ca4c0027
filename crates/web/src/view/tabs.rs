//! Tabs by URL, and the steps of a wizard.

use askama::Template;
use askama::filters::HtmlSafe;

/// One tab.
#[derive(Debug, Clone)]
pub struct Tab {
    /// What it says.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// Whether it is the one shown.
    pub current: bool,
    /// How many things are behind it.
    pub count: Option<String>,
}

/// The tabs of a detail page; each is a page of its own with its own URL.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/tabs.html")]
pub struct Tabs {
    tabs: Vec<Tab>,
    path: String,
}

impl HtmlSafe for Tabs {}

impl Tabs {
    /// Tabs of which the one leading to `path` is shown.
    pub fn at(path: impl Into<String>) -> Self {
        Self { tabs: Vec::new(), path: path.into() }
    }

    /// One more tab.
    #[must_use]
    pub fn tab(mut self, label: &str, href: impl Into<String>) -> Self {
        let href = href.into();
        let current = href == self.path;
        self.tabs.push(Tab { label: label.into(), href, current, count: None });
        self
    }

    /// One more tab with the number of things behind it.
    #[must_use]
    pub fn counted(mut self, label: &str, href: impl Into<String>, count: i64) -> Self {
        self = self.tab(label, href);
        if let Some(tab) = self.tabs.last_mut() {
            tab.count = Some(super::number(count));
        }
        self
    }
}

/// Where a step of a wizard stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Complete.
    Done,
    /// Not yet complete, nothing wrong.
    Open,
    /// Something in it must be mended.
    Problem,
}

impl StepState {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Open => "open",
            Self::Problem => "problem",
        }
    }

    fn spoken(self) -> &'static str {
        match self {
            Self::Done => "complete",
            Self::Open => "not complete",
            Self::Problem => "has a problem",
        }
    }
}

/// One step of a wizard.
#[derive(Debug, Clone)]
pub struct Step {
    label: String,
    href: String,
    state: StepState,
    current: bool,
}

/// The steps of a wizard, all in sight and each reachable by URL.
#[derive(Debug, Clone, Default, Template)]
#[template(path = "parts/steps.html")]
pub struct Steps {
    steps: Vec<Step>,
    path: String,
}

impl HtmlSafe for Steps {}

impl Steps {
    /// Steps of which the one at `path` is shown.
    pub fn at(path: impl Into<String>) -> Self {
        Self { steps: Vec::new(), path: path.into() }
    }

    /// One more step.
    #[must_use]
    pub fn step(mut self, label: &str, href: impl Into<String>, state: StepState) -> Self {
        let href = href.into();
        let current = href == self.path;
        self.steps.push(Step { label: label.into(), href, state, current });
        self
    }
}
