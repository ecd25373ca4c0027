//! The directory of a managed server: where things lie, who owns them, and the first `initdb`.

use std::fs::{self, DirBuilder, File, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::account::{self, Account};
use super::discovery::{self, Installation};
use super::{ManagedError, Options, SUPERUSER, process};

/// The longest path the system takes for a socket.
const SOCKET_PATH_LIMIT: usize = if cfg!(target_os = "macos") { 103 } else { 107 };

/// The name of the socket's file; the number is PostgreSQL's default port, which names the file only.
const SOCKET_FILE: &str = ".s.PGSQL.5432";

/// Who logs in on a managed server.
const ROLES: [&str; 6] = [SUPERUSER, "ace_owner", "ace_app", "ace_public", "ace_signin", "ace_worker"];

/// Beyond this a log begins anew when the server starts; the one before it is kept.
const LOG_LIMIT: u64 = 10 * 1024 * 1024;

/// Everything that is known before the server runs.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) options: Options,
    pub(super) data: PathBuf,
    pub(super) socket: PathBuf,
    pub(super) account: Account,
    pub(super) installation: Installation,
}

impl Cluster {
    /// Looks at the machine and the directory; makes the directory, but no data yet.
    pub(super) fn prepare(options: &Options) -> Result<Self, ManagedError> {
        let mut options = options.clone();
        make_directory(&options.directory)?;
        options.directory = options.directory.canonicalize().map_err(ManagedError::io("find", &options.directory))?;
        let data = options.directory.join("data");
        let existing = fs::metadata(&data).ok();
        let account = Account::choose(existing.as_ref())?;
        if let Some(metadata) = existing.filter(|metadata| metadata.uid() != account.uid) {
            return Err(ManagedError::NotOurs { directory: data, owner: metadata.uid() });
        }
        if account::is_root() {
            account.must_reach(&options.directory)?;
        }
        let installation = installation_for(&options, &data)?;
        let socket = socket_directory(&options.directory);
        Ok(Self { options, data, socket, account, installation })
    }

    /// Where `role` finds `database`.
    pub(super) fn url(&self, role: &str, database: &str) -> String {
        format!("postgresql:///{database}?host={}&user={role}", percent_encode(&self.socket.to_string_lossy()))
    }

    /// Makes the data on the first start, and writes who may log in. Only for the holder of the lock.
    pub(super) fn initialise(&self) -> Result<(), ManagedError> {
        if !self.data.join("PG_VERSION").exists() {
            self.initdb()?;
        }
        self.make_socket_directory()?;
        self.write("pg_hba.conf", "# written by ACE at every start\nlocal all all peer map=ace\n")?;
        self.write("pg_ident.conf", &self.identities()?)
    }

    /// Into another directory first: an `initdb` that was interrupted must never pass for data.
    fn initdb(&self) -> Result<(), ManagedError> {
        let partial = self.options.directory.join("data.partial");
        if partial.exists() {
            fs::remove_dir_all(&partial).map_err(ManagedError::io("remove", &partial))?;
        }
        DirBuilder::new().mode(0o700).create(&partial).map_err(ManagedError::io("make", &partial))?;
        self.account.own(&partial)?;
        tracing::info!(directory = %self.data.display(), "making a new PostgreSQL data directory");
        match process::run(&self.account, self.initdb_command(&partial, "C.UTF-8")) {
            // systems without C.UTF-8, such as older macOS
            Err(ManagedError::Failed { output, .. }) if output.contains("invalid locale") => {
                process::run(&self.account, self.initdb_command(&partial, "C"))?;
            }
            other => other?,
        }
        fs::rename(&partial, &self.data).map_err(ManagedError::io("rename", &partial))
    }

    fn initdb_command(&self, directory: &Path, locale: &str) -> std::process::Command {
        let mut command = self.program("initdb");
        command.arg("--pgdata").arg(directory);
        command.args(["--username", SUPERUSER, "--auth", "peer", "--encoding", "UTF8", "--data-checksums"]);
        command.arg(format!("--locale={locale}"));
        if self.installation.major >= 17 && locale == "C.UTF-8" {
            command.arg("--locale-provider=builtin");
        }
        if !self.options.fsync {
            command.arg("--no-sync");
        }
        command
    }

    /// One of the installation's programs.
    pub(super) fn program(&self, name: &str) -> std::process::Command {
        std::process::Command::new(self.installation.bin_directory.join(name))
    }

    /// The operating-system users that run ACE or the server may log in as each of our roles, and nobody else.
    fn identities(&self) -> Result<String, ManagedError> {
        let mut users = vec![Account::current()?.name, self.account.name.clone(), "root".to_owned()];
        users.sort();
        users.dedup();
        let lines = users.iter().flat_map(|user| ROLES.map(|role| format!("ace \"{user}\" {role}\n")));
        Ok(format!("# written by ACE at every start\n{}", lines.collect::<String>()))
    }

    fn write(&self, name: &str, text: &str) -> Result<(), ManagedError> {
        let path = self.data.join(name);
        fs::write(&path, text).map_err(ManagedError::io("write", &path))?;
        self.account.own(&path)
    }

    /// The socket is open to all: who may log in is decided by peer. What matters is that nobody else made the
    /// directory, since a stranger's socket in it could pretend to be our server.
    fn make_socket_directory(&self) -> Result<(), ManagedError> {
        match DirBuilder::new().mode(0o755).create(&self.socket) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.check_socket_directory()?,
            Err(error) => return Err(ManagedError::io("make", &self.socket)(error)),
        }
        fs::set_permissions(&self.socket, Permissions::from_mode(0o755))
            .map_err(ManagedError::io("open", &self.socket))?;
        self.account.own(&self.socket)
    }

    /// Refuses a socket directory made by a stranger; guests check it too before they connect.
    pub(super) fn check_socket_directory(&self) -> Result<(), ManagedError> {
        let metadata = fs::symlink_metadata(&self.socket).map_err(ManagedError::io("look at", &self.socket))?;
        let ours = metadata.uid() == self.account.uid || metadata.uid() == 0;
        if metadata.is_dir() && ours {
            return Ok(());
        }
        Err(ManagedError::NotOurs { directory: self.socket.clone(), owner: metadata.uid() })
    }

    /// Opens the log for the server to append to.
    pub(super) fn open_log(&self) -> Result<File, ManagedError> {
        let path = self.log_path();
        if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
            fs::rename(&path, path.with_extension("log.1")).map_err(ManagedError::io("rename", &path))?;
        }
        File::options().create(true).append(true).open(&path).map_err(ManagedError::io("open", &path))
    }

    pub(super) fn log_path(&self) -> PathBuf {
        self.options.directory.join("postgres.log")
    }
}

fn installation_for(options: &Options, data: &Path) -> Result<Installation, ManagedError> {
    let version = fs::read_to_string(data.join("PG_VERSION")).ok();
    let data_major = version.and_then(|text| text.trim().parse().ok());
    let installation = discovery::find(options.bin_directory.as_deref(), data_major)?;
    match data_major {
        Some(major) if major != installation.major => Err(ManagedError::OtherMajor {
            data: major,
            installed: installation.major,
            directory: options.directory.clone(),
            bin_directory: installation.bin_directory,
        }),
        _ => Ok(installation),
    }
}

/// Everybody may pass through (the server's user must), nobody else may write.
fn make_directory(directory: &Path) -> Result<(), ManagedError> {
    DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(ManagedError::io("make", directory))
}

/// Inside the directory, or when that path is too long for a socket, a short one that every ACE on the same
/// directory arrives at.
fn socket_directory(directory: &Path) -> PathBuf {
    let inside = directory.join("run");
    if inside.join(SOCKET_FILE).as_os_str().len() <= SOCKET_PATH_LIMIT {
        return inside;
    }
    let mut hasher = DefaultHasher::new();
    directory.hash(&mut hasher);
    PathBuf::from(format!("/tmp/ace-{:016x}", hasher.finish()))
}

fn percent_encode(path: &str) -> String {
    path.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_path_gets_a_short_socket_and_a_short_one_keeps_its_own() {
        let short = Path::new("/var/lib/ace/postgres");
        assert_eq!(socket_directory(short), short.join("run"));
        let long = PathBuf::from(format!("/{}", "x".repeat(120)));
        let socket = socket_directory(&long);
        assert!(socket.join(SOCKET_FILE).as_os_str().len() <= SOCKET_PATH_LIMIT);
        assert_eq!(socket, socket_directory(&long));
        assert_ne!(socket, socket_directory(&long.join("other")));
    }

    #[test]
    fn a_path_with_spaces_and_signs_survives_the_url() {
        assert_eq!(percent_encode("/Users/A B/x&y=é"), "/Users/A%20B/x%26y%3D%C3%A9");
    }
}
