//! Takes connections and answers on them. What `axum::serve` does, and in addition: a client that does not send its
//! request, or sends it a letter at a time, is let go.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

use crate::leftovers;

/// How long a request's head may take, and how long a connection may wait for its next request. Longer than the minute
/// for which the usual proxies keep theirs open, so that none sends into one that is just being closed.
pub(crate) const HEAD: Duration = Duration::from_secs(75);

/// Once stopping was asked for, after so long without a new connection nobody listens any more,
const QUIET: Duration = Duration::from_millis(50);
/// and after so long in any case.
const LAST: Duration = Duration::from_secs(1);

/// Serves until `stop`, then until the requests that are under way are answered.
pub(crate) async fn serve(mut listener: TcpListener, router: Router, head: Duration, stop: impl Future<Output = ()>) {
    let router = router.layer(axum::middleware::from_fn(leftovers::clear));
    let mut connections = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(head);
    let under_way = GracefulShutdown::new();
    let mut stop = pin!(stop);
    let mut take = async |(stream, peer): (TcpStream, SocketAddr)| {
        let made: Result<_, Infallible> = connections.call(peer).await;
        let Ok(service) = made;
        let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = under_way.watch(connection);
        tokio::spawn(async move {
            // the visitor went away, or was let go
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    };
    loop {
        tokio::select! {
            accepted = Listener::accept(&mut listener) => take(accepted).await,
            () = &mut stop => break,
        }
    }
    // closing the listener resets whoever was let in by the system and not yet taken from it
    let rest = async {
        while let Ok(accepted) = tokio::time::timeout(QUIET, Listener::accept(&mut listener)).await {
            take(accepted).await;
        }
    };
    let _ = tokio::time::timeout(LAST, rest).await;
    for accepted in queued(listener) {
        take(accepted).await;
    }
    under_way.shutdown().await;
}

/// Whoever still waits in the listener when it is given up, asked of the system itself: what the runtime knows of it is a
/// moment old, and under a crowd that moment is a few connections long.
fn queued(listener: TcpListener) -> Vec<(TcpStream, SocketAddr)> {
    let Ok(listener) = listener.into_std() else { return Vec::new() };
    let mut waiting = Vec::new();
    while let Ok((stream, peer)) = listener.accept() {
        let stream = stream.set_nonblocking(true).and_then(|()| TcpStream::from_std(stream));
        waiting.extend(stream.map(|stream| (stream, peer)));
    }
    waiting
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::ConnectInfo;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    /// A server that waits 300 ms for a head, its address, and what stops it.
    async fn start(router: Router) -> (SocketAddr, Arc<Notify>, JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop) = (listener.local_addr().unwrap(), Arc::new(Notify::new()));
        let asked = Arc::clone(&stop);
        let server = serve(listener, router, Duration::from_millis(300), async move { asked.notified().await });
        (address, stop, tokio::spawn(server))
    }

    async fn said(address: SocketAddr, text: &str) -> (TcpStream, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut reply = String::new();
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_to_string(&mut reply)).await;
        read.expect("the connection stays open").unwrap();
        (stream, reply)
    }

    #[tokio::test]
    async fn a_client_that_does_not_send_its_head_is_let_go_and_others_are_answered() {
        let router =
            Router::new().route("/", get(|peer: ConnectInfo<SocketAddr>| async move { peer.0.ip().to_string() }));
        let (address, stop, server) = start(router).await;
        for begun in ["", "P", "GET / HTTP/1.1\r\nhost: ace.test\r\nx-slow: "] {
            let (_, reply) = said(address, begun).await;
            assert!(!reply.contains("200 OK"), "{begun}: {reply}");
        }
        let (_, reply) = said(address, "GET / HTTP/1.1\r\nhost: ace.test\r\nconnection: close\r\n\r\n").await;
        assert!(reply.starts_with("HTTP/1.1 200 OK") && reply.ends_with("127.0.0.1"), "{reply}");
        stop.notify_one();
        server.await.unwrap();
    }

    /// In one thread, so that nothing is taken between connecting and stopping.
    #[tokio::test]
    async fn who_was_let_in_by_the_system_is_still_answered() {
        let (address, stop, server) = start(Router::new().route("/", get(|| async { "late" }))).await;
        let mut asked = Vec::new();
        for _ in 0..20 {
            let mut stream = std::net::TcpStream::connect(address).unwrap();
            std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nhost: ace.test\r\nconnection: close\r\n\r\n")
                .unwrap();
            asked.push(stream);
        }
        stop.notify_one();
        server.await.unwrap();
        for mut stream in asked {
            let mut reply = String::new();
            std::io::Read::read_to_string(&mut stream, &mut reply).unwrap();
            assert!(reply.ends_with("late"), "{reply}");
        }
    }

    /// In one thread that never waits, so that the runtime hears of none of them.
    #[tokio::test]
    async fn who_waits_when_the_listener_is_given_up_is_taken_from_it() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked: Vec<_> = (0..20).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        assert_eq!(queued(listener).len(), asked.len());
        assert!(std::net::TcpStream::connect(address).is_err(), "nobody listens any more");
    }

    #[tokio::test]
    async fn a_request_that_is_under_way_is_answered_before_the_end() {
        let (begun, goes_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (told, waits) = (begun.clone(), goes_on.clone());
        let handler = move || {
            let (told, waits) = (told.clone(), waits.clone());
            async move {
                told.notify_one();
                waits.notified().await;
                "done"
            }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, stop, seen) = (listener.local_addr().unwrap(), Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (asked, told) = (stop.clone(), seen.clone());
        let router = Router::new().route("/", get(handler));
        let server = tokio::spawn(serve(listener, router, Duration::from_millis(300), async move {
            asked.notified().await;
            told.notify_one();
        }));
        let asked = tokio::spawn(said(address, "GET / HTTP/1.1\r\nhost: ace.test\r\n\r\n"));
        begun.notified().await;
        stop.notify_one();
        seen.notified().await;
        goes_on.notify_one();
        server.await.unwrap();
        assert!(asked.await.unwrap().1.ends_with("done"), "answered after stopping was asked for");
        assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}
