//! The written form of API keys: `ace_live_` or `ace_test_` and 43 base62 characters, 256 bits.

use kernel::{Error, FieldError, Result, random};
use rand::RngExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 43;

/// What a key is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real work.
    #[default]
    Live,
    /// Trying things out.
    Test,
}

impl Mode {
    /// The word of the data model.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// A new key.
pub fn generate(mode: Mode) -> String {
    let mut generator = random::generator();
    let secret: String = (0..LENGTH).map(|_| char::from(BASE62[generator.random_range(0..BASE62.len())])).collect();
    format!("ace_{}_{secret}", mode.as_str())
}

/// What stays visible of a key: its end.
pub fn last_four(key: &str) -> &str {
    key.get(key.len().saturating_sub(4)..).unwrap_or_default()
}

/// A key as lists show it.
pub fn masked(mode: &str, last_four: &str) -> String {
    format!("ace_{mode}_…{last_four}")
}

/// The scopes a new key gets: those asked for, never more than its maker holds, and nothing that is about people or
/// the installation rather than about the client. No choice is no key: it would hold nothing, and must not hold all.
///
/// # Errors
/// Names `scopes` when there is none, or the first that is unknown or not the maker's to give.
pub fn scopes(asked: &[String], held: impl Fn(&str) -> bool) -> Result<Vec<String>> {
    let grantable = |key: &&str| is_about_a_client(key) && held(key);
    if asked.is_empty() {
        return Err(Error::Invalid(vec![FieldError {
            field: "scopes".into(),
            code: "required",
            message: "Choose at least one permission. A key holds only what you choose.".into(),
        }]));
    }
    for key in asked {
        let known = kernel::permissions::ALL.iter().find(|known| **known == key.as_str());
        match known {
            None => return Err(Error::invalid("scopes", format!("{key} is not a permission"))),
            Some(known) if !grantable(known) => {
                return Err(Error::invalid("scopes", format!("{key} is not yours to give to a key")));
            }
            Some(_) => {}
        }
    }
    let mut scopes = asked.to_vec();
    scopes.sort();
    scopes.dedup();
    Ok(scopes)
}

/// What a program of one client can hold at all.
pub fn is_about_a_client(permission: &str) -> bool {
    let area = permission.split('.').next().unwrap_or_default();
    let elsewhere = ["organizations", "users", "api_keys", "platform", "audit", "docs"];
    !elsewhere.contains(&area) && !["clients.create", "clients.archive", "credits.grant"].contains(&permission)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_form_and_no_two_are_the_same() {
        let key = generate(Mode::Test);
        let secret = key.strip_prefix("ace_test_").unwrap();
        assert!(secret.len() == 43 && secret.bytes().all(|b| b.is_ascii_alphanumeric()), "{key}");
        assert_ne!(key, generate(Mode::Test));
        assert_eq!(masked("live", last_four(&key)), format!("ace_live_…{}", &key[key.len() - 4..]));
    }

    #[test]
    fn a_key_never_holds_more_than_its_maker_nor_anything_about_people() {
        let developer = |key: &str| ["contacts.view", "webhooks.manage", "users.view"].contains(&key);
        assert!(scopes(&[], developer).is_err(), "no choice grants nothing");
        for refused in ["contacts.import", "users.view", "no.such", "platform.jobs"] {
            assert!(scopes(&[refused.to_owned()], developer).is_err(), "{refused}");
        }
        assert_eq!(scopes(&["contacts.view".into(), "contacts.view".into()], developer).unwrap(), ["contacts.view"]);
    }
}
