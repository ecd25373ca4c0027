//! A campaign of Acme Roofing that is in the mail, with a form, a landing page, and a pool of cards.

use engage::INVARIANTS;
use events::VisitWriter;
use kernel::codes::{PurlToken, RedemptionCode};
use kernel::random;
use messaging::card_code::{self, CardRef, Part};
use serde_json::{Value, json};
use testkit::{Reply, TestApp};
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1";

/// The page, with a value in text and in an attribute.
const HTML: &str = r#"<main class="offer"><h1>Hello {{first_name|there}}</h1><p title="{{last_name}}">{{city}} {{custom_fields.roof}}</p>
{{form}}<a href="{{redemption_url}}">Claim</a><p>{{redemption_code}} {{company}} {{campaign}}</p></main>"#;

pub struct World {
    pub test: TestApp,
    pub admin: Client,
    pub client_id: Uuid,
    pub campaign_id: Uuid,
    pub form_id: Uuid,
    pub pool_id: Uuid,
    pub page_id: Uuid,
    pub version_id: Uuid,
}

#[derive(Debug, Clone)]
pub struct Someone {
    pub id: Uuid,
    pub contact_id: Uuid,
    pub token: String,
    pub code: String,
}

/// A form that asks for a name, an e-mail and a phone.
pub fn form_config() -> Value {
    json!({
        "fields": [
            { "id": "first_name", "type": "text", "label": "First name", "required": true },
            { "id": "email", "type": "email", "label": "E-mail", "required": true },
            { "id": "phone", "type": "phone", "label": "Mobile phone" },
            { "id": "owner", "type": "radio", "label": "Do you own it?", "options": ["Yes", "No"] },
            { "id": "roof_age", "type": "number", "label": "Age of the roof", "required": true,
              "show_if": { "field": "owner", "operator": "equals", "value": "Yes" } },
            { "id": "days", "type": "multiselect", "label": "Which days?", "options": ["Mon", "Tue"] },
            { "id": "ok", "type": "consent", "label": "You may text me", "channel": "sms" }
        ],
        "settings": { "title": "Book an inspection" }
    })
}

/// The same with the code from the letter.
pub fn form_with_code() -> Value {
    json!({ "fields": [
        { "id": "email", "type": "email", "label": "E-mail", "required": true },
        { "id": "code", "type": "gift_card_code", "label": "Code from your letter", "required": true }
    ] })
}

impl World {
    /// With so many cards in the pool.
    pub async fn new(cards: usize) -> Self {
        Self::with(cards, form_config()).await
    }

    pub async fn with(cards: usize, form: Value) -> Self {
        Self::set_up(cards, form, |_| {}).await
    }

    /// The same with other settings.
    pub async fn set_up(cards: usize, form: Value, set: impl FnOnce(&mut kernel::settings::Settings)) -> Self {
        let test = TestApp::with(set, |app| engage::routes(app, VisitWriter::start(&app.db))).await;
        let admin = test.database.admin().await;
        let client_id = test.story.acme.id;
        let ids = [(); 5].map(|()| kernel::new_id());
        let [campaign_id, form_id, pool_id, page_id, version_id] = ids;
        let world = Self { test, admin, client_id, campaign_id, form_id, pool_id, page_id, version_id };
        world.designs(&form).await;
        world.campaign().await;
        world.cards(cards).await;
        world
    }

    async fn designs(&self, form: &Value) {
        let sql = "insert into ace_forms (id, client_id, name, form_config, is_active, is_draft) values ($1, $2, $3, $4, true, false)";
        self.run(sql, &[&self.form_id, &self.client_id, &self.form_id.to_string(), form]).await;
        let content = json!({ "html": HTML, "css": "h1 { color: #333; }", "form_id": self.form_id });
        let sql = "insert into landing_pages (id, client_id, name, editor_type, content_json) values ($1, $2, 'Spring', 'custom', $3)";
        self.run(sql, &[&self.page_id, &self.client_id, &content]).await;
        let sql = "insert into landing_page_versions (id, client_id, landing_page_id, version, html, css, content_json, published_at)
                   values ($1, $2, $3, 1, $4, 'h1 { color: #333; }', $5, '2026-03-01')";
        self.run(sql, &[&self.version_id, &self.client_id, &self.page_id, &HTML, &content]).await;
        let sql = "update landing_pages set is_published = true, published_at = '2026-03-01', published_version_id = $2 where id = $1";
        self.run(sql, &[&self.page_id, &self.version_id]).await;
    }

    async fn campaign(&self) {
        let sql =
            "insert into campaigns (id, client_id, name, slug, landing_page_id, no_mail_piece, base_lp_url, utm_source)
                   values ($1, $2, 'Spring & Co', 'spring', $3, true, 'https://acme.example/offer?a=1', 'mail & more')";
        self.run(sql, &[&self.campaign_id, &self.client_id, &self.page_id]).await;
        let sql = "insert into gift_card_brands (id, brand_name, redemption_url) values ($1, 'Coffee House', 'https://coffee.example/redeem')";
        let brand_id = kernel::new_id();
        self.run(sql, &[&brand_id]).await;
        let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount) values ($1, $2, $3, 'Coffee', 25)";
        self.run(sql, &[&self.pool_id, &self.client_id, &brand_id]).await;
        let sql = "insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
                   values ($1, $2, $3, 1, 'Form', 'form_submit')";
        self.run(sql, &[&kernel::new_id(), &self.client_id, &self.campaign_id]).await;
        let sql = "insert into campaign_reward_configs (id, client_id, campaign_id, condition_number, gift_card_pool_id, sms_template)
                   values ($1, $2, $3, 1, $4, 'Hello {{first_name|there}}: {{code}}')";
        self.run(sql, &[&kernel::new_id(), &self.client_id, &self.campaign_id, &self.pool_id]).await;
        for status in ["ready", "in_production", "mailed"] {
            self.step(status).await;
        }
    }

    /// Takes the campaign a step further.
    pub async fn step(&self, status: &str) {
        let sql = "update campaigns set status = $2::text::campaign_status where id = $1";
        self.run(sql, &[&self.campaign_id, &status]).await;
    }

    /// More cards.
    pub async fn cards(&self, count: usize) {
        for _ in 0..count {
            let id = kernel::new_id();
            let code = format!("CODE-{}", &random::token()[..12].to_uppercase().replace(['-', '_'], "X"));
            let keyring = &self.test.app.keyring;
            let sealed =
                CardRef { client_id: Some(self.client_id), card_id: id }.seal(keyring, Part::Code, &code).unwrap();
            let print = card_code::fingerprint(keyring, &code, card_code::Case::Matters).to_vec();
            let sql =
                "insert into gift_cards (id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount)
                       values ($1, $2, $3, $4, $5, $6, 25)";
            self.run(sql, &[&id, &self.client_id, &self.pool_id, &sealed, &print, &card_code::last4(&code)]).await;
        }
        let sql = "update gift_card_pools set total_cards = total_cards + $2, available_cards = available_cards + $2 where id = $1";
        self.run(sql, &[&self.pool_id, &i32::try_from(count).unwrap()]).await;
    }

    /// A recipient with this name.
    pub async fn someone(&self, first_name: &str) -> Someone {
        let mut generator = random::generator();
        let someone = Someone {
            id: kernel::new_id(),
            contact_id: kernel::new_id(),
            token: PurlToken::generate(&mut generator).to_string(),
            code: RedemptionCode::generate(&mut generator).as_str().to_owned(),
        };
        let sql = "insert into contacts (id, client_id, customer_code, first_name) values ($1, $2, $3, $4)";
        let customer_code = format!("C{}", &someone.token);
        self.run(sql, &[&someone.contact_id, &self.client_id, &customer_code, &first_name]).await;
        let fields = json!({ "roof": "<b>tin</b>" });
        let sql = "insert into recipients (id, client_id, campaign_id, contact_id, redemption_code, purl_token, first_name,
                     last_name, email, phone, city, custom_fields, created_at)
                   values ($1, $2, $3, $4, $5, $6, $7, 'O\"Neil', 'r@example.com', '+16145550142', 'Columbus', $8, '2026-03-01')";
        let params: &[&(dyn ToSql + Sync)] = &[
            &someone.id,
            &self.client_id,
            &self.campaign_id,
            &someone.contact_id,
            &someone.code,
            &someone.token,
            &first_name,
            &fields,
        ];
        self.run(sql, params).await;
        someone
    }

    pub async fn run(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) {
        if let Err(error) = self.admin.execute(sql, params).await {
            panic!("{sql}: {error}: {:?}", error.as_db_error());
        }
    }

    /// One number.
    pub async fn count(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
        self.admin.query_one(sql, params).await.unwrap().get(0)
    }

    /// Visits with a phone.
    pub async fn visit(&self, path: &str) -> Reply {
        self.test.get(path).header("user-agent", PHONE).from_ip("203.0.113.7").await
    }

    /// Sends the form.
    pub async fn send(&self, fields: &[(&str, &str)]) -> Reply {
        self.send_from("203.0.113.7", fields).await
    }

    /// Sends the form from another address.
    pub async fn send_from(&self, ip: &'static str, fields: &[(&str, &str)]) -> Reply {
        self.test.post_form(&format!("/f/{}", self.form_id), &fields).header("user-agent", PHONE).from_ip(ip).await
    }

    /// Replaces the landing page by one of this HTML, published.
    pub async fn publish(&mut self, html: &str) {
        self.version_id = kernel::new_id();
        let content = json!({ "html": html, "css": "", "form_id": self.form_id });
        let sql = "insert into landing_page_versions (id, client_id, landing_page_id, version, html, css, content_json, published_at)
                   select $1, $2, $3, max(version) + 1, $4, '', $5, '2026-03-02' from landing_page_versions where landing_page_id = $3";
        self.run(sql, &[&self.version_id, &self.client_id, &self.page_id, &html, &content]).await;
        let sql = "update landing_pages set published_version_id = $2 where id = $1";
        self.run(sql, &[&self.page_id, &self.version_id]).await;
    }

    /// What `ace doctor` says of this room.
    pub async fn healthy(&self) {
        let operator = self.test.operator();
        for (rule, statement) in INVARIANTS {
            let broken: i64 = self.test.app.scope(&operator).query_scalar(statement, &[]).await.unwrap();
            assert_eq!(broken, 0, "{rule}");
        }
    }
}

/// The value of a hidden input.
pub fn hidden(html: &str, name: &str) -> String {
    let start = html.find(&format!("name=\"{name}\" value=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    html[start..].split('"').nth(3).unwrap().to_owned()
}

/// The code on the page.
pub fn code_on(html: &str) -> Option<String> {
    let start = html.find("<code>")? + 6;
    Some(html[start..].split('<').next()?.to_owned())
}
