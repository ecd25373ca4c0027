//! Why the managed server cannot run, in words that say what to type.

use std::fmt;
use std::path::{Path, PathBuf};

/// Why the managed PostgreSQL did not start.
#[derive(Debug)]
pub enum ManagedError {
    /// No PostgreSQL ≥ 15 on this machine.
    NotInstalled {
        /// The directory somebody configured, if it was that one.
        configured: Option<PathBuf>,
    },
    /// The data were written by a major version that is not on this machine.
    OtherMajor {
        /// What wrote the data.
        data: u32,
        /// What this machine has.
        installed: u32,
        /// The directory of the data.
        directory: PathBuf,
        /// The directory of the programs that are here.
        bin_directory: PathBuf,
    },
    /// A directory on the way cannot be entered by the user the server runs as.
    NotTraversable {
        /// The directory that stops it.
        directory: PathBuf,
        /// The user.
        user: String,
    },
    /// The directory belongs to somebody else.
    NotOurs {
        /// The directory.
        directory: PathBuf,
        /// The user id it belongs to.
        owner: u32,
    },
    /// This process' user, or every candidate to run the server as, has no entry in the user database.
    NoUser {
        /// Who was looked for.
        user: String,
    },
    /// The server or `initdb` said no.
    Failed {
        /// Which program.
        program: &'static str,
        /// The end of what it wrote.
        output: String,
    },
    /// The operating system said no.
    Io {
        /// What was tried.
        what: String,
        /// Its answer.
        source: std::io::Error,
    },
}

impl ManagedError {
    /// Wraps the operating system's answer with what was tried on `path`.
    pub(super) fn io(what: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }
}

/// The one line that installs PostgreSQL here.
fn install_line() -> &'static str {
    if cfg!(target_os = "macos") {
        "brew install postgresql@17"
    } else if Path::new("/usr/bin/dnf").exists() {
        "dnf install postgresql-server"
    } else {
        "apt-get install postgresql"
    }
}

impl fmt::Display for ManagedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { configured: Some(directory) } => write!(
                f,
                "database.postgres_bin_dir: {} holds no PostgreSQL 15 or newer (initdb and postgres): correct it or leave it empty",
                directory.display()
            ),
            Self::NotInstalled { configured: None } => write!(
                f,
                "PostgreSQL 15 or newer is not on this machine; install it with `{}`, or name a server with DATABASE_URL",
                install_line()
            ),
            Self::OtherMajor { data, installed, directory, bin_directory } => {
                write_upgrade(f, *data, *installed, directory, bin_directory)
            }
            Self::NotTraversable { directory, user } => write!(
                f,
                "the user {user}, who runs PostgreSQL, cannot enter {0}: choose another --data-dir, or `chmod o+x {0}`",
                directory.display()
            ),
            Self::NotOurs { directory, owner } => write!(
                f,
                "{} belongs to the user id {owner}: start ACE as that user or as root, or choose another --data-dir",
                directory.display()
            ),
            Self::NoUser { user } => {
                write!(f, "the user {user} has no entry in /etc/passwd, which PostgreSQL needs: add one")
            }
            Self::Failed { program, output } => write!(f, "{program} failed: {}", output.trim_end()),
            Self::Io { what, source } => write!(f, "cannot {what}: {source}"),
        }
    }
}

fn write_upgrade(f: &mut fmt::Formatter<'_>, data: u32, installed: u32, directory: &Path, bin: &Path) -> fmt::Result {
    let (directory, bin) = (directory.display(), bin.display());
    writeln!(
        f,
        "the data in {directory}/data are of PostgreSQL {data}, but this machine has only {installed}. Install \
         PostgreSQL {data} beside it (`apt-get install postgresql-{data}`) and start ACE again, or with both installed \
         upgrade the data, as the user who owns them:"
    )?;
    writeln!(f, "  cd {directory} && {bin}/initdb -D data-{installed} -U {} --data-checksums && \\", super::SUPERUSER)?;
    write!(
        f,
        "  {bin}/pg_upgrade -U {} -b /usr/lib/postgresql/{data}/bin -B {bin} -d data -D data-{installed} && \\\n  \
         mv data data-{data} && mv data-{installed} data",
        super::SUPERUSER
    )
}

impl std::error::Error for ManagedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl From<ManagedError> for kernel::Error {
    fn from(error: ManagedError) -> Self {
        Self::Unavailable(error.to_string())
    }
}
