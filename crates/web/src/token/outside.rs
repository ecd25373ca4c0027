//! A Supabase Auth that runs elsewhere: its public keys, fetched when needed and kept for ten minutes.

use std::path::PathBuf;
use std::time::Duration as Wait;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::settings::Settings;
use kernel::{Error, Result, email};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{AUDIENCE, Bearer};

/// How long fetched keys are believed.
const FRESH: Duration = Duration::minutes(10);
/// How often an unknown key id may make us ask again.
const ASK_AGAIN: Duration = Duration::minutes(1);
/// Signatures by public key only: a shared secret could not be told from a public key used as one.
const ALGORITHMS: [Algorithm; 3] = [Algorithm::ES256, Algorithm::RS256, Algorithm::EdDSA];

pub(super) struct Outside {
    from: From,
    issuer: Option<String>,
    keys: Mutex<Option<Keys>>,
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
        Ok(Some(Self { from, issuer, keys: Mutex::new(None) }))
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
        if let Some(issuer) = &self.issuer {
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

    async fn key(&self, key_id: Option<&str>, now: DateTime<Utc>) -> Result<DecodingKey> {
        let mut keys = self.keys.lock().await;
        let known = |keys: &Option<Keys>| keys.as_ref().and_then(|keys| find(&keys.set, key_id));
        let age = keys.as_ref().map(|keys| now - keys.fetched_at);
        let stale = age.is_none_or(|age| age > FRESH || (known(&keys).is_none() && age > ASK_AGAIN));
        if stale {
            *keys = Some(Keys { set: self.fetch().await?, fetched_at: now });
        }
        known(&keys).ok_or(Error::Unauthenticated)
    }

    async fn fetch(&self) -> Result<JwkSet> {
        let away =
            |error: &dyn std::fmt::Display| Error::Unavailable(format!("no keys of the sign-in service: {error}"));
        match &self.from {
            From::Url(url, http) => {
                let response = http.get(url).send().await.and_then(reqwest::Response::error_for_status);
                response.map_err(|e| away(&e))?.json().await.map_err(|e| away(&e))
            }
            From::File(path) => {
                let text = tokio::fs::read(path).await.map_err(|e| away(&e))?;
                serde_json::from_slice(&text).map_err(|e| away(&e))
            }
        }
    }
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
