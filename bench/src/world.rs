//! The world that is measured: one business with contacts, a pool of cards, a form, a page and a campaign, made by
//! the command line and REST like anybody makes them.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use kernel::new_id;
use serde_json::{Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::http::{Connection, Reply, Request};
use crate::postgres::Postgres;
use crate::server::Ace;

/// What the key of the bench may do.
const SCOPES: [&str; 18] = [
    "contacts.import",
    "contacts.view",
    "lists.view",
    "lists.create",
    "lists.edit",
    "gift_cards.manage_pools",
    "gift_cards.upload",
    "gift_cards.view",
    "forms.create",
    "forms.publish",
    "landing_pages.create",
    "landing_pages.publish",
    "campaigns.create",
    "campaigns.edit",
    "campaigns.view",
    "campaigns.launch",
    "campaigns.submit",
    "campaigns.approve",
];

/// The client's word in URLs.
pub const CLIENT: &str = "kestrel-roofing";

/// How long a launch or an import may take.
const PATIENCE: Duration = Duration::from_secs(600);
/// How often its progress is asked for, as the console does: asking more often takes from what is measured.
const LOOK: Duration = Duration::from_millis(250);

/// One business on one installation.
#[derive(Debug)]
pub struct World {
    /// The server it runs on.
    pub ace: Ace,
    /// Its PostgreSQL.
    pub postgres: Postgres,
    /// The business.
    pub client_id: Uuid,
    key: String,
    brand_id: Uuid,
}

/// A campaign and what belongs to it.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its id.
    pub id: Uuid,
    /// The form recipients fill in.
    pub form_id: Uuid,
    /// The list it was mailed to.
    pub list_id: Uuid,
}

/// Somebody who was mailed to.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Their id.
    pub id: Uuid,
    /// The end of their link.
    pub token: String,
}

impl World {
    /// An installation with one business, not serving yet.
    ///
    /// # Errors
    /// Says what is missing.
    pub async fn found(binary: &Path, directory: &Path) -> Result<Self> {
        std::fs::create_dir_all(directory)?;
        let postgres = Postgres::start(directory).await?;
        let ace = Ace::new(binary, directory, postgres.url())?;
        ace.must(&["migrate"]).await?;
        let admin = postgres.admin().await?;
        let client_id = business(&admin, CLIENT).await?;
        let brand_id = brand(&admin).await?;
        let mut create = vec!["keys", "create", "--client", CLIENT];
        create.extend(SCOPES.iter().flat_map(|scope| ["--scope", *scope]));
        let key = ace.must(&create).await?;
        let key = key["key"].as_str().context("no key")?.to_owned();
        Ok(Self { ace, postgres, client_id, key, brand_id })
    }

    /// The key of another business with one contact, which may only read.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn neighbour(&self) -> Result<String> {
        const SLUG: &str = "merlin-dental";
        let client_id = business(&self.postgres.admin().await?, SLUG).await?;
        let contact = "insert into contacts (id, client_id, customer_code, first_name) values ($1, $2, 'M-1', 'Merle')";
        self.postgres.admin().await?.execute(contact, &[&new_id(), &client_id]).await?;
        let key = self.ace.must(&["keys", "create", "--client", SLUG, "--scope", "contacts.view"]).await?;
        Ok(key["key"].as_str().context("no key")?.to_owned())
    }

    /// Asks the API; the answer must be a success.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn api(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { Vec::new() } else { serde_json::to_vec(body)? };
        let reply = self.send(method, path, "application/json", &body).await?;
        if reply.body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&reply.body)?) }
    }

    /// The same with a body of another kind.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn send(&self, method: &str, path: &str, media_type: &str, body: &[u8]) -> Result<Reply> {
        let headers = format!("authorization: Bearer {}\r\ncontent-type: {media_type}\r\n", self.key);
        let request = Request { method, path, headers: &headers, body };
        let reply = Connection::open(self.ace.address).await?.send(&request).await?;
        ensure!(reply.is_accepted(), "{method} {path}: {} {}", reply.status, reply.text());
        Ok(reply)
    }

    /// Imports `rows` made-up contacts into a list of their own; the list, and how long it took.
    ///
    /// # Errors
    /// When the import does not finish, or refuses a row.
    pub async fn import(&self, list: &str, rows: usize) -> Result<(Uuid, Duration)> {
        let file = contacts(rows);
        let begun = Instant::now();
        let path = format!("/v1/imports?filename={list}.csv&list={list}&dedupe=email&on_duplicate=update");
        let reply = self.send("POST", &path, "text/csv", file.as_bytes()).await?;
        let id = id(&serde_json::from_slice(&reply.body)?, "id")?;
        let import = self.wait_for(&format!("/v1/imports/{id}"), "status").await?;
        let took = begun.elapsed();
        ensure!(import["status"] == "finished" && import["rows_created"] == rows, "the import: {import}");
        Ok((self::id(&import, "list_id")?, took))
    }

    async fn wait_for(&self, path: &str, field: &str) -> Result<Value> {
        let begun = Instant::now();
        loop {
            let state = self.api("GET", path, &Value::Null).await?;
            if matches!(state[field].as_str(), Some("finished" | "failed" | "cancelled")) {
                return Ok(state);
            }
            ensure!(begun.elapsed() < PATIENCE, "{path} does not end: {state}");
            tokio::time::sleep(LOOK).await;
        }
    }

    /// A draft that rewards a form with a card, with `cards` of them in its pool.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn draft(&self, name: &str, list_id: Uuid, cards: usize) -> Result<Campaign> {
        let pool = json!({ "pool_name": name, "brand_id": self.brand_id, "value_amount": "25.00" });
        let pool_id = id(&self.api("POST", "/v1/pools", &pool).await?, "id")?;
        let path = format!("/v1/pools/{pool_id}/cards");
        self.send("POST", &path, "text/csv", codes(name, cards).as_bytes()).await?;
        let form_id = id(&self.api("POST", "/v1/forms", &form(name)).await?, "id")?;
        self.api("POST", &format!("/v1/forms/{form_id}/publish"), &Value::Null).await?;
        let page = json!({
            "name": name,
            "html": "<main><h1>Hello {{first_name|there}}</h1><p>A free look at your roof in {{city}}.</p>{{form}}</main>",
            "css": "h1 { font-size: 2rem; } main { max-width: 40rem; margin: 0 auto; }",
            "form_id": form_id,
        });
        let page_id = id(&self.api("POST", "/v1/landing-pages", &page).await?, "id")?;
        self.api("POST", &format!("/v1/landing-pages/{page_id}/publish"), &Value::Null).await?;
        let campaign = json!({
            "name": name, "size": "6x9", "postage": "standard", "mail_date": "2026-12-01", "no_mail_piece": true,
            "contact_list_id": list_id, "landing_page_id": page_id, "form_id": form_id, "cards_per_reward": cards,
            "conditions": [{
                "condition_name": "Form filled in", "trigger_type": "form_submit", "gift_card_pool_id": pool_id,
                "delivery_channel": "sms", "sms_template": "Hello {{first_name|there}}, your {{amount}} {{brand}} card: {{code}}",
            }],
        });
        let id = id(&self.api("POST", "/v1/campaigns", &campaign).await?, "id")?;
        Ok(Campaign { id, form_id, list_id })
    }

    /// Launches a draft; how long it took from the click to the last recipient.
    ///
    /// # Errors
    /// When the launch fails.
    pub async fn launch(&self, campaign: &Campaign) -> Result<Duration> {
        let path = format!("/v1/campaigns/{}/launch", campaign.id);
        let begun = Instant::now();
        self.api("POST", &path, &Value::Null).await?;
        let launch = self.wait_for(&path, "state").await?;
        ensure!(launch["state"] == "finished", "the launch: {launch}");
        Ok(begun.elapsed())
    }

    /// Says that a launched campaign is in the mail: its links count from now on.
    ///
    /// # Errors
    /// What was answered instead.
    pub async fn mail(&self, campaign: &Campaign) -> Result<()> {
        for to in ["in_production", "mailed"] {
            self.api("POST", &format!("/v1/campaigns/{}/steps", campaign.id), &json!({ "to": to })).await?;
        }
        Ok(())
    }

    /// Everybody a campaign was mailed to.
    ///
    /// # Errors
    /// When the database is gone.
    pub async fn recipients(&self, campaign: &Campaign) -> Result<Vec<Recipient>> {
        let sql = "select id, purl_token from recipients where campaign_id = $1 order by id";
        let rows = self.postgres.admin().await?.query(sql, &[&campaign.id]).await?;
        Ok(rows.iter().map(|row| Recipient { id: row.get(0), token: row.get(1) }).collect())
    }
}

/// A business itself: what comes before anybody has a key.
async fn business(admin: &Client, slug: &str) -> Result<Uuid> {
    let (org_id, client_id) = (new_id(), new_id());
    let org = "insert into organizations (id, name, slug, type) values ($1, $2, $2, 'direct')";
    admin.execute(org, &[&org_id, &slug]).await?;
    let client = "insert into clients (id, org_id, name, slug, industry) values ($1, $2, $3, $3, 'roofing')";
    admin.execute(client, &[&client_id, &org_id, &slug]).await?;
    Ok(client_id)
}

async fn brand(admin: &Client) -> Result<Uuid> {
    let brand_id = new_id();
    let brand = "insert into gift_card_brands (id, brand_name) values ($1, 'Kestrel Coffee')";
    admin.execute(brand, &[&brand_id]).await?;
    Ok(brand_id)
}

fn id(value: &Value, field: &str) -> Result<Uuid> {
    let text = value[field].as_str().with_context(|| format!("no {field} in {value}"))?;
    Ok(text.parse()?)
}

/// A file of contacts as businesses have them: names, addresses, phones that are dialled, e-mail.
pub fn contacts(rows: usize) -> String {
    const FIRST: [&str; 8] = ["Maria", "James", "Aisha", "Wei", "Elena", "Noah", "Priya", "Tom"];
    const LAST: [&str; 8] = ["Lopez", "Carter", "Khan", "Chen", "Novak", "O'Brien", "Patel", "Schmidt"];
    let mut file = String::from("First Name,Last Name,Email,Mobile Phone,Address,City,State,Zip\n");
    for n in 0..rows {
        let (first, last) = (FIRST[n % 8], LAST[n / 8 % 8]);
        let (exchange, line) = (230 + n / 10_000 % 60, n % 10_000);
        // writing to a String cannot fail
        let _ = writeln!(
            file,
            "{first},{last},person{n}@example.com,(614) {exchange}-{line:04},{} Elm Street,Columbus,OH,432{:02}",
            n + 1,
            n % 30
        );
    }
    file
}

fn codes(pool: &str, cards: usize) -> String {
    let name: String = pool.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_uppercase();
    let mut file = String::from("code\n");
    for n in 0..cards {
        let _ = writeln!(file, "{name}-{n:08}");
    }
    file
}

fn form(name: &str) -> Value {
    json!({
        "name": name,
        "description": "",
        "form_config": { "fields": [
            { "id": "first_name", "type": "text", "label": "First name" },
            { "id": "mobile", "type": "phone", "label": "Mobile phone", "required": true },
        ] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_contacts_have_addresses_and_phones_that_normalise_and_no_two_are_the_same() {
        let file = contacts(25_000);
        let lines: std::collections::BTreeSet<&str> = file.lines().skip(1).collect();
        assert_eq!(lines.len(), 25_000);
        for line in lines.iter().step_by(997) {
            let phone = line.split(',').nth(3).unwrap_or_default();
            assert!(kernel::phone::normalise(phone, kernel::phone::DEFAULT_REGION).is_some(), "{line}");
        }
    }
}
