//! `ace serve`: the listener, the workers, and stopping cleanly.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use events::VisitWriter;
use kernel::Clock;
use kernel::settings::Loaded;
use serde_json::json;
use tokio::net::TcpListener;
use web::{App, Method, RouteSpec, Routes};

use crate::assemble::{self, Ace, Make};
use crate::cli::ServeArgs;
use crate::commands::demo;
use crate::connections;
use crate::ending;
use crate::output::Output;

/// How long requests that are under way may take once stopping was asked for.
const GRACE: Duration = Duration::from_secs(20);

/// Runs until it is told to stop (Ctrl-C or SIGTERM).
///
/// # Errors
/// Says what is missing, or why it cannot listen.
pub async fn run(loaded: Loaded, args: &ServeArgs, output: Output) -> anyhow::Result<()> {
    let (listen, role) = (loaded.settings.server.listen, loaded.settings.server.role);
    let asked = async {
        stop_asked().await;
    };
    let delay = Duration::from_secs(loaded.settings.server.stop_delay_seconds.into());
    ending::end_after(asked, ending::LONGEST_STOP + delay, || {
        tracing::error!("something did not end in time; the process ends without it");
        std::process::exit(1);
    })?;
    if args.demo {
        demo::load_if_empty(loaded.clone(), output).await?;
    }
    let ace = assemble::open_with(loaded, Clock::system(), Make::Everything, |_| {}).await?;
    ace.app.db.set_clock().await?;
    let worker = role.works().then(|| {
        let registry = assemble::registry(&ace.app, &ace.drivers);
        jobs::Worker::start(ace.app.db.clone(), ace.app.clock.clone(), registry, ace.app.settings.jobs.concurrency)
    });
    if role.serves() {
        listen_until_stopped(&ace, listen, output).await?;
    } else {
        output.progress("ace works in the background; Ctrl-C stops it");
        stop_asked().await;
    }
    output.progress("stopping");
    if let Some(worker) = worker {
        worker.stop().await;
    }
    ace.close().await;
    Ok(())
}

async fn listen_until_stopped(ace: &Ace, listen: SocketAddr, output: Output) -> anyhow::Result<()> {
    let writer = VisitWriter::start(&ace.app.db);
    let routes = assemble::routes(&ace.app, &ace.drivers, &writer);
    let document = Document::new(&ace.app, routes.table());
    let stopping = Stopping::default();
    let routes = routes.extension(document).extension(stopping.clone());
    let router = web::stack(routes.into_router(), &ace.app).layer(from_fn_with_state(stopping.clone(), take_leave));
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let address = listener.local_addr()?;
    output.progress(&format!(
        "ace is at {} (listening on {address}); Ctrl-C stops it",
        ace.app.settings.server.public_url
    ));
    let (asked, mut told) = tokio::sync::watch::channel(false);
    let delay = Duration::from_secs(ace.app.settings.server.stop_delay_seconds.into());
    let server = connections::serve(listener, router, connections::HEAD, async move {
        if stop_asked().await == Stop::Soon {
            stopping.0.store(true, Ordering::Relaxed);
            output.progress("not ready any more; stopping soon");
            // whoever asks a second time does not want to wait
            let _ = tokio::time::timeout(delay, stop_asked()).await;
        }
        asked.send_replace(true);
    });
    tokio::select! {
        () = server => {}
        // A connection that never ends must not keep the process: after the grace it is cut.
        () = async { let _ = told.wait_for(|stop| *stop).await; tokio::time::sleep(GRACE).await } => {}
    }
    writer.stop().await;
    Ok(())
}

/// How a process was told to stop.
#[derive(Debug, PartialEq, Eq)]
enum Stop {
    /// By SIGTERM: something in front of it may still send requests here.
    Soon,
    /// By Ctrl-C.
    Now,
}

/// Whether this process is about to stop.
#[derive(Debug, Clone, Default)]
struct Stopping(Arc<AtomicBool>);

/// Once this process is about to stop, each answer is the last on its connection: whoever keeps connections learns of it
/// before they are cut.
async fn take_leave(State(stopping): State<Stopping>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if stopping.0.load(Ordering::Relaxed) {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn stop_asked() -> Stop {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = interrupt => Stop::Now,
                _ = terminate.recv() => Stop::Soon,
            };
        }
    }
    let _ = interrupt.await;
    Stop::Now
}

/// The routes of no room: health, the OpenAPI document, and what crawlers read.
pub(crate) fn own_routes(app: &App) -> Routes {
    Routes::new(app)
        .public_api(Method::GET, "/healthz", healthz)
        .public_api(Method::GET, "/readyz", readyz)
        .public_api(Method::GET, "/v1/openapi.json", openapi)
        .public_api(Method::GET, "/robots.txt", robots)
        .public_api(Method::GET, "/favicon.ico", favicon)
        .public_api(Method::GET, "/assets/{hash}/{*name}", asset)
        .public_api(Method::GET, "/assets/brand/{colour}", brand)
}

async fn healthz() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

/// Whether this process said last that it is not ready.
static UNREADY: AtomicBool = AtomicBool::new(false);

/// Ready when the database takes connections and answers, until this process is told to stop.
async fn readyz(State(app): State<App>, stopping: Option<Extension<Stopping>>) -> Response {
    if stopping.is_some_and(|stopping| stopping.0.0.load(Ordering::Relaxed)) {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "stopping" }))).into_response();
    }
    match app.db.ping().await {
        Ok(()) if UNREADY.swap(false, Ordering::Relaxed) => {
            tracing::info!("the database answers again");
            Json(json!({ "status": "ok", "schema": database::migrate::newest() })).into_response()
        }
        Ok(()) => Json(json!({ "status": "ok", "schema": database::migrate::newest() })).into_response(),
        Err(error) => {
            // once a change: balancers ask every second; strangers read the answer, so the cause stands in the log only
            if !UNREADY.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, "not ready");
            }
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "unavailable" }))).into_response()
        }
    }
}

/// The OpenAPI document: the same for the whole life of the process.
#[derive(Clone)]
struct Document {
    json: Arc<str>,
    etag: String,
}

impl Document {
    fn new(app: &App, table: &[RouteSpec]) -> Self {
        let document = web::openapi::document(table, &app.settings.server.public_url);
        let json = document.map(|document| document.to_string()).unwrap_or_default();
        let hash = web::identity::token_hash(&json);
        let etag = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { json: json.into(), etag: format!("\"{etag}\"") }
    }
}

async fn openapi(Extension(document): Extension<Document>, headers: HeaderMap) -> Response {
    if headers.get(header::IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == document.etag.as_bytes()) {
        return StatusCode::NOT_MODIFIED.into_response();
    }
    let mut response = document.json.to_string().into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(value) = HeaderValue::from_str(&document.etag) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

async fn asset(Path((hash, name)): Path<(String, String)>) -> Response {
    web::assets::serve(&hash, &name)
}

async fn brand(Path(colour): Path<String>) -> Response {
    web::assets::brand(&colour)
}

async fn favicon() -> Response {
    Redirect::permanent(web::assets::url("favicon.svg")).into_response()
}

/// Links of recipients are nobody's search results.
async fn robots() -> &'static str {
    "User-agent: *\nDisallow: /\n"
}
