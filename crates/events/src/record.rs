//! Recording events in the transaction of what they tell of.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use database::Transaction;
use kernel::{Result, new_id};
use serde_json::Value;
use uuid::Uuid;

use crate::EventType;
use crate::clean::clean;

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
    /// Events.
    INSERT, app, "
        insert into events (
            id, client_id, campaign_id, recipient_id, event_type, event_data, ip_address, user_agent, referrer, created_at)
        select id, client_id, campaign_id, recipient_id, event_type, event_data, ip, user_agent, referrer, at
        from unnest(
            $1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::jsonb[], $7::text[], $8::text[], $9::text[],
            $10::timestamptz[])
            as e (id, client_id, campaign_id, recipient_id, event_type, event_data, ip, user_agent, referrer, at)"
}

/// Records an event in the caller's transaction.
///
/// # Errors
/// What the database answered.
pub async fn record(tx: &Transaction, event: &NewEvent) -> Result<()> {
    record_many(tx, std::slice::from_ref(event)).await
}

/// Records many events by one statement.
///
/// # Errors
/// What the database answered.
pub async fn record_many(tx: &Transaction, events: &[NewEvent]) -> Result<()> {
    let ids: Vec<Uuid> = events.iter().map(|_| new_id()).collect();
    let clients: Vec<Uuid> = events.iter().map(|e| e.client_id).collect();
    let campaigns: Vec<Option<Uuid>> = events.iter().map(|e| e.campaign_id).collect();
    let recipients: Vec<Option<Uuid>> = events.iter().map(|e| e.recipient_id).collect();
    let types: Vec<&str> = events.iter().map(|e| e.event_type.word()).collect();
    let data: Vec<&Value> = events.iter().map(|e| &e.event_data).collect();
    let ips: Vec<Option<String>> = events.iter().map(|e| e.ip.map(|ip| ip.to_string())).collect();
    let agents: Vec<_> = events.iter().map(|e| clean(e.user_agent.as_deref())).collect();
    let referrers: Vec<_> = events.iter().map(|e| clean(e.referrer.as_deref())).collect();
    let times: Vec<DateTime<Utc>> = events.iter().map(|e| e.at.unwrap_or_else(|| tx.now())).collect();
    let params: database::Params<'_> =
        &[&ids, &clients, &campaigns, &recipients, &types, &data, &ips, &agents, &referrers, &times];
    tx.execute(&INSERT, params).await.map(|_| ())
}
