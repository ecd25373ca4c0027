//! Meeting a condition: something a recipient did is held against the campaign's conditions, and what it earns is
//! claimed in the same transaction.

use chrono::{DateTime, Duration, Utc};
use database::{FromRow, Transaction};
use jobs::{NewJob, enqueue};
use kernel::Result;
use kernel::money::Money;
use messaging::Channel;
use messaging::consent::{self, Open};
use rewards::{Claim, Claimed, Outcome};
use rust_decimal::Decimal;
use serde_json::json;
use uuid::Uuid;

use crate::actions::held;
use crate::store::conditions::{self, Condition};

/// The job that meets a `time_delay` condition when its time has come.
pub const TIME_DELAY_JOB: &str = "campaigns.time_delay";

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// A form was submitted.
    FormSubmit {
        /// Which one.
        form_id: Uuid,
    },
    /// An agent confirmed a call.
    Call {
        /// The agent.
        agent_id: Option<Uuid>,
        /// The call.
        session_id: Option<Uuid>,
        /// Only this condition; every active `call` condition when absent.
        condition_number: Option<i32>,
    },
    /// The link was visited.
    PurlVisit,
    /// The QR was scanned.
    QrScan,
    /// The piece was delivered.
    MailDelivered,
    /// The hours of this `time_delay` condition have passed.
    TimePassed {
        /// Which condition.
        condition_number: i32,
    },
}

/// What a recipient did, and where a reward should go.
#[derive(Debug, Clone)]
pub struct Met {
    /// The client.
    pub client_id: Uuid,
    /// The campaign.
    pub campaign_id: Uuid,
    /// The recipient.
    pub recipient_id: Uuid,
    /// What happened.
    pub trigger: Trigger,
    /// The channel the person or the agent chose.
    pub channel: Option<Channel>,
    /// A phone given just now; the recipient's own when absent.
    pub phone: Option<String>,
    /// An e-mail address given just now; the recipient's own when absent.
    pub email: Option<String>,
    /// What the agent noted.
    pub notes: Option<String>,
    /// Rewards that one address gets within a day before the next one waits for a person's look
    /// (`limits.rewards_per_address_per_day`); 0 for any number.
    pub most_per_address: u32,
}

/// A condition that is met now, just or earlier.
#[derive(Debug, Clone)]
pub struct MetCondition {
    /// Its place.
    pub condition_number: i32,
    /// What people call it.
    pub condition_name: String,
    /// What came of the claim.
    pub claimed: Claimed,
}

#[derive(FromRow)]
struct About {
    status: String,
    campaign_name: String,
    client_name: String,
    support_phone: Option<String>,
    contact_id: Option<Uuid>,
    phone: Option<String>,
    email: Option<String>,
    /// What was known before this act.
    on_file: Vec<String>,
    /// Rewards that went to the phone, and to the e-mail address, within a day.
    sms_rewards: i64,
    email_rewards: i64,
}

database::statement! {
    /// What a claim needs to know about campaign, client and recipient; the contact is asked first: whoever has
    /// another number or address than at launch has it there. What only strangers gave, and what a form has filled into the
    /// contact in this very transaction, was not on file. Both addresses are this transaction's alone from here on, so that their rewards of the day are counted exactly.
    ABOUT, app, "
        select c.status::text as status, c.name as campaign_name, cl.name as client_name, cl.support_phone, r.contact_id,
            coalesce(co.mobile_phone, co.phone, launch.phone) as phone, coalesce(co.email, launch.email) as email,
            app.on_file(
                co.unconfirmed,
                variadic array[r.phone, r.email]
                || case when co.updated_at < $6 then array[co.mobile_phone, co.phone, co.email] end) as on_file,
            app.rewards_to($1, coalesce($4, co.mobile_phone, co.phone, launch.phone), $7, $8) as sms_rewards,
            app.rewards_to($1, coalesce($5, co.email, launch.email), $7, $8) as email_rewards
        from recipients r
        join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
        join clients cl on cl.id = r.client_id
        left join contacts co on co.client_id = r.client_id and co.id = r.contact_id
        cross join lateral (
            select case when r.phone = any (co.unconfirmed) then null else r.phone end as phone,
                case when r.email = any (co.unconfirmed) then null else r.email end as email) launch
        where r.client_id = $1
          and r.campaign_id = $2
          and r.id = $3"
}

/// Meets every active condition of the trigger, each at most once, and claims what it earns. A campaign that is not
/// in the mail yet, or is over, meets nothing. A phone or an address given with it also serves what was earned before
/// and had nowhere to go.
///
/// # Errors
/// `NotFound` when the recipient is not of that client and campaign, or what the database answered.
pub async fn meet(tx: &Transaction, met: &Met) -> Result<Vec<MetCondition>> {
    let mut about = about(tx, met).await?;
    if !["mailed", "active"].contains(&about.status.as_str()) {
        return Ok(Vec::new());
    }
    let all = conditions::list_in(tx, met.client_id, met.campaign_id).await?;
    let open = open(tx, met, &about).await?;
    let mut served = supply(tx, met, (&about, open), &all).await?;
    let fitting: Vec<_> = all.iter().filter(|one| one.is_active && fits(one, met.trigger)).collect();
    rewards::take_turns(tx, fitting.iter().filter_map(|condition| condition.gift_card_pool_id)).await?;
    let (mut done, mut given, mut is_held) = (Vec::new(), Vec::new(), false);
    for condition in fitting {
        let claim = claim(met, &about, open, condition);
        let claimed = rewards::claim(tx, &claim).await?;
        if claimed.outcome != Outcome::AlreadyMet {
            schedule_next(tx, met, condition, &all).await?;
            if condition.gift_card_pool_id.is_some() && claimed.outcome != Outcome::ConsentNeeded {
                given.extend(claim.to.as_ref().filter(|to| about.is_new(to)).map(|_| condition.condition_number));
                is_held |= claim.hold.is_some();
                about.count(claim.to.as_ref());
            }
        }
        served.extend(claimed.left_waiting());
        done.push(MetCondition {
            condition_number: condition.condition_number,
            condition_name: condition.condition_name.clone(),
            claimed,
        });
    }
    let ids = (met.client_id, met.recipient_id);
    if !given.is_empty() {
        held::mark_given(tx, ids, &given).await?;
    }
    if is_held {
        held::alert(tx, ids, met.campaign_id).await?;
    }
    // Last of all: the keys of jobs come behind every other lock.
    rewards::actions::stock::fulfil_soon_at(tx, met.client_id, served).await?;
    Ok(done)
}

async fn about(tx: &Transaction, met: &Met) -> Result<About> {
    let params: database::Params<'_> = &[
        &met.client_id,
        &met.campaign_id,
        &met.recipient_id,
        &met.phone,
        &met.email,
        &tx.now(),
        &(tx.now() - rewards::elsewhere::WITHIN),
        &(met.most_per_address > 0),
    ];
    tx.query_one(&ABOUT, params).await
}

impl About {
    /// Whether an address was given with this act and not on file before.
    fn is_new(&self, (_, address): &(Channel, String)) -> bool {
        !self.on_file.contains(address)
    }

    /// One more went there.
    fn count(&mut self, to: Option<&(Channel, String)>) {
        match to {
            Some((Channel::Sms, _)) => self.sms_rewards += 1,
            Some((Channel::Email, _)) => self.email_rewards += 1,
            None => {}
        }
    }
}

/// By which ways the person may be written to, at what was given now or is on file.
async fn open(tx: &Transaction, met: &Met, about: &About) -> Result<Open> {
    let phone = met.phone.as_deref().or(about.phone.as_deref());
    let email = met.email.as_deref().or(about.email.as_deref());
    consent::open_ways(tx, met.client_id, about.contact_id, (phone, email)).await
}

/// What was given now is also where those rewards go that had no address so far, if the person may be written to
/// there. Answers the pools at which they stand from now on.
async fn supply(tx: &Transaction, met: &Met, (about, open): (&About, Open), all: &[Condition]) -> Result<Vec<Uuid>> {
    let mut pools = Vec::new();
    if met.phone.is_none() && met.email.is_none() {
        return Ok(pools);
    }
    let waiting = rewards::address::unaddressed(tx, met.client_id, met.recipient_id).await?;
    for reward in &waiting {
        let condition = all.iter().find(|condition| condition.condition_number == reward.condition_number);
        let to = condition.and_then(|condition| address(met, about, open, condition));
        let Some(to) = to.filter(|(channel, _)| open.is(*channel)) else { continue };
        rewards::address::supply(tx, met.client_id, reward, &to).await?;
        pools.push(reward.pool_id);
    }
    if !pools.is_empty() {
        rewards::address::settle(tx, met.client_id, met.recipient_id).await?;
    }
    Ok(pools)
}

fn fits(condition: &Condition, trigger: Trigger) -> bool {
    let word = condition.trigger_type.as_str();
    match trigger {
        Trigger::FormSubmit { form_id } => {
            word == "form_submit" && condition.form_id.is_none_or(|wanted| wanted == form_id)
        }
        Trigger::Call { condition_number, .. } => {
            word == "call" && condition_number.is_none_or(|number| number == condition.condition_number)
        }
        Trigger::PurlVisit => word == "purl_visit",
        Trigger::QrScan => word == "qr_scan",
        Trigger::MailDelivered => word == "mail_delivered",
        Trigger::TimePassed { condition_number } => {
            word == "time_delay" && condition_number == condition.condition_number
        }
    }
}

fn claim(met: &Met, about: &About, open: Open, condition: &Condition) -> Claim {
    let (agent_id, call_session_id) = match met.trigger {
        Trigger::Call { agent_id, session_id, .. } => (agent_id, session_id),
        _ => (None, None),
    };
    let to = address(met, about, open, condition);
    let hold = to.as_ref().and_then(|(channel, _)| hold(met, about, *channel));
    let other_way = to.as_ref().and_then(|(channel, _)| match channel {
        Channel::Sms => met.email.clone(),
        Channel::Email => met.phone.clone(),
    });
    Claim {
        client_id: met.client_id,
        campaign_id: met.campaign_id,
        recipient_id: met.recipient_id,
        condition_number: condition.condition_number,
        to,
        merge: json!({
            "campaign": about.campaign_name,
            "company": about.client_name,
            "support_phone": about.support_phone.as_deref().map(kernel::phone::display),
            "brand": condition.brand_name,
            "amount": condition.value_amount.and_then(amount),
            rewards::address::OTHER_WAY: other_way,
        }),
        agent_id,
        call_session_id,
        notes: met.notes.clone(),
        hold,
    }
}

/// One address gets only so many rewards within a day; the next one is kept until a person has looked.
fn hold(met: &Met, about: &About, channel: Channel) -> Option<String> {
    let rewards = match channel {
        Channel::Sms => about.sms_rewards,
        Channel::Email => about.email_rewards,
    };
    let most = i64::from(met.most_per_address);
    (most > 0 && rewards >= most).then(|| held::REASON.to_owned())
}

fn amount(value: Decimal) -> Option<String> {
    Money::from_decimal(value).map(|money| money.to_string())
}

/// The channel and the address: what an agent chose with the caller, else what the reward says, else what was chosen,
/// falling back to the one that is known and by which the person may be written to. Where there is none, the one that
/// is closed: the claim says so and takes no card.
fn address(met: &Met, about: &About, open: Open, condition: &Condition) -> Option<(Channel, String)> {
    let phone = met.phone.as_ref().or(about.phone.as_ref());
    let email = met.email.as_ref().or(about.email.as_ref());
    let set_up = match condition.delivery_channel.as_deref() {
        Some("sms") => Some(Channel::Sms),
        Some("email") => Some(Channel::Email),
        _ => None,
    };
    let sms = || phone.map(|phone| (Channel::Sms, phone.clone()));
    let mail = || email.map(|email| (Channel::Email, email.clone()));
    let wished = match met.trigger {
        Trigger::Call { .. } => met.channel.or(set_up),
        _ => set_up.or(met.channel),
    };
    let ways = match wished.unwrap_or(Channel::Sms) {
        Channel::Sms => [sms(), mail()],
        Channel::Email => [mail(), sms()],
    };
    let known = || ways.iter().flatten();
    known().find(|(channel, _)| open.is(*channel)).or_else(|| known().next()).cloned()
}

/// A `time_delay` condition right behind the one just met starts its clock.
async fn schedule_next(tx: &Transaction, met: &Met, condition: &Condition, all: &[Condition]) -> Result<()> {
    let next = all.iter().find(|next| next.condition_number == condition.condition_number + 1);
    let Some(next) = next.filter(|next| next.is_active && next.trigger_type == "time_delay") else { return Ok(()) };
    schedule(tx, met, next, tx.now()).await
}

async fn schedule(tx: &Transaction, met: &Met, condition: &Condition, from: DateTime<Utc>) -> Result<()> {
    let run_at = from + Duration::hours(i64::from(condition.time_delay_hours.unwrap_or(0)));
    let number = condition.condition_number;
    let payload =
        json!({ "campaign_id": met.campaign_id, "recipient_id": met.recipient_id, "condition_number": number });
    let job = NewJob::new(TIME_DELAY_JOB, payload)
        .client(met.client_id)
        .unique(format!("{TIME_DELAY_JOB}:{}:{number}", met.recipient_id))
        .run_at(run_at);
    enqueue(tx, &job).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about(phone: Option<&str>, email: Option<&str>) -> About {
        About {
            status: "active".into(),
            campaign_name: String::new(),
            client_name: String::new(),
            support_phone: None,
            contact_id: None,
            phone: phone.map(Into::into),
            email: email.map(Into::into),
            on_file: [phone, email].into_iter().flatten().map(Into::into).collect(),
            sms_rewards: 0,
            email_rewards: 0,
        }
    }

    const BOTH: Open = Open { sms: true, email: true };

    fn met(channel: Option<Channel>) -> Met {
        Met {
            client_id: Uuid::nil(),
            campaign_id: Uuid::nil(),
            recipient_id: Uuid::nil(),
            trigger: Trigger::PurlVisit,
            channel,
            phone: None,
            email: None,
            notes: None,
            most_per_address: 5,
        }
    }

    fn condition(channel: &str) -> Condition {
        Condition {
            condition_number: 1,
            trigger_type: "purl_visit".into(),
            is_active: true,
            delivery_channel: Some(channel.into()),
            ..Condition::default()
        }
    }

    #[test]
    fn the_other_address_given_goes_along_for_when_the_first_way_fails() {
        let on_file = about(Some("+16145550100"), Some("file@example.com"));
        let given = Met { email: Some("given@example.com".into()), ..met(None) };
        let claimed = claim(&given, &on_file, BOTH, &condition("sms"));
        assert_eq!(claimed.to, Some((Channel::Sms, "+16145550100".into())));
        assert_eq!(claimed.merge[rewards::address::OTHER_WAY], "given@example.com");
        let by_mail = claim(&given, &on_file, BOTH, &condition("email"));
        assert!(by_mail.merge[rewards::address::OTHER_WAY].is_null(), "that is where it goes already");
    }

    #[test]
    fn the_sixth_reward_to_one_address_waits_for_a_persons_look_and_no_limit_holds_none() {
        let mut to_phone = about(Some("+16145550100"), None);
        for n in 0..7 {
            let claimed = claim(&met(None), &to_phone, BOTH, &condition("sms"));
            assert_eq!(claimed.hold.is_some(), n >= 5, "{n}");
            assert_eq!(claim(&Met { most_per_address: 0, ..met(None) }, &to_phone, BOTH, &condition("sms")).hold, None);
            to_phone.count(claimed.to.as_ref());
        }
    }

    #[test]
    fn a_reward_goes_where_it_was_set_up_then_chosen_then_wherever_somebody_can_be_reached() {
        let both = about(Some("+16145550100"), Some("a@example.com"));
        let channel = |met: &Met, about: &About, set_up: &str| {
            address(met, about, BOTH, &condition(set_up)).map(|(channel, _)| channel)
        };
        assert_eq!(channel(&met(None), &both, "choice"), Some(Channel::Sms));
        assert_eq!(channel(&met(Some(Channel::Email)), &both, "choice"), Some(Channel::Email));
        assert_eq!(channel(&met(Some(Channel::Email)), &both, "sms"), Some(Channel::Sms));
        let agent = Trigger::Call { condition_number: None, agent_id: None, session_id: None };
        let called = |channel| Met { trigger: agent, ..met(channel) };
        assert_eq!(channel(&called(Some(Channel::Email)), &both, "sms"), Some(Channel::Email), "as the caller likes");
        assert_eq!(channel(&called(None), &both, "email"), Some(Channel::Email));
        assert_eq!(channel(&met(None), &about(None, Some("a@example.com")), "sms"), Some(Channel::Email));
        assert_eq!(channel(&met(None), &about(None, None), "sms"), None);
    }

    #[test]
    fn a_reward_goes_by_the_way_that_is_open_and_names_the_closed_one_where_none_is() {
        let both = about(Some("+16145550100"), Some("a@example.com"));
        let channel =
            |sms, email| address(&met(None), &both, Open { sms, email }, &condition("sms")).map(|(channel, _)| channel);
        assert_eq!(channel(true, true), Some(Channel::Sms));
        assert_eq!(channel(false, true), Some(Channel::Email), "they opted out of texts only");
        assert_eq!(channel(false, false), Some(Channel::Sms), "which the claim refuses");
    }
}
