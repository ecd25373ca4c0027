//! What reaches ACE from outside: visits, submitted forms, and the sandbox's callbacks. Forms and callbacks go through
//! the public routes, but without a listener: each request is handed to the router.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context, bail};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::{Method, StatusCode, header};
use campaigns::store::recipients::Recipient;
use chrono::{DateTime, Duration, Utc};
use content::forms::{Field, FieldType};
use events::{Visit, VisitKind, VisitWriter};
use providers::sandbox::Courier;
use tower::ServiceExt;
use uuid::Uuid;
use web::App;

use super::dice::Dice;
use super::story::Client;

/// A phone of these days.
const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
/// A link preview.
const PREVIEW: &str = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)";
/// The most an answer may hold.
const MOST: usize = 1_000_000;

/// The way in for people who have no account.
pub struct Strangers {
    pub(super) router: Router,
    pub(super) writer: VisitWriter,
    pub(super) courier: Courier,
    pub(super) app: App,
}

impl Strangers {
    /// Somebody opens their page. The writer is the one the public route uses; many may be under way at once.
    ///
    /// # Errors
    /// When the visit could not be recorded.
    pub async fn visit(&self, recipient: &Recipient, at: DateTime<Utc>, (qr, bot): (bool, bool)) -> anyhow::Result<()> {
        let visit = Visit {
            token: recipient.purl_token.clone(),
            kind: if qr { VisitKind::Qr } else { VisitKind::Purl },
            bot,
            ip: Some(address(recipient.id)),
            user_agent: Some(if bot { PREVIEW } else { BROWSER }.to_owned()),
            referrer: None,
            at,
        };
        self.writer.visit(visit).await?.context("a recipient's link leads nowhere")?;
        Ok(())
    }

    /// Somebody fills in the form on their page and sends it.
    ///
    /// # Errors
    /// When the form was refused.
    pub async fn submit(&self, told: &Client, form_id: Uuid, recipient: &Recipient) -> anyhow::Result<()> {
        let mut dice = Dice::of(&["submit", &recipient.id.to_string()], 0);
        let path = format!("/f/{form_id}");
        let shown = format!("{path}?r={}", recipient.purl_token);
        self.ask(Method::GET, &shown, recipient.id, Vec::new()).await?;
        let mut fields = vec![
            ("ace-token".to_owned(), dice.id().to_string()),
            ("ace-recipient".to_owned(), recipient.purl_token.clone()),
            ("ace-channel".to_owned(), if dice.chance(70) { "sms" } else { "email" }.to_owned()),
        ];
        let answers =
            told.form.config.fields.iter().map(|field| (field.id.clone(), answer(&mut dice, told, field, recipient)));
        fields.extend(answers);
        self.ask(Method::POST, &path, recipient.id, fields).await
    }

    /// Hands the sandbox's due callbacks to the route that takes them; how many.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn callbacks(&self) -> anyhow::Result<usize> {
        let now = self.app.clock.now();
        let due = self.courier.due(now).await?;
        for callback in &due {
            let path = callback.url.strip_prefix(self.app.settings.server.public_url.trim_end_matches('/'));
            let request = request(Method::POST, path.unwrap_or("/"), &callback.form)?;
            let request = request.header(providers::twilio_signature::HEADER, &callback.signature);
            let answer = self.router.clone().oneshot(request.body(form(&callback.form)?)?).await?;
            self.courier.settle(callback, answer.status().is_success(), now).await?;
        }
        Ok(due.len())
    }

    async fn ask(&self, method: Method, path: &str, who: Uuid, fields: Vec<(String, String)>) -> anyhow::Result<()> {
        let peer = ConnectInfo(SocketAddr::new(address(who), 50_000));
        let request = request(method, path, &fields)?.extension(peer).body(form(&fields)?)?;
        let answer = self.router.clone().oneshot(request).await?;
        if answer.status() == StatusCode::OK {
            return Ok(());
        }
        let status = answer.status();
        let body = to_bytes(answer.into_body(), MOST).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&body);
        let problem = text.split("class=\"error\"").nth(1).unwrap_or(&text).chars().take(300).collect::<String>();
        bail!("{path} answered {status}: {problem}")
    }
}

fn request(method: Method, path: &str, fields: &[(String, String)]) -> anyhow::Result<axum::http::request::Builder> {
    let request = Request::builder().method(method).uri(path).header(header::USER_AGENT, BROWSER);
    let media_type = "application/x-www-form-urlencoded";
    Ok(if fields.is_empty() { request } else { request.header(header::CONTENT_TYPE, media_type) })
}

fn form(fields: &[(String, String)]) -> anyhow::Result<Body> {
    Ok(if fields.is_empty() { Body::empty() } else { Body::from(serde_html_form::to_string(fields)?) })
}

/// An address of the ranges kept free for documentation, always the same for the same person.
fn address(who: Uuid) -> IpAddr {
    let [.., a, b] = *who.as_bytes();
    let range = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][usize::from(a) % 3];
    IpAddr::V4(Ipv4Addr::new(range[0], range[1], range[2], b))
}

/// What a person writes into a field. Whoever has no phone or address on record gives one now.
fn answer(dice: &mut Dice, told: &Client, field: &Field, recipient: &Recipient) -> String {
    let some = |value: &Option<String>| value.clone().unwrap_or_default();
    match (field.kind, field.id.as_str()) {
        (FieldType::Phone, _) => {
            recipient.phone.clone().unwrap_or_else(|| format!("(614) 555-01{:02}", dice.below(100)))
        }
        (FieldType::Email, _) => some(&recipient.email),
        (FieldType::Consent | FieldType::Checkbox, _) => "true".to_owned(),
        (FieldType::Select | FieldType::Radio, _) => dice.pick(&field.options).cloned().unwrap_or_default(),
        (FieldType::Textarea, _) if dice.chance(35) => dice.pick(&told.remarks).cloned().unwrap_or_default(),
        (FieldType::Text, "first_name") => some(&recipient.first_name),
        (FieldType::Text, "last_name") => some(&recipient.last_name),
        _ => String::new(),
    }
}

/// How long the sandbox's messages travel, and a little more.
pub const TRAVEL: Duration = Duration::seconds(3);
