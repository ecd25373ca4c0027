//! Turning what a submission earned into what its answer shows. Codes are opened here and stay in memory.

use chrono::{DateTime, Utc};
use database::{Audited, Transaction};
use kernel::keyring::Keyring;
use kernel::money::Money;
use kernel::{Actor, Origin, Result};
use messaging::card_code::{CardRef, Part};
use serde_json::json;
use uuid::Uuid;
use web::App;

use crate::store::rewards::{self, Earned};
use crate::{limits, masked};

/// A reward as the answer to a submission shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "one per answer, and nearly always a card")]
pub enum Shown {
    /// The card itself.
    Card(Card),
    /// No card is there yet, or a person has to look first: it follows.
    OnItsWay,
}

/// A card, opened.
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    /// The brand.
    pub brand: String,
    /// Its logo.
    pub logo: Option<String>,
    /// What it is worth, formatted.
    pub amount: String,
    /// The code.
    pub code: String,
    /// The PIN, where the brand has one.
    pub pin: Option<String>,
    /// The number printed on the card, where it is not the code.
    pub number: Option<String>,
    /// Where the brand lets people redeem.
    pub redemption_url: Option<String>,
    /// The last day it can be used.
    pub expires: Option<String>,
    /// Where it was sent, masked.
    pub sent_to: Option<String>,
}

/// What is opened is not for logs.
impl std::fmt::Debug for Card {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Card").field("brand", &self.brand).field("amount", &self.amount).finish_non_exhaustive()
    }
}

/// What the submission of that time earned, opened and audited; empty when nothing was to be earned.
///
/// # Errors
/// What the database answered, or that a code cannot be opened.
pub async fn shown(
    tx: &Transaction,
    keyring: &Keyring,
    (client_id, recipient_id): (Uuid, Uuid),
    at: DateTime<Utc>,
) -> Result<(usize, Vec<Shown>, Option<Uuid>)> {
    let earned = rewards::earned(tx, client_id, recipient_id, Some(at)).await?;
    let shown = open_all(tx, keyring, (client_id, recipient_id), &earned).await?;
    Ok((earned.len(), shown, earned.iter().find_map(|row| row.card_id)))
}

/// The cards that a recipient's forms earned, once more, for whoever proved as much as the first time: counted like a try
/// to redeem, and audited like the first time. `None` when there is no card to show.
///
/// # Errors
/// `TooMany`, what the database answered, or that a code cannot be opened.
pub async fn again(
    app: &App,
    origin: &Origin,
    (client_id, recipient_id, redemption_code): (Uuid, Uuid, &str),
) -> Result<Option<Vec<Shown>>> {
    limits::redemption(app, redemption_code)?;
    let actor = Actor::client(client_id).from(origin.clone());
    let tx = app.scope(&actor).transaction().await?;
    let shown = again_in(&tx, &app.keyring, (client_id, recipient_id)).await?;
    tx.commit().await?;
    Ok(shown)
}

/// The same inside a transaction.
///
/// # Errors
/// What the database answered, or that a code cannot be opened.
pub async fn again_in(tx: &Transaction, keyring: &Keyring, ids: (Uuid, Uuid)) -> Result<Option<Vec<Shown>>> {
    let earned = rewards::earned(tx, ids.0, ids.1, None).await?;
    let shown = open_all(tx, keyring, ids, &earned).await?;
    let any = shown.iter().any(|shown| matches!(shown, Shown::Card(_)));
    Ok(any.then_some(shown))
}

/// The same for whoever says what was said the first time.
///
/// # Errors
/// What the database answered, or that a code cannot be opened.
pub async fn proven(app: &App, origin: &Origin, ids: (Uuid, Uuid), given: &[&str]) -> Result<Option<Vec<Shown>>> {
    let actor = Actor::client(ids.0).from(origin.clone());
    let tx = app.scope(&actor).transaction().await?;
    let shown = proven_in(&tx, &app.keyring, ids, given).await?;
    tx.commit().await?;
    Ok(shown)
}

/// The same inside a transaction.
///
/// # Errors
/// What the database answered, or that a code cannot be opened.
pub async fn proven_in(
    tx: &Transaction,
    keyring: &Keyring,
    ids: (Uuid, Uuid),
    given: &[&str],
) -> Result<Option<Vec<Shown>>> {
    if given.is_empty() || !rewards::gave_before(tx, ids.0, ids.1, given).await? {
        return Ok(None);
    }
    again_in(tx, keyring, ids).await
}

async fn open_all(
    tx: &Transaction,
    keyring: &Keyring,
    (client_id, recipient_id): (Uuid, Uuid),
    earned: &[Earned],
) -> Result<Vec<Shown>> {
    let mut shown = Vec::new();
    let mut opened = Vec::new();
    for row in earned.iter().filter(|row| row.pool_id.is_some()) {
        shown.push(match open(keyring, client_id, row)? {
            Some(card) => {
                audit(tx, client_id, recipient_id, row.card_id).await?;
                opened.extend(row.card_id);
                Shown::Card(card)
            }
            None => Shown::OnItsWay,
        });
    }
    if !opened.is_empty() {
        rewards::note_shown(tx, client_id, recipient_id, &opened).await?;
    }
    Ok(shown)
}

/// `None` while there is no card to show.
fn open(keyring: &Keyring, client_id: Uuid, row: &Earned) -> Result<Option<Card>> {
    let (Some(card_id), Some(sealed)) = (row.card_id, &row.card_code) else { return Ok(None) };
    if row.hold_reason.is_some() || row.revoked_at.is_some() {
        return Ok(None);
    }
    let card = CardRef { client_id: Some(client_id), card_id };
    let pin = row.pin_code.as_ref().map(|sealed| card.open(keyring, Part::Pin, sealed)).transpose()?;
    Ok(Some(Card {
        brand: row.brand_name.clone().unwrap_or_default(),
        logo: row.brand_logo_url.clone(),
        amount: row.value_amount.and_then(Money::from_decimal).map(|money| money.to_string()).unwrap_or_default(),
        code: card.open(keyring, Part::Code, sealed)?,
        pin,
        number: row.card_number.clone(),
        redemption_url: row.redemption_url.clone(),
        expires: row.expires_at.map(|day| day.format("%b %-d, %Y").to_string()),
        sent_to: row.delivery_address.as_deref().map(masked::address),
    }))
}

async fn audit(tx: &Transaction, client_id: Uuid, recipient_id: Uuid, card_id: Option<Uuid>) -> Result<()> {
    let after = Some(json!({ "recipient_id": recipient_id }));
    let what = Audited { client_id: Some(client_id), after, ..Audited::default() };
    tx.audit("gift_card.shown", "gift_cards", card_id, what).await
}
