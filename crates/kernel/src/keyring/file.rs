//! The key file: made on first start, readable by its owner only, never half written.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Keyring;
use crate::settings::Settings;
use crate::{Error, Result, new_id};

const PREAMBLE: &str = "# The keys of this ACE installation. Whoever has this file and the database can read every card code;\n\
                        # whoever loses it can read none. Keep a copy apart from the database's backups.\n";

/// The key file's name in the data directory.
const FILE: &str = "keys";

impl Keyring {
    /// The ring the settings name: `security.keys` when set, else the file `keys` in the data directory, which is made
    /// on first start.
    ///
    /// # Errors
    /// Names the setting or the file.
    pub fn load(settings: &Settings) -> Result<Self> {
        let written = settings.security.keys.expose();
        if written.is_empty() { Self::load_or_create(&settings.data_dir.join(FILE)) } else { Self::parse(written) }
    }

    /// The same without making anything: `None` when there is neither the setting nor the file.
    ///
    /// # Errors
    /// Names the setting or the file.
    pub fn find(settings: &Settings) -> Result<Option<Self>> {
        let written = settings.security.keys.expose();
        if !written.is_empty() {
            return Self::parse(written).map(Some);
        }
        let path = settings.data_dir.join(FILE);
        match Self::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            read => read.map(Some).map_err(|error| refused(&path, &error)),
        }
    }

    /// Reads the key file; makes it with fresh keys when there is none. Several processes that start together
    /// end up with the same keys.
    ///
    /// # Errors
    /// Names the file, also when others than its owner may read it.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match Self::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Self::generate().write_new(path).or_else(|error| match error.kind() {
                    ErrorKind::AlreadyExists => Ok(()),
                    _ => Err(refused(path, &error)),
                })?;
                Self::read(path).map_err(|error| refused(path, &error))
            }
            read => read.map_err(|error| refused(path, &error)),
        }
    }

    /// Replaces the key file, for `ace keys rotate`. A crash leaves the old file or the new one.
    ///
    /// # Errors
    /// Names the file.
    pub fn save(&self, path: &Path) -> Result<()> {
        let replace = || -> std::io::Result<()> {
            let draft = self.write_draft(path)?;
            fs::rename(&draft, path)?;
            sync_directory(path)
        };
        replace().map_err(|error| refused(path, &error))
    }

    fn read(path: &Path) -> std::io::Result<Self> {
        let mode = fs::metadata(path)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(std::io::Error::other("others may read it; make it private with chmod 600"));
        }
        Self::parse(&fs::read_to_string(path)?).map_err(std::io::Error::other)
    }

    /// A hard link appears whole and only when the name is free: two processes cannot both succeed.
    fn write_new(&self, path: &Path) -> std::io::Result<()> {
        let draft = self.write_draft(path)?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        linked?;
        sync_directory(path)
    }

    fn write_draft(&self, path: &Path) -> std::io::Result<PathBuf> {
        if let Some(parent) = path.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let draft = path.with_extension(format!("{}.draft", new_id()));
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(PREAMBLE.as_bytes())?;
        file.write_all(self.written().as_bytes())?;
        file.sync_all()?;
        Ok(draft)
    }
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    match path.parent() {
        Some(parent) => fs::File::open(parent)?.sync_all(),
        None => Ok(()),
    }
}

fn refused(path: &Path, error: &std::io::Error) -> Error {
    Error::Unavailable(format!("the key file {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> PathBuf {
        std::env::temp_dir().join(format!("ace-keys-{}", new_id())).join("data").join("keys")
    }

    #[test]
    fn the_first_start_makes_a_private_file_and_the_second_reads_it() {
        let path = place();
        let first = Keyring::load_or_create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let second = Keyring::load_or_create(&path).unwrap();
        assert_eq!(first.secret("x"), second.secret("x"));
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn processes_that_start_together_agree_on_the_keys() {
        let path = place();
        let secrets: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let starts: Vec<_> =
                (0..8).map(|_| scope.spawn(|| Keyring::load_or_create(&path).unwrap().secret("x"))).collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }

    #[test]
    fn a_file_others_can_read_and_a_broken_one_are_refused_by_name() {
        let path = place();
        Keyring::load_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Keyring::load_or_create(&path).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(&path, "nonsense").unwrap();
        assert!(Keyring::load_or_create(&path).unwrap_err().to_string().contains(&path.display().to_string()));
    }

    #[test]
    fn a_rotated_ring_replaces_the_file() {
        let path = place();
        let rotated = Keyring::load_or_create(&path).unwrap().with_new_key();
        rotated.save(&path).unwrap();
        assert_eq!(Keyring::load_or_create(&path).unwrap().newest_prefix(), rotated.newest_prefix());
    }

    #[test]
    fn keys_in_the_settings_come_before_the_file() {
        let settings = Settings::for_tests();
        let ring = Keyring::load(&settings).unwrap();
        assert_eq!(ring.secret("x"), Keyring::for_tests().secret("x"));
        assert!(!settings.data_dir.join("keys").exists());
    }
}
