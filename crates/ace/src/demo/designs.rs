//! What campaigns are made of: credits, gift cards, mail pieces, a form, a landing page, tracked numbers.

use std::collections::BTreeMap;

use calls::actions::numbers::{NumberInput, add};
use content::actions::{forms, landing_pages, templates};
use content::starters;
use kernel::version::Expected;
use rewards::actions::{credits, pools};
use uuid::Uuid;

use super::people::Tenant;
use super::story::{Campaign, Client, Pool, Template};
use super::{Demo, found};

/// How many days a card lasts after the story's end.
const CARDS_LAST: i64 = 300;

/// The ids a client's campaigns refer to.
#[derive(Debug, Clone, Default)]
pub struct Designs {
    /// Pools by name.
    pub pools: BTreeMap<String, Uuid>,
    /// Mail pieces by name.
    pub templates: BTreeMap<String, Uuid>,
    /// The form.
    pub form_id: Uuid,
    /// The landing page.
    pub page_id: Uuid,
}

/// Makes what is not there yet.
///
/// # Errors
/// What an action refused.
pub async fn make(demo: &Demo, told: &Client, tenant: &Tenant) -> anyhow::Result<Designs> {
    grant(demo, told, tenant).await?;
    let mut designs = Designs::default();
    for pool in &told.pools {
        let id = stock(demo, told, (tenant, pool)).await?;
        designs.pools.insert(pool.name.clone(), id);
    }
    for campaign in &told.campaigns {
        let id = template(demo, tenant, campaign).await?;
        designs.templates.insert(campaign.template.name.clone(), id);
    }
    designs.form_id = form(demo, told, tenant).await?;
    designs.page_id = page(demo, told, (tenant, designs.form_id)).await?;
    Ok(designs)
}

/// Gives the numbers to campaigns that are there by now.
///
/// # Errors
/// What an action refused.
pub async fn give_numbers(demo: &Demo, told: &Client, tenant: &Tenant) -> anyhow::Result<()> {
    for number in &told.numbers {
        let e164 = kernel::phone::normalise(&number.number, kernel::phone::DEFAULT_REGION).unwrap_or_default();
        let there = found::id(&demo.scope(), &found::NUMBER, &[&tenant.id, &e164]).await?;
        let campaign = found::id(&demo.scope(), &found::CAMPAIGN, &[&tenant.id, &number.campaign]).await?;
        if let (None, Some(campaign_id)) = (there, campaign) {
            let input = NumberInput {
                phone_number: number.number.clone(),
                forward_to_number: number.forward_to.clone(),
                friendly_name: number.name.clone(),
                campaign_id: campaign_id.to_string(),
            };
            add(&demo.app, &tenant.manager, tenant.id, &input).await?;
        }
    }
    Ok(())
}

async fn grant(demo: &Demo, told: &Client, tenant: &Tenant) -> anyhow::Result<()> {
    if found::id(&demo.scope(), &found::GRANT, &[&tenant.id]).await?.is_none() {
        let note = "Credits to begin with".to_owned();
        let input = credits::GrantInput { amount: told.credits.to_string(), note, ..Default::default() };
        credits::grant(&demo.app, &demo.operator, tenant.id, &input, &Expected::any()).await?;
    }
    Ok(())
}

/// A pool with enough cards for what its campaigns promise, and some to spare.
async fn stock(demo: &Demo, told: &Client, (tenant, pool): (&Tenant, &Pool)) -> anyhow::Result<Uuid> {
    let id = match found::id(&demo.scope(), &found::POOL, &[&tenant.id, &pool.name]).await? {
        Some(id) => id,
        None => {
            let brand = found::id(&demo.scope(), &found::BRAND, &[&pool.brand]).await?;
            let input = pools::PoolInput {
                pool_name: pool.name.clone(),
                brand_id: brand.unwrap_or_default().to_string(),
                value_amount: pool.value.clone(),
            };
            pools::create(&demo.app, &tenant.manager, tenant.id, &input).await?
        }
    };
    let row = rewards::store::pools::find(&demo.scope(), tenant.id, id).await?;
    if row.total_cards == 0 {
        let file = std::io::Cursor::new(cards(demo, told, pool));
        rewards::upload::run(&demo.app, &tenant.manager, id, file).await?.into_result()?;
    }
    Ok(id)
}

/// The file a card vendor would send. The codes are random: the demo's cards are as secret as any.
fn cards(demo: &Demo, told: &Client, pool: &Pool) -> Vec<u8> {
    let uses = |campaign: &Campaign| campaign.conditions.iter().filter(|c| c.pool.as_ref() == Some(&pool.name)).count();
    let launched = told.campaigns.iter().filter(|campaign| campaign.is_launched());
    let promised: usize =
        launched.map(|campaign| campaign.cards_per_reward(told, demo.contacts) * uses(campaign)).sum();
    let number = promised + promised * pool.spare_percent / 100;
    let expires = demo.app.clock.now().date_naive() + chrono::Duration::days(demo.story.weeks * 7 + CARDS_LAST);
    let mut file = "code,expiry\n".to_owned();
    for _ in 0..number.max(1) {
        // digits, which every brand's pattern takes; Target's are one fewer
        let digits = if pool.brand == "Target" { 15 } else { 16 };
        let code: String =
            kernel::random::bytes::<16>().iter().take(digits).map(|byte| char::from(b'0' + byte % 10)).collect();
        file.push_str(&format!("{}-{}-{}-{},{expires}\n", &code[..4], &code[4..8], &code[8..12], &code[12..]));
    }
    file.into_bytes()
}

async fn template(demo: &Demo, tenant: &Tenant, campaign: &Campaign) -> anyhow::Result<Uuid> {
    let Template { name, front, back } = campaign.template.clone();
    if let Some(id) = found::id(&demo.scope(), &found::TEMPLATE, &[&tenant.id, &name]).await? {
        return Ok(id);
    }
    let category = "Demo".to_owned();
    let input = templates::TemplateInput { name, size: campaign.size.clone(), category, front, back };
    Ok(templates::create(&demo.app, &tenant.manager, tenant.id, &input).await?)
}

async fn form(demo: &Demo, told: &Client, tenant: &Tenant) -> anyhow::Result<Uuid> {
    let id = match found::id(&demo.scope(), &found::FORM, &[&tenant.id, &told.form.name]).await? {
        Some(id) => id,
        None => {
            let input = forms::FormInput {
                name: told.form.name.clone(),
                description: told.form.description.clone(),
                form_config: told.form.config.clone(),
            };
            forms::create(&demo.app, &tenant.manager, tenant.id, &input).await?
        }
    };
    if !content::store::forms::find(&demo.scope(), tenant.id, id).await?.is_active {
        forms::set_active(&demo.app, &tenant.manager, (tenant.id, id), true, &Expected::any()).await?;
    }
    Ok(id)
}

async fn page(demo: &Demo, told: &Client, (tenant, form_id): (&Tenant, Uuid)) -> anyhow::Result<Uuid> {
    let name = &told.page.name;
    if let Some(id) = found::id(&demo.scope(), &found::PUBLISHED_PAGE, &[&tenant.id, name]).await? {
        return Ok(id);
    }
    let id = match found::id(&demo.scope(), &found::PAGE, &[&tenant.id, name]).await? {
        Some(id) => id,
        None => {
            let starter = starters::find(&told.page.starter);
            let input = landing_pages::LandingPageInput {
                name: name.clone(),
                html: starter.html.to_owned(),
                css: starter.css.to_owned(),
                form_id: form_id.to_string(),
            };
            landing_pages::create(&demo.app, &tenant.manager, tenant.id, &input).await?
        }
    };
    landing_pages::publish(&demo.app, &tenant.manager, (tenant.id, id), &Expected::any()).await?;
    Ok(id)
}
