//! Submissions of forms.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope, Transaction};
use kernel::Result;
use serde_json::Value;
use uuid::Uuid;

/// A row of `ace_form_submissions`.
#[derive(Debug, Clone, FromRow)]
pub struct Submission {
    /// Its id.
    pub id: Uuid,
    /// The form.
    pub form_id: Uuid,
    /// The campaign, when it came from a recipient.
    pub campaign_id: Option<Uuid>,
    /// The recipient, when it was one.
    pub recipient_id: Option<Uuid>,
    /// The contact it was matched to or made.
    pub contact_id: Option<Uuid>,
    /// The answers.
    pub submission_data: Value,
    /// The first card it earned.
    pub gift_card_id: Option<Uuid>,
    /// E-mail and phone that were given for a contact who is known, and that nobody confirmed.
    pub unconfirmed: Option<Value>,
    /// When.
    pub submitted_at: DateTime<Utc>,
}

/// A submission as people read it.
#[derive(Debug, Clone, FromRow)]
pub struct Received {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub submitted_at: DateTime<Utc>,
    /// The answers.
    pub submission_data: Value,
    /// The contact it was matched to or made.
    pub contact_id: Option<Uuid>,
    /// E-mail and phone that were given for a contact who is known, and that nobody confirmed.
    pub unconfirmed: Option<Value>,
    /// The contact's name, or the recipient's.
    pub person: Option<String>,
    /// The campaign it came from.
    pub campaign_name: Option<String>,
    /// The word in the campaign's URL.
    pub campaign_slug: Option<String>,
    /// The end of the first card's code.
    pub code_last4: Option<String>,
}

/// A submission to be written.
#[derive(Debug)]
pub struct NewSubmission<'a> {
    /// Its id.
    pub id: Uuid,
    /// The client.
    pub client_id: Uuid,
    /// The form.
    pub form_id: Uuid,
    /// The campaign and the recipient, when it is one.
    pub person: Option<(Uuid, Uuid)>,
    /// The answers.
    pub data: &'a Value,
    /// Made with the page.
    pub token: Uuid,
    /// The redemption code that was typed.
    pub code: Option<&'a str>,
}

database::statement! {
    /// A new submission; nothing when the page was sent before.
    INSERT, app, "
        insert into ace_form_submissions (
            id, client_id, form_id, campaign_id, recipient_id, submission_data, submission_token, redemption_token,
            ip_address, user_agent, submitted_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (form_id, submission_token) do nothing";
    /// Whose it is.
    COMPLETE, app, "
        update ace_form_submissions
        set contact_id = $3, unconfirmed = $4
        where client_id = $1
          and id = $2";
    /// The first card it earned.
    NAME_CARD, app, "
        update ace_form_submissions
        set gift_card_id = $3
        where client_id = $1
          and id = $2";
    /// The submission of a page that was sent before.
    BY_TOKEN, app, "
        select id, form_id, campaign_id, recipient_id, contact_id, submission_data, gift_card_id, unconfirmed, submitted_at
        from ace_form_submissions
        where client_id = $1
          and form_id = $2
          and submission_token = $3"
}

/// Writes a submission; false when its page was sent before.
///
/// # Errors
/// What the database answered.
pub async fn insert(tx: &Transaction, new: &NewSubmission<'_>) -> Result<bool> {
    let (campaign_id, recipient_id) = new.person.unzip();
    let origin = &tx.actor().origin;
    let ip = origin.ip.map(|ip| ip.to_string());
    let params: database::Params<'_> = &[
        &new.id,
        &new.client_id,
        &new.form_id,
        &campaign_id,
        &recipient_id,
        &new.data,
        &new.token,
        &new.code,
        &ip,
        &origin.user_agent,
        &tx.now(),
    ];
    tx.execute(&INSERT, params).await.map(|rows| rows == 1)
}

/// Notes whose a submission is.
///
/// # Errors
/// What the database answered.
pub async fn complete(
    tx: &Transaction,
    (client_id, id): (Uuid, Uuid),
    contact_id: Option<Uuid>,
    unconfirmed: Option<&Value>,
) -> Result<()> {
    tx.execute(&COMPLETE, &[&client_id, &id, &contact_id, &unconfirmed]).await.map(|_| ())
}

/// Names the first card a submission earned.
///
/// # Errors
/// What the database answered.
pub async fn name_card(tx: &Transaction, client_id: Uuid, id: Uuid, card_id: Option<Uuid>) -> Result<()> {
    match card_id {
        Some(card_id) => tx.execute(&NAME_CARD, &[&client_id, &id, &card_id]).await.map(|_| ()),
        None => Ok(()),
    }
}

/// The submission of a page that was sent before.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn by_token(tx: &Transaction, client_id: Uuid, form_id: Uuid, token: Uuid) -> Result<Submission> {
    tx.query_one(&BY_TOKEN, &[&client_id, &form_id, &token]).await
}

/// A page of a form's submissions, newest first.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    form_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Submission>> {
    let (after_at, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "submissions list",
        "select id, form_id, campaign_id, recipient_id, contact_id, submission_data, gift_card_id, unconfirmed, submitted_at
        from ace_form_submissions",
    )
    .bind("where client_id =", &client_id)
    .bind("and form_id =", &form_id);
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        filter = filter.bind("and (submitted_at, id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by submitted_at desc, id desc limit", &more)).await
}

/// The same as people read it: with names.
///
/// # Errors
/// What the database answered.
pub async fn received(
    scope: &Scope<'_>,
    client_id: Uuid,
    form_id: Uuid,
    after: Option<(DateTime<Utc>, Uuid)>,
    limit: i64,
) -> Result<Vec<Received>> {
    let (after_at, after_id) = after.unzip();
    let more = limit + 1;
    let mut filter = Filter::new(
        "submissions received",
        "select s.id, s.submitted_at, s.submission_data, s.contact_id, s.unconfirmed, k.name as campaign_name, k.slug as campaign_slug, g.code_last4,
            nullif(concat_ws(' ', coalesce(c.first_name, r.first_name), coalesce(c.last_name, r.last_name)), '') as person
        from ace_form_submissions s
        left join contacts c on c.client_id = s.client_id and c.id = s.contact_id
        left join recipients r on r.client_id = s.client_id and r.id = s.recipient_id
        left join campaigns k on k.client_id = s.client_id and k.id = s.campaign_id
        left join gift_cards g on g.client_id = s.client_id and g.id = s.gift_card_id",
    )
    .bind("where s.client_id =", &client_id)
    .bind("and s.form_id =", &form_id);
    if let (Some(at), Some(id)) = (&after_at, &after_id) {
        filter = filter.bind("and (s.submitted_at, s.id) < (", at).bind(",", id).push(")");
    }
    scope.query_filter(&filter.bind("order by s.submitted_at desc, s.id desc limit", &more)).await
}
