//! Defaults, file, environment and command line put on top of each other, each value with its source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::value::{Entry, Source, check_kind, documented, from_text};
use super::{DEFAULTS, Settings, check};
use crate::{Error, Problems, Result};

/// The settings `ace config` masks: those of type [`super::Secret`].
pub(super) const SECRETS: [&str; 9] = [
    "database.url",
    "database.owner_url",
    "database.app_url",
    "database.public_url",
    "database.signin_url",
    "database.worker_url",
    "sms.twilio_auth_token",
    "email.smtp_url",
    "security.keys",
];

/// Environment variables that are known by a shorter name. The long name wins where both are set.
const SHORT_NAMES: [(&str, &str); 7] = [
    ("DATABASE_URL", "database.url"),
    ("ACE_LISTEN", "server.listen"),
    ("ACE_PUBLIC_URL", "server.public_url"),
    ("ACE_PAGES_URL", "server.pages_url"),
    ("ACE_ROLE", "server.role"),
    ("ACE_KEYS", "security.keys"),
    ("ACE_LOG", "log.level"),
];

/// The variable that names the file; it is no setting itself.
const FILE_VARIABLE: &str = "ACE_CONFIG";
/// The file read when none is named, if it exists.
const USUAL_FILE: &str = "/etc/ace/ace.toml";

/// What the settings are read from besides the defaults.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A file of the form of `config.default.toml`.
    pub file: Option<PathBuf>,
    /// Environment variables; those that are none of ours are ignored.
    pub environment: BTreeMap<String, String>,
    /// Options of the command line, by the name of the setting: `("server.listen", "0.0.0.0:80")`.
    pub options: Vec<(String, String)>,
    /// Whether the process runs as root, which decides where data lives by default.
    pub root: bool,
}

impl Sources {
    /// The sources of this process, with the file named on the command line, if one was.
    pub fn of_process(file: Option<PathBuf>, options: Vec<(String, String)>) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let environment: BTreeMap<_, _> = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        let named = environment.get(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let usual = || Some(PathBuf::from(USUAL_FILE)).filter(|path| path.exists());
        Self { file: file.or(named).or_else(usual), environment, options, root: runs_as_root() }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// `/var/lib/ace` for root, else where the XDG rules put a program's data.
    fn data_dir(&self) -> Option<PathBuf> {
        if self.root {
            return Some(PathBuf::from("/var/lib/ace"));
        }
        let xdg = self.variable("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        xdg.or_else(|| self.variable("HOME").map(|home| Path::new(home).join(".local/share")))
            .map(|base| base.join("ace"))
    }
}

#[cfg(unix)]
fn runs_as_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    // std has no geteuid; on Linux the process's own directory belongs to the effective user
    match fs::metadata("/proc/self") {
        Ok(own) => own.uid() == 0,
        Err(_) => std::env::var("USER").is_ok_and(|user| user == "root"),
    }
}

/// The settings that hold and where each of them came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Every setting with its source, in the order of `config.default.toml`, secrets masked.
    pub entries: Vec<Entry>,
}

impl Loaded {
    /// Reads every source.
    ///
    /// # Errors
    /// Names every unknown setting, every value of the wrong kind and every combination that cannot work.
    pub fn load(sources: &Sources) -> Result<Self> {
        let mut layers = Layers::defaults()?;
        let mut problems = Problems::new();
        if let Some(path) = &sources.file {
            layers.add_file(path, &mut problems)?;
        }
        layers.add_environment(sources, &mut problems);
        for (name, text) in &sources.options {
            layers.set_text(name, text, Source::CommandLine, &mut problems);
        }
        problems.finish()?;
        layers.into_loaded(sources)
    }
}

/// The value of every setting so far, by name; the names are those of the defaults and no others.
struct Layers(Vec<(String, toml::Value, Source)>);

impl Layers {
    fn defaults() -> Result<Self> {
        let table: toml::Table = DEFAULTS.parse().map_err(Error::internal)?;
        let default = |(name, value)| (name, value, Source::Default);
        Ok(Self(flatten(table).into_iter().map(default).collect()))
    }

    fn add_file(&mut self, path: &Path, problems: &mut Problems) -> Result<()> {
        let named = |error: &dyn std::fmt::Display| Error::invalid("config", format!("{}: {error}", path.display()));
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        // the parser's own message quotes the line, which may hold a secret
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| named(&located(&text, &error)))?;
        for (name, value) in flatten(table) {
            let Some((_, current, source)) = self.0.iter_mut().find(|(known, ..)| *known == name) else {
                problems.add(&name, "unknown", format!("there is no such setting (in {})", path.display()));
                continue;
            };
            if let Err(wrong) = check_kind(&value, current) {
                problems.invalid(&name, format!("{wrong} (in {})", path.display()));
            } else {
                (*current, *source) = (value, Source::File(path.to_owned()));
            }
        }
        Ok(())
    }

    fn add_environment(&mut self, sources: &Sources, problems: &mut Problems) {
        for (variable, name) in SHORT_NAMES {
            if let Some(text) = sources.variable(variable) {
                self.set_text(name, text, Source::Environment(variable.to_owned()), problems);
            }
        }
        let is_short =
            |variable: &str| variable == FILE_VARIABLE || SHORT_NAMES.iter().any(|(short, _)| *short == variable);
        for variable in sources.environment.keys().filter(|variable| !is_short(variable)) {
            let (Some(rest), Some(text)) = (variable.strip_prefix("ACE_"), sources.variable(variable)) else {
                continue;
            };
            let name = rest.to_lowercase().replacen("__", ".", 1);
            if self.0.iter().any(|(known, ..)| *known == name) {
                self.set_text(&name, text, Source::Environment(variable.clone()), problems);
            } else {
                problems.add(variable, "unknown", "there is no such setting (in the environment)");
            }
        }
    }

    fn set_text(&mut self, name: &str, text: &str, from: Source, problems: &mut Problems) {
        let Some((_, current, source)) = self.0.iter_mut().find(|(known, ..)| known == name) else {
            problems.add(name, "unknown", format!("there is no such setting ({from})"));
            return;
        };
        match from_text(text, current) {
            Ok(value) => (*current, *source) = (value, from),
            Err(wrong) => {
                problems.invalid(name, format!("{wrong} ({from})"));
            }
        }
    }

    fn into_loaded(mut self, sources: &Sources) -> Result<Loaded> {
        self.fill_in("data_dir", || sources.data_dir().map(|path| path.display().to_string()));
        let listen = self.text("server.listen").to_owned();
        self.fill_in("server.public_url", || Some(check::url_of(&listen)));
        let entries = self.entries();
        let table = toml::Value::Table(nest(&self.0));
        let mut settings: Settings = serde_path_to_error::deserialize(table).map_err(|error| {
            let (name, message) = (error.path().to_string(), error.inner().message().to_owned());
            let from = self
                .0
                .iter()
                .find(|(known, ..)| name.starts_with(known.as_str()))
                .map(|(.., source)| source.to_string());
            Error::invalid(name, format!("{message} ({})", from.unwrap_or_default()))
        })?;
        check::check(&mut settings)?;
        Ok(Loaded { settings, entries })
    }

    fn entries(&self) -> Vec<Entry> {
        let found = |name: &str| self.0.iter().find(|(known, ..)| known == name);
        let entry = |documented: (String, String)| {
            let (_, value, source) = found(&documented.0)?;
            Some(Entry::new(documented, value, source))
        };
        documented().into_iter().filter_map(entry).collect()
    }

    fn text(&self, name: &str) -> &str {
        self.0.iter().find(|(known, ..)| known == name).and_then(|(_, value, _)| value.as_str()).unwrap_or_default()
    }

    /// Gives an empty setting the value that follows from others; it still counts as a default.
    fn fill_in(&mut self, name: &str, value: impl FnOnce() -> Option<String>) {
        let empty = self.0.iter_mut().find(|(known, value, _)| known == name && value.as_str() == Some(""));
        if let (Some((_, current, _)), Some(value)) = (empty, value()) {
            *current = toml::Value::String(value);
        }
    }
}

/// `section.key` and value; only sections nest.
fn flatten(table: toml::Table) -> Vec<(String, toml::Value)> {
    let mut flat = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::Table(section) => {
                flat.extend(section.into_iter().map(|(key, value)| (format!("{name}.{key}"), value)));
            }
            value => flat.push((name, value)),
        }
    }
    flat
}

fn nest(flat: &[(String, toml::Value, Source)]) -> toml::Table {
    let mut table = toml::Table::new();
    for (name, value, _) in flat {
        let Some((section, key)) = name.split_once('.') else {
            table.insert(name.clone(), value.clone());
            continue;
        };
        let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        if let toml::Value::Table(section) = section {
            section.insert(key.to_owned(), value.clone());
        }
    }
    table
}

fn located(text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1);
    format!("line {line}: {}", error.message())
}

#[cfg(test)]
mod tests;
