//! The one outbound HTTP client. Nothing else in ACE builds one.
//!
//! It follows no redirect (a provider's API has no reason to send us elsewhere with our credentials), asks no proxy
//! of the environment, waits only so long, and reads only so much.

use std::sync::Once;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kernel::{Error, Result};

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// How long to wait for the whole answer when nothing else is said.
pub const ANSWER: Duration = Duration::from_secs(20);
/// The most bytes of an answer that are read.
pub const MOST_BYTES: usize = 256 * 1024;

/// A client that gives up after `answer`.
///
/// # Errors
/// `Internal` when the machine's certificates cannot be loaded.
pub fn client(answer: Duration) -> Result<reqwest::Client> {
    install_tls();
    reqwest::Client::builder()
        .user_agent(concat!("ACE/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT.min(answer))
        .timeout(answer)
        .pool_idle_timeout(Duration::from_secs(60))
        .pool_max_idle_per_host(16)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        // whether to try again is the job's decision, which knows whether a message could go out twice
        .retry(reqwest::retry::never())
        .no_proxy()
        .build()
        .map_err(|error| Error::internal(format!("the HTTP client: {error}")))
}

/// Makes ring the process's TLS provider: rustls panics when it has to guess between none or two.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error only says that somebody was faster, with the same provider: no other one is linked.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Why an answer's body could not be had.
#[derive(Debug)]
pub enum BodyError {
    /// It is longer than [`MOST_BYTES`].
    TooLong,
    /// The connection broke or was too slow.
    Broken(reqwest::Error),
}

/// The body of an answer, as long as it is not longer than [`MOST_BYTES`].
///
/// # Errors
/// When it is longer, or the connection breaks.
pub async fn read(mut response: reqwest::Response) -> std::result::Result<Bytes, BodyError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(BodyError::Broken)? {
        if body.len() + chunk.len() > MOST_BYTES {
            return Err(BodyError::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// An error of the client with its causes and without its URL, which may name an account.
pub fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiremock::matchers::method;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    async fn answer(template: ResponseTemplate) -> (MockServer, reqwest::Response) {
        let server = MockServer::start().await;
        Mock::given(method("GET")).respond_with(template).mount(&server).await;
        let response = client(ANSWER).unwrap().get(server.uri()).send().await.unwrap();
        (server, response)
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_is_not_followed() {
        let (server, response) =
            answer(ResponseTemplate::new(302).insert_header("location", "http://169.254.169.254/")).await;
        assert_eq!(response.status(), 302);
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_body_is_read_to_the_limit_and_refused_beyond_it() {
        let (_server, response) = answer(ResponseTemplate::new(200).set_body_bytes(vec![7; MOST_BYTES])).await;
        assert_eq!(read(response).await.unwrap().len(), MOST_BYTES);
        let (_server, response) = answer(ResponseTemplate::new(200).set_body_bytes(vec![7; MOST_BYTES + 1])).await;
        assert!(matches!(read(response).await, Err(BodyError::TooLong)));
    }

    #[tokio::test]
    async fn an_error_does_not_tell_the_url() {
        let error = client(ANSWER).unwrap().get("http://127.0.0.1:1/Accounts/AC123").send().await.unwrap_err();
        let text = describe(error);
        assert!(!text.contains("AC123"), "{text}");
        assert!(text.to_lowercase().contains("refused"), "{text}");
    }
}
