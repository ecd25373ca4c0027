//! Twilio's REST API: `POST /2010-04-01/Accounts/{Sid}/Messages.json`, and the words of its status callbacks.

use std::fmt;
use std::time::Duration;

use kernel::settings::Secret;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;

use super::{OutgoingSms, SmsDriver};
use crate::delivery::{Accepted, DeliveryStatus, SendError, Sending, StatusUpdate, field, shortened};
use crate::http;

/// Where Twilio answers, when the settings do not name another place.
pub const API: &str = "https://api.twilio.com";

/// How this driver is called.
pub const NAME: &str = "twilio";

/// Codes that a 400 may carry although nothing is wrong with this message: our account, our number or a full queue.
/// Somebody can mend them while the job waits, so a person's reward is not given up.
const NOT_THE_MESSAGES_FAULT: &[u32] = &[20003, 20005, 20429, 21212, 21603, 21606, 21611, 21659, 21660, 30001, 30002];

/// The account.
#[derive(Clone)]
pub struct TwilioConfig {
    /// `https://api.twilio.com`, or a test's server, without a slash at the end.
    pub base_url: String,
    /// The account's SID, `AC…`.
    pub account_sid: String,
    /// The account's auth token, which signs its webhooks too.
    pub auth_token: Secret,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

impl fmt::Debug for TwilioConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwilioConfig")
            .field("base_url", &self.base_url)
            .field("account_sid", &self.account_sid)
            .finish_non_exhaustive()
    }
}

/// Sends through one Twilio account.
#[derive(Debug)]
pub struct Twilio {
    http: Client,
    endpoint: Url,
    config: TwilioConfig,
}

impl Twilio {
    /// Prepares the driver; nothing is asked of Twilio yet.
    ///
    /// # Errors
    /// Names the setting that is wrong.
    pub fn new(config: TwilioConfig) -> kernel::Result<Self> {
        let wrong = |field: &str, message: &str| kernel::Error::invalid(field, message);
        let sid = &config.account_sid;
        if !(sid.starts_with("AC") && sid.len() == 34 && sid.bytes().all(|b| b.is_ascii_alphanumeric())) {
            return Err(wrong("sms.twilio_account_sid", "must be AC and 32 letters and digits"));
        }
        if config.auth_token.is_empty() {
            return Err(wrong("sms.twilio_auth_token", "is required when sms.driver is twilio"));
        }
        let endpoint = format!("{}/2010-04-01/Accounts/{sid}/Messages.json", config.base_url);
        let endpoint = Url::parse(&endpoint).ok().filter(|url| matches!(url.scheme(), "https" | "http"));
        let endpoint =
            endpoint.ok_or_else(|| wrong("sms.twilio_base_url", "must be a URL such as https://api.twilio.com"))?;
        Ok(Self { http: http::client(config.timeout)?, endpoint, config })
    }

    async fn post(&self, message: &OutgoingSms) -> Result<Accepted, SendError> {
        let mut form = vec![("To", message.to.as_str()), ("From", &message.from), ("Body", &message.body)];
        if let Some(url) = &message.status_callback_url {
            form.push(("StatusCallback", url));
        }
        let request = self
            .http
            .post(self.endpoint.clone())
            .basic_auth(&self.config.account_sid, Some(self.config.auth_token.expose()))
            .form(&form);
        let response = request.send().await.map_err(lost)?;
        if response.status().is_success() { taken(response).await } else { Err(refused(response).await) }
    }
}

impl SmsDriver for Twilio {
    fn name(&self) -> &'static str {
        NAME
    }

    fn send<'a>(&'a self, message: &'a OutgoingSms) -> Sending<'a> {
        Box::pin(self.post(message))
    }
}

/// What it means that no answer came.
fn lost(error: reqwest::Error) -> SendError {
    let (unsent, unusable) = (error.is_connect(), error.is_builder());
    let text = http::describe(error);
    if unusable {
        SendError::permanent("request", text)
    } else if unsent {
        SendError::temporary("unreachable", format!("Twilio could not be reached: {text}"))
    } else {
        SendError::ambiguous(format!("Twilio's answer was lost: {text}"))
    }
}

#[derive(Deserialize)]
struct Taken {
    sid: String,
}

async fn taken(response: Response) -> Result<Accepted, SendError> {
    let unread = |_| SendError::ambiguous("Twilio took the message, but its answer could not be read");
    let body = http::read(response).await.map_err(unread)?;
    let taken: Taken = serde_json::from_slice(&body)
        .map_err(|_| SendError::ambiguous("Twilio took the message, but its answer names no id"))?;
    Ok(Accepted { provider: NAME, provider_message_id: taken.sid })
}

#[derive(Deserialize)]
struct Refused {
    code: Option<u32>,
    #[serde(default)]
    message: String,
}

async fn refused(response: Response) -> SendError {
    let status = response.status();
    let retry_after_seconds = response
        .headers()
        .get(reqwest::header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .and_then(|seconds| seconds.trim().parse().ok());
    let body = http::read(response).await.unwrap_or_default();
    let refused = serde_json::from_slice(&body).unwrap_or(Refused { code: None, message: String::new() });
    let code = refused.code.map_or_else(|| status.as_str().to_owned(), |code| code.to_string());
    let message = if refused.message.is_empty() { format!("Twilio answered {status}") } else { refused.message };
    let permanent = matches!(status, StatusCode::BAD_REQUEST)
        && refused.code.is_some_and(|code| !NOT_THE_MESSAGES_FAULT.contains(&code));
    if permanent {
        return SendError::permanent(code, message);
    }
    SendError::Temporary { code, message: shortened(&message), retry_after_seconds }
}

impl StatusUpdate {
    /// Reads a status callback, as Twilio and the sandbox post it; `None` when it holds no news (`queued`, `sending`).
    ///
    /// # Errors
    /// Names the parameter that is missing or holds an unknown word.
    pub fn from_form(form: &[(String, String)]) -> kernel::Result<Option<Self>> {
        let either = |name: &str, old: &str| field(form, name).or_else(|| field(form, old));
        let id = either("MessageSid", "SmsSid").ok_or_else(|| kernel::Error::required("MessageSid"))?;
        let word = either("MessageStatus", "SmsStatus").ok_or_else(|| kernel::Error::required("MessageStatus"))?;
        let status = match word {
            "accepted" | "scheduled" | "queued" | "sending" => return Ok(None),
            "sent" => DeliveryStatus::Sent,
            "delivered" | "read" => DeliveryStatus::Delivered,
            "undelivered" | "failed" | "canceled" => failure(form, word),
            _ => return Err(kernel::Error::invalid("MessageStatus", "must be a status of a message")),
        };
        Ok(Some(Self { provider_message_id: id.to_owned(), status, word: word.to_owned() }))
    }
}

fn failure(form: &[(String, String)], word: &str) -> DeliveryStatus {
    let code = field(form, "ErrorCode").unwrap_or_default();
    let message = field(form, "ErrorMessage").map_or_else(|| meaning(code, word), shortened);
    DeliveryStatus::Failed { code: shortened(code), message }
}

/// Callbacks mostly carry a bare code; people get a sentence.
fn meaning(code: &str, word: &str) -> String {
    match code {
        "21610" => "the person opted out by replying STOP".into(),
        "30003" => "the phone is switched off or out of reach".into(),
        "30004" => "the message was blocked".into(),
        "30005" => "the number is unknown or no longer in use".into(),
        "30006" => "the number is a landline or cannot be reached".into(),
        "30007" => "the carrier filtered the message".into(),
        "30008" => "the carrier gave no reason".into(),
        "30034" => "our number is not registered for application messages".into(),
        "" => format!("the provider reported {word}"),
        other => format!("the provider reported {word} with code {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn update(pairs: &[(&str, &str)]) -> kernel::Result<Option<StatusUpdate>> {
        let form: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        StatusUpdate::from_form(&form)
    }

    #[test]
    fn twilios_words_become_ours_and_an_unknown_word_is_refused() {
        let status = |word| update(&[("MessageSid", "SM1"), ("MessageStatus", word)]).unwrap().map(|u| u.status);
        for word in ["accepted", "queued", "sending", "scheduled"] {
            assert_eq!(status(word), None);
        }
        assert_eq!(status("sent"), Some(DeliveryStatus::Sent));
        assert_eq!(status("delivered"), Some(DeliveryStatus::Delivered));
        for word in ["undelivered", "failed", "canceled"] {
            assert!(matches!(status(word), Some(DeliveryStatus::Failed { .. })), "{word}");
        }
        let error = update(&[("MessageSid", "SM1"), ("MessageStatus", "teleported")]).unwrap_err();
        assert_eq!(error.fields()[0].field, "MessageStatus");
        assert_eq!(update(&[("MessageStatus", "sent")]).unwrap_err().fields()[0].field, "MessageSid");
    }

    #[test]
    fn a_failure_has_a_code_and_a_sentence_and_old_parameter_names_are_read() {
        let failed =
            update(&[("SmsSid", "SM1"), ("SmsStatus", "undelivered"), ("ErrorCode", "30005")]).unwrap().unwrap();
        assert_eq!(failed.provider_message_id, "SM1");
        let DeliveryStatus::Failed { code, message } = failed.status else { panic!("not a failure") };
        assert_eq!((code.as_str(), message.as_str()), ("30005", "the number is unknown or no longer in use"));
    }

    #[test]
    fn a_wrong_account_is_refused_by_its_setting() {
        let config = |base_url: &str, sid: &str, token: &str| TwilioConfig {
            base_url: base_url.into(),
            account_sid: sid.into(),
            auth_token: Secret::new(token),
            timeout: http::ANSWER,
        };
        let sid = "AC0123456789abcdef0123456789abcdef";
        assert!(Twilio::new(config(API, sid, "secret")).is_ok());
        for (wrong, field) in [
            (config(API, "AC123", "secret"), "sms.twilio_account_sid"),
            (config(API, sid, ""), "sms.twilio_auth_token"),
            (config("api.twilio.com", sid, "secret"), "sms.twilio_base_url"),
            (config("file:///etc", sid, "secret"), "sms.twilio_base_url"),
        ] {
            assert!(!format!("{wrong:?}").contains("secret"));
            assert_eq!(Twilio::new(wrong).unwrap_err().fields()[0].field, field);
        }
    }
}
