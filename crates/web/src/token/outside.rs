//! A Supabase Auth that runs elsewhere: its public keys, fetched when needed and kept for ten minutes. A service that
//! hangs holds up nobody whose key is known, and the first who needs an unknown one once.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration as Wait;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::settings::Settings;
use kernel::{Error, Result, email};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{AUDIENCE, Bearer};

/// After so long keys are fetched anew, beside the requests that go on with the old ones.
const FRESH: Duration = Duration::minutes(10);
/// How long keys are believed that cannot be fetched anew.
const BELIEVED: Duration = Duration::hours(1);
/// How often an unknown key id may make us ask again.
const ASK_AGAIN: Duration = Duration::minutes(1);
/// How long a failed fetch answers for those who come after it.
const GIVEN_UP: Duration = Duration::seconds(15);
/// The largest set of keys that is read, in bytes.
const MAX_KEYS: usize = 256 * 1024;
/// Signatures by public key only: a shared secret could not be told from a public key used as one.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];

#[derive(Clone)]
pub(super) struct Outside(Arc<Shared>);

struct Shared {
    from: From,
    issuer: Option<String>,
    /// Held for an instant only, never while fetching.
    known: Mutex<Known>,
    /// Whoever holds it fetches; others wait for what comes of it, or go on with what is known.
    fetching: tokio::sync::Mutex<()>,
}

/// What is known of the keys.
#[derive(Default)]
struct Known {
    keys: Option<Keys>,
    /// When a fetch failed last, if none went well since.
    failed_at: Option<DateTime<Utc>>,
}

/// What is to be done for a key id.
enum Answer {
    /// The key, which is believed; whether it is time to ask for new ones.
    Key(Box<DecodingKey>, bool),
    /// A fetch may bring it.
    Fetch,
    /// There is no such key.
    Unknown,
    /// The keys could not be had just now.
    Away,
}

/// Where the keys are to be had.
enum From {
    Url(String, reqwest::Client),
    File(PathBuf),
}

struct Keys {
    set: JwkSet,
    fetched_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct OutsideClaims {
    sub: Option<String>,
    email: Option<String>,
    exp: i64,
    #[serde(default)]
    aal: Value,
    #[serde(default)]
    app_metadata: Value,
    #[serde(default)]
    user_metadata: Value,
}

impl OutsideClaims {
    /// The address, when it was shown to be theirs: Supabase Auth notes that in `user_metadata`, which people may edit, so
    /// that `app_metadata`, which they may not, has the last word.
    fn verified_email(&self) -> Option<String> {
        let noted = |metadata: &Value| metadata["email_verified"].as_bool();
        let verified = noted(&self.app_metadata).or_else(|| noted(&self.user_metadata)) == Some(true);
        self.email.as_deref().filter(|_| verified).and_then(email::normalise)
    }
}

impl Outside {
    pub(super) fn from_settings(settings: &Settings) -> Result<Option<Self>> {
        let security = &settings.security;
        let from = match &security.supabase_jwks_file {
            Some(path) => From::File(path.clone()),
            None if security.supabase_jwks_url.is_empty() => return Ok(None),
            None => From::Url(security.supabase_jwks_url.clone(), client()?),
        };
        let issuer = Some(security.supabase_issuer.clone()).filter(|issuer| !issuer.is_empty());
        Ok(Some(Self(Arc::new(Shared {
            from,
            issuer,
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }))))
    }

    pub(super) async fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Bearer> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Error::Unauthenticated)?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Error::Unauthenticated);
        }
        let key = self.key(header.kid.as_deref(), now).await?;
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        if let Some(issuer) = &self.0.issuer {
            validation.set_issuer(&[issuer]);
        }
        let data =
            jsonwebtoken::decode::<OutsideClaims>(token, &key, &validation).map_err(|_| Error::Unauthenticated)?;
        if data.claims.exp <= now.timestamp() {
            return Err(Error::Unauthenticated);
        }
        Ok(Bearer::Outside {
            email: data.claims.verified_email(),
            second_factor: data.claims.aal == "aal2",
            sub: data.claims.sub.and_then(|sub| Uuid::parse_str(&sub).ok()),
        })
    }

    /// The key of this id. While keys are known nobody waits for a fetch; where none are, one fetches and the others wait
    /// for it, each at most once.
    async fn key(&self, key_id: Option<&str>, now: DateTime<Utc>) -> Result<DecodingKey> {
        match self.0.answer(key_id, now) {
            Answer::Key(key, false) => return Ok(*key),
            Answer::Key(key, true) => {
                self.renew(now);
                return Ok(*key);
            }
            Answer::Fetch => {
                let _fetching = self.0.fetching.lock().await;
                // whoever waited finds what the one before them brought
                if matches!(self.0.answer(key_id, now), Answer::Fetch) {
                    self.0.fetch_and_note(now).await;
                }
            }
            Answer::Unknown => return Err(Error::Unauthenticated),
            Answer::Away => return Err(away()),
        }
        match self.0.answer(key_id, now) {
            Answer::Key(key, _) => Ok(*key),
            Answer::Away => Err(away()),
            Answer::Unknown | Answer::Fetch => Err(Error::Unauthenticated),
        }
    }

    /// Fetches beside the request, unless that is under way.
    fn renew(&self, now: DateTime<Utc>) {
        let outside = self.clone();
        tokio::spawn(async move {
            let Ok(_fetching) = outside.0.fetching.try_lock() else { return };
            outside.0.fetch_and_note(now).await;
        });
    }
}

impl Shared {
    fn answer(&self, key_id: Option<&str>, now: DateTime<Utc>) -> Answer {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let gave_up = known.failed_at.is_some_and(|at| now - at < GIVEN_UP);
        let Some((keys, age)) =
            known.keys.as_ref().map(|keys| (keys, now - keys.fetched_at)).filter(|(_, age)| *age < BELIEVED)
        else {
            return if gave_up { Answer::Away } else { Answer::Fetch };
        };
        match find(&keys.set, key_id) {
            Some(key) => Answer::Key(Box::new(key), age > FRESH && !gave_up),
            None if age > ASK_AGAIN && !gave_up => Answer::Fetch,
            None => Answer::Unknown,
        }
    }

    async fn fetch_and_note(&self, now: DateTime<Utc>) {
        let fetched = self.fetch().await;
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(set) => *known = Known { keys: Some(Keys { set, fetched_at: now }), failed_at: None },
            Err(error) => {
                tracing::warn!(error, "no keys of the outside sign-in service");
                known.failed_at = Some(now);
            }
        }
    }

    async fn fetch(&self) -> std::result::Result<JwkSet, String> {
        let bytes = match &self.from {
            From::Url(url, http) => {
                let response = http.get(url).send().await.and_then(reqwest::Response::error_for_status);
                let mut response = response.map_err(|e| e.to_string())?;
                let mut bytes = Vec::new();
                while let Some(chunk) = response.chunk().await.map_err(|e| e.to_string())? {
                    bytes.extend_from_slice(&chunk);
                    if bytes.len() > MAX_KEYS {
                        return Err(format!("more than {MAX_KEYS} bytes"));
                    }
                }
                bytes
            }
            From::File(path) => tokio::fs::read(path).await.map_err(|e| e.to_string())?,
        };
        serde_json::from_slice(&bytes).map_err(|e| e.to_string())
    }
}

fn away() -> Error {
    Error::Unavailable("the keys of the outside sign-in service cannot be had".into())
}

fn client() -> Result<reqwest::Client> {
    let builder = reqwest::Client::builder().timeout(Wait::from_secs(5)).redirect(reqwest::redirect::Policy::none());
    builder.build().map_err(Error::internal)
}

fn find(set: &JwkSet, key_id: Option<&str>) -> Option<DecodingKey> {
    let jwk = match key_id {
        Some(id) => set.find(id),
        None => set.keys.first(),
    };
    DecodingKey::from_jwk(jwk?).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn known_keys_go_on_while_the_service_is_away_and_no_longer_than_an_hour() {
        let jwks = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "k",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM" }] });
        let began = DateTime::UNIX_EPOCH;
        let after = |minutes| began + Duration::minutes(minutes);
        let keys = Keys { set: serde_json::from_value(jwks).unwrap(), fetched_at: began };
        let shared = Shared {
            from: From::File(PathBuf::from("/nowhere")),
            issuer: None,
            known: Mutex::new(Known { keys: Some(keys), failed_at: None }),
            fetching: tokio::sync::Mutex::default(),
        };
        assert!(matches!(shared.answer(Some("k"), after(9)), Answer::Key(_, false)));
        assert!(matches!(shared.answer(Some("k"), after(11)), Answer::Key(_, true)), "asks anew beside the request");
        assert!(matches!(shared.answer(Some("x"), began), Answer::Unknown), "was asked for just now");
        assert!(matches!(shared.answer(Some("x"), after(2)), Answer::Fetch));
        shared.known.lock().unwrap().failed_at = Some(after(11));
        assert!(matches!(shared.answer(Some("k"), after(11)), Answer::Key(_, false)), "nobody asks again at once");
        assert!(matches!(shared.answer(Some("x"), after(11)), Answer::Unknown));
        assert!(matches!(shared.answer(Some("k"), after(61)), Answer::Fetch));
        shared.known.lock().unwrap().failed_at = Some(after(61));
        assert!(matches!(shared.answer(Some("k"), after(61)), Answer::Away));
    }

    #[test]
    fn an_address_counts_when_it_is_verified_and_its_owner_cannot_overrule_the_service() {
        let email = |app: Value, user: Value| {
            let claims = json!({ "email": "Dana@Example.com", "exp": 1, "app_metadata": app, "user_metadata": user });
            serde_json::from_value::<OutsideClaims>(claims).unwrap().verified_email()
        };
        let dana = Some("dana@example.com".to_owned());
        assert_eq!(email(json!({ "provider": "email" }), json!({ "email_verified": true })), dana);
        assert_eq!(email(json!({ "email_verified": true }), Value::Null), dana);
        for (app, user) in [
            (Value::Null, Value::Null),
            (json!({}), json!({ "email_verified": false })),
            (json!({}), json!({ "email_verified": "true" })),
            (json!({ "email_verified": false }), json!({ "email_verified": true })),
        ] {
            assert_eq!(email(app, user), None);
        }
    }
}
