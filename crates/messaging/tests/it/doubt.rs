//! Messages of which nobody knows whether a provider took them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use messaging::actions::{deliver::deliver, status::take_callback};
use messaging::card_code::{CardRef, Part};
use providers::{
    Accepted, DeliveryStatus, EmailDriver, OutgoingEmail, OutgoingSms, SendError, Sending, SmsDriver, StatusUpdate,
};

use super::*;

/// Answers as it is told, and takes everything once nothing is left.
#[derive(Default)]
struct Provider {
    answers: Mutex<VecDeque<SendError>>,
    tried: Mutex<Vec<Uuid>>,
    /// Neither answers nor ends.
    hangs: Mutex<bool>,
}

struct Told(Arc<Provider>);

impl Told {
    async fn take(&self, id: Uuid) -> Result<Accepted, SendError> {
        self.0.tried.lock().unwrap().push(id);
        if *self.0.hangs.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        let answer = self.0.answers.lock().unwrap().pop_front();
        answer.map_or(Ok(Accepted { provider: "smtp", provider_message_id: format!("<{id}@acme.example>") }), Err)
    }
}

impl EmailDriver for Told {
    fn name(&self) -> &'static str {
        "smtp"
    }

    fn send<'a>(&'a self, message: &'a OutgoingEmail) -> Sending<'a> {
        Box::pin(self.take(message.message_id))
    }
}

impl SmsDriver for Told {
    fn name(&self) -> &'static str {
        "twilio"
    }

    fn send<'a>(&'a self, message: &'a OutgoingSms) -> Sending<'a> {
        Box::pin(self.take(message.message_id))
    }
}

struct Scene {
    world: World,
    provider: Arc<Provider>,
    message: Uuid,
}

impl Scene {
    /// A message with a card that waits to be sent, and what the provider will say.
    async fn new(channel: Channel, answers: &[SendError]) -> Self {
        let mut world = World::new().await;
        let provider = Arc::new(Provider::default());
        provider.answers.lock().unwrap().extend(answers.iter().cloned());
        (world.drivers.email, world.drivers.sms) = (Arc::new(Told(provider.clone())), Arc::new(Told(provider.clone())));
        let (recipient, card) = world.earned().await;
        let to = if channel == Channel::Sms { "+16145550123" } else { "ada@example.com" };
        let new = NewMessage {
            channel,
            to: to.into(),
            recipient_id: Some(recipient),
            gift_card_id: Some(card),
            ..world.message(None, Purpose::Reward)
        };
        let message = world.send(&new).await.unwrap().message_id;
        Self { world, provider, message }
    }

    /// Works until nothing is due any more, days later.
    async fn work_on(&self) {
        for _ in 0..12 {
            self.world.work().await;
            self.world.test.clock().advance(Duration::hours(5));
        }
    }

    async fn state(&self) -> String {
        let sql = "select status || ' ' || coalesce(last_error_code, '') || ' ' || attempts || ' ' ||
                     (select count(*) from alerts where kind = 'perhaps_sent' and resolved_at is null) from messages";
        self.world.word(sql).await
    }

    fn tries(&self) -> usize {
        let tried = self.provider.tried.lock().unwrap();
        assert!(tried.iter().all(|id| *id == self.message), "the same Message-ID at each try");
        tried.len()
    }
}

impl World {
    /// A card that a recipient of Acme's earned: the recipient and the card.
    async fn earned(&self) -> (Uuid, Uuid) {
        let (acme, [brand, pool, card, campaign, recipient]) = (self.acme(), std::array::from_fn(|_| new_id()));
        let sealed = CardRef { client_id: Some(acme), card_id: card };
        let sealed = sealed.seal(&self.test.app.keyring, Part::Code, "ABCDWXYZ").unwrap();
        // how somebody comes to a card is the room above's affair, and so are its guards
        let sql = format!(
            "set session_replication_role = replica;
             insert into gift_card_brands (id, brand_name, redemption_url) values ('{brand}', 'Depot', 'https://depot.example');
             insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount)
               values ('{pool}', '{acme}', '{brand}', 'Depot', 10);
             insert into campaigns (id, client_id, name, slug) values ('{campaign}', '{acme}', 'Spring', 'spring');
             insert into recipients (id, client_id, campaign_id, redemption_code, purl_token, first_name)
               values ('{recipient}', '{acme}', '{campaign}', '7K2M9QRX4TAB', '7K2M9QRX4T', 'Ada');
             insert into gift_cards (
               id, client_id, pool_id, card_code, code_fingerprint, code_last4, value_amount, status, recipient_id,
               campaign_id, claimed_at)
               values ('{card}', '{acme}', '{pool}', '{sealed}', '\\x01', 'WXYZ', 10, 'claimed', '{recipient}', '{campaign}', now());"
        );
        self.test.database.admin().await.batch_execute(&sql).await.unwrap();
        (recipient, card)
    }
}

fn lost() -> SendError {
    SendError::ambiguous("its answer was lost")
}

#[tokio::test]
async fn a_mail_whose_answer_is_lost_is_sent_once_more_and_then_counts_as_sent_with_an_alert() {
    let scene = Scene::new(Channel::Email, &vec![lost(); 7]).await;
    scene.work_on().await;
    assert_eq!((scene.tries(), scene.state().await.as_str()), (2, "sent perhaps_sent 2 1"));
    assert!(scene.world.broken().await.is_empty());
    let page = format!("/acme-roofing/deliveries/{}", scene.message);
    let page = scene.world.test.get(&page).as_user(&scene.world.test.story.acme_owner).await.expect_status(200);
    assert!(page.text().to_lowercase().contains("its answer was lost"), "{}", page.text());
}

#[tokio::test]
async fn what_the_tries_after_a_lost_answer_come_to_takes_nothing_back() {
    let (never, later) = (SendError::permanent("550", "no"), SendError::temporary("451", "later"));
    for (answers, tries, state) in [
        (vec![lost(), never.clone()], 2, "sent perhaps_sent 2 1"),
        (vec![lost(), later.clone(), never], 3, "sent perhaps_sent 3 1"),
        ([vec![lost()], vec![later.clone(); 6]].concat(), 7, "sent perhaps_sent 7 1"),
        ([vec![later; 6], vec![lost()]].concat(), 7, "sent perhaps_sent 7 1"),
        (vec![lost()], 2, "sent ambiguous 2 0"),
    ] {
        let scene = Scene::new(Channel::Email, &answers).await;
        scene.work_on().await;
        assert_eq!((scene.tries(), scene.state().await.as_str()), (tries, state), "{answers:?}");
    }
}

#[tokio::test]
async fn a_person_who_says_no_after_a_lost_answer_has_perhaps_seen_the_card() {
    let scene = Scene::new(Channel::Email, &[lost()]).await;
    scene.world.work().await;
    scene.world.contact("email_opt_out").await;
    scene.work_on().await;
    assert_eq!((scene.tries(), scene.state().await.as_str()), (1, "sent perhaps_sent 2 1"));
}

#[tokio::test]
async fn a_try_that_is_cut_off_with_its_process_counts_as_one_whose_answer_was_lost() {
    let scene = Scene::new(Channel::Email, &[]).await;
    *scene.provider.hangs.lock().unwrap() = true;
    let (world, message) = (&scene.world, scene.message);
    let try_it = || deliver(&world.test.app, &world.drivers, world.acme(), message);
    for (tries, state) in [(1, "pending  1 0"), (2, "pending ambiguous 2 0")] {
        let handed_over = async {
            while scene.tries() < tries {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            _ = try_it() => panic!("the provider does not answer"),
            () = handed_over => {}
        }
        assert_eq!(scene.state().await, state);
    }
    try_it().await.unwrap();
    assert_eq!((scene.tries(), scene.state().await.as_str()), (2, "sent perhaps_sent 3 1"));
}

#[tokio::test]
async fn a_callback_is_believed_more_than_a_lost_answer() {
    let update =
        |status: DeliveryStatus| StatusUpdate { provider_message_id: "SM1".into(), status, word: "news".into() };
    // it comes before the second try: nothing is repeated
    let scene = Scene::new(Channel::Sms, &[lost()]).await;
    scene.world.work().await;
    let app = &scene.world.test.app;
    take_callback(app, "twilio", scene.message, &update(DeliveryStatus::Sent)).await.unwrap();
    scene.work_on().await;
    assert_eq!((scene.tries(), scene.state().await.as_str()), (1, "sent ambiguous 1 0"));
    // it comes at last: the alert is settled
    let scene = Scene::new(Channel::Sms, &[lost(), lost()]).await;
    scene.work_on().await;
    assert_eq!(scene.state().await, "sent perhaps_sent 2 1");
    let app = &scene.world.test.app;
    take_callback(app, "twilio", scene.message, &update(DeliveryStatus::Delivered)).await.unwrap();
    assert_eq!(scene.state().await, "delivered perhaps_sent 2 0");
}

#[tokio::test]
async fn mail_to_our_own_people_is_repeated_once_as_well() {
    let scene = Scene::new(Channel::Email, &[]).await;
    scene.world.work().await;
    scene.provider.tried.lock().unwrap().clear();
    scene.provider.answers.lock().unwrap().extend([lost(), SendError::permanent("550", "no")]);
    let actor = Actor::system(kernel::System::Auth);
    let mail = SystemMail { to: "new@example.com".into(), subject: "Join".into(), text: "Come in".into() };
    let tx = scene.world.test.app.scope(&actor).transaction().await.unwrap();
    mail.send(&tx, &scene.world.test.app.keyring).await.unwrap();
    tx.commit().await.unwrap();
    scene.work_on().await;
    let sql = "select status || ' ' || last_error_code || ' ' || attempts || ' ' || provider from system_messages";
    assert_eq!(scene.world.word(sql).await, "sent perhaps_sent 2 smtp");
    assert_eq!(scene.provider.tried.lock().unwrap().len(), 2);
}
