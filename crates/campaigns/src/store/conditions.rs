//! Conditions and what they earn.

use database::{FromRow, Scope, Transaction};
use kernel::{Error, Result, new_id};
use rust_decimal::Decimal;
use serde::Serialize;
use uuid::Uuid;

/// A condition with its reward, as a person sets it up.
#[derive(Debug, Clone, Default, FromRow)]
pub struct Condition {
    /// The campaign's id.
    pub campaign_id: Uuid,
    /// Its place, from 1.
    pub condition_number: i32,
    /// What people call it.
    pub condition_name: String,
    /// `call`, `form_submit`, `crm_event`, `time_delay`, `purl_visit`, `qr_scan` or `mail_delivered`.
    pub trigger_type: String,
    /// For `crm_event`: its name.
    pub crm_event_name: Option<String>,
    /// For `time_delay`: hours after the condition before.
    pub time_delay_hours: Option<i32>,
    /// For `form_submit`: only this form counts.
    pub form_id: Option<Uuid>,
    /// Whether it counts.
    pub is_active: bool,
    /// Where the reward comes from; absent when nothing is earned.
    pub gift_card_pool_id: Option<Uuid>,
    /// The pool's name.
    pub pool_name: Option<String>,
    /// The card's brand.
    pub brand_name: Option<String>,
    /// The card's value.
    pub value_amount: Option<Decimal>,
    /// What people read about the reward.
    pub reward_description: Option<String>,
    /// `sms`, `email` or `choice`.
    pub delivery_channel: Option<String>,
    /// The SMS text.
    pub sms_template: Option<String>,
    /// The e-mail's subject.
    pub email_subject: Option<String>,
    /// The e-mail's text.
    pub email_template: Option<String>,
}

/// A condition and its reward to be written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConditionDraft {
    /// What people call it.
    pub condition_name: String,
    /// What meets it.
    pub trigger_type: String,
    /// For `crm_event`: its name.
    pub crm_event_name: Option<String>,
    /// For `time_delay`: hours after the condition before.
    pub time_delay_hours: Option<i32>,
    /// For `form_submit`: only this form counts.
    pub form_id: Option<Uuid>,
    /// Where the reward comes from; absent when nothing is earned.
    pub gift_card_pool_id: Option<Uuid>,
    /// What people read about the reward.
    pub reward_description: Option<String>,
    /// `sms`, `email` or `choice`.
    pub delivery_channel: String,
    /// The SMS text.
    pub sms_template: Option<String>,
    /// The e-mail's subject.
    pub email_subject: Option<String>,
    /// The e-mail's text.
    pub email_template: Option<String>,
}

/// What a recipient has met.
#[derive(Debug, Clone, FromRow, Serialize)]
pub struct MetRow {
    /// The row's id.
    pub id: Uuid,
    /// Which condition.
    pub condition_number: i32,
    /// When.
    pub met_at: chrono::DateTime<chrono::Utc>,
    /// The card, when there is one.
    pub gift_card_id: Option<Uuid>,
    /// The card's last four characters.
    pub code_last4: Option<String>,
    /// `pending`, `sent`, `delivered` or `failed`; absent when nothing was earned.
    pub delivery_status: Option<String>,
    /// Where it goes.
    pub delivery_address: Option<String>,
    /// The address was given with a form or on the phone, and was not on file.
    pub given_address: bool,
    /// Why the reward waits for a person's look.
    pub hold_reason: Option<String>,
    /// When the card was last shown on the recipient's page.
    pub last_shown_at: Option<chrono::DateTime<chrono::Utc>>,
    /// No card is taken yet, because nobody knows where to send it.
    pub needs_address: bool,
    /// No card is taken, because the person may not be written to.
    pub consent_needed: bool,
    /// The card could not be delivered at all, and its credits came back.
    pub refunded: bool,
}

database::statement! {
    /// The conditions of campaigns with their rewards; a campaign has ten at most.
    LIST, app, "
        select c.campaign_id, c.condition_number, c.condition_name, c.trigger_type, c.crm_event_name, c.time_delay_hours, c.form_id,
            c.is_active, w.gift_card_pool_id, p.pool_name, b.brand_name, p.value_amount,
            w.reward_description, w.delivery_channel, w.sms_template, w.email_subject, w.email_template
        from campaign_conditions c
        left join campaign_reward_configs w
            on w.client_id = c.client_id
            and w.campaign_id = c.campaign_id
            and w.condition_number = c.condition_number
        left join gift_card_pools p on p.client_id = w.client_id and p.id = w.gift_card_pool_id
        left join gift_card_brands b on b.id = p.brand_id
        where c.client_id = $1
          and c.campaign_id = any($2)
        order by c.campaign_id, c.condition_number";
    /// Takes all conditions of a draft away.
    DELETE_CONDITIONS, app, "
        delete from campaign_conditions
        where client_id = $1
          and campaign_id = $2";
    /// Takes all rewards of a draft away; answers their pools.
    DELETE_REWARDS, app, "
        delete from campaign_reward_configs
        where client_id = $1
          and campaign_id = $2
        returning gift_card_pool_id as pool_id";
    /// A condition.
    INSERT_CONDITION, app, "
        insert into campaign_conditions (
            id, client_id, campaign_id, condition_number, condition_name, trigger_type, crm_event_name,
            time_delay_hours, form_id, created_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    /// What it earns; nothing from an archived pool, unless it was chosen before.
    INSERT_REWARD, app, "
        insert into campaign_reward_configs (
            id, client_id, campaign_id, condition_number, gift_card_pool_id, reward_description, delivery_channel,
            sms_template, email_subject, email_template, created_at)
        select $1, $2, $3, $4, p.id, $6, $7, $8, $9, $10, $11
        from gift_card_pools p
        where p.client_id = $2
          and p.id = $5
          and (p.archived_at is null or p.id = any ($12::uuid[]))";
    /// What a recipient has met so far.
    MET_BY, app, "
        select m.id, m.condition_number, m.met_at, m.gift_card_id, g.code_last4, m.delivery_status, m.delivery_address,
            m.given_address, m.hold_reason, m.last_shown_at,
            m.gift_card_pool_id is not null and m.gift_card_id is null and m.delivery_address is null
                and m.refusal is null as needs_address,
            m.gift_card_id is null and m.refusal is not null as consent_needed,
            m.refunded_at is not null as refunded
        from call_conditions_met m
        left join gift_cards g on g.client_id = m.client_id and g.id = m.gift_card_id
        where m.client_id = $1
          and m.recipient_id = $2
        order by m.condition_number"
}

/// A campaign's conditions with their rewards, in order.
///
/// # Errors
/// What the database answered.
pub async fn list(scope: &Scope<'_>, client_id: Uuid, campaign_id: Uuid) -> Result<Vec<Condition>> {
    list_of(scope, client_id, &[campaign_id]).await
}

/// The conditions of several campaigns, campaign by campaign.
///
/// # Errors
/// What the database answered.
pub async fn list_of(scope: &Scope<'_>, client_id: Uuid, campaign_ids: &[Uuid]) -> Result<Vec<Condition>> {
    scope.query(&LIST, &[&client_id, &campaign_ids]).await
}

/// The same inside a transaction.
///
/// # Errors
/// What the database answered.
pub async fn list_in(tx: &Transaction, client_id: Uuid, campaign_id: Uuid) -> Result<Vec<Condition>> {
    tx.query(&LIST, &[&client_id, &[campaign_id].as_slice()]).await
}

/// What a recipient has met so far.
///
/// # Errors
/// What the database answered.
pub async fn met_by(scope: &Scope<'_>, client_id: Uuid, recipient_id: Uuid) -> Result<Vec<MetRow>> {
    scope.query(&MET_BY, &[&client_id, &recipient_id]).await
}

/// The same inside a transaction.
pub(crate) async fn met_in(tx: &Transaction, client_id: Uuid, recipient_id: Uuid) -> Result<Vec<MetRow>> {
    tx.query(&MET_BY, &[&client_id, &recipient_id]).await
}

#[derive(FromRow)]
struct PoolRow {
    pool_id: Uuid,
}

/// Replaces all conditions of a draft, numbered in order. At most ten, so one statement each is no loop to fear.
/// A pool that was archived since the draft chose it stays (the check list says so), as do those of `chosen`.
///
/// # Errors
/// Names the condition whose form or pool does not exist, or whose pool is archived.
pub async fn replace(
    tx: &Transaction,
    (client_id, campaign_id): (Uuid, Uuid),
    drafts: &[ConditionDraft],
    chosen: &[Uuid],
) -> Result<()> {
    tx.execute(&DELETE_CONDITIONS, &[&client_id, &campaign_id]).await?;
    let before: Vec<PoolRow> = tx.query(&DELETE_REWARDS, &[&client_id, &campaign_id]).await?;
    let chosen: Vec<Uuid> = before.iter().map(|row| row.pool_id).chain(chosen.iter().copied()).collect();
    for (number, draft) in (1_i32..).zip(drafts) {
        insert(tx, (client_id, campaign_id), number, draft, &chosen).await?;
    }
    Ok(())
}

async fn insert(
    tx: &Transaction,
    (client_id, campaign_id): (Uuid, Uuid),
    number: i32,
    draft: &ConditionDraft,
    chosen: &[Uuid],
) -> Result<()> {
    let path = |field: &str| format!("conditions/{}/{field}", number - 1);
    let condition: database::Params<'_> = &[
        &new_id(),
        &client_id,
        &campaign_id,
        &number,
        &draft.condition_name,
        &draft.trigger_type,
        &draft.crm_event_name,
        &draft.time_delay_hours,
        &draft.form_id,
        &tx.now(),
    ];
    tx.execute(&INSERT_CONDITION, condition).await.map_err(|error: Error| {
        error.on_constraint("campaign_conditions_form_id_fkey", &path("form_id"), "invalid", "choose one of the forms")
    })?;
    let Some(pool_id) = draft.gift_card_pool_id else { return Ok(()) };
    let reward: database::Params<'_> = &[
        &new_id(),
        &client_id,
        &campaign_id,
        &number,
        &pool_id,
        &draft.reward_description,
        &draft.delivery_channel,
        &draft.sms_template,
        &draft.email_subject,
        &draft.email_template,
        &tx.now(),
        &chosen,
    ];
    match tx.execute(&INSERT_REWARD, reward).await? {
        0 => Err(Error::invalid(path("gift_card_pool_id"), "there is no such pool, or it is archived")),
        _ => Ok(()),
    }
}
