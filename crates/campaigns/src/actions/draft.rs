//! A campaign while it is a draft: made, changed, duplicated.

use chrono::NaiveDate;
use content::merge;
use database::Audited;
use kernel::version::{Expected, etag};
use kernel::{Actor, Error, Problems, Result, new_id};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use crate::store::campaigns::{self as store, Campaign, Draft};
use crate::store::conditions::{self, ConditionDraft};
use crate::store::life::{self, Stepped};

/// The most conditions a campaign can have.
pub const MAX_CONDITIONS: usize = 10;
/// What meets a condition.
pub const TRIGGERS: [(&str, &str); 7] = [
    ("form_submit", "Form submitted"),
    ("call", "Call confirmed by an agent"),
    ("purl_visit", "Link visited"),
    ("qr_scan", "QR scanned"),
    ("mail_delivered", "Mail delivered"),
    ("time_delay", "Time passed"),
    ("crm_event", "CRM event"),
];

/// What a person decides about a campaign.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CampaignInput {
    /// The name people know; the word in URLs is made of it.
    #[schema(required = true, max_length = 120)]
    pub name: String,
    /// `4x6`, `6x9`, `6x11` or `letter`; that of the mail piece when absent.
    pub size: Option<String>,
    /// `standard` or `first_class`.
    pub postage: Option<String>,
    /// When the pieces are mailed.
    pub mail_date: Option<NaiveDate>,
    /// To whom.
    pub contact_list_id: Option<Uuid>,
    /// What is printed.
    pub template_id: Option<Uuid>,
    /// Printed elsewhere or not at all.
    pub no_mail_piece: bool,
    /// What recipients see.
    pub landing_page_id: Option<Uuid>,
    /// The form on it; the landing page's own when absent.
    pub form_id: Option<Uuid>,
    /// `bridge` (the default) or `redirect`.
    pub lp_mode: Option<String>,
    /// Where `redirect` leads.
    #[schema(max_length = 2000)]
    pub base_lp_url: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_source: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_medium: Option<String>,
    /// Added to `base_lp_url`.
    pub utm_campaign: Option<String>,
    /// Cards to promise for each reward; one for every recipient when absent.
    #[schema(minimum = 0)]
    pub cards_per_reward: Option<i32>,
    /// What recipients have to do, in order; at most ten.
    #[schema(max_items = 10)]
    pub conditions: Vec<ConditionInput>,
}

/// A condition and what it earns.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ConditionInput {
    /// What people call it.
    pub condition_name: String,
    /// `call`, `form_submit`, `crm_event`, `time_delay`, `purl_visit`, `qr_scan` or `mail_delivered`.
    #[schema(required = true)]
    pub trigger_type: String,
    /// For `crm_event`: its name.
    pub crm_event_name: Option<String>,
    /// For `time_delay`: hours after the condition before, or after delivery for the first.
    #[schema(minimum = 0, maximum = 8760)]
    pub time_delay_hours: Option<i32>,
    /// For `form_submit`: only this form counts.
    pub form_id: Option<Uuid>,
    /// Where the reward comes from; absent when nothing is earned.
    pub gift_card_pool_id: Option<Uuid>,
    /// What people read about the reward.
    pub reward_description: Option<String>,
    /// `sms`, `email` or `choice` (the default).
    pub delivery_channel: Option<String>,
    /// The SMS text.
    #[schema(max_length = 5000)]
    pub sms_template: Option<String>,
    /// The e-mail's subject.
    pub email_subject: Option<String>,
    /// The e-mail's text.
    #[schema(max_length = 20000)]
    pub email_template: Option<String>,
}

/// Makes a draft; returns its id and the word in its URL.
///
/// # Errors
/// Names the wrong fields.
pub async fn create(app: &App, actor: &Actor, client_id: Uuid, input: &CampaignInput) -> Result<(Uuid, String)> {
    insert(app, actor, client_id, input, &[]).await
}

/// `chosen`: pools that may be archived, because another campaign chose them when they were not.
async fn insert(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    input: &CampaignInput,
    chosen: &[Uuid],
) -> Result<(Uuid, String)> {
    let (draft, conditions) = check(input)?;
    let id = new_id();
    let tx = app.scope(actor).transaction().await?;
    let slug = store::insert(&tx, client_id, id, &draft).await?;
    conditions::replace(&tx, (client_id, id), &conditions, chosen).await?;
    let first = Stepped { from: None, to: "draft", reason: None, by: actor.user_id() };
    life::history(&tx, client_id, id, &first).await?;
    let after = Some(json!({ "name": draft.name }));
    tx.audit(
        "campaign.created",
        "campaigns",
        Some(id),
        Audited { client_id: Some(client_id), after, ..Audited::default() },
    )
    .await?;
    tx.commit().await?;
    Ok((id, slug))
}

/// Changes a draft, as the person read it. One that stays as it was keeps its version.
///
/// # Errors
/// `NotFound`, `Conflict` when it is archived, no draft any more, or somebody changed it since, or the wrong fields.
pub async fn update(app: &App, actor: &Actor, read: &Campaign, input: &CampaignInput) -> Result<()> {
    let (client_id, id) = (read.client_id, read.id);
    let (draft, conditions) = check(input)?;
    let scope = app.scope(actor);
    let present = input_of(read, conditions::list(&scope, client_id, id).await?);
    let is_draft = read.status == "draft" && read.archived_at.is_none();
    if is_draft && check(&present).is_ok_and(|present| present == (draft.clone(), conditions.clone())) {
        return Ok(());
    }
    let tx = scope.transaction().await?;
    store::update(&tx, client_id, id, &draft, read.updated_at).await?;
    conditions::replace(&tx, (client_id, id), &conditions, &[]).await?;
    let what = Audited {
        client_id: Some(client_id),
        before: Some(json!({ "name": read.name })),
        after: Some(json!({ "name": draft.name, "conditions": conditions.len() })),
    };
    tx.audit("campaign.updated", "campaigns", Some(id), what).await?;
    tx.commit().await
}

/// Puts a campaign out of sight. One that is under way stays in sight until it is completed or taken back.
///
/// # Errors
/// `NotFound`, or `Conflict` when it is under way or not the expected version any more.
pub async fn archive(app: &App, actor: &Actor, (client_id, id): (Uuid, Uuid), expected: &Expected) -> Result<()> {
    let tx = app.scope(actor).transaction().await?;
    let status = life::expect(&tx, client_id, id, expected).await?.status;
    if !["draft", "completed"].contains(&status.as_str()) {
        return Err(Error::conflict(
            "under_way",
            "complete this campaign or take it back to draft before archiving it",
        ));
    }
    store::archive(&tx, client_id, id).await?;
    let what = Audited { client_id: Some(client_id), ..Audited::default() };
    tx.audit("campaign.archived", "campaigns", Some(id), what).await?;
    tx.commit().await
}

/// Makes a draft with everything of another campaign but its recipients and dates.
///
/// # Errors
/// `NotFound`, `Conflict` when it is archived or not the expected version, or what the database answered.
pub async fn duplicate(
    app: &App,
    actor: &Actor,
    (client_id, id): (Uuid, Uuid),
    expected: &Expected,
) -> Result<(Uuid, String)> {
    let scope = app.scope(actor);
    let campaign = store::find(&scope, client_id, id).await?;
    // the copy is of what was read here: nothing of the campaign itself changes
    expected.check(&etag(campaign.updated_at))?;
    if campaign.archived_at.is_some() {
        return Err(life::archived());
    }
    let conditions = conditions::list(&scope, client_id, id).await?;
    let chosen: Vec<Uuid> = conditions.iter().filter_map(|condition| condition.gift_card_pool_id).collect();
    let mut input = input_of(&campaign, conditions);
    input.name = format!("{} copy", campaign.name);
    input.mail_date = None;
    insert(app, actor, client_id, &input, &chosen).await
}

/// A campaign as the input that would make it.
pub fn input_of(campaign: &Campaign, conditions: Vec<conditions::Condition>) -> CampaignInput {
    CampaignInput {
        name: campaign.name.clone(),
        size: campaign.size.clone(),
        postage: campaign.postage.clone(),
        mail_date: campaign.mail_date,
        contact_list_id: campaign.contact_list_id,
        template_id: campaign.template_id,
        no_mail_piece: campaign.no_mail_piece,
        landing_page_id: campaign.landing_page_id,
        form_id: campaign.form_id,
        lp_mode: Some(campaign.lp_mode.clone()),
        base_lp_url: campaign.base_lp_url.clone(),
        utm_source: campaign.utm_source.clone(),
        utm_medium: campaign.utm_medium.clone(),
        utm_campaign: campaign.utm_campaign.clone(),
        cards_per_reward: campaign.cards_per_reward,
        conditions: conditions.into_iter().map(condition_input).collect(),
    }
}

fn condition_input(condition: conditions::Condition) -> ConditionInput {
    ConditionInput {
        condition_name: condition.condition_name,
        trigger_type: condition.trigger_type,
        crm_event_name: condition.crm_event_name,
        time_delay_hours: condition.time_delay_hours,
        form_id: condition.form_id,
        gift_card_pool_id: condition.gift_card_pool_id,
        reward_description: condition.reward_description,
        delivery_channel: condition.delivery_channel,
        sms_template: condition.sms_template,
        email_subject: condition.email_subject,
        email_template: condition.email_template,
    }
}

fn check(input: &CampaignInput) -> Result<(Draft, Vec<ConditionDraft>)> {
    let mut problems = Problems::new();
    let name = problems.require("name", &input.name).to_owned();
    problems.at_most("name", &name, 120);
    for (field, text, most) in [
        ("base_lp_url", &input.base_lp_url, 2_000),
        ("utm_source", &input.utm_source, 200),
        ("utm_medium", &input.utm_medium, 200),
        ("utm_campaign", &input.utm_campaign, 200),
    ] {
        problems.at_most(field, text.as_deref().unwrap_or_default(), most);
    }
    one_of(&mut problems, "size", input.size.as_deref(), &["4x6", "6x9", "6x11", "letter"]);
    one_of(&mut problems, "postage", input.postage.as_deref(), &["standard", "first_class"]);
    one_of(&mut problems, "lp_mode", input.lp_mode.as_deref(), &["bridge", "redirect"]);
    if text(input.base_lp_url.as_deref()).is_some_and(|url| !is_web_address(&url)) {
        problems.invalid("base_lp_url", "enter a web address that begins with https:// or http://");
    }
    if input.mail_date.is_some_and(|day| !kernel::zone::is_sensible(day)) {
        problems.invalid("mail_date", "enter a day of the years 1900 to 2200");
    }
    if input.cards_per_reward.is_some_and(|cards| cards < 0) {
        problems.invalid("cards_per_reward", "enter 0 or more");
    }
    if input.conditions.len() > MAX_CONDITIONS {
        problems.add("conditions", "too_many", format!("use at most {MAX_CONDITIONS} conditions"));
        problems.finish()?;
        return Ok((draft_of(name, input), Vec::new()));
    }
    let conditions = input.conditions.iter().enumerate().map(|(n, c)| check_condition(&mut problems, n, c)).collect();
    problems.finish()?;
    Ok((draft_of(name, input), conditions))
}

/// A browser is sent there: parsing alone would pass over line breaks, which no `Location` header can carry.
fn is_web_address(text: &str) -> bool {
    let written_plainly = !text.chars().any(|c| c.is_control() || c.is_whitespace());
    written_plainly && Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn draft_of(name: String, input: &CampaignInput) -> Draft {
    Draft {
        name,
        size: text(input.size.as_deref()),
        postage: text(input.postage.as_deref()),
        mail_date: input.mail_date,
        contact_list_id: input.contact_list_id,
        template_id: input.template_id,
        no_mail_piece: input.no_mail_piece,
        landing_page_id: input.landing_page_id,
        form_id: input.form_id,
        lp_mode: text(input.lp_mode.as_deref()).unwrap_or_else(|| "bridge".into()),
        base_lp_url: text(input.base_lp_url.as_deref()),
        utm_source: text(input.utm_source.as_deref()),
        utm_medium: text(input.utm_medium.as_deref()),
        utm_campaign: text(input.utm_campaign.as_deref()),
        cards_per_reward: input.cards_per_reward,
    }
}

fn check_condition(problems: &mut Problems, index: usize, input: &ConditionInput) -> ConditionDraft {
    let path = |field: &str| format!("conditions/{index}/{field}");
    if TRIGGERS.iter().all(|(word, _)| *word != input.trigger_type) {
        let labels = TRIGGERS.map(|(_, label)| label).join(", ");
        problems.invalid(path("trigger_type"), format!("choose one of {labels}"));
    }
    one_of(problems, &path("delivery_channel"), input.delivery_channel.as_deref(), &["sms", "email", "choice"]);
    if input.time_delay_hours.is_some_and(|hours| !(0..=8760).contains(&hours)) {
        problems.invalid(path("time_delay_hours"), "enter 0 to 8,760 hours");
    }
    let given = |text: &'_ Option<String>| text.clone().unwrap_or_default();
    let errors = [
        merge::check_sms(&path("sms_template"), &given(&input.sms_template)),
        merge::check_subject(&path("email_subject"), &given(&input.email_subject)),
        merge::check_mail(&path("email_template"), &given(&input.email_template)),
    ];
    for error in errors.into_iter().flatten() {
        problems.add(error.field, error.code, error.message);
    }
    problems.at_most(path("condition_name"), &input.condition_name, 120);
    problems.at_most(path("crm_event_name"), input.crm_event_name.as_deref().unwrap_or_default(), 120);
    problems.at_most(path("reward_description"), input.reward_description.as_deref().unwrap_or_default(), 500);
    let label = TRIGGERS.iter().find(|(word, _)| *word == input.trigger_type).map_or("Condition", |(_, label)| label);
    ConditionDraft {
        condition_name: text(Some(&input.condition_name)).unwrap_or_else(|| label.to_owned()),
        trigger_type: input.trigger_type.clone(),
        crm_event_name: text(input.crm_event_name.as_deref()),
        time_delay_hours: input.time_delay_hours,
        form_id: input.form_id,
        gift_card_pool_id: input.gift_card_pool_id,
        reward_description: text(input.reward_description.as_deref()),
        delivery_channel: text(input.delivery_channel.as_deref()).unwrap_or_else(|| "choice".into()),
        sms_template: text(input.sms_template.as_deref()),
        email_subject: text(input.email_subject.as_deref()),
        email_template: text(input.email_template.as_deref()),
    }
}

fn one_of(problems: &mut Problems, field: &str, given: Option<&str>, words: &[&str]) {
    if given.is_some_and(|given| !given.is_empty() && !words.contains(&given)) {
        let labels: Vec<String> = words.iter().map(|word| web::view::Badge::of(word).text).collect();
        problems.invalid(field, format!("choose one of {}", labels.join(", ")));
    }
}

fn text(given: Option<&str>) -> Option<String> {
    given.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
