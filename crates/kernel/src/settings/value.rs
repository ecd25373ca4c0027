//! One value of a setting: where it came from, what kind it is, and how a secret hides.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize, Serializer};

/// What a masked secret looks like.
const MASK: &str = "••••••••";

/// A setting nobody should read over a shoulder or in a log: `Debug` and JSON show a mask.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one who uses it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether nothing was set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// This secret, or `other` when nothing was set.
    pub(super) fn or<'a>(&'a self, other: &'a Self) -> &'a str {
        if self.is_empty() { &other.0 } else { &self.0 }
    }

    fn masked(&self) -> &'static str {
        if self.is_empty() { "" } else { MASK }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret(empty)" } else { "Secret(set)" })
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.masked())
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `config.default.toml`.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// An option of the command line.
    CommandLine,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::CommandLine => f.write_str("command line"),
        }
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One setting as `ace config` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The name, such as `server.listen`.
    pub name: String,
    /// The value that holds, masked when it is a secret.
    pub value: String,
    /// Where the value came from.
    pub source: Source,
    /// Whether the value is a secret.
    pub secret: bool,
    /// What the setting means.
    pub meaning: String,
}

impl Entry {
    /// An entry for a value, masked when it is a secret.
    pub(super) fn new((name, meaning): (String, String), value: &toml::Value, source: &Source) -> Self {
        let secret = super::load::SECRETS.contains(&name.as_str());
        let shown = shown(value);
        let value = if secret { Secret::new(shown).masked().to_owned() } else { shown };
        Self { name, value, source: source.clone(), secret, meaning }
    }
}

fn shown(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(values) => values.iter().map(shown).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// The name and the comment of every setting in `config.default.toml`, in its order.
pub(super) fn documented() -> Vec<(String, String)> {
    let (mut section, mut comment, mut found) = (String::new(), Vec::new(), Vec::new());
    for line in super::DEFAULTS.lines() {
        if let Some(text) = line.strip_prefix('#') {
            comment.push(text.trim());
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.push((format!("{section}{key}"), comment.join(" ")));
        }
        comment.clear();
    }
    found
}

/// The text of an environment variable or option as the kind of value the default is.
pub(super) fn from_text(text: &str, like: &toml::Value) -> Result<toml::Value, &'static str> {
    match like {
        toml::Value::String(_) => Ok(toml::Value::String(text.to_owned())),
        toml::Value::Integer(_) => text.trim().parse().map(toml::Value::Integer).map_err(|_| "must be a whole number"),
        toml::Value::Boolean(_) => text.trim().parse().map(toml::Value::Boolean).map_err(|_| "must be true or false"),
        toml::Value::Array(_) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Ok(toml::Value::Array(parts.map(|part| toml::Value::String(part.to_owned())).collect()))
        }
        _ => Err("is a section, not a setting"),
    }
}

/// Whether a file's value is of the kind the default is.
pub(super) fn check_kind(value: &toml::Value, like: &toml::Value) -> Result<(), &'static str> {
    let of_text = |values: &[toml::Value]| values.iter().all(toml::Value::is_str);
    match (like, value) {
        (toml::Value::Array(_), toml::Value::Array(values)) if of_text(values) => Ok(()),
        (toml::Value::Array(_), _) => Err("must be a list of texts"),
        _ if like.same_type(value) => Ok(()),
        (toml::Value::String(_), _) => Err("must be text in quotes"),
        (toml::Value::Integer(_), _) => Err("must be a whole number"),
        (toml::Value::Boolean(_), _) => Err("must be true or false"),
        _ => Err("is of the wrong kind"),
    }
}
