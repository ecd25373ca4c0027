//! Chance: ids and unguessable tokens, all from the operating system's generator.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::Rng;
use uuid::Uuid;

/// A new time-ordered id (UUIDv7), made by the application so that rows can be linked before they are written.
pub fn new_id() -> Uuid {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that makes ids")]
    Uuid::now_v7()
}

/// The generator for codes and tokens: cryptographic, seeded by the operating system.
pub fn generator() -> rand::rngs::ThreadRng {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that takes the generator")]
    rand::rng()
}

/// `N` unguessable bytes.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    generator().fill_bytes(&mut bytes);
    bytes
}

/// A 256-bit token for links and sessions: 43 characters of base64url.
pub fn token() -> String {
    URL_SAFE_NO_PAD.encode(bytes::<32>())
}
