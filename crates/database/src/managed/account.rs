//! Which operating-system user runs the server: PostgreSQL refuses to run as root.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{Uid, User, geteuid};
use std::os::unix::process::CommandExt;

use super::ManagedError;

/// The user the server runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// Whether this process may become another user.
pub(super) fn is_root() -> bool {
    geteuid().is_root()
}

impl Account {
    /// For root: whoever owns `existing` data, else `postgres`, else `nobody`. For everybody else: themselves.
    pub(super) fn choose(existing: Option<&Metadata>) -> Result<Self, ManagedError> {
        if !is_root() {
            return Self::current();
        }
        let owner = existing.map(Metadata::uid).filter(|uid| *uid != 0);
        let users = [owner.and_then(by_uid), by_name("postgres"), by_name("nobody")];
        users.into_iter().flatten().next().ok_or(ManagedError::NoUser { user: "nobody".into() })
    }

    /// The user of this process.
    pub(super) fn current() -> Result<Self, ManagedError> {
        let uid = geteuid();
        by_uid(uid.as_raw()).ok_or(ManagedError::NoUser { user: format!("with the id {uid}") })
    }

    /// Makes `command` run as this user.
    pub(super) fn run(&self, command: &mut Command) {
        if is_root() {
            // std also clears the supplementary groups
            command.uid(self.uid).gid(self.gid);
        }
    }

    /// Gives `path` to this user.
    pub(super) fn own(&self, path: &Path) -> Result<(), ManagedError> {
        if !is_root() {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid)).map_err(ManagedError::io("give away", path))
    }

    /// Checks that this user may enter `directory` and everything above it.
    pub(super) fn must_reach(&self, directory: &Path) -> Result<(), ManagedError> {
        for step in directory.ancestors().filter(|step| !step.as_os_str().is_empty()) {
            let metadata = std::fs::metadata(step).map_err(ManagedError::io("look at", step))?;
            if !self.may_enter(&metadata) {
                return Err(ManagedError::NotTraversable { directory: step.to_owned(), user: self.name.clone() });
            }
        }
        Ok(())
    }

    fn may_enter(&self, metadata: &Metadata) -> bool {
        let bit = if metadata.uid() == self.uid {
            0o100
        } else if metadata.gid() == self.gid {
            0o010
        } else {
            0o001
        };
        metadata.mode() & bit != 0
    }
}

fn by_name(name: &str) -> Option<Account> {
    User::from_name(name).ok().flatten().map(Account::from)
}

fn by_uid(uid: u32) -> Option<Account> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map(Account::from)
}

impl From<User> for Account {
    fn from(user: User) -> Self {
        Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stranger_may_enter_the_temporary_directory_but_not_a_private_one() {
        let stranger = Account { name: "stranger".into(), uid: 54_321, gid: 54_321 };
        let private = std::env::temp_dir().join(format!("ace-private-{}", std::process::id()));
        std::fs::create_dir_all(private.join("inside")).unwrap();
        std::fs::set_permissions(&private, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
        assert!(stranger.must_reach(&std::env::temp_dir()).is_ok());
        let error = stranger.must_reach(&private.join("inside")).unwrap_err();
        assert!(matches!(&error, ManagedError::NotTraversable { directory, .. } if *directory == private), "{error}");
        std::fs::remove_dir_all(private).unwrap();
    }
}
