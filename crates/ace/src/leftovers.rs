//! What an answer leaves unread of its request's body.
//!
//! HTTP keeps the connection for the next request only when the body before it was read to its end (RFC 9112, 9.3).
//! A refusal often reads nothing: then the rest is read and forgotten, as far as that is cheap, and where it is not, the
//! answer says `Connection: close`, so that nobody sends another request into a connection that ends.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};

/// So much is read for nothing: more than any body but a file has.
const MOST: usize = 8 * 1024 * 1024;
/// and so long.
const LONGEST: Duration = Duration::from_secs(5);

/// Where a body is put that was given up before its end.
type Place = Arc<Mutex<Option<Body>>>;

/// A body that is put back when nobody wants the rest of it.
struct Lent {
    body: Option<Body>,
    place: Place,
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.body = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(HttpBody::size_hint).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let rest = self.body.take().filter(|body| !body.is_end_stream());
        *self.place.lock().unwrap_or_else(PoisonError::into_inner) = rest;
    }
}

/// Answers, and leaves nothing of the request's body on the connection without saying so.
pub(crate) async fn clear(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // whoever waits to be asked for it sends nothing that could be in the way
    let waits = request.headers().contains_key(header::EXPECT);
    let place = Place::default();
    let request = request.map(|body| Body::new(Lent { body: Some(body), place: Arc::clone(&place) }));
    let mut response = next.run(request).await;
    let rest = place.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(rest) = rest
        && (waits || !is_read_away(rest).await)
    {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Reads the rest of a body to its end, if that is near.
async fn is_read_away(body: Body) -> bool {
    if body.size_hint().lower() > MOST as u64 {
        return false;
    }
    let read = async {
        let (mut stream, mut length) = (body.into_data_stream(), 0);
        while let Some(part) = stream.next().await {
            // broken off by whoever sends it, or larger than it said
            let Ok(part) = part else { return false };
            length += part.len();
            if length > MOST {
                return false;
            }
        }
        true
    };
    tokio::time::timeout(LONGEST, read).await == Ok(true)
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::{get, post};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    async fn start() -> std::net::SocketAddr {
        let router = Router::new()
            .route("/", get(|| async { "next" }))
            .route("/refuses", post(|| async { axum::http::StatusCode::UNAUTHORIZED }))
            .route("/reads", post(|body: Bytes| async move { body.len().to_string() }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(crate::connections::serve(listener, router, Duration::from_secs(60), std::future::pending()));
        address
    }

    /// The head of the next answer and, if it has a length, its body.
    async fn answer(stream: &mut TcpStream) -> String {
        let mut text = Vec::new();
        while !text.ends_with(b"\r\n\r\n") {
            text.push(
                tokio::time::timeout(Duration::from_secs(10), stream.read_u8()).await.expect("an answer").unwrap(),
            );
        }
        let head = String::from_utf8(text).unwrap().to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        stream.read_exact(&mut body).await.unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    #[tokio::test]
    async fn after_a_refusal_that_read_nothing_the_connection_takes_the_next_request() {
        let address = start().await;
        for (path, size) in
            [("/refuses", 0), ("/refuses", 1_000), ("/refuses", 90_000), ("/refuses", 1_500_000), ("/reads", 90_000)]
        {
            let mut stream = TcpStream::connect(address).await.unwrap();
            let head = format!("POST {path} HTTP/1.1\r\nhost: ace.test\r\ncontent-length: {size}\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&vec![b'x'; size]).await.unwrap();
            let said = answer(&mut stream).await;
            assert!(!said.contains("connection: close"), "{path} {size}: {said}");
            stream.write_all(b"GET / HTTP/1.1\r\nhost: ace.test\r\n\r\n").await.unwrap();
            assert!(answer(&mut stream).await.ends_with("next"), "{path} {size}");
        }
    }

    #[tokio::test]
    async fn where_too_much_is_left_or_nothing_was_sent_yet_the_answer_says_that_it_is_the_last() {
        let address = start().await;
        for more in
            [format!("content-length: {}\r\n", MOST + 1), "content-length: 5\r\nexpect: 100-continue\r\n".into()]
        {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream
                .write_all(format!("POST /refuses HTTP/1.1\r\nhost: ace.test\r\n{more}\r\n").as_bytes())
                .await
                .unwrap();
            let said = answer(&mut stream).await;
            assert!(said.starts_with("http/1.1 401") && said.contains("connection: close"), "{more}: {said}");
            assert_eq!(stream.read(&mut [0]).await.unwrap(), 0, "and it is");
        }
    }
}
