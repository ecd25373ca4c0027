//! Access tokens: JWTs (ES256) that name a session, so that revoking the session revokes them.
//!
//! The signing key is derived from the keyring: every process of a deployment has the same one, and nothing has to be
//! stored. A deployment that runs Supabase Auth itself may name its JWKS instead; then its tokens are good here, too.

mod outside;

use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Error, Result};
use p256::SecretKey;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::pkcs8::EncodePrivateKey;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::App;
use outside::Outside;

/// Who our tokens, and those of Supabase Auth, are for.
const AUDIENCE: &str = "authenticated";

/// What an access token says, in the names of Supabase Auth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Where it was issued.
    pub iss: String,
    /// `auth.users.id`.
    pub sub: Uuid,
    /// Always `authenticated`.
    pub aud: String,
    /// When it ends, in seconds.
    pub exp: i64,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// The address of the person.
    pub email: String,
    /// Always `authenticated`: the role Supabase's database gateway would take.
    pub role: String,
    /// The most powerful of the person's roles in ACE.
    pub app_role: String,
    /// All of the person's roles in ACE.
    pub roles: Vec<String>,
    /// The session; when it is revoked the token is worth nothing.
    pub session_id: Uuid,
    /// How sure the sign-in was: `aal1` password, `aal2` password and one-time code.
    pub aal: String,
}

/// The person a new token is for.
#[derive(Debug, Clone)]
pub struct Holder {
    /// `auth.users.id`.
    pub user_id: Uuid,
    /// Their address.
    pub email: String,
    /// Their roles, the most powerful first.
    pub roles: Vec<String>,
    /// Their session.
    pub session_id: Uuid,
    /// `aal1` or `aal2`.
    pub aal: String,
}

/// Whom a good token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// One of our sessions.
    Session(Uuid),
    /// A person known to the outside Supabase Auth this deployment trusts.
    Outside {
        /// The id over there, which may be the id here.
        sub: Option<Uuid>,
        /// Their address, when it is verified over there.
        email: Option<String>,
        /// Whether they signed in with a second factor.
        second_factor: bool,
    },
}

/// Signs and checks access tokens.
pub struct Tokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    key_id: String,
    jwks: Value,
    issuer: String,
    lifetime: Duration,
    outside: Option<Outside>,
}

impl Tokens {
    /// The tokens of this deployment.
    ///
    /// # Errors
    /// `Internal` when no key can be derived, which does not happen.
    pub fn new(keyring: &Keyring, settings: &Settings) -> Result<Self> {
        let secret = derive(keyring)?;
        let point = secret.public_key().to_encoded_point(false);
        let (Some(x), Some(y)) = (point.x(), point.y()) else { return Err(Error::internal("a key without a point")) };
        let (x, y) = (base64url(x), base64url(y));
        // the thumbprint of RFC 7638: another key has another id
        let key_id = base64url(&Sha256::digest(format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)));
        let der = secret.to_pkcs8_der().map_err(Error::internal)?;
        Ok(Self {
            signing: EncodingKey::from_ec_der(der.as_bytes()),
            verifying: DecodingKey::from_ec_components(&x, &y).map_err(Error::internal)?,
            jwks: json!({ "keys": [{
                "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": &key_id,
                "alg": "ES256", "use": "sig", "key_ops": ["verify"], "ext": true,
            }] }),
            key_id,
            issuer: format!("{}/auth/v1", settings.server.public_url.trim_end_matches('/')),
            lifetime: Duration::minutes(settings.security.access_token_minutes.into()),
            outside: Outside::from_settings(settings)?,
        })
    }

    /// The public half, for anybody who checks our tokens.
    pub fn jwks(&self) -> &Value {
        &self.jwks
    }

    /// How long an access token is good.
    pub fn lifetime(&self) -> Duration {
        self.lifetime
    }

    /// A new access token, good from `now` on.
    ///
    /// # Errors
    /// `Internal` when signing fails.
    pub fn sign(&self, holder: &Holder, now: DateTime<Utc>) -> Result<String> {
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: holder.user_id,
            aud: AUDIENCE.to_owned(),
            exp: (now + self.lifetime).timestamp(),
            iat: now.timestamp(),
            email: holder.email.clone(),
            role: AUDIENCE.to_owned(),
            app_role: holder.roles.first().cloned().unwrap_or_default(),
            roles: holder.roles.clone(),
            session_id: holder.session_id,
            aal: holder.aal.clone(),
        };
        let header = Header { kid: Some(self.key_id.clone()), ..Header::new(Algorithm::ES256) };
        jsonwebtoken::encode(&header, &claims, &self.signing).map_err(Error::internal)
    }

    /// What one of our own tokens says, when it is good at `now`.
    ///
    /// # Errors
    /// `Unauthenticated` when it is malformed, forged, expired or not ours.
    pub fn claims(&self, token: &str, now: DateTime<Utc>) -> Result<Claims> {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false; // held against our clock below
        validation.set_audience(&[AUDIENCE]);
        validation.set_issuer(&[&self.issuer]);
        let data = jsonwebtoken::decode::<Claims>(token, &self.verifying, &validation);
        let claims = data.map_err(|_| Error::Unauthenticated)?.claims;
        if claims.exp <= now.timestamp() { Err(Error::Unauthenticated) } else { Ok(claims) }
    }
}

/// Whom an access token names.
///
/// # Errors
/// `Unauthenticated` when the token is malformed, forged or expired; `Unavailable` when the outside keys are needed
/// and cannot be had.
pub async fn verify(app: &App, token: &str) -> Result<Bearer> {
    let now = app.clock.now();
    match (app.tokens.claims(token, now), &app.tokens.outside) {
        (Ok(claims), _) => Ok(Bearer::Session(claims.session_id)),
        (Err(_), Some(outside)) => outside.verify(token, now).await,
        (Err(error), None) => Err(error),
    }
}

/// A scalar of the curve: nearly every 256-bit number is one; the next candidate is taken where one is not.
fn derive(keyring: &Keyring) -> Result<SecretKey> {
    let candidates = ["jwt", "jwt 2", "jwt 3", "jwt 4"];
    let mut keys = candidates.iter().filter_map(|purpose| SecretKey::from_slice(&keyring.secret(purpose)).ok());
    keys.next().ok_or_else(|| Error::internal("no signing key can be derived"))
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(keyring: &Keyring) -> Tokens {
        Tokens::new(keyring, &Settings::for_tests()).unwrap()
    }

    fn holder() -> Holder {
        Holder {
            user_id: kernel::new_id(),
            email: "dana@example.com".into(),
            roles: vec!["agency_owner".into(), "developer".into()],
            session_id: kernel::new_id(),
            aal: "aal1".into(),
        }
    }

    #[test]
    fn a_token_says_who_it_is_for_and_ends_after_an_hour() {
        let (tokens, holder, now) = (tokens(&Keyring::for_tests()), holder(), DateTime::UNIX_EPOCH);
        let token = tokens.sign(&holder, now).unwrap();
        let claims = tokens.claims(&token, now + Duration::minutes(59)).unwrap();
        assert_eq!((claims.sub, claims.session_id), (holder.user_id, holder.session_id));
        assert_eq!((claims.role.as_str(), claims.app_role.as_str()), ("authenticated", "agency_owner"));
        assert_eq!(claims.exp, 3600);
        assert_eq!(tokens.claims(&token, now + Duration::hours(1)), Err(Error::Unauthenticated));
    }

    #[test]
    fn another_deployments_token_a_changed_one_and_an_unsigned_one_are_refused() {
        let (tokens, now) = (tokens(&Keyring::for_tests()), DateTime::UNIX_EPOCH);
        let foreign = self::tokens(&Keyring::generate()).sign(&holder(), now).unwrap();
        assert_eq!(tokens.claims(&foreign, now), Err(Error::Unauthenticated));

        let good = tokens.sign(&holder(), now).unwrap();
        let parts: Vec<&str> = good.split('.').collect();
        let forged = base64url(br#"{"sub":"00000000-0000-0000-0000-000000000000"}"#);
        assert!(tokens.claims(&format!("{}.{forged}.{}", parts[0], parts[2]), now).is_err());
        let none = base64url(br#"{"alg":"none"}"#);
        assert!(tokens.claims(&format!("{none}.{}.", parts[1]), now).is_err());
        assert!(tokens.claims("", now).is_err());
    }

    #[test]
    fn the_published_key_checks_our_tokens() {
        let tokens = tokens(&Keyring::for_tests());
        let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(tokens.jwks()["keys"][0].clone()).unwrap();
        let token = tokens.sign(&holder(), DateTime::UNIX_EPOCH).unwrap();
        let mut validation = Validation::new(Algorithm::ES256);
        validation.validate_exp = false;
        validation.set_audience(&[AUDIENCE]);
        assert!(jsonwebtoken::decode::<Claims>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &validation).is_ok());
        assert!(tokens.jwks()["keys"][0].get("d").is_none(), "the private half stays here");
    }
}
