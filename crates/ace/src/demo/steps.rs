//! A campaign's life: made on its day, launched, produced, mailed, completed, by the same functions as people use.

use anyhow::bail;
use campaigns::actions::draft::{CampaignInput, ConditionInput, create};
use campaigns::actions::{launch, steps};
use campaigns::store::campaigns::{self as store, Campaign as Row};
use chrono::Duration;
use kernel::Error;
use kernel::version::Expected;
use uuid::Uuid;

use super::designs::Designs;
use super::people::Tenant;
use super::story::{Campaign, Client, Condition};
use super::{Demo, found};

/// How often the work of a launch is looked for.
const LAUNCH_TRIES: usize = 2;

/// A step that happens on some day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The draft is made.
    Create,
    /// Draft to ready.
    Launch,
    /// Ready to in production.
    Produce,
    /// In production to mailed.
    Mail,
    /// Active to completed.
    Complete,
}

impl Step {
    /// Every step that a campaign takes, with its day.
    pub fn of(told: &Campaign) -> impl Iterator<Item = (i64, Self)> {
        let days = told.days;
        let all = [
            (Some(days.created), Self::Create),
            (days.launched, Self::Launch),
            (days.production, Self::Produce),
            (days.mailed, Self::Mail),
            (days.completed, Self::Complete),
        ];
        all.into_iter().filter_map(|(day, step)| Some((day?, step)))
    }

    /// Where it leads.
    fn leads_to(self) -> &'static str {
        match self {
            Self::Create => "draft",
            Self::Launch => "ready",
            Self::Produce => "in_production",
            Self::Mail => "mailed",
            Self::Complete => "completed",
        }
    }
}

/// Takes a step unless it was taken before an interruption; the campaign's id.
///
/// # Errors
/// What an action refused: then the story does not fit the rules.
pub async fn take(
    demo: &Demo,
    (tenant, designs): (&Tenant, &Designs),
    (client, told): (&Client, &Campaign),
    step: Step,
) -> anyhow::Result<Uuid> {
    let there = found::id(&demo.scope(), &found::CAMPAIGN, &[&tenant.id, &told.name]).await?;
    let id = match there {
        Some(id) => id,
        None => {
            let input = input(demo, (tenant, designs), (client, told)).await?;
            create(&demo.app, &tenant.manager, tenant.id, &input).await?.0
        }
    };
    let row = store::find(&demo.scope(), tenant.id, id).await?;
    if rank(&row.status) >= rank(step.leads_to()) {
        return Ok(id);
    }
    match step {
        Step::Create => {}
        Step::Launch => launch(demo, tenant, id).await?,
        Step::Produce | Step::Mail | Step::Complete => go(demo, tenant, (&row, step)).await?,
    }
    Ok(id)
}

async fn launch(demo: &Demo, tenant: &Tenant, id: Uuid) -> anyhow::Result<()> {
    match launch::begin(&demo.app, &tenant.manager, (tenant.id, id), &Expected::any()).await {
        // Begun before an interruption: its job is still there.
        Ok(()) | Err(Error::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    for _ in 0..LAUNCH_TRIES {
        demo.work().await?;
        if store::find(&demo.scope(), tenant.id, id).await?.status != "draft" {
            return Ok(());
        }
        // A job that was under way when a load was interrupted is taken up again when its lease has run out.
        demo.app.clock.advance(Duration::minutes(61));
    }
    bail!("a campaign of {} could not be launched: the reason is on its page", tenant.id)
}

async fn go(demo: &Demo, tenant: &Tenant, (row, step): (&Row, Step)) -> anyhow::Result<()> {
    // A campaign nobody engaged with cannot be completed; with very few recipients that happens.
    if step == Step::Complete && row.status == "mailed" {
        return Ok(());
    }
    let mail_date = (step == Step::Mail).then(|| demo.app.clock.now().date_naive());
    let wish = steps::Wish { to: step.leads_to().to_owned(), reason: None, mail_date };
    Ok(steps::take(&demo.app, &tenant.manager, (tenant.id, row.id), &wish, &Expected::any()).await?)
}

fn rank(status: &str) -> usize {
    ["draft", "ready", "in_production", "mailed", "active", "completed"].iter().position(|s| *s == status).unwrap_or(0)
}

async fn input(
    demo: &Demo,
    (tenant, designs): (&Tenant, &Designs),
    (client, told): (&Client, &Campaign),
) -> anyhow::Result<CampaignInput> {
    let list = found::id(&demo.scope(), &found::FULL_LIST, &[&tenant.id, &told.list, &0_i64]).await?;
    let planned = told.days.mailed.unwrap_or(demo.story.weeks * 7 + 14) - told.days.created;
    let cards = i32::try_from(told.cards_per_reward(client, demo.contacts))?;
    Ok(CampaignInput {
        name: told.name.clone(),
        size: Some(told.size.clone()),
        postage: Some(told.postage.clone()),
        mail_date: Some((demo.app.clock.now() + Duration::days(planned)).date_naive()),
        contact_list_id: list,
        template_id: designs.templates.get(&told.template.name).copied(),
        landing_page_id: Some(designs.page_id),
        form_id: Some(designs.form_id),
        utm_source: Some("mail".into()),
        utm_campaign: Some(kernel::slug::slugify(&told.name)),
        cards_per_reward: Some(cards),
        conditions: told.conditions.iter().map(|condition| condition_input(designs, condition)).collect(),
        ..CampaignInput::default()
    })
}

fn condition_input(designs: &Designs, told: &Condition) -> ConditionInput {
    let pool = told.pool.as_ref().and_then(|name| designs.pools.get(name)).copied();
    let text = |text: &str| pool.map(|_| text.to_owned());
    ConditionInput {
        condition_name: told.name.clone(),
        trigger_type: told.trigger.clone(),
        gift_card_pool_id: pool,
        reward_description: told.reward.clone(),
        delivery_channel: Some(told.channel.clone()),
        sms_template: text(
            "Hi {{first_name|there}}, {{company}} says thank you. Your {{amount}} {{brand}} card: {{card}} Questions: {{support_phone}}",
        ),
        email_subject: text("Your {{amount}} {{brand}} card from {{company}}"),
        email_template: text(
            "Hello {{first_name|there}},\n\nthank you for answering {{campaign}}. Your {{amount}} {{brand}} card: {{card}}\n\n{{company}}, {{support_phone}}",
        ),
        ..ConditionInput::default()
    }
}
