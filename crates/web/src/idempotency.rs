//! `Idempotency-Key` on POSTs of the API: the same request again, within 24 hours, is answered from the first one.
//!
//! The key is taken in a transaction of its own before the handler runs, settled in the transaction of the act itself
//! (`Transaction::commit`), and the answer stored after it. A refusal (4xx) gives the key back, for nothing was done: the
//! caller may mend the request and try again. A failure of ours (5xx) is stored like a success, for the act may have been
//! done before it failed: the caller looks, and takes a new key.
//!
//! The handler runs to its end even when the caller hangs up, and the key is renewed while it does. If this process dies
//! before the act, the same request may take the key again after [`ABANDONED`]. If it dies after the act and before the
//! answer was stored, the same request is told that it was carried out, and is never carried out again. Whoever took a key
//! acts, stores and frees only while they hold it.
//!
//! An answer that shows a secret and changes nothing, such as a revealed card code, is not kept ([`Unkept`]): asked again,
//! it is given, checked and recorded again.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Duration, Utc};
use database::FromRow;
use kernel::error::CanFail;
use kernel::{Error, Result, Who};
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::extract::TOO_LARGE;
use crate::guard::survive;
use crate::{App, Caller, Failure, failure};

/// The header that names the request.
pub(crate) const HEADER: &str = "idempotency-key";

/// The code of a key whose first request is still at work.
pub(crate) const KEY_IN_USE: &str = "idempotency_key_in_use";
/// The code of a key that another request has used: answered with 422.
pub(crate) const KEY_REUSED: &str = "idempotency_key_reused";

/// How long an answer is kept.
const KEPT: Duration = Duration::hours(24);
/// After so long an unanswered request is taken to have died with its process.
const ABANDONED: Duration = Duration::minutes(2);
/// How often a key is renewed while its request is at work.
const RENEWED: std::time::Duration = std::time::Duration::from_secs(30);
/// The largest request and the largest answer that can be repeated.
const LARGEST: usize = 2 * 1024 * 1024;

database::statement! {
    /// Takes a key: a row only when it is new, older than a day, or abandoned by the very same request.
    TAKE_KEY, app, "
        insert into idempotency_keys (caller_id, key, client_id, method, path, request_hash, created_at, holder)
        values ($1, $2, $3, 'POST', $4, $5, $6, $9)
        on conflict (caller_id, key) do update
        set client_id = excluded.client_id,
            path = excluded.path,
            request_hash = excluded.request_hash,
            status = null,
            response_headers = null,
            response_body_sealed = null,
            created_at = excluded.created_at,
            holder = excluded.holder,
            acted_at = null
        where idempotency_keys.created_at < $7
           or (idempotency_keys.status is null
               and idempotency_keys.acted_at is null
               and idempotency_keys.created_at < $8
               and idempotency_keys.request_hash = excluded.request_hash)
        returning key";
    /// What is known of a key that was taken before.
    FIND_KEY, app, "
        select request_hash, status, response_headers, response_body_sealed, created_at,
            acted_at is not null as acted
        from idempotency_keys
        where caller_id = $1
          and key = $2";
    /// Says that whoever took the key is still at work.
    RENEW_KEY, app, "
        update idempotency_keys
        set created_at = $4
        where caller_id = $1
          and key = $2
          and status is null
          and holder = $3";
    /// Stores the answer.
    STORE_ANSWER, app, "
        update idempotency_keys
        set status = $4,
            response_headers = $5,
            response_body_sealed = $6
        where caller_id = $1
          and key = $2
          and status is null
          and holder = $3";
    /// Gives a key back.
    FREE_KEY, app, "
        delete from idempotency_keys
        where caller_id = $1
          and key = $2
          and status is null
          and holder = $3"
}

/// Marks an answer that is not kept for repetition: it shows a secret, which is recorded each time, and changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unkept;

#[derive(FromRow)]
struct Known {
    request_hash: Vec<u8>,
    status: Option<i32>,
    response_headers: Option<serde_json::Value>,
    response_body_sealed: Option<Vec<u8>>,
    created_at: DateTime<Utc>,
    acted: bool,
}

/// One taken key.
struct Taken {
    app: App,
    caller: Caller,
    caller_id: Uuid,
    key: String,
}

/// Answers a POST with an `Idempotency-Key`.
pub(crate) async fn run(app: &App, caller: &Caller, request: Request, next: Next) -> Response {
    answer(app, caller, request, next).await.unwrap_or_else(|error| Failure::from(error).into_response())
}

async fn answer(app: &App, caller: &Caller, request: Request, next: Next) -> Result<Response> {
    let (Who::User(caller_id) | Who::Key(caller_id)) = caller.actor.who else {
        return Ok(survive(next.run(request)).await);
    };
    let key = key_of(request.headers())?;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST)
        .await
        .map_err(|_| Error::conflict(TOO_LARGE, "With an Idempotency-Key a body can have up to 2 MB."))?;
    let path = parts.uri.path_and_query().map_or_else(|| parts.uri.path().to_owned(), ToString::to_string);
    let hash = hash_of(&path, caller.client.as_ref().map(|client| client.id), &body);
    let taken = Taken { app: app.clone(), caller: caller.clone(), caller_id, key };
    if let Some(known) = taken.take(&path, &hash).await? {
        return taken.repeat(known, &hash);
    }
    let mut request = Request::from_parts(parts, Body::from(body));
    let mut keyed = caller.clone();
    keyed.actor.origin.idempotency_key = Some(taken.key.as_str().into());
    request.extensions_mut().insert(keyed);
    let finished = tokio::spawn(async move {
        let response = taken.work(survive(next.run(request))).await;
        taken.finish(response).await
    });
    finished.await.map_err(Error::internal)
}

impl Taken {
    /// Takes the key; what is known of it when it was taken before.
    async fn take(&self, path: &str, hash: &[u8]) -> Result<Option<Known>> {
        let (now, client_id) = (self.app.clock.now(), self.caller.client.as_ref().map(|client| client.id));
        let scope = self.caller.scope(&self.app);
        let params: database::Params<'_> = &[
            &self.caller_id,
            &self.key,
            &client_id,
            &path,
            &hash,
            &now,
            &(now - KEPT),
            &(now - ABANDONED),
            &self.holder(),
        ];
        if scope.execute(&TAKE_KEY, params).await? > 0 {
            return Ok(None);
        }
        // gone again in between: the first request has just failed
        let known = scope.query_opt(&FIND_KEY, &[&self.caller_id, &self.key]).await?;
        known.map(Some).ok_or_else(at_work)
    }

    fn repeat(&self, known: Known, hash: &[u8]) -> Result<Response> {
        if known.request_hash != hash {
            let message = "This Idempotency-Key was used for another request. Take a new key.";
            return Err(Error::conflict(KEY_REUSED, message));
        }
        let Some(status) = known.status else {
            let abandoned = known.created_at < self.app.clock.now() - ABANDONED;
            return Err(if known.acted && abandoned { carried_out() } else { at_work() });
        };
        let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
        let sealed = known.response_body_sealed.unwrap_or_default();
        let body = if sealed.is_empty() { Vec::new() } else { self.app.keyring.open(&self.context(), &sealed)? };
        let mut response = (status.unwrap_or(StatusCode::OK), body).into_response();
        response.headers_mut().remove(header::CONTENT_TYPE);
        for (name, value) in
            known.response_headers.as_ref().and_then(|headers| headers.as_object()).into_iter().flatten()
        {
            if let (Ok(name), Ok(value)) =
                (name.parse::<HeaderName>(), HeaderValue::from_str(value.as_str().unwrap_or_default()))
            {
                response.headers_mut().insert(name, value);
            }
        }
        response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
        Ok(response)
    }

    /// Runs the handler, and renews the key meanwhile.
    async fn work(&self, handler: impl Future<Output = Response>) -> Response {
        let (at_work, finished) = oneshot::channel::<()>();
        let handler = async {
            let response = handler.await;
            drop(at_work);
            response
        };
        tokio::join!(handler, self.renew_until(finished)).0
    }

    /// Only the waiting is given up once the handler is done: a renewal under way is seen through.
    async fn renew_until(&self, mut finished: oneshot::Receiver<()>) {
        while tokio::time::timeout(RENEWED, &mut finished).await.is_err() {
            let now = self.app.clock.now();
            let params: database::Params<'_> = &[&self.caller_id, &self.key, &self.holder(), &now];
            let renewed = self.caller.scope(&self.app).execute(&RENEW_KEY, params).await;
            renewed.can_fail("tried again in half a minute, long before it counts as abandoned");
        }
    }

    /// Stores the answer; a refusal gives the key back, and so does an answer that is not kept.
    async fn finish(self, response: Response) -> Response {
        if response.status().is_client_error() || response.extensions().get::<Unkept>().is_some() {
            let params: database::Params<'_> = &[&self.caller_id, &self.key, &self.holder()];
            let freed = self.caller.scope(&self.app).execute(&FREE_KEY, params).await;
            freed.can_fail("the key is free again in two minutes anyway");
            return response;
        }
        // The guard dresses an error only later; what is kept is dressed already.
        if let Some(error) = failure::error_of(&response) {
            let problem = failure::problem(error, self.caller.actor.origin.request_id);
            self.keep(problem).await;
            return response;
        }
        self.keep(response).await
    }

    async fn keep(&self, response: Response) -> Response {
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, LARGEST).await else {
            return Failure(Error::internal("an answer too large to repeat")).into_response();
        };
        let stored = self.store(parts.status, &parts.headers, &body).await;
        stored.can_fail("the act is done; only repeating its answer is not possible");
        Response::from_parts(parts, Body::from(body))
    }

    async fn store(&self, status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Result<u64> {
        let kept = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];
        let pairs = kept.iter().filter_map(|name| Some((name.as_str(), headers.get(name)?.to_str().ok()?)));
        let headers: serde_json::Map<String, serde_json::Value> =
            pairs.map(|(name, value)| (name.to_owned(), value.into())).collect();
        let headers = serde_json::Value::Object(headers);
        let sealed = if body.is_empty() { Vec::new() } else { self.app.keyring.seal(&self.context(), body)? };
        let params: database::Params<'_> =
            &[&self.caller_id, &self.key, &self.holder(), &i32::from(status.as_u16()), &headers, &sealed];
        self.caller.scope(&self.app).execute(&STORE_ANSWER, params).await
    }

    /// This request, as the row names it.
    fn holder(&self) -> Uuid {
        self.caller.actor.origin.request_id
    }

    fn context(&self) -> Vec<u8> {
        [b"idempotency key ".as_slice(), self.caller_id.as_bytes(), self.key.as_bytes()].concat()
    }
}

fn at_work() -> Error {
    Error::conflict(KEY_IN_USE, "The first request with this Idempotency-Key is still at work. Try again in a moment.")
}

fn carried_out() -> Error {
    Error::conflict(
        "idempotency_key_spent",
        "The first request with this Idempotency-Key was carried out, but its answer was lost. Look at what it did; to do it \
         once more, take a new key.",
    )
}

fn key_of(headers: &HeaderMap) -> Result<String> {
    let key = headers.get(HEADER).and_then(|value| value.to_str().ok()).map(str::trim).unwrap_or_default();
    if key.is_empty() || key.len() > 255 {
        return Err(Error::invalid("Idempotency-Key", "must be 1 to 255 visible characters"));
    }
    Ok(key.to_owned())
}

fn hash_of(path: &str, client_id: Option<Uuid>, body: &[u8]) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(path.as_bytes());
    hash.update([0]);
    hash.update(client_id.unwrap_or_default().as_bytes());
    hash.update(body);
    hash.finalize().to_vec()
}
