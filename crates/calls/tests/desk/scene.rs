//! A running campaign of Acme with one recipient and one card, written past every room so that only ours is tested.

use rand::SeedableRng;
use testkit::{Story, TestApp};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

/// What the scene is made of.
pub struct Scene {
    pub test: TestApp,
    pub admin: Client,
    pub campaign_id: Uuid,
    pub recipient_id: Uuid,
    pub contact_id: Uuid,
    /// As it is printed: `XXXX-XXXX-XXXX`.
    pub code: String,
}

impl Scene {
    /// Maria Lopez of Columbus holds a piece of Acme's running campaign: calling earns the pool's only card.
    pub async fn set() -> Self {
        Self::with_cards(1).await
    }

    pub async fn with_cards(cards: i32) -> Self {
        let test = TestApp::new(calls::routes).await;
        let admin = test.database.admin().await;
        let code = kernel::codes::RedemptionCode::generate(&mut rand::rngs::StdRng::seed_from_u64(7));
        let (campaign_id, recipient_id, contact_id) = (kernel::new_id(), kernel::new_id(), kernel::new_id());
        let scene = Self { test, admin, campaign_id, recipient_id, contact_id, code: code.to_string() };
        scene.campaign().await;
        scene.recipient(code.as_str()).await;
        scene.reward(cards).await;
        scene
    }

    pub fn story(&self) -> &Story {
        &self.test.story
    }

    pub fn at(&self, path: &str) -> String {
        format!("/acme-roofing/{path}")
    }

    pub fn desk(&self) -> String {
        self.at(&format!("desk/{}", self.recipient_id))
    }

    pub async fn run(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) {
        self.admin.execute(sql, params).await.unwrap();
    }

    pub async fn one<T: tokio_postgres::types::FromSqlOwned>(&self, sql: &str) -> T {
        self.admin.query_one(sql, &[]).await.unwrap().get(0)
    }

    async fn campaign(&self) {
        let acme = &self.story().acme.id;
        self.run("insert into campaigns (id, client_id, name, slug, no_mail_piece) values ($1, $2, 'Spring roof check', 'spring-roof-check', true)", &[&self.campaign_id, acme]).await;
        for status in ["ready", "in_production", "mailed"] {
            self.run(
                "update campaigns set status = $2::text::campaign_status where id = $1",
                &[&self.campaign_id, &status],
            )
            .await;
        }
        let sql = "insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type) values ($1, $2, $3, $4, $5, $6)";
        for (number, name, trigger) in [(1, "Asked for a quote", "form_submit"), (2, "Booked by phone", "call")] {
            self.run(sql, &[&kernel::new_id(), acme, &self.campaign_id, &number, &name, &trigger]).await;
        }
    }

    async fn recipient(&self, code: &str) {
        let acme = &self.story().acme.id;
        self.run("insert into contacts (id, client_id, customer_code, first_name, last_name) values ($1, $2, 'C-1001', 'Maria', 'Lopez')", &[&self.contact_id, acme]).await;
        let sql = "insert into recipients (id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name,
                last_name, phone, address, city, state, zip)
            values ($1, $2, $3, $4, $5, '0123456789', 'Maria', 'Lopez', '+16145550123', '12 Elm St', 'Columbus', 'OH', '43004')";
        self.run(sql, &[&self.recipient_id, acme, &self.campaign_id, &self.contact_id, &code]).await;
    }

    async fn reward(&self, cards: i32) {
        let (brand, pool, acme) = (kernel::new_id(), kernel::new_id(), &self.story().acme.id);
        self.run("insert into gift_card_brands (id, brand_name) values ($1, 'Test Coffee')", &[&brand]).await;
        let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount, total_cards, available_cards) values ($1, $2, $3, 'Coffee 10', 10, $4, $4)";
        self.run(sql, &[&pool, acme, &brand, &cards]).await;
        for n in 0..cards {
            let sql = "insert into gift_cards (id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount) values ($1, $2, $3, 'sealed', $4, 'WXYZ', 10)";
            self.run(sql, &[&kernel::new_id(), acme, &pool, &n.to_be_bytes().to_vec()]).await;
        }
        let sql = "insert into campaign_reward_configs (id, client_id, campaign_id, condition_number, gift_card_pool_id, reward_description)
            values ($1, $2, $3, 2, $4, '$10 Test Coffee card')";
        self.run(sql, &[&kernel::new_id(), acme, &self.campaign_id, &pool]).await;
    }

    /// What the agent's form sends, with the call's id in the URL.
    pub fn call_path(&self, call: Uuid) -> String {
        format!("{}?call={call}", self.desk())
    }
}
