//! The check list before launch: what is missing, what deserves a second look, what is fine.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use rewards::codes::BRAND_OFF;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::view::{count, number, piece_size};

use crate::store::campaigns::Campaign;
use crate::store::conditions::{self, Condition};
use crate::store::stock::{self, PoolStock};
use crate::texts;

/// How an entry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CheckLevel)]
pub enum Level {
    /// In order.
    Done,
    /// Works, but deserves a second look.
    Warning,
    /// Must be mended before launch.
    Missing,
}

impl Level {
    /// The word the page marks the entry with.
    pub fn mark(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Warning => "warning",
            Self::Missing => "problem",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CheckItem {
    /// How it stands.
    pub level: Level,
    /// The stable error code, where it has one: `GC-002` for a brand that is switched off.
    pub code: Option<&'static str>,
    /// The field it is about.
    pub field: String,
    /// What is so, and what to do.
    pub text: String,
    /// The wizard's step where it is mended: `audience`, `design`, `page`, `conditions`, `review`.
    pub step: &'static str,
    /// The pool that has too few cards: there it is mended.
    #[serde(skip)]
    pub pool_id: Option<Uuid>,
}

/// Numbers the check list and the estimate are made of.
#[derive(Debug, Clone, Default, FromRow, Serialize, ToSchema)]
pub struct Facts {
    /// Contacts on the list.
    pub contacts: i64,
    /// Of those, contacts who are not to be contacted.
    pub do_not_contact: i64,
    /// Contacts without an address.
    pub no_address: i64,
    /// Contacts with an address that the post cannot deliver to.
    pub undeliverable: i64,
    /// Of those, contacts that can be mailed.
    pub mailable: i64,
    /// The template's size.
    pub template_size: Option<String>,
    /// Whether the landing page is published.
    pub page_published: Option<bool>,
    /// The form recipients get: the campaign's, or the landing page's.
    pub form_id: Option<Uuid>,
    /// Whether that form is open.
    pub form_active: Option<bool>,
    /// Of the forms that conditions ask for by name, those that are closed.
    pub closed_forms: Vec<Uuid>,
    /// The client's credits.
    pub credits: i32,
    /// Of those, promised to other campaigns.
    pub credits_promised: i32,
    /// Credits a piece costs; none where there is no mail piece.
    pub price_piece: i32,
    /// Credits a reward costs.
    pub price_reward: i32,
}

database::statement! {
    /// Everything the check list needs to know, in one statement.
    FACTS, app, "
        select
            coalesce(people.contacts, 0) as contacts,
            coalesce(people.do_not_contact, 0) as do_not_contact,
            coalesce(people.no_address, 0) as no_address,
            coalesce(people.undeliverable, 0) as undeliverable,
            coalesce(people.mailable, 0) as mailable,
            t.size::text as template_size,
            lp.is_published as page_published,
            f.id as form_id,
            f.is_active and f.archived_at is null as form_active,
            array(
                select distinct own.id
                from campaign_conditions cc
                join ace_forms own on own.client_id = cc.client_id and own.id = cc.form_id
                where cc.client_id = c.client_id
                  and cc.campaign_id = c.id
                  and cc.is_active
                  and (not own.is_active or own.archived_at is not null)) as closed_forms,
            cl.credits,
            cl.credits_reserved - c.credits_promised as credits_promised,
            case when c.no_mail_piece then 0 else app.price(c.client_id, 'piece') end as price_piece,
            app.price(c.client_id, 'reward') as price_reward
        from campaigns c
        join clients cl on cl.id = c.client_id
        left join templates t on t.client_id = c.client_id and t.id = c.template_id and t.archived_at is null
        left join landing_pages lp
            on lp.client_id = c.client_id
            and lp.id = c.landing_page_id
            and lp.archived_at is null
        left join ace_forms f
            on f.client_id = c.client_id
            and f.id = coalesce(c.form_id, (lp.content_json ->> 'form_id')::uuid)
        left join lateral (
            select
                count(*) as contacts,
                count(*) filter (where p.do_not_contact) as do_not_contact,
                count(*) filter (where not p.do_not_contact and post.refusal = 'no_address') as no_address,
                count(*) filter (where not p.do_not_contact and post.refusal <> 'no_address') as undeliverable,
                count(*) filter (where not p.do_not_contact and post.refusal is null) as mailable
            from contact_list_members m
            join contacts p on p.client_id = m.client_id and p.id = m.contact_id
            cross join lateral (
                select app.undeliverable(p.address, p.city, p.state, p.zip, p.country) as refusal
                offset 0) as post
            where m.client_id = c.client_id
              and m.list_id = c.contact_list_id) as people on true
        where c.client_id = $1
          and c.id = $2"
}

/// The check list of a campaign with the numbers behind it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Checklist {
    /// The entries, in the order of the wizard.
    pub items: Vec<CheckItem>,
    /// The numbers.
    pub facts: Facts,
    /// Cards each reward needs.
    pub cards_per_reward: i64,
    /// Credits the pieces and the rewards can cost.
    pub credits_needed: i64,
}

impl Facts {
    /// How many contacts are skipped and why, one sentence each: `1 contact has no address`.
    pub fn skipped(&self) -> Vec<String> {
        let why = [
            (self.do_not_contact, "is not to be contacted", "are not to be contacted"),
            (self.no_address, "has no address", "have no address"),
            (
                self.undeliverable,
                "has an address that cannot be delivered to",
                "have an address that cannot be delivered to",
            ),
        ];
        let some = why.into_iter().filter(|(contacts, ..)| *contacts > 0);
        some.map(|(contacts, one, many)| {
            format!("{} {}", count(contacts, "contact"), if contacts == 1 { one } else { many })
        })
        .collect()
    }
}

impl Checklist {
    /// Whether nothing is missing.
    pub fn ready(&self) -> bool {
        self.items.iter().all(|item| item.level != Level::Missing)
    }
}

/// Makes the check list.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn make(scope: &Scope<'_>, campaign: &Campaign, now: DateTime<Utc>) -> Result<Checklist> {
    let facts: Facts = scope.query_one(&FACTS, &[&campaign.client_id, &campaign.id]).await?;
    let conditions = conditions::list(scope, campaign.client_id, campaign.id).await?;
    let stock = stock::list(scope, campaign.client_id, campaign.id, now).await?;
    Ok(judge(campaign, facts, &conditions, &stock))
}

/// The rules, without the database.
fn judge(campaign: &Campaign, facts: Facts, conditions: &[Condition], stock: &[PoolStock]) -> Checklist {
    let cards = campaign.cards_per_reward.map_or(facts.mailable, i64::from);
    let rewards = i64::try_from(conditions.iter().filter(|c| c.gift_card_pool_id.is_some()).count()).unwrap_or(0);
    let credits_needed =
        facts.mailable * i64::from(facts.price_piece) + cards * rewards * i64::from(facts.price_reward);
    let mut items = vec![audience(campaign, &facts), design(campaign, &facts)];
    items.extend(page(campaign, &facts));
    if conditions.is_empty() {
        items.push(item(Level::Warning, "conditions", "conditions", "No condition: nothing can be earned."));
    }
    for condition in conditions {
        items.push(judge_condition(condition, &facts));
    }
    items.extend(texts::remarks(campaign, conditions, stock));
    items.extend(stock.iter().map(|pool| closed(pool).unwrap_or_else(|| enough(pool, cards * pool.rewards))));
    items.push(credits(&facts, credits_needed));
    Checklist { items, facts, cards_per_reward: cards, credits_needed }
}

fn item(level: Level, field: &str, step: &'static str, text: impl Into<String>) -> CheckItem {
    CheckItem { level, code: None, field: field.to_owned(), text: text.into(), step, pool_id: None }
}

fn audience(campaign: &Campaign, facts: &Facts) -> CheckItem {
    let at = |level, text: String| item(level, "contact_list_id", "audience", text);
    match (campaign.contact_list_id, facts.mailable) {
        (None, _) => at(Level::Missing, "Choose a contact list.".into()),
        (Some(_), 0) => {
            at(Level::Missing, format!("None of the {} on the list can be mailed.", count(facts.contacts, "contact")))
        }
        (Some(_), mailable) if mailable < facts.contacts => at(
            Level::Warning,
            format!(
                "{} of {} can be mailed; {} will be skipped.",
                number(mailable),
                count(facts.contacts, "contact"),
                number(facts.contacts - mailable)
            ),
        ),
        (Some(_), mailable) => at(Level::Done, format!("{} can be mailed.", count(mailable, "contact"))),
    }
}

fn design(campaign: &Campaign, facts: &Facts) -> CheckItem {
    let at = |level, field: &str, text: &str| item(level, field, "design", text);
    if campaign.no_mail_piece {
        return at(Level::Done, "no_mail_piece", "No mail piece: printed elsewhere or not at all.");
    }
    match (&campaign.size, &facts.template_size) {
        (_, None) => at(Level::Missing, "template_id", "Choose a mail piece, or say that there is none."),
        (None, Some(_)) => at(Level::Missing, "template_id", "Choose the mail piece again: its size comes with it."),
        (Some(size), Some(template)) if size != template => {
            let text = format!("The mail piece is {}, the campaign {}.", piece_size(template), piece_size(size));
            item(Level::Missing, "template_id", "design", text)
        }
        (Some(size), Some(_)) => {
            item(Level::Done, "template_id", "design", format!("Mail piece of size {}.", piece_size(size)))
        }
    }
}

fn page(campaign: &Campaign, facts: &Facts) -> Vec<CheckItem> {
    let at = |level, field: &str, text: &str| item(level, field, "page", text);
    let target = match (campaign.lp_mode.as_str(), &campaign.base_lp_url, facts.page_published) {
        ("redirect", Some(_), _) => at(Level::Done, "base_lp_url", "Links lead to your own page."),
        ("redirect", None, _) => at(Level::Missing, "base_lp_url", "Say where links lead, or choose a landing page."),
        (_, _, None) => at(Level::Missing, "landing_page_id", "Choose a landing page."),
        (_, _, Some(false)) => {
            at(Level::Missing, "landing_page_id", "Publish the landing page: recipients cannot see the draft.")
        }
        (_, _, Some(true)) => at(Level::Done, "landing_page_id", "The landing page is published."),
    };
    let mut items = vec![target];
    match facts.form_active {
        Some(true) => items.push(at(Level::Done, "form_id", "The form is open.")),
        Some(false) => items.push(at(Level::Missing, "form_id", "Open the form: nobody can fill it in yet.")),
        None => {}
    }
    items
}

fn judge_condition(condition: &Condition, facts: &Facts) -> CheckItem {
    let n = condition.condition_number;
    let at = |level, text: String| item(level, &format!("conditions/{}", n - 1), "conditions", text);
    let name = &condition.condition_name;
    match condition.trigger_type.as_str() {
        "form_submit" if condition.form_id.or(facts.form_id).is_none() => {
            at(Level::Missing, format!("{n}. {name}: the landing page has no form."))
        }
        "form_submit" if condition.form_id.is_some_and(|own| facts.closed_forms.contains(&own)) => {
            at(Level::Missing, format!("{n}. {name}: open its form: nobody can fill it in."))
        }
        "crm_event" if condition.crm_event_name.is_none() => {
            at(Level::Missing, format!("{n}. {name}: name the CRM event."))
        }
        "time_delay" if condition.time_delay_hours.is_none() => {
            at(Level::Missing, format!("{n}. {name}: say how many hours."))
        }
        "form_submit" if condition.form_id.is_some() && condition.form_id != facts.form_id => {
            at(Level::Warning, format!("{n}. {name}: its form is not the one recipients get on their page."))
        }
        "mail_delivered" | "crm_event" => {
            at(Level::Warning, format!("{n}. {name}: nothing tells ACE of that yet, so nobody will meet it."))
        }
        _ => match condition.gift_card_pool_id {
            None => at(Level::Warning, format!("{n}. {name}: earns nothing.")),
            Some(_) if condition.sms_template.is_none() && condition.email_template.is_none() => {
                at(Level::Warning, format!("{n}. {name}: has no text of its own; a plain one is sent."))
            }
            Some(_) => at(Level::Done, format!("{n}. {name}")),
        },
    }
}

/// Why nothing new can be promised from a pool, if so. What was promised before goes on being handed out.
pub(crate) fn closed(pool: &PoolStock) -> Option<CheckItem> {
    let PoolStock { pool_name: name, brand_name: brand, .. } = pool;
    let field = format!("conditions/{}/gift_card_pool_id", pool.condition_number - 1);
    let at = |text: String| item(Level::Missing, &field, "conditions", text);
    if pool.archived {
        return Some(at(format!("{name} is archived: choose another pool.")));
    }
    let off = at(format!("{name} holds cards of {brand}, a brand that is switched off (GC-002): choose another pool."));
    (!pool.brand_active).then_some(CheckItem { code: Some(BRAND_OFF), ..off })
}

/// A pool with everything this campaign needs of it.
fn enough(pool: &PoolStock, needed: i64) -> CheckItem {
    let (name, free) = (&pool.pool_name, pool.free_cards);
    let cards = count(free, "free card");
    let wanted = number(needed);
    let at = |level, text: String| item(level, "cards_per_reward", "conditions", text);
    if free < needed {
        let missing = at(
            Level::Missing,
            format!(
                "{name} has {cards} and {} needed: upload more, or promise fewer cards for each reward.",
                is_or_are(&wanted, needed)
            ),
        );
        return CheckItem { pool_id: Some(pool.pool_id), ..missing };
    }
    // behaviour.md, section 3: a warning under 110 %
    if free * 100 < needed * 110 {
        return at(Level::Warning, format!("{name} has {cards} for {wanted} needed: little is left over."));
    }
    at(Level::Done, format!("{name} has {cards} for {wanted} needed."))
}

/// `1 is`, `2,000 credits are`.
fn is_or_are(shown: &str, value: i64) -> String {
    format!("{shown} {}", if value == 1 { "is" } else { "are" })
}

fn credits(facts: &Facts, needed: i64) -> CheckItem {
    let promised = i64::from(facts.credits_promised);
    let free = i64::from(facts.credits) - promised;
    let mut have = format!("you have {}", number(i64::from(facts.credits)));
    if promised > 0 {
        have.push_str(&format!(", of which {} promised to other campaigns", is_or_are(&number(promised), promised)));
    }
    let (level, text) = match needed {
        0 => (Level::Done, "No credits are charged.".to_owned()),
        _ if free < needed => {
            (Level::Missing, format!("{} needed, and {have}.", is_or_are(&count(needed, "credit"), needed)))
        }
        _ => (Level::Done, format!("At most {} needed, and {have}.", is_or_are(&count(needed, "credit"), needed))),
    };
    item(level, "credits", "review", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_whose_form_is_closed_stops_a_launch_and_one_that_nobody_can_meet_is_a_warning() {
        let (own, page) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let level = |trigger: &str, number: i32, form_id: Option<Uuid>, closed: &[Uuid]| {
            let condition = Condition {
                condition_number: number,
                trigger_type: trigger.into(),
                form_id,
                crm_event_name: Some("won".into()),
                time_delay_hours: Some(24),
                gift_card_pool_id: Some(Uuid::nil()),
                sms_template: Some("{{code}}".into()),
                ..Condition::default()
            };
            let facts = Facts { form_id: Some(page), closed_forms: closed.to_vec(), ..Facts::default() };
            judge_condition(&condition, &facts).level
        };
        assert_eq!(level("form_submit", 1, None, &[own]), Level::Done);
        assert_eq!(level("form_submit", 1, Some(page), &[own]), Level::Done);
        assert_eq!(level("form_submit", 1, Some(own), &[]), Level::Warning, "another form than the page's");
        assert_eq!(level("form_submit", 1, Some(own), &[own]), Level::Missing);
        assert_eq!(level("crm_event", 2, None, &[]), Level::Warning);
        assert_eq!(level("mail_delivered", 2, None, &[]), Level::Warning);
        assert_eq!(
            (level("time_delay", 1, None, &[]), level("time_delay", 2, None, &[])),
            (Level::Done, Level::Done),
            "its clock starts when the campaign is mailed"
        );
        assert_eq!(level("call", 1, None, &[]), Level::Done);
    }

    #[test]
    fn a_pool_is_missing_tight_or_fine_and_two_rewards_add_up() {
        let level = |free_cards| enough(&pool(free_cards), 100).level;
        assert_eq!(level(99), Level::Missing);
        assert_eq!(enough(&pool(99), 100).pool_id, Some(Uuid::nil()), "cards are uploaded at the pool");
        assert_eq!(level(109), Level::Warning);
        assert_eq!(level(110), Level::Done);
    }

    #[test]
    fn an_archived_pool_and_one_of_a_brand_that_is_off_are_missing_however_full() {
        assert!(closed(&pool(500)).is_none());
        let archived = closed(&PoolStock { archived: true, ..pool(500) }).unwrap();
        assert_eq!((archived.level, archived.code), (Level::Missing, None));
        let off = closed(&PoolStock { brand_active: false, ..pool(500) }).unwrap();
        assert_eq!((off.level, off.code), (Level::Missing, Some("GC-002")));
    }

    fn pool(free_cards: i64) -> PoolStock {
        let (pool_name, brand_name) = ("A".to_owned(), "B".to_owned());
        PoolStock {
            condition_number: 1,
            pool_id: Uuid::nil(),
            with_pin: false,
            with_number: false,
            with_expiry: false,
            pool_name,
            free_cards,
            rewards: 1,
            archived: false,
            brand_name,
            brand_active: true,
        }
    }

    #[test]
    fn the_skipped_are_told_with_their_reason_one_as_one() {
        let facts = Facts { do_not_contact: 1, no_address: 2_000, ..Facts::default() };
        assert_eq!(facts.skipped(), ["1 contact is not to be contacted", "2,000 contacts have no address"]);
        assert_eq!(
            credits(&Facts { credits: 5, ..Facts::default() }, 1).text,
            "At most 1 credit is needed, and you have 5."
        );
    }

    #[test]
    fn credits_are_only_missed_where_something_costs() {
        assert_eq!(credits(&Facts::default(), 0).level, Level::Done);
        assert_eq!(credits(&Facts { credits: 9, ..Facts::default() }, 10).level, Level::Missing);
    }
}
