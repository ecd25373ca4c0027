//! Recording one event in the transaction of what it tells of.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use database::Transaction;
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::EventType;

/// Something that happened.
#[derive(Debug, Clone)]
pub struct NewEvent {
    /// To whose campaign.
    pub client_id: Uuid,
    /// In which campaign.
    pub campaign_id: Option<Uuid>,
    /// To whom.
    pub recipient_id: Option<Uuid>,
    /// What.
    pub event_type: EventType,
    /// What belongs to the type; never a card code.
    pub event_data: Value,
    /// From where.
    pub ip: Option<IpAddr>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// From which page.
    pub referrer: Option<String>,
    /// When; the transaction's time when absent.
    pub at: Option<DateTime<Utc>>,
}

database::statement! {
    /// One event.
    INSERT, both, "
        insert into events (
            id, client_id, campaign_id, recipient_id, event_type, event_data, ip_address, user_agent, referrer, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
}

/// Records an event in the caller's transaction.
///
/// # Errors
/// What the database answered.
pub async fn record(tx: &Transaction, event: &NewEvent) -> Result<()> {
    let ip = event.ip.map(|ip| ip.to_string());
    let at = event.at.unwrap_or_else(|| tx.now());
    let params: database::Params<'_> = &[
        &new_id(),
        &event.client_id,
        &event.campaign_id,
        &event.recipient_id,
        &event.event_type.word(),
        &event.event_data,
        &ip,
        &event.user_agent,
        &event.referrer,
        &at,
    ];
    tx.execute(&INSERT, params).await.map(|_| ())
}
