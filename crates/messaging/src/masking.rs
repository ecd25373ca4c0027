//! The sandbox shows what people would have received, card codes among it. Whoever may not reveal cards sees them masked.

use std::collections::HashMap;

use database::Scope;
use kernel::Result;
use kernel::keyring::Keyring;
use providers::sandbox::SandboxMessage;
use uuid::Uuid;

use crate::card_code::{CardRef, Part, last4};
use crate::store::composing::{self, Secrets};

/// Masks the code, the PIN and the number of the card that each message brings.
///
/// # Errors
/// What the database answered.
pub(crate) async fn mask(scope: &Scope<'_>, keyring: &Keyring, messages: &mut [SandboxMessage]) -> Result<()> {
    let ids: Vec<Uuid> = messages.iter().filter_map(|message| message.message_id).collect();
    let secrets = composing::secrets(scope, &ids).await?;
    let secrets: HashMap<Uuid, Secrets> = secrets.into_iter().map(|row| (row.message_id, row)).collect();
    for message in messages {
        let Some(row) = message.message_id.and_then(|id| secrets.get(&id)) else { continue };
        message.html = None;
        match opened(keyring, row) {
            Ok(hidden) => {
                message.text = without(&message.text, &hidden);
                message.subject = message.subject.take().map(|subject| without(&subject, &hidden));
            }
            // what cannot be found cannot be masked
            Err(_) => "The text brings a card whose key is missing.".clone_into(&mut message.text),
        }
    }
    Ok(())
}

/// What must not show, and what shows instead.
fn opened(keyring: &Keyring, row: &Secrets) -> Result<Vec<(String, String)>> {
    let card = CardRef { client_id: row.client_id, card_id: row.card_id };
    let code = card.open(keyring, Part::Code, &row.card_code)?;
    let shown = format!("•••• {}", last4(&code)).trim_end().to_owned();
    let mut hidden = vec![(code, shown)];
    if let Some(sealed) = &row.pin_code {
        hidden.push((card.open(keyring, Part::Pin, sealed)?, "••••".to_owned()));
    }
    if let Some(number) = &row.card_number {
        hidden.push((number.clone(), format!("•••• {}", last4(number)).trim_end().to_owned()));
    }
    // the longest first: one may hold the other
    hidden.sort_by_key(|(secret, _)| std::cmp::Reverse(secret.len()));
    Ok(hidden)
}

/// In one pass, so that the end of a code is not taken for a PIN.
fn without(text: &str, hidden: &[(String, String)]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let found = hidden.iter().find(|(secret, _)| !secret.is_empty() && rest.starts_with(secret.as_str()));
        if let Some((secret, shown)) = found {
            out.push_str(shown);
            rest = &rest[secret.len()..];
        } else {
            out.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_pin_are_masked_wherever_they_stand() {
        let hidden = [("AB12-CD34".to_owned(), "•••• CD34".to_owned()), ("CD34".to_owned(), "••••".to_owned())];
        assert_eq!(
            without("Code AB12-CD34, PIN CD34. Again: AB12-CD34", &hidden),
            "Code •••• CD34, PIN ••••. Again: •••• CD34"
        );
        assert_eq!(without("Grüße", &[(String::new(), "x".into())]), "Grüße");
    }
}
