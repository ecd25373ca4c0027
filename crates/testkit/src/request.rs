//! One request to the application under test, and what came back.

use std::future::{Future, IntoFuture};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::request::Builder;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Person, TestApp};

/// A request being put together; `.await` sends it.
pub struct Ask<'a> {
    test: &'a TestApp,
    request: Builder,
    body: Bytes,
    program: bool,
}

impl<'a> Ask<'a> {
    pub(crate) fn new(test: &'a TestApp, method: Method, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "ace.test");
        Self { test, request, body: Bytes::new(), program: false }
    }

    pub(crate) fn program(mut self) -> Self {
        self.program = true;
        self
    }

    /// A header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// Of another host than `ace.test`.
    ///
    /// # Panics
    /// When it is no host.
    #[must_use]
    pub fn host(mut self, host: &'static str) -> Self {
        if let Some(headers) = self.request.headers_mut() {
            headers.insert(header::HOST, axum::http::HeaderValue::from_static(host));
        }
        self
    }

    /// A cookie.
    #[must_use]
    pub fn cookie(self, name: &str, value: &str) -> Self {
        let pair = format!("{name}={value}");
        self.header("cookie", &pair)
    }

    /// An API key or an access token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        let value = format!("Bearer {token}");
        self.header("authorization", &value)
    }

    /// Signed in as somebody of the story: pages get their cookie, the API an access token.
    ///
    /// # Panics
    /// When no access token can be signed.
    #[must_use]
    pub fn as_user(self, person: &Person) -> Self {
        if !self.program {
            return self.cookie(web::identity::SESSION_COOKIE, &person.cookie);
        }
        let app = &self.test.app;
        match app.tokens.sign(&person.holder(), app.clock.now()) {
            Ok(token) => self.bearer(&token),
            Err(error) => panic!("no access token: {error}"),
        }
    }

    /// About one client, for callers who reach several.
    #[must_use]
    pub fn for_client(self, client_id: uuid::Uuid) -> Self {
        self.header("ace-client", &client_id.to_string())
    }

    /// Coming from an address.
    #[must_use]
    pub fn from_ip(mut self, ip: &str) -> Self {
        let ip: IpAddr = match ip.parse() {
            Ok(ip) => ip,
            Err(error) => panic!("{ip}: {error}"),
        };
        self.request = self.request.extension(ConnectInfo(SocketAddr::new(ip, 50_000)));
        self
    }

    /// A form as a browser sends it from our own pages; `fields` is a struct or pairs.
    ///
    /// # Panics
    /// When the fields cannot be encoded.
    #[must_use]
    pub fn form(self, fields: &impl Serialize) -> Self {
        self.header("sec-fetch-site", "same-origin").encoded(fields)
    }

    pub(crate) fn forged_form(self, fields: &impl Serialize) -> Self {
        self.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example").encoded(fields)
    }

    fn encoded(self, fields: &impl Serialize) -> Self {
        match serde_html_form::to_string(fields) {
            Ok(body) => self.body("application/x-www-form-urlencoded", body),
            Err(error) => panic!("not a form: {error}"),
        }
    }

    /// One more field of a form.
    #[must_use]
    pub fn and(mut self, name: &str, value: &str) -> Self {
        let more = serde_html_form::to_string([(name, value)]).unwrap_or_default();
        self.body = [self.body.as_ref(), b"&", more.as_bytes()].concat().into();
        self
    }

    /// A JSON body.
    ///
    /// # Panics
    /// When it cannot be encoded.
    #[must_use]
    pub fn json(self, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => self.body("application/json", body),
            Err(error) => panic!("not JSON: {error}"),
        }
    }

    /// A body of any kind, such as `text/csv`.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.request = self.request.header(header::CONTENT_TYPE, media_type);
        self
    }

    /// A form with a file, as a browser uploads it.
    #[must_use]
    pub fn upload(self, fields: &[(&str, &str)], file: (&str, &str, &[u8])) -> Self {
        let (name, file_name, content) = file;
        let mut body = Vec::new();
        for (name, value) in fields {
            body.extend(
                format!("--edge\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").bytes(),
            );
        }
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"\r\nContent-Type: text/csv\r\n\r\n"
        );
        body.extend(head.bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n--edge--\r\n");
        self.header("sec-fetch-site", "same-origin").body("multipart/form-data; boundary=edge", body)
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            match self.request.body(Body::from(self.body)) {
                Ok(request) => self.test.answer(request).await,
                Err(error) => panic!("not a request: {error}"),
            }
        })
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// Whether the guard answered, rather than the handler.
    pub turned_away: bool,
}

impl Reply {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        match to_bytes(body, 64 * 1024 * 1024).await {
            Ok(body) => {
                let turned_away = parts.extensions.get::<web::TurnedAway>().is_some();
                Self { status: parts.status, headers: parts.headers, body, turned_away }
            }
            Err(error) => panic!("the body broke off: {error}"),
        }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The version of what the form on a page was made from; empty without such a form.
    pub fn version(&self) -> String {
        let text = self.text();
        let value = text.split("name=\"version\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
        value.unwrap_or_default().to_owned()
    }

    /// The body as JSON of any shape.
    ///
    /// # Panics
    /// When it is none; the message shows it.
    pub fn json(&self) -> serde_json::Value {
        self.read_json()
    }

    /// The body as a type.
    ///
    /// # Panics
    /// When it is not that; the message shows it.
    pub fn read_json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{}: {error}: {}", self.status, self.text()),
        }
    }

    /// The same reply when it has this status.
    ///
    /// # Panics
    /// When it has another; the message shows the body.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// Where a redirect leads; empty when it is none.
    pub fn location(&self) -> &str {
        self.header("location")
    }

    /// A header's text; empty without it.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The value a cookie was set to.
    pub fn cookie(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        let mut values =
            lines.filter_map(|line| line.split(';').next()?.strip_prefix(&format!("{name}=")).map(str::to_owned));
        values.next_back()
    }
}
