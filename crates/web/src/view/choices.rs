//! The options of a select, a radio group or a filter.

/// One option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is read.
    pub label: String,
}

impl Choice {
    /// An option that sends `value` and reads `label`.
    pub fn new(value: impl ToString, label: impl Into<String>) -> Self {
        Self { value: value.to_string(), label: label.into() }
    }

    /// An option whose label is made from its value: `in_production` reads "In production".
    pub fn word(value: &str) -> Self {
        Self { value: value.into(), label: super::badge::sentence(value) }
    }
}

/// Anything that is a list of options: `Vec<Choice>`, `[("us", "United States")]`, `["draft", "ready"]`.
pub trait Choices {
    /// The options in order.
    fn choices(&self) -> Vec<Choice>;
}

impl<T: Choices + ?Sized> Choices for &T {
    fn choices(&self) -> Vec<Choice> {
        (**self).choices()
    }
}

impl Choices for Vec<Choice> {
    fn choices(&self) -> Vec<Choice> {
        self.clone()
    }
}

impl Choices for [Choice] {
    fn choices(&self) -> Vec<Choice> {
        self.to_vec()
    }
}

impl Choices for [(&str, &str)] {
    fn choices(&self) -> Vec<Choice> {
        self.iter().map(|(value, label)| Choice::new(value, *label)).collect()
    }
}

impl Choices for Vec<(String, String)> {
    fn choices(&self) -> Vec<Choice> {
        self.iter().map(|(value, label)| Choice::new(value, label)).collect()
    }
}

impl<const N: usize> Choices for [(&str, &str); N] {
    fn choices(&self) -> Vec<Choice> {
        self.as_slice().choices()
    }
}

impl Choices for [&str] {
    fn choices(&self) -> Vec<Choice> {
        self.iter().copied().map(Choice::word).collect()
    }
}

impl<const N: usize> Choices for [&str; N] {
    fn choices(&self) -> Vec<Choice> {
        self.as_slice().choices()
    }
}
