//! `fixtures/story.json`: the named people and businesses of the demo.

use anyhow::Context;
use content::forms::FormConfig;
use kernel::role::Role;
use serde::Deserialize;

/// Compiled in, so that a binary alone can show the demo.
const STORY: &str = include_str!("../../../../fixtures/story.json");

/// Everybody and everything in it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Story {
    /// How many weeks it lasts.
    pub weeks: i64,
    /// Whoever runs ACE.
    pub operator: Operator,
    /// The tenants.
    pub organizations: Vec<Organization>,
    /// Where people live, by name.
    pub regions: std::collections::BTreeMap<String, Region>,
    /// What contacts are made of.
    pub first_names: Vec<String>,
    /// What contacts are made of.
    pub last_names: Vec<String>,
    /// What contacts are made of.
    pub streets: Vec<String>,
    /// What agents write.
    pub call_notes: Vec<String>,
}

/// Whoever runs ACE.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// The organization's name.
    pub name: String,
    /// Its people.
    pub people: Vec<Person>,
}

/// Somebody who signs in.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// Where they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
}

/// An agency or a business on its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its name.
    pub name: String,
    /// `agency` or `direct`.
    pub kind: String,
    /// Credits a piece and a reward cost.
    pub prices: serde_json::Value,
    /// People of the organization itself.
    pub people: Vec<Person>,
    /// Its clients.
    pub clients: Vec<Client>,
}

/// A business that mails.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// A word of the enum.
    pub industry: String,
    /// Where its contacts live.
    pub region: String,
    /// Percent of all contacts that are its.
    pub share: usize,
    /// Its IANA time zone.
    pub time_zone: String,
    /// Its website.
    pub website: String,
    /// The number recipients may call.
    pub support_phone: String,
    /// Primary and secondary colour.
    pub colours: [String; 2],
    /// Credits granted at the beginning.
    pub credits: i32,
    /// Its people.
    pub people: Vec<Person>,
    /// Its lists, each imported from a file of its own.
    pub lists: Vec<List>,
    /// Its stock.
    pub pools: Vec<Pool>,
    /// Its tracked numbers.
    pub numbers: Vec<Number>,
    /// Its form.
    pub form: Form,
    /// Its landing page.
    pub page: Page,
    /// What its recipients write into open questions.
    pub remarks: Vec<String>,
    /// Its campaigns.
    pub campaigns: Vec<Campaign>,
}

/// A list of contacts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Its name.
    pub name: String,
    /// Percent of the client's contacts on it.
    pub percent: usize,
    /// Where they came from.
    pub source: String,
}

/// A pool of gift cards; how many is reckoned from the campaigns that use it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its name.
    pub name: String,
    /// A shipped brand.
    pub brand: String,
    /// What a card is worth.
    pub value: String,
    /// Percent more cards than the campaigns promise.
    pub spare_percent: usize,
}

/// A number printed on pieces.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// The number.
    pub number: String,
    /// What people call it.
    pub name: String,
    /// Where calls go.
    pub forward_to: String,
    /// The campaign whose pieces show it.
    pub campaign: String,
}

/// A form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Fields, settings, reveal.
    pub config: FormConfig,
}

/// A landing page, made of a built-in one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Page {
    /// Its name.
    pub name: String,
    /// The built-in page it begins with.
    pub starter: String,
}

/// A campaign and what becomes of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Campaign {
    /// Its name.
    pub name: String,
    /// To whom.
    pub list: String,
    /// The piece's size.
    pub size: String,
    /// `standard` or `first_class`.
    pub postage: String,
    /// The piece.
    pub template: Template,
    /// What recipients have to do.
    pub conditions: Vec<Condition>,
    /// Cards promised for each reward, in percent of the recipients.
    pub cards_percent: usize,
    /// On which day of the story it takes which step.
    pub days: Days,
    /// What its recipients do.
    pub response: Response,
}

/// A mail piece.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// The front's text.
    pub front: String,
    /// The back's text.
    pub back: String,
}

/// Something to do and what it earns.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What people call it.
    pub name: String,
    /// `form_submit` or `call`.
    pub trigger: String,
    /// The pool the reward comes from.
    pub pool: Option<String>,
    /// What people read about the reward.
    pub reward: Option<String>,
    /// `sms`, `email` or `choice`.
    pub channel: String,
}

/// Days of the story, from 0.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// The draft.
    pub created: i64,
    /// Draft to ready.
    pub launched: Option<i64>,
    /// Ready to in production.
    pub production: Option<i64>,
    /// In production to mailed.
    pub mailed: Option<i64>,
    /// Active to completed.
    pub completed: Option<i64>,
}

/// Percentages.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// Recipients who visit.
    pub visit: u64,
    /// Of those, by the QR.
    pub scan: u64,
    /// Visitors who submit the form.
    pub submit: u64,
    /// Recipients who call.
    pub call: u64,
}

/// Where people live.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Two letters.
    pub state: String,
    /// Telephone area codes.
    pub area_codes: Vec<String>,
    /// Towns.
    pub towns: Vec<Town>,
}

/// A town.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Town {
    /// Its name.
    pub name: String,
    /// Some of its ZIP codes.
    pub zips: Vec<String>,
}

impl Story {
    /// Reads it.
    ///
    /// # Errors
    /// When the file was edited into something else.
    pub fn read() -> anyhow::Result<Self> {
        serde_json::from_str(STORY).context("fixtures/story.json")
    }
}

impl Client {
    /// How many of `all` contacts are on the list with this name.
    pub fn size_of(&self, list: &str, all: usize) -> usize {
        let list = self.lists.iter().find(|known| known.name == list);
        list.map_or(0, |list| (self.contacts(all) * list.percent / 100).max(1))
    }

    /// How many of `all` contacts are this client's.
    pub fn contacts(&self, all: usize) -> usize {
        all * self.share / 100
    }
}

impl Campaign {
    /// Cards promised for each reward.
    pub fn cards_per_reward(&self, client: &Client, all: usize) -> usize {
        (client.size_of(&self.list, all) * self.cards_percent / 100).max(1)
    }

    /// Whether it gets as far as having recipients.
    pub fn is_launched(&self) -> bool {
        self.days.launched.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(story: &Story) -> impl Iterator<Item = &Client> {
        story.organizations.iter().flat_map(|organization| &organization.clients)
    }

    #[test]
    fn the_story_has_every_role_every_status_and_names_only_what_it_has() {
        let story = Story::read().unwrap();
        let people = clients(&story).flat_map(|client| &client.people);
        let people = people.chain(story.organizations.iter().flat_map(|o| &o.people)).chain(&story.operator.people);
        let roles: std::collections::BTreeSet<&str> = people.map(|person| person.role.as_str()).collect();
        assert_eq!(roles.len(), 6);
        assert_eq!(clients(&story).map(|client| client.share).sum::<usize>(), 100);
        for client in clients(&story) {
            assert!(story.regions.contains_key(&client.region), "{}", client.region);
            for campaign in &client.campaigns {
                assert!(client.lists.iter().any(|list| list.name == campaign.list), "{}", campaign.list);
                let pools = campaign.conditions.iter().filter_map(|condition| condition.pool.as_ref());
                for pool in pools {
                    assert!(client.pools.iter().any(|known| known.name == *pool), "{pool}");
                }
            }
        }
    }

    #[test]
    fn every_number_of_the_story_is_one_kept_free_for_stories() {
        let story = Story::read().unwrap();
        let codes = story.regions.values().flat_map(|region| &region.area_codes);
        let made = codes.map(|code| format!("({code}) 555-0123"));
        let written =
            clients(&story).flat_map(|c| c.numbers.iter().map(|n| n.number.clone()).chain([c.support_phone.clone()]));
        for number in made.chain(written) {
            assert!(kernel::phone::normalise(&number, "US").is_some(), "{number}");
            assert!(number.contains("555-01"), "{number}");
        }
    }
}
