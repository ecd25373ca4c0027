//! A small world: a campaign of Acme with recipients, conditions and pools, and a provider that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jobs::Registry;
use kernel::{Actor, new_id};
use messaging::Channel;
use providers::{Accepted, Drivers, OutgoingEmail, OutgoingSms, SendError, Sending};
use rewards::{Claim, Claimed, Outcome};
use testkit::TestApp;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

pub struct World {
    pub test: TestApp,
    pub admin: Client,
    pub client_id: Uuid,
    pub drivers: Drivers,
    pub provider: Arc<Provider>,
}

/// Answers what the test laid ready, and takes everything once nothing is left.
#[derive(Default)]
pub struct Provider {
    answers: Mutex<VecDeque<SendError>>,
    pub texts: Mutex<Vec<(String, String)>>,
    name: Mutex<u32>,
}

impl Provider {
    pub fn then(&self, error: SendError) {
        self.answers.lock().unwrap().push_back(error);
    }

    pub fn sent(&self) -> Vec<(String, String)> {
        self.texts.lock().unwrap().clone()
    }

    fn take(&self, to: &str, text: &str) -> Result<Accepted, SendError> {
        let answer = self.answers.lock().unwrap().pop_front();
        // an ambiguous answer: the message did go out
        if !matches!(answer, Some(SendError::Permanent { .. } | SendError::Temporary { .. })) {
            self.texts.lock().unwrap().push((to.to_owned(), text.to_owned()));
        }
        match answer {
            Some(error) => Err(error),
            None => {
                let mut name = self.name.lock().unwrap();
                *name += 1;
                Ok(Accepted { provider: "twilio", provider_message_id: format!("SM{name:032}") })
            }
        }
    }
}

pub struct Sms(Arc<Provider>);
pub struct Email(Arc<Provider>);

impl providers::SmsDriver for Sms {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn send<'a>(&'a self, message: &'a OutgoingSms) -> Sending<'a> {
        Box::pin(async move { self.0.take(&message.to, &message.body) })
    }
}

impl providers::EmailDriver for Email {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn send<'a>(&'a self, message: &'a OutgoingEmail) -> Sending<'a> {
        Box::pin(async move { self.0.take(&message.to, &message.text) })
    }
}

fn drivers(app: &web::App) -> Drivers {
    Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap()
}

impl World {
    /// With the sandbox as provider.
    pub async fn new() -> Self {
        let test = TestApp::new(|app| rewards::routes(app).merge(messaging::routes(app, &drivers(app)))).await;
        let (drivers, admin) = (drivers(&test.app), test.database.admin().await);
        let client_id = test.story.acme.id;
        Self { test, admin, client_id, drivers, provider: Arc::default() }
    }

    /// With a provider that does as the test says.
    pub async fn scripted() -> Self {
        let mut world = Self::new().await;
        world.drivers.sms = Arc::new(Sms(world.provider.clone()));
        world.drivers.email = Arc::new(Email(world.provider.clone()));
        world
    }

    pub async fn run(&self, sql: &str, params: Params<'_>) {
        if let Err(error) = self.admin.execute(sql, params).await {
            panic!("{error}: {:?}: {sql}", error.as_db_error().map(|db| db.message().to_owned()));
        }
    }

    pub async fn count(&self, sql: &str, params: Params<'_>) -> i64 {
        self.admin.query_one(sql, params).await.unwrap().get(0)
    }

    pub async fn word(&self, sql: &str, params: Params<'_>) -> String {
        self.admin.query_one(sql, params).await.unwrap().get::<_, Option<String>>(0).unwrap_or_default()
    }

    pub async fn brand(&self) -> Uuid {
        let id = new_id();
        let sql =
            "insert into gift_card_brands (id, brand_name, redemption_url) values ($1, $2, 'https://brand.example')";
        self.run(sql, &[&id, &format!("Brand {id}")]).await;
        id
    }

    pub async fn pool(&self, cards: usize) -> Uuid {
        let brand = self.brand().await;
        let input = rewards::actions::pools::PoolInput {
            pool_name: format!("Pool {brand}"),
            brand_id: brand.to_string(),
            value_amount: "25".into(),
        };
        let pool = rewards::actions::pools::create(&self.test.app, &self.test.operator(), self.client_id, &input)
            .await
            .unwrap();
        if cards > 0 {
            self.upload(pool, cards).await;
        }
        pool
    }

    pub async fn upload(&self, pool: Uuid, cards: usize) {
        let lines: String = (0..cards).map(|_| format!("{}\n", new_id().simple())).collect();
        let file = std::io::Cursor::new(format!("code\n{lines}").into_bytes());
        let report = rewards::upload::run(&self.test.app, &self.test.operator(), pool, file).await.unwrap();
        assert_eq!(report.added, cards, "{report:?}");
    }

    /// A campaign whose first condition earns a card of `pool`, and whose second earns nothing.
    pub async fn campaign(&self, pool: Uuid) -> Uuid {
        let id = new_id();
        let slug = format!("c-{}", id.simple());
        let sql = "insert into campaigns (id, client_id, name, slug) values ($1, $2, 'Spring', $3)";
        self.run(sql, &[&id, &self.client_id, &slug]).await;
        for number in [1, 2] {
            let sql = "insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
                       values ($1, $2, $3, $4, 'Done', 'form_submit')";
            self.run(sql, &[&new_id(), &self.client_id, &id, &number]).await;
        }
        let sql = "insert into campaign_reward_configs
                     (id, client_id, campaign_id, condition_number, gift_card_pool_id, sms_template, email_template)
                   values ($1, $2, $3, 1, $4, 'SMS {{first_name|there}}: {{code}}', 'Mail {{first_name|there}}: {{code}}')";
        self.run(sql, &[&new_id(), &self.client_id, &id, &pool]).await;
        id
    }

    /// Somebody with a number and an address.
    pub async fn recipient(&self, campaign: Uuid) -> Uuid {
        let (id, contact) = (new_id(), new_id());
        let code: String = id.simple().to_string().to_uppercase();
        let phone =
            format!("+1614555{:04}", u16::from_be_bytes([id.as_bytes()[14], id.as_bytes()[15]]) % 9_000 + 1_000);
        let email = format!("{}@example.com", id.simple());
        let sql = "insert into contacts (id, client_id, customer_code, first_name, phone, email) values ($1, $2, $3, 'Ada', $4, $5)";
        self.run(sql, &[&contact, &self.client_id, &code, &phone, &email]).await;
        let sql = "insert into recipients (id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name, phone, email)
                   values ($1, $2, $3, $4, $5, $6, 'Ada', $7, $8)";
        self.run(sql, &[&id, &self.client_id, &campaign, &contact, &&code[20..], &&code[22..], &phone, &email]).await;
        id
    }

    pub fn actor(&self) -> Actor {
        Actor::client(self.client_id)
    }

    pub fn to_claim(&self, campaign: Uuid, recipient: Uuid) -> Claim {
        Claim::new(self.client_id, campaign, recipient, 1).to(Channel::Sms, "+16145550123")
    }

    /// Somebody new meets the first condition of a campaign; who it was, and what came of it.
    pub async fn newcomer(&self, campaign: Uuid) -> (Uuid, Outcome) {
        let recipient = self.recipient(campaign).await;
        (recipient, self.claim(&self.to_claim(campaign, recipient)).await.outcome)
    }

    /// How many cards a recipient has.
    pub async fn cards_of(&self, recipient: Uuid) -> i64 {
        self.count("select count(*) from gift_cards where recipient_id = $1", &[&recipient]).await
    }

    /// Promises cards that are in the pool to a campaign.
    pub async fn promise(&self, campaign: Uuid, pool: Uuid, cards: i32) {
        let sql =
            "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
                   values (gen_random_uuid(), $1, $2, $3, $4, now(), now())
                   on conflict (campaign_id, pool_id) do update set reserved = campaign_reservations.reserved + excluded.reserved";
        self.run(sql, &[&self.client_id, &campaign, &pool, &cards]).await;
        self.run("update gift_card_pools set reserved_cards = reserved_cards + $2 where id = $1", &[&pool, &cards])
            .await;
    }

    /// Every reward of Acme's organization costs so many credits.
    pub async fn price(&self, credits: i32) {
        let sql = "update organizations set settings_json = jsonb_build_object('prices', jsonb_build_object('reward', $2::int4)) where id = $1";
        self.run(sql, &[&self.test.story.northside, &credits]).await;
    }

    /// Grants credits.
    pub async fn grant(&self, credits: i32) {
        let grant = rewards::actions::credits::GrantInput {
            amount: credits.to_string(),
            note: "of a test".into(),
            ..Default::default()
        };
        rewards::actions::credits::grant(
            &self.test.app,
            &self.test.operator(),
            self.client_id,
            &grant,
            &kernel::version::Expected::any(),
        )
        .await
        .unwrap();
    }

    /// Uploads one card for each last day; an empty one never expires.
    pub async fn upload_until(&self, pool: Uuid, days: &[&str]) {
        let lines: String = days.iter().map(|day| format!("{},{day}\n", new_id().simple())).collect();
        let file = std::io::Cursor::new(format!("code,expiry\n{lines}").into_bytes());
        let report = rewards::upload::run(&self.test.app, &self.test.operator(), pool, file).await.unwrap();
        assert_eq!(report.added, days.len(), "{report:?}");
    }

    pub async fn claim(&self, claim: &Claim) -> Claimed {
        let actor = self.actor();
        rewards::claim_now(&self.test.app.scope(&actor), claim, self.test.app.clock.now()).await.unwrap()
    }

    /// Claims a card that goes out by SMS; answers its message.
    pub async fn claim_by_sms(&self, campaign: Uuid, recipient: Uuid) -> (Uuid, Uuid) {
        let phone = self.word("select phone from recipients where id = $1", &[&recipient]).await;
        let claimed = self.claim(&self.to_claim(campaign, recipient).to(Channel::Sms, phone)).await;
        assert_eq!(claimed.outcome, Outcome::Claimed);
        (claimed.message_id.unwrap(), claimed.gift_card_id.unwrap())
    }

    /// Runs everything that is due.
    pub async fn work(&self) {
        let registry = messaging::jobs(Registry::new(), &self.test.app, &self.drivers);
        let registry = rewards::jobs(registry, &self.test.app);
        jobs::drain(&self.test.app.db, &self.test.app.clock, &registry).await.unwrap();
    }

    pub fn later(&self, seconds: i64) {
        self.test.clock().advance(chrono::Duration::seconds(seconds));
    }

    /// Every rule of both rooms, recounted as `ace doctor` does.
    pub async fn check(&self) {
        let operator = self.test.operator();
        for (rule, statement) in rewards::INVARIANTS.iter().chain(messaging::INVARIANTS) {
            let broken: i64 = self.test.app.scope(&operator).query_scalar(statement, &[]).await.unwrap();
            assert_eq!(broken, 0, "{rule}");
        }
    }
}
