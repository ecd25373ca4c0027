//! Finds the PostgreSQL programs on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::ManagedError;

/// The oldest major version ACE runs on.
const OLDEST: u32 = 15;

/// Where packages put `<version>/<tail>`: folders to list and what follows in each entry.
const PLACES: [(&str, &str, &str); 6] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/home/linuxbrew/.linuxbrew/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// The programs of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Installation {
    pub(super) bin_directory: PathBuf,
    pub(super) major: u32,
}

/// The programs to use: those in `configured` when given, else those that wrote the data, else the newest.
pub(super) fn find(configured: Option<&Path>, data_major: Option<u32>) -> Result<Installation, ManagedError> {
    let found: Vec<Installation> = match configured {
        Some(directory) => inspect(directory).into_iter().collect(),
        None => candidates().iter().filter_map(|directory| inspect(directory)).collect(),
    };
    choose(found, data_major).ok_or_else(|| ManagedError::NotInstalled { configured: configured.map(Path::to_owned) })
}

fn choose(found: Vec<Installation>, data_major: Option<u32>) -> Option<Installation> {
    found
        .into_iter()
        .filter(|installation| installation.major >= OLDEST)
        .max_by_key(|installation| (Some(installation.major) == data_major, installation.major))
}

fn candidates() -> Vec<PathBuf> {
    let mut directories: Vec<PathBuf> = PLACES
        .iter()
        .flat_map(|(parent, prefix, tail)| {
            let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
            entries
                .filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(move |entry| entry.path().join(tail))
        })
        .collect();
    directories.extend(pg_config());
    directories
}

/// What `pg_config` on the PATH says, for builds from source and distributions not listed above.
fn pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(text.trim()))
}

/// Both programs must be there and say the same version.
fn inspect(directory: &Path) -> Option<Installation> {
    if !directory.join("initdb").exists() {
        return None;
    }
    let output = Command::new(directory.join("postgres")).arg("--version").output().ok()?;
    let major = parse_version(&String::from_utf8_lossy(&output.stdout))?;
    Some(Installation { bin_directory: directory.to_owned(), major })
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`, `postgres (PostgreSQL) 18beta1`.
fn parse_version(text: &str) -> Option<u32> {
    let version = text.split_once("(PostgreSQL) ")?.1;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installation(major: u32) -> Installation {
        Installation { bin_directory: PathBuf::from(format!("/usr/lib/postgresql/{major}/bin")), major }
    }

    #[test]
    fn the_newest_is_chosen_unless_the_data_want_another_and_old_ones_never() {
        let all = || vec![installation(13), installation(15), installation(17), installation(16)];
        assert_eq!(choose(all(), None), Some(installation(17)));
        assert_eq!(choose(all(), Some(15)), Some(installation(15)));
        assert_eq!(choose(all(), Some(18)), Some(installation(17)));
        assert_eq!(choose(all(), Some(13)), Some(installation(17)));
        assert_eq!(choose(vec![installation(14)], Some(14)), None);
    }

    #[test]
    fn versions_are_read_as_packagers_write_them_and_other_programs_are_not() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse_version("something else 17"), None);
    }

    #[test]
    fn a_configured_directory_without_postgresql_is_named_and_nothing_else_is_tried() {
        let error = find(Some(Path::new("/nonexistent")), None).unwrap_err();
        assert!(error.to_string().contains("/nonexistent"), "{error}");
    }
}
