//! The weeks of the story, moment by moment: campaigns take their steps, recipients answer, agents take calls,
//! messages leave and arrive. The clock is set by hand.

use kernel::version::Expected;
use std::collections::BTreeMap;

use calls::actions::handle::{self, CallInput, Delivery};
use calls::call::DISPOSITIONS;
use campaigns::store::recipients::Recipient;
use campaigns::store::search::{self, Search};
use chrono::{DateTime, Duration, DurationRound, NaiveTime, Utc};
use futures_util::future::try_join_all;
use kernel::zone;
use uuid::Uuid;

use super::designs::{self, Designs};
use super::dice::Dice;
use super::fate::{self, Deed, Happening, Mailing};
use super::marker::{self, Marker};
use super::people::Tenant;
use super::steps::{self, Step};
use super::story::{Campaign, Client};
use super::strangers::{Strangers, TRAVEL};
use super::{Demo, Progress};

/// Recipients read by one statement.
const PAGE: i64 = 5_000;
/// People come to work: campaigns take their steps then.
const OFFICE: NaiveTime = match NaiveTime::from_hms_opt(10, 5, 0) {
    Some(time) => time,
    None => NaiveTime::MIN,
};

/// A client with everything that happens to it.
pub struct Business<'a> {
    /// As it is told.
    pub told: &'a Client,
    /// Who works for it.
    pub tenant: Tenant,
    /// What its campaigns are made of.
    pub designs: Designs,
}

/// A campaign in the mail, with its recipients in their order.
struct Mailed {
    business: usize,
    campaign: usize,
    recipients: Vec<Recipient>,
    ends_at: Option<DateTime<Utc>>,
}

enum What {
    Step(usize, usize, Step),
    Answer(usize, Happening),
}

/// The story as it unfolds.
pub struct Days<'a> {
    demo: &'a Demo,
    strangers: &'a Strangers,
    businesses: &'a [Business<'a>],
    begins_at: DateTime<Utc>,
    mailed: Vec<Mailed>,
    /// What is still to come, in order; the number tells things of the same moment apart.
    ahead: BTreeMap<(DateTime<Utc>, usize), What>,
    count: usize,
    /// Visits left work that does not hurry.
    visited: bool,
}

impl<'a> Days<'a> {
    /// Everything that is known beforehand: the campaigns' steps.
    pub fn new(demo: &'a Demo, strangers: &'a Strangers, businesses: &'a [Business<'a>]) -> Self {
        let begins_at = demo.begins_at();
        let (mailed, ahead) = (Vec::new(), BTreeMap::new());
        let mut days = Self { demo, strangers, businesses, begins_at, mailed, ahead, count: 0, visited: false };
        for (b, business) in businesses.iter().enumerate() {
            for (c, campaign) in business.told.campaigns.iter().enumerate() {
                for (day, step) in Step::of(campaign) {
                    days.plan(days.morning(business.told, day), What::Step(b, c, step));
                }
            }
        }
        days
    }

    /// Lets everything happen up to the story's end. What happened before an interruption does not happen again.
    ///
    /// # Errors
    /// When something was refused that the rules allow.
    pub async fn run(mut self, org_id: Uuid, mut marker: Marker, progress: &mut Progress<'_>) -> anyhow::Result<()> {
        let (all, mut said) = (self.demo.story.weeks, 0);
        while let Some((&(at, _), _)) = self.ahead.first_key_value() {
            if at >= marker.ends_at {
                break;
            }
            let slot = at.duration_trunc(Duration::hours(1))? + Duration::hours(1);
            self.hour(slot.min(marker.ends_at), marker.through).await?;
            if marker.through.is_none_or(|through| through < slot) {
                marker.through = Some(slot.min(marker.ends_at));
                marker::write(&self.demo.scope(), org_id, &marker, self.demo.app.clock.now()).await?;
            }
            let week = (slot - self.begins_at).num_weeks();
            if week > said {
                said = week;
                progress(&format!("week {week} of {all}"));
            }
        }
        Ok(())
    }

    fn plan(&mut self, at: DateTime<Utc>, what: What) {
        self.count += 1;
        self.ahead.insert((at, self.count), what);
    }

    fn morning(&self, told: &Client, day: i64) -> DateTime<Utc> {
        let day = zone::day(self.begins_at, &told.time_zone) + Duration::days(day);
        // Not at the very minute in which other clients take theirs.
        let minutes = Duration::minutes(i64::try_from(told.name.len()).unwrap_or(0) * 3);
        zone::instant(day, OFFICE, &told.time_zone) + minutes
    }

    /// Everything up to `end`: visits together, the rest one after the other, then the work it left.
    async fn hour(&mut self, end: DateTime<Utc>, through: Option<DateTime<Utc>>) -> anyhow::Result<()> {
        let later = self.ahead.split_off(&(end, 0));
        let now = std::mem::replace(&mut self.ahead, later);
        let news = |at: DateTime<Utc>| through.is_none_or(|through| at >= through);
        let mut visits = Vec::new();
        for ((at, _), what) in &now {
            if let What::Answer(m, Happening { who, deed: Deed::Visit { qr, bot }, .. }) = what
                && news(*at)
                && let Some(recipient) = self.mailed[*m].recipients.get(*who)
            {
                visits.push(self.strangers.visit(recipient, *at, (*qr, *bot)));
            }
        }
        self.visited |= !visits.is_empty();
        try_join_all(visits).await?;
        let mut busy = false;
        for ((at, _), what) in now {
            match what {
                What::Step(b, c, step) => self.step((b, c, step), at, news(at)).await?,
                What::Answer(m, happening) if news(at) => {
                    self.demo.app.clock.set(at);
                    busy |= self.answer(m, happening).await?;
                }
                What::Answer(..) => {}
            }
        }
        if busy {
            self.work().await?;
        }
        Ok(())
    }

    /// Messages leave and arrive, and what follows from that.
    async fn work(&mut self) -> anyhow::Result<()> {
        self.visited = false;
        self.demo.work().await?;
        let mut arrived = 0;
        for _ in 0..2 {
            self.demo.app.clock.advance(TRAVEL);
            arrived += self.strangers.callbacks().await?;
        }
        if arrived > 0 {
            self.demo.work().await?;
        }
        Ok(())
    }

    async fn step(&mut self, (b, c, step): (usize, usize, Step), at: DateTime<Utc>, news: bool) -> anyhow::Result<()> {
        let business = &self.businesses[b];
        let told = &business.told.campaigns[c];
        if news {
            self.demo.app.clock.set(at);
        }
        if self.visited {
            self.work().await?;
        }
        let id = steps::take(self.demo, (&business.tenant, &business.designs), (business.told, told), step).await?;
        match step {
            Step::Launch => designs::give_numbers(self.demo, business.told, &business.tenant).await?,
            Step::Mail => self.answers((b, c), id, at).await?,
            Step::Create | Step::Produce | Step::Complete => {}
        }
        Ok(())
    }

    /// The pieces are in the mail: what their recipients are going to do.
    async fn answers(&mut self, (b, c): (usize, usize), campaign_id: Uuid, at: DateTime<Utc>) -> anyhow::Result<()> {
        let business = &self.businesses[b];
        let (told, client) = (&business.told.campaigns[c], business.told);
        let recipients = everybody(self.demo, business.tenant.id, campaign_id).await?;
        let mailing =
            Mailing { name: &told.name, time_zone: &client.time_zone, mailed_at: at, response: told.response };
        let happenings: Vec<Happening> = (0..recipients.len()).flat_map(|who| fate::of(&mailing, who)).collect();
        let ends_at = told.days.completed.map(|day| self.morning(client, day));
        let place = self.mailed.len();
        self.mailed.push(Mailed { business: b, campaign: c, recipients, ends_at });
        for happening in happenings {
            if self.mailed[place].ends_at.is_none_or(|end| happening.at < end) {
                self.plan(happening.at, What::Answer(place, happening));
            }
        }
        Ok(())
    }

    /// A submission or a call; whether anything happened that leaves work.
    async fn answer(&self, place: usize, happening: Happening) -> anyhow::Result<bool> {
        let mailed = &self.mailed[place];
        let business = &self.businesses[mailed.business];
        let Some(recipient) = mailed.recipients.get(happening.who) else { return Ok(false) };
        match happening.deed {
            Deed::Visit { .. } => return Ok(false),
            Deed::Submit => self.strangers.submit(business.told, business.designs.form_id, recipient).await?,
            Deed::Call { end, seconds } => {
                let told = &business.told.campaigns[mailed.campaign];
                call(self.demo, (business, told), recipient, (end, seconds)).await?;
            }
        }
        Ok(true)
    }
}

/// An agent takes a call: the recipient is found, checked, and what they called for confirmed.
async fn call(
    demo: &Demo,
    (business, told): (&Business<'_>, &Campaign),
    recipient: &Recipient,
    (end, seconds): (usize, i64),
) -> anyhow::Result<()> {
    let mut dice = Dice::of(&["call", &recipient.id.to_string()], 0);
    let (app, client_id) = (&demo.app, business.tenant.id);
    let Some(agent) = dice.pick(&business.tenant.agents) else { return Ok(()) };
    let mut input = CallInput {
        id: dice.id(),
        recipient_id: recipient.id,
        caller_phone: String::new(),
        opened_at: Some(app.clock.now() - Duration::seconds(seconds)),
        notes: if dice.chance(55) {
            dice.pick(&demo.story.call_notes).cloned().unwrap_or_default()
        } else {
            String::new()
        },
        identity_checked: vec!["name".into(), if dice.chance(50) { "address" } else { "phone" }.into()],
        disposition: String::new(),
    };
    let condition = (1..).zip(&told.conditions).find(|(_, condition)| condition.trigger == "call");
    if let Some((number, _)) = condition.filter(|_| end == 0) {
        let phone = recipient.phone.is_none().then(|| format!("(614) 555-01{:02}", dice.below(100)));
        let delivery = Delivery { phone: phone.unwrap_or_default(), ..Delivery::default() };
        handle::confirm(app, agent, (client_id, &input), number, &delivery).await?;
    }
    DISPOSITIONS[end % DISPOSITIONS.len()].0.clone_into(&mut input.disposition);
    Ok(handle::save(app, agent, client_id, &input, &Expected::any()).await?)
}

async fn everybody(demo: &Demo, client_id: Uuid, campaign_id: Uuid) -> anyhow::Result<Vec<Recipient>> {
    let mut all: Vec<Recipient> = Vec::new();
    loop {
        let after = all.last().map(|recipient| recipient.id);
        let wanted = Search { campaign_id: Some(campaign_id), after, ..Search::default() };
        let mut page = search::search(&demo.scope(), client_id, wanted, PAGE).await?;
        let more = page.len() > usize::try_from(PAGE)?;
        page.truncate(usize::try_from(PAGE)?);
        all.extend(page);
        if !more {
            return Ok(all);
        }
    }
}
