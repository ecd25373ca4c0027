//! A client with messages to send.

use std::sync::Arc;

use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Actor, new_id};
use providers::{Drivers, OutgoingEmail, OutgoingSms};
use testkit::TestDatabase;
use uuid::Uuid;

pub struct Story {
    pub test: TestDatabase,
    pub keyring: Arc<Keyring>,
    pub client_id: Uuid,
    pub other_client_id: Uuid,
    pub settings: Settings,
}

impl Story {
    pub async fn begin() -> Self {
        let test = TestDatabase::new().await;
        let (client_id, other_client_id) = (client(&test, "acme").await, client(&test, "bolt").await);
        let settings = Settings::for_tests();
        Self { test, keyring: Arc::new(Keyring::for_tests()), client_id, other_client_id, settings }
    }

    pub fn drivers(&self) -> Drivers {
        Drivers::from_settings(&self.settings, &self.test.database(), &self.keyring, self.test.clock()).unwrap()
    }

    pub fn actor(&self) -> Actor {
        Actor::client(self.client_id)
    }

    /// A text message whose row is there, as it is before a job sends it.
    pub async fn sms(&self, to: &str) -> OutgoingSms {
        OutgoingSms {
            message_id: self.message("sms", to).await,
            client_id: self.client_id,
            to: to.into(),
            from: "+18005551212".into(),
            body: "Hi Ada, your card: WXYZ-1234".into(),
            status_callback_url: Some(format!("{}/hooks/sms/status", self.settings.server.public_url)),
        }
    }

    pub async fn email(&self, to: &str) -> OutgoingEmail {
        OutgoingEmail {
            message_id: self.message("email", to).await,
            client_id: Some(self.client_id),
            to: to.into(),
            from: "Acme Roofing <hello@acme.example>".into(),
            reply_to: Some("office@acme.example".into()),
            subject: "Your gift card".into(),
            text: "Hi Ada, your card: WXYZ-1234".into(),
            html: Some("<p>Hi Ada, your card: <b>WXYZ-1234</b></p>".into()),
            unsubscribe_url: None,
            status_callback_url: Some(format!("{}/hooks/email/status", self.settings.server.public_url)),
        }
    }

    async fn message(&self, channel: &str, to: &str) -> Uuid {
        let id = new_id();
        let insert = "
            insert into messages (id, client_id, channel, purpose, to_address, body_template, created_at)
            values ($1, $2, $3, 'reward', $4, '', now())";
        self.test.admin().await.execute(insert, &[&id, &self.client_id, &channel, &to]).await.unwrap();
        id
    }
}

async fn client(test: &TestDatabase, slug: &str) -> Uuid {
    let (org_id, client_id, admin) = (new_id(), new_id(), test.admin().await);
    let org = "insert into organizations (id, name, slug, type) values ($1, $2, $2, 'direct')";
    admin.execute(org, &[&org_id, &slug]).await.unwrap();
    let client = "insert into clients (id, org_id, name, slug) values ($1, $2, $3, $3)";
    admin.execute(client, &[&client_id, &org_id, &slug]).await.unwrap();
    client_id
}
