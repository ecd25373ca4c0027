//! What every test of a campaign begins with: contacts on a list, a mail piece, a published page with a form, a pool.

use campaigns::actions::draft::{self, CampaignInput, ConditionInput};
use campaigns::actions::launch;
use campaigns::actions::steps::{self, Wish};
use campaigns::meet::{Met, Trigger, meet};
use kernel::Actor;
use testkit::TestApp;
use uuid::Uuid;

/// The application with everything a campaign of Acme can be made of.
pub struct World {
    pub test: TestApp,
    pub admin: tokio_postgres::Client,
    pub client_id: Uuid,
    pub list_id: Uuid,
    pub template_id: Uuid,
    pub landing_page_id: Uuid,
    pub form_id: Uuid,
    pub pool_id: Uuid,
}

impl World {
    /// Acme with `contacts` mailable contacts on a list and `cards` in a pool.
    pub async fn with(contacts: i32, cards: i32) -> Self {
        let test = TestApp::new(campaigns::routes).await;
        let admin = test.database.admin().await;
        let client_id = test.story.acme.id;
        let ids: Vec<Uuid> = (0..7).map(|_| kernel::new_id()).collect();
        let [list_id, template_id, landing_page_id, version_id, form_id, brand_id, pool_id] = ids[..] else { panic!() };
        let now = test.app.clock.now();
        let sql = "insert into contact_lists (id, client_id, name) values ($1, $2, 'Homeowners')";
        admin.execute(sql, &[&list_id, &client_id]).await.unwrap();
        let sql = "insert into templates (id, client_id, name, size) values ($1, $2, 'Spring card', '6x9')";
        admin.execute(sql, &[&template_id, &client_id]).await.unwrap();
        let sql = "insert into ace_forms (id, client_id, name, is_active) values ($1, $2, 'Estimate', true)";
        admin.execute(sql, &[&form_id, &client_id]).await.unwrap();
        let sql = "insert into landing_pages (id, client_id, name, content_json)
                   values ($1, $2, 'Spring page', jsonb_build_object('form_id', $3::text))";
        admin.execute(sql, &[&landing_page_id, &client_id, &form_id.to_string()]).await.unwrap();
        let sql = "insert into landing_page_versions (id, client_id, landing_page_id, version, html, published_at)
                   values ($1, $2, $3, 1, '<p>Hi</p>', $4)";
        admin.execute(sql, &[&version_id, &client_id, &landing_page_id, &now]).await.unwrap();
        let sql =
            "update landing_pages set is_published = true, published_at = $2, published_version_id = $3 where id = $1";
        admin.execute(sql, &[&landing_page_id, &now, &version_id]).await.unwrap();
        let sql = "insert into gift_card_brands (id, brand_name) values ($1, 'Roof Depot')";
        admin.execute(sql, &[&brand_id]).await.unwrap();
        let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount) values ($1, $2, $3, '$25 Roof Depot', 25)";
        admin.execute(sql, &[&pool_id, &client_id, &brand_id]).await.unwrap();
        let world = Self { test, admin, client_id, list_id, template_id, landing_page_id, form_id, pool_id };
        world.add_contacts(contacts, "false", "'1 Main St'").await;
        world.add_cards(cards).await;
        world
    }

    /// Contacts on the list; the two last are SQL of `do_not_contact` and of the address.
    pub async fn add_contacts(&self, count: i32, do_not_contact: &str, address: &str) {
        let sql = format!(
            "with made as (
                insert into contacts (id, client_id, customer_code, first_name, last_name, phone, do_not_contact,
                    address, city, state, zip)
                select gen_random_uuid(), $1, 'C' || upper(substr(md5(random()::text), 1, 12)), 'Pat', 'No ' || n,
                    '+1614555' || lpad(n::text, 4, '0'), {do_not_contact}, {address}, 'Columbus', 'OH', '43215'
                from generate_series(1, $3::int4) as n
                returning id)
            insert into contact_list_members (id, client_id, list_id, contact_id)
            select gen_random_uuid(), $1, $2, id from made"
        );
        self.admin.execute(&sql, &[&self.client_id, &self.list_id, &count]).await.unwrap();
    }

    /// Cards in the pool, with its counters.
    pub async fn add_cards(&self, count: i32) {
        let sql =
            "insert into gift_cards (id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount)
                   select gen_random_uuid(), $1, $2, 'sealed', decode(md5(random()::text || n), 'hex'), 'AB12', 25
                   from generate_series(1, $3::int4) as n";
        self.admin.execute(sql, &[&self.client_id, &self.pool_id, &count]).await.unwrap();
        let sql = "update gift_card_pools set total_cards = total_cards + $2, available_cards = available_cards + $2 where id = $1";
        self.admin.execute(sql, &[&self.pool_id, &count]).await.unwrap();
    }

    /// The owner of Acme, who may do everything with campaigns but approve.
    pub fn owner(&self) -> Actor {
        self.test.story.acme_owner.actor()
    }

    /// Another pool like the first, with `cards`.
    pub async fn second_pool(&self, cards: i32) -> Uuid {
        let id = kernel::new_id();
        let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount)
                   select $1, client_id, brand_id, 'Second', 25 from gift_card_pools where id = $2";
        self.admin.execute(sql, &[&id, &self.pool_id]).await.unwrap();
        let sql =
            "insert into gift_cards (id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount)
                   select gen_random_uuid(), $1, $2, 'sealed', decode(md5(random()::text || n), 'hex'), 'CD34', 25
                   from generate_series(1, $3::int4) as n";
        self.admin.execute(sql, &[&self.client_id, &id, &cards]).await.unwrap();
        let sql = "update gift_card_pools set total_cards = $2, available_cards = $2 where id = $1";
        self.admin.execute(sql, &[&id, &cards]).await.unwrap();
        id
    }

    /// A launched campaign that is in the mail, and its recipients.
    pub async fn mailed(&self, input: &CampaignInput) -> (Uuid, Vec<Uuid>) {
        let (id, _) = self.launched(input).await;
        self.step(id, "in_production").await.unwrap();
        self.step(id, "mailed").await.unwrap();
        let sql = "select id from recipients where campaign_id = $1 order by id";
        let rows = self.admin.query(sql, &[&id]).await.unwrap();
        (id, rows.iter().map(|row| row.get(0)).collect())
    }

    /// Something a recipient did, and nothing more.
    pub fn met(&self, campaign_id: Uuid, recipient_id: Uuid, trigger: Trigger) -> Met {
        let client_id = self.client_id;
        let (channel, phone, email, notes) = (None, None, None, None);
        Met { client_id, campaign_id, recipient_id, trigger, channel, phone, email, notes, most_per_address: 5 }
    }

    /// Meets as a transaction of its own.
    pub async fn meet(&self, met: &Met) -> kernel::Result<Vec<rewards::Outcome>> {
        let actor = Actor::client(self.client_id);
        let tx = self.test.app.scope(&actor).transaction().await?;
        let conditions = meet(&tx, met).await?;
        tx.commit().await?;
        Ok(conditions.iter().map(|condition| condition.claimed.outcome).collect())
    }

    /// A draft that lacks nothing: one condition, one reward.
    pub fn input(&self) -> CampaignInput {
        CampaignInput {
            name: "Spring 2026".into(),
            size: Some("6x9".into()),
            contact_list_id: Some(self.list_id),
            template_id: Some(self.template_id),
            landing_page_id: Some(self.landing_page_id),
            conditions: vec![self.condition("form_submit")],
            ..CampaignInput::default()
        }
    }

    /// A condition that earns a card of the pool.
    pub fn condition(&self, trigger: &str) -> ConditionInput {
        ConditionInput {
            trigger_type: trigger.into(),
            gift_card_pool_id: Some(self.pool_id),
            sms_template: Some("Hi {{first_name|there}}: {{code}}".into()),
            ..ConditionInput::default()
        }
    }

    /// Makes a draft.
    pub async fn draft(&self, input: &CampaignInput) -> (Uuid, String) {
        draft::create(&self.test.app, &self.owner(), self.client_id, input).await.unwrap()
    }

    /// Begins a launch and does its work, as the worker does.
    pub async fn launch(&self, id: Uuid) {
        launch::begin(&self.test.app, &self.owner(), (self.client_id, id), &kernel::version::Expected::any())
            .await
            .unwrap();
        self.work().await;
    }

    /// Runs everything that is due.
    pub async fn work(&self) {
        let app = &self.test.app;
        let registry = rewards::jobs(campaigns::jobs(jobs::Registry::new(), app), app);
        jobs::drain(&app.db, &app.clock, &registry).await.unwrap();
    }

    /// A launched campaign.
    pub async fn launched(&self, input: &CampaignInput) -> (Uuid, String) {
        let (id, slug) = self.draft(input).await;
        self.launch(id).await;
        assert_eq!(self.status(id).await, "ready");
        (id, slug)
    }

    /// Takes a step as the owner.
    pub async fn step(&self, id: Uuid, to: &str) -> kernel::Result<()> {
        let wish = Wish { to: to.into(), ..Wish::default() };
        steps::take(&self.test.app, &self.owner(), (self.client_id, id), &wish, &kernel::version::Expected::any()).await
    }

    /// A campaign's status.
    pub async fn status(&self, id: Uuid) -> String {
        let row = self.admin.query_one("select status::text from campaigns where id = $1", &[&id]).await.unwrap();
        row.get(0)
    }

    /// The first column of a statement about one id, as a count.
    pub async fn count(&self, sql: &str, id: Uuid) -> i64 {
        self.admin.query_one(sql, &[&id]).await.unwrap().get(0)
    }

    /// Every rule of this room holds.
    pub async fn assert_sound(&self) {
        for (rule, statement) in campaigns::INVARIANTS.iter().chain(rewards::INVARIANTS) {
            let broken: i64 = self.admin.query_one(statement.sql, &[]).await.unwrap().get(0);
            assert_eq!(broken, 0, "{rule}");
        }
    }
}
