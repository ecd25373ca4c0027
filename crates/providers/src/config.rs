//! Which drivers the settings ask for, and whose signatures are believed.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use database::Database;
use kernel::keyring::Keyring;
use kernel::settings::{self, Secret, Settings};
use kernel::{Clock, Error, Result};

use crate::email::address::mailbox;
use crate::email::sandbox::SandboxEmail;
use crate::email::smtp::{Patience, Smtp, SmtpConfig};
use crate::sandbox::{Courier, Mailroom};
use crate::sms::sandbox::SandboxSms;
use crate::sms::twilio::{Twilio, TwilioConfig};
use crate::{EmailDriver, SmsDriver, http, twilio_signature};

/// The providers of this installation. Cloning shares them.
#[derive(Clone)]
pub struct Drivers {
    /// Who sends text messages.
    pub sms: Arc<dyn SmsDriver>,
    /// Who sends e-mail.
    pub email: Arc<dyn EmailDriver>,
    /// Whose webhooks are believed.
    pub webhooks: Webhooks,
    /// Posts the sandbox's callbacks; there even when no driver is the sandbox, for what was sent through it before.
    pub sandbox: Courier,
}

impl Drivers {
    /// The drivers the settings name. Nothing is asked of any provider yet.
    ///
    /// # Errors
    /// `Invalid`, naming the setting that is wrong.
    pub fn from_settings(settings: &Settings, db: &Database, keyring: &Arc<Keyring>, clock: &Clock) -> Result<Self> {
        let mailroom = Mailroom { db: db.clone(), keyring: keyring.clone(), clock: clock.clone() };
        let token = Secret::new(STANDARD_NO_PAD.encode(keyring.secret("sandbox callbacks")));
        let sandbox = Courier::new(db.clone(), keyring.clone(), &settings.server.public_url, token.clone())?;
        Ok(Self {
            sms: sms(settings, &mailroom)?,
            email: email(settings, &mailroom)?,
            webhooks: Webhooks { twilio: settings.sms.twilio_auth_token.clone(), sandbox: token },
            sandbox,
        })
    }
}

fn sms(settings: &Settings, mailroom: &Mailroom) -> Result<Arc<dyn SmsDriver>> {
    let sms = &settings.sms;
    Ok(match sms.driver {
        settings::SmsDriver::Sandbox => Arc::new(SandboxSms(mailroom.clone())),
        settings::SmsDriver::Twilio => Arc::new(Twilio::new(TwilioConfig {
            base_url: sms.twilio_base_url.clone(),
            account_sid: sms.twilio_account_sid.clone(),
            auth_token: sms.twilio_auth_token.clone(),
            timeout: http::ANSWER,
        })?),
    })
}

fn email(settings: &Settings, mailroom: &Mailroom) -> Result<Arc<dyn EmailDriver>> {
    Ok(match settings.email.driver {
        settings::EmailDriver::Sandbox => Arc::new(SandboxEmail(mailroom.clone())),
        settings::EmailDriver::Smtp => {
            let from = mailbox(&settings.email.from, "the sender");
            from.map_err(|_| Error::invalid("email.from", "must be an address, or a name and <an address>"))?;
            let config = SmtpConfig::of(&settings.email)?;
            Arc::new(Smtp::new(config, Patience::USUAL, mailroom.clock.clone())?)
        }
    })
}

/// Whose webhooks are believed: Twilio's, when it is set up, and our sandbox's.
#[derive(Clone)]
pub struct Webhooks {
    twilio: Secret,
    sandbox: Secret,
}

impl Webhooks {
    /// Who signed this form, posted to the public URL `url`; `None`: refuse it with 403.
    pub fn signer_of_form(&self, url: &str, form: &[(String, String)], signature: &str) -> Option<&'static str> {
        self.signer(|token| twilio_signature::verify_form(token, url, form, signature))
    }

    /// Who signed this JSON body, posted to the public URL `url`; `None`: refuse it with 403.
    pub fn signer_of_json(&self, url: &str, body: &[u8], signature: &str) -> Option<&'static str> {
        self.signer(|token| twilio_signature::verify_json(token, url, body, signature))
    }

    fn signer(&self, verify: impl Fn(&str) -> bool) -> Option<&'static str> {
        // an empty token signs for anybody
        let by = |name, token: &Secret| (!token.is_empty() && verify(token.expose())).then_some(name);
        by(crate::sms::twilio::NAME, &self.twilio).or_else(|| by(crate::sandbox::NAME, &self.sandbox))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_those_who_know_a_token_are_believed_and_an_empty_token_is_nobodys() {
        let form = vec![("MessageSid".to_owned(), "SM1".to_owned())];
        let url = "https://ace.example/hooks/sms/status";
        let signed = |token: &str| twilio_signature::of_form(token, url, &form);
        let webhooks = Webhooks { twilio: Secret::default(), sandbox: Secret::new("ours") };
        assert_eq!(webhooks.signer_of_form(url, &form, &signed("ours")), Some("sandbox"));
        assert_eq!(webhooks.signer_of_form(url, &form, &signed("")), None);
        assert_eq!(webhooks.signer_of_form(url, &form, &signed("theirs")), None);
        let webhooks = Webhooks { twilio: Secret::new("theirs"), ..webhooks };
        assert_eq!(webhooks.signer_of_form(url, &form, &signed("theirs")), Some("twilio"));
    }
}
