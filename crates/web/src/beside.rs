//! What stands around every console page whatever it is about: the clients to switch between, and of one of them the
//! navigation, the search and the bell. Help, the account and errors keep the client that the person was at.

use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum_extra::extract::cookie::CookieJar;
use kernel::{Origin, Result};

use crate::caller::{Caller, ClientRef};
use crate::flash::{self, Flash};
use crate::guard::{CLIENT_BY_SLUG, CLIENTS_WITHIN_REACH};
use crate::respond::set_cookie;
use crate::routes::Kind;
use crate::{App, identity};

database::statement! {
    /// How many things at a client need a person: the lines of its list.
    NEEDS, app, "
        select count(*)
        from client_needs
        where client_id = $1"
}

/// The client a person was at last. It only decides what is shown beside a page: whether that client is within reach is
/// asked anew each time.
const COOKIE: &str = "ace_client";

/// Keeps the client whose page is answered in mind, until the browser is closed, unless it was the last one already.
pub(crate) fn remember(app: &App, (at, last): (Option<String>, Option<String>), response: &mut Response) {
    if let Some(slug) = at.filter(|slug| response.status().is_success() && last.as_ref() != Some(slug)) {
        set_cookie(response, &identity::cookie(app, COOKIE, &slug, None));
    }
}

/// The slug of the client that a person was at last.
pub(crate) fn last_client(headers: &HeaderMap) -> Option<String> {
    let slug = CookieJar::from_headers(headers).get(COOKIE)?.value().to_owned();
    slug.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then_some(slug)
}

/// Notes what the frame of every page shows: where it is, the clients to switch between, what the page before wanted to
/// be said.
pub(crate) async fn look_around(app: &App, caller: &mut Caller, (uri, headers): (&Uri, &HeaderMap)) -> Result<()> {
    caller.path = uri.path().to_owned();
    caller.flash = CookieJar::from_headers(headers).get(flash::COOKIE).and_then(|it| Flash::read(it.value()));
    caller.clients = caller.scope(app).query(&CLIENTS_WITHIN_REACH, &[]).await?.into();
    Ok(())
}

/// Notes the client beside the page: the page's `own`, else the one the person was at last, else their only one.
pub(crate) async fn keep(
    app: &App,
    caller: &mut Caller,
    (own, headers): (Option<ClientRef>, &HeaderMap),
) -> Result<()> {
    let scope = caller.scope(app);
    let found = match (own, last_client(headers)) {
        (Some(own), _) => Some(own),
        (None, Some(slug)) => scope.query_opt(&CLIENT_BY_SLUG, &[&slug]).await?,
        (None, None) => None,
    };
    let only = || caller.clients.first().filter(|_| caller.clients.len() == 1).cloned();
    let Some(client) = found.or_else(only) else { return Ok(()) };
    let needs = scope.query_scalar(&NEEDS, &[&client.id]).await?;
    (caller.needs, caller.beside) = (needs, Some(client));
    Ok(())
}

/// Who asks for an address that is none: signed in, they keep their navigation. Whatever goes wrong here, the answer
/// stays that there is nothing.
pub(crate) async fn lost(app: &App, (uri, headers): (&Uri, &HeaderMap), origin: &Origin) -> Option<Caller> {
    CookieJar::from_headers(headers).get(identity::SESSION_COOKIE)?;
    let mut caller = identity::of_request(app, Kind::Page, headers, origin).await.ok()?;
    look_around(app, &mut caller, (uri, headers)).await.ok()?;
    keep(app, &mut caller, (None, headers)).await.ok()?;
    // what the page before had to say is said where the person was led to
    caller.flash = None;
    Some(caller)
}
