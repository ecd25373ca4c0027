//! A card's way to its recipient: retries, callbacks in any order, the other channel, consent.

use futures_util::future::join_all;
use messaging::actions::resend::{ResendInput, resend};
use messaging::actions::status::{callback_path, take_callback};
use providers::{DeliveryStatus, SendError, StatusUpdate, twilio_signature};
use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::support::World;

struct Sent {
    world: World,
    pool: Uuid,
    message: Uuid,
    card: Uuid,
}

/// A claim whose message waits to be sent by a scripted provider.
async fn claimed() -> Sent {
    let world = World::scripted().await;
    let pool = world.pool(5).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    Sent { world, pool, message, card }
}

impl Sent {
    async fn statuses(&self) -> (String, String, String) {
        let world = &self.world;
        (
            world.word("select status from messages where id = $1", &[&self.message]).await,
            world.word("select status from gift_cards where id = $1", &[&self.card]).await,
            world.word("select delivery_status from call_conditions_met where gift_card_id = $1", &[&self.card]).await,
        )
    }

    async fn expect(&self, message: &str, card: &str, condition: &str) {
        let (a, b, c) = self.statuses().await;
        assert_eq!((a.as_str(), b.as_str(), c.as_str()), (message, card, condition));
        self.world.check().await;
    }

    async fn callback(&self, word: &str, status: DeliveryStatus) {
        let name = self.world.word("select provider_message_id from messages where id = $1", &[&self.message]).await;
        let name = if name.is_empty() { "SM00000000000000000000000000000001".into() } else { name };
        let update = StatusUpdate { provider_message_id: name, status, word: word.into() };
        take_callback(&self.world.test.app, "twilio", self.message, &update).await.unwrap();
        self.world.work().await;
    }
}

fn failed(code: &str) -> DeliveryStatus {
    DeliveryStatus::Failed { code: code.into(), message: "unknown number".into() }
}

#[tokio::test]
async fn a_card_is_sent_with_its_code_and_delivered_by_the_callback() {
    let sent = claimed().await;
    sent.world.work().await;
    sent.expect("sent", "claimed", "sent").await;
    let texts = sent.world.provider.sent();
    assert_eq!(texts.len(), 1);
    let operator = sent.world.test.operator();
    let (of, any) = ((sent.world.client_id, sent.card), kernel::version::Expected::any());
    let open = rewards::actions::cards::reveal(&sent.world.test.app, &operator, of, &any);
    assert_eq!(texts[0].1, format!("SMS Ada: {}", open.await.unwrap().code));
    sent.callback("delivered", DeliveryStatus::Delivered).await;
    sent.expect("delivered", "delivered", "delivered").await;
    let delivered = "select delivered_cards::bigint from gift_card_pools where id = $1";
    assert_eq!(sent.world.count(delivered, &[&sent.pool]).await, 1);
    let kinds = "select string_agg(event_type, ' ' order by event_type) from events";
    let expected = "condition_met gift_card_claimed gift_card_delivered sms_delivered sms_sent";
    assert_eq!(sent.world.word(kinds, &[]).await, expected);
}

#[tokio::test]
async fn callbacks_that_come_early_late_or_twice_only_move_forward() {
    let sent = claimed().await;
    // faster than our own note that the provider took it
    sent.callback("delivered", DeliveryStatus::Delivered).await;
    sent.expect("delivered", "delivered", "delivered").await;
    for (word, status) in
        [("sent", DeliveryStatus::Sent), ("undelivered", failed("30003")), ("delivered", DeliveryStatus::Delivered)]
    {
        sent.callback(word, status).await;
        sent.expect("delivered", "delivered", "delivered").await;
    }
    assert_eq!(sent.world.count("select count(*) from events where event_type = 'gift_card_delivered'", &[]).await, 1);
    assert_eq!(sent.world.count("select count(*) from messages", &[]).await, 1, "nothing fell back");
}

#[tokio::test]
async fn what_may_pass_is_tried_again_with_growing_delays_and_given_up_after_the_seventh_try() {
    let sent = claimed().await;
    let world = &sent.world;
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    for _ in 0..7 {
        world.provider.then(SendError::temporary("503", "try later"));
    }
    for (tries, delay) in [5, 30, 120, 600, 3_600, 14_400].into_iter().enumerate() {
        world.work().await;
        let attempts = i64::try_from(tries).unwrap() + 1;
        assert_eq!(
            world.count("select attempts::bigint from messages where id = $1", &[&sent.message]).await,
            attempts
        );
        sent.expect("pending", "claimed", "pending").await;
        world.later(delay - 1);
        world.work().await;
        assert_eq!(
            world.count("select attempts::bigint from messages where id = $1", &[&sent.message]).await,
            attempts
        );
        world.later(delay / 5 + 2);
    }
    world.work().await;
    sent.expect("failed", "claimed", "failed").await;
    let alerts = "select count(*) from alerts where kind = 'delivery_failed' and resolved_at is null";
    assert_eq!(world.count(alerts, &[]).await, 1);
    assert!(world.provider.sent().is_empty());
}

#[tokio::test]
async fn a_number_that_was_taken_away_before_the_message_left_is_not_written_to() {
    let sent = claimed().await;
    let world = &sent.world;
    world.run("update contacts set phone = null, mobile_phone = null", &[]).await;
    world.work().await;
    sent.expect("failed", "claimed", "sent").await;
    let refused = "select count(*) from messages where channel = 'sms' and last_error_code = 'address_gone'";
    assert_eq!(world.count(refused, &[]).await, 1);
    assert_eq!(
        world.count("select count(*) from messages where channel = 'email' and status <> 'failed'", &[]).await,
        1
    );
    world.check().await;
}

#[tokio::test]
async fn a_lost_answer_may_repeat_the_same_code_and_never_brings_another_card() {
    let sent = claimed().await;
    sent.world.provider.then(SendError::ambiguous("timeout"));
    sent.world.work().await;
    sent.expect("pending", "claimed", "pending").await;
    sent.world.later(10);
    sent.world.work().await;
    sent.expect("sent", "claimed", "sent").await;
    let texts = sent.world.provider.sent();
    assert_eq!((texts.len(), &texts[0]), (2, &texts[1]), "the same text to the same number");
    assert_eq!(sent.world.count("select count(*) from gift_cards where status = 'claimed'", &[]).await, 1);
}

#[tokio::test]
async fn what_was_given_beside_the_number_comes_before_what_is_on_file() {
    let sent = claimed().await;
    let given = "update messages set merge = merge || jsonb_build_object($2::text, 'given@example.org') where id = $1";
    sent.world.admin.execute(given, &[&sent.message, &rewards::address::OTHER_WAY]).await.unwrap();
    sent.world.provider.then(SendError::permanent("21211", "not a number"));
    sent.world.work().await;
    let texts = sent.world.provider.sent();
    assert!(texts.len() == 1 && texts[0].0 == "given@example.org", "{texts:?}");
}

#[tokio::test]
async fn a_number_that_cannot_be_reached_falls_back_to_e_mail_once_with_the_same_card() {
    let sent = claimed().await;
    let world = &sent.world;
    world.provider.then(SendError::permanent("21211", "not a number"));
    world.work().await;
    sent.expect("failed", "claimed", "sent").await;
    let texts = world.provider.sent();
    assert!(
        texts.len() == 1 && texts[0].0.ends_with("@example.com") && texts[0].1.starts_with("Mail Ada: "),
        "{texts:?}"
    );
    assert_eq!(world.count("select count(*) from messages where gift_card_id = $1", &[&sent.card]).await, 2);
    assert_eq!(world.count("select count(*) from messages where fallback_of_id = $1", &[&sent.message]).await, 1);
    // the e-mail fails as well: no third way, no second card
    let (mail, name) = {
        let row = world
            .admin
            .query_one("select id, provider_message_id from messages where channel = 'email'", &[])
            .await
            .unwrap();
        (row.get::<_, Uuid>(0), row.get::<_, String>(1))
    };
    let update = StatusUpdate { provider_message_id: name, status: failed("5.1.1"), word: "undelivered".into() };
    take_callback(&world.test.app, "twilio", mail, &update).await.unwrap();
    world.work().await;
    sent.expect("failed", "claimed", "failed").await;
    assert_eq!(world.count("select count(*) from messages", &[]).await, 2);
}

#[tokio::test]
async fn who_opted_out_gets_nothing_and_is_written_on_the_other_channel_only_if_they_may_be() {
    let sent = claimed().await;
    let world = &sent.world;
    world.run("update contacts set sms_opt_out = true", &[]).await;
    world.work().await;
    sent.expect("failed", "claimed", "sent").await;
    assert_eq!(world.word("select last_error_code from messages where id = $1", &[&sent.message]).await, "opted_out");
    assert!(world.provider.sent()[0].0.ends_with("@example.com"));

    // nobody has seen the card: it goes back, and that message is over
    let silent = claimed().await;
    silent.world.run("update contacts set do_not_contact = true", &[]).await;
    silent.world.work().await;
    assert!(silent.world.provider.sent().is_empty());
    let card = "select status::text from gift_cards where id = $1";
    assert_eq!(silent.world.word(card, &[&silent.card]).await, "available");
    let message = "select status::text from messages where id = $1";
    assert_eq!(silent.world.word(message, &[&silent.message]).await, "failed");
    let (app, operator) = (&silent.world.test.app, silent.world.test.operator());
    let at = (silent.world.client_id, silent.message);
    let again = resend(app, &operator, at, (true, &kernel::version::Expected::any()), &ResendInput::default()).await;
    assert_eq!(again.unwrap_err().code(), "card_taken_back");
}

#[tokio::test]
async fn a_resend_brings_the_same_card_to_another_number_and_not_to_a_wrong_one() {
    let sent = claimed().await;
    let world = &sent.world;
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    world.provider.then(SendError::permanent("21211", "not a number"));
    world.work().await;
    sent.expect("failed", "claimed", "failed").await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let to = |to: &str| ResendInput { to: to.into(), reason: "a new number".into() };
    let at = (world.client_id, sent.message);
    let wrong =
        resend(app, &operator, at, (true, &kernel::version::Expected::any()), &to("nonsense")).await.unwrap_err();
    assert_eq!(wrong.fields()[0].field, "to");
    let corner = world.test.story.corner.id;
    assert_eq!(
        resend(app, &operator, (corner, sent.message), (true, &kernel::version::Expected::any()), &to("")).await,
        Err(kernel::Error::NotFound)
    );
    let again =
        resend(app, &operator, at, (true, &kernel::version::Expected::any()), &to("(614) 555-0177")).await.unwrap();
    let early = resend(app, &operator, (world.client_id, again), (true, &kernel::version::Expected::any()), &to(""))
        .await
        .unwrap_err();
    assert_eq!(early.code(), "still_sending");
    world.work().await;
    let texts = world.provider.sent();
    assert_eq!((texts.len(), texts[0].0.as_str()), (1, "+16145550177"));
    sent.expect("failed", "claimed", "sent").await;
    assert_eq!(
        world.count("select count(*) from alerts where kind = 'delivery_failed' and resolved_at is null", &[]).await,
        0
    );
}

#[tokio::test]
async fn cards_resent_to_one_number_at_once_count_among_its_rewards_of_the_day() {
    let world = World::scripted().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let mut messages = Vec::new();
    for _ in 0..8 {
        let campaign = world.campaign(world.pool(1).await).await;
        let recipient = world.recipient(campaign).await;
        messages.push(world.claim_by_sms(campaign, recipient).await.0);
        world.provider.then(SendError::permanent("21211", "not a number"));
    }
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    world.work().await;
    let any = kernel::version::Expected::any();
    let input = ResendInput { to: "(614) 555-0177".into(), reason: "a new number".into() };
    let all = messages.iter().map(|id| resend(app, &operator, (world.client_id, *id), (true, &any), &input));
    let (sent, refused): (Vec<_>, Vec<_>) = join_all(all).await.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (5, 3));
    assert!(refused.into_iter().all(|refused| refused.unwrap_err().code() == "many_rewards_to_one_address"));
    let to = "select app.count_rewards_to($1, '+16145550177', '2000-01-01')";
    assert_eq!(world.count(to, &[&world.client_id]).await, 5, "whoever claims there next is counted with them");
}

#[tokio::test]
async fn one_failed_message_resent_to_five_numbers_at_once_goes_to_one() {
    let sent = claimed().await;
    let world = &sent.world;
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    world.provider.then(SendError::permanent("21211", "not a number"));
    world.work().await;
    let (app, operator, any) = (&world.test.app, world.test.operator(), kernel::version::Expected::any());
    let inputs: Vec<ResendInput> =
        (0..5).map(|n| ResendInput { to: format!("(614) 555-017{n}"), reason: "a new number".into() }).collect();
    let at = (world.client_id, sent.message);
    let all = inputs.iter().map(|input| resend(app, &operator, at, (true, &any), input));
    let (sent_on, refused): (Vec<_>, Vec<_>) = join_all(all).await.into_iter().partition(Result::is_ok);
    assert_eq!((sent_on.len(), refused.len()), (1, 4));
    assert!(refused.into_iter().all(|refused| refused.unwrap_err().code() == "still_sending"));
    // nor afterwards, while nobody knows whether it arrives
    world.work().await;
    sent.expect("failed", "claimed", "sent").await;
    let later = resend(app, &operator, at, (true, &any), &inputs[4]).await;
    assert!(sent_on[0].is_ok() && later.is_err_and(|refused| refused.code() == "still_sending"));
    assert_eq!(world.provider.sent().len(), 1);
}

#[tokio::test]
async fn a_card_whose_credits_came_back_is_paid_for_again_before_it_is_sent_or_opened() {
    let world = World::scripted().await;
    let campaign = world.campaign(world.pool(5).await).await;
    world.run("update campaign_conditions set trigger_type = 'purl_visit'", &[]).await;
    world.price(3).await;
    world.grant(3).await;
    let recipient = world.recipient(campaign).await;
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    world.provider.then(SendError::permanent("21211", "not a number"));
    world.work().await;
    let refunds = "select count(*) from call_conditions_met where refunded_at is not null";
    assert_eq!(world.count(refunds, &[]).await, 1);
    world.grant(-3).await;
    let (app, operator, any) = (&world.test.app, world.test.operator(), kernel::version::Expected::any());
    let elsewhere = ResendInput { to: "(614) 555-0177".into(), reason: "a new number".into() };
    let at = (world.client_id, message);
    let resent = resend(app, &operator, at, (true, &any), &elsewhere).await;
    assert_eq!(resent.unwrap_err().code(), "GC-006");
    let opened = rewards::actions::cards::reveal(app, &operator, (world.client_id, card), &any).await;
    assert_eq!(opened.err().map(|error| error.code().to_owned()).as_deref(), Some("GC-006"));
    world.grant(3).await;
    resend(app, &operator, at, (true, &any), &elsewhere).await.unwrap();
    assert_eq!(world.count(refunds, &[]).await, 0, "charged where it was sent");
    world.work().await;
    let charged = "select count(*) from credit_ledger where gift_card_id = $1 and reason = 'reward'";
    assert_eq!(world.count(charged, &[&card]).await, 2);
    world.check().await;
}

#[tokio::test]
async fn a_revoked_card_does_not_leave() {
    let sent = claimed().await;
    let input = rewards::actions::cards::RevokeInput { reason: "fraud".into() };
    let (app, operator) = (&sent.world.test.app, sent.world.test.operator());
    rewards::actions::cards::revoke(
        app,
        &operator,
        (sent.world.client_id, sent.card),
        &input,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    sent.world.work().await;
    assert!(sent.world.provider.sent().is_empty());
    sent.expect("failed", "claimed", "failed").await;
}

#[tokio::test]
async fn a_forged_callback_is_refused_and_audited_and_a_signed_one_counts() {
    let sent = claimed().await;
    sent.world.work().await;
    let (world, path) = (&sent.world, callback_path(sent.message));
    let form = [("MessageSid", "SM00000000000000000000000000000001"), ("MessageStatus", "delivered")];
    for signature in ["", "RSOYDt4T1cUTdK1PDd93/VVr8B8="] {
        let forged = world.test.api(Method::POST, &path).form(&form).header("x-twilio-signature", signature);
        forged.await.expect_status(403);
    }
    assert_eq!(
        world.count("select count(*) from audit_log where action = 'webhook.refused'", &[]).await,
        1,
        "a flood is one row an hour"
    );
    sent.expect("sent", "claimed", "sent").await;

    let sandbox = World::new().await;
    let pool = sandbox.pool(1).await;
    let campaign = sandbox.campaign(pool).await;
    let recipient = sandbox.recipient(campaign).await;
    let (message, card) = sandbox.claim_by_sms(campaign, recipient).await;
    sandbox.work().await;
    for _ in 0..2 {
        let callbacks = sandbox.drivers.sandbox.due(sandbox.test.app.clock.now()).await.unwrap();
        for callback in callbacks {
            let path = callback_path(message);
            assert!(callback.url.ends_with(&path));
            let ask = sandbox.test.api(Method::POST, &path).form(&callback.form);
            ask.header(twilio_signature::HEADER, &callback.signature).await.expect_status(204);
            let now = sandbox.test.app.clock.now();
            sandbox.drivers.sandbox.settle(&callback, true, now).await.unwrap();
        }
        sandbox.later(5);
    }
    sandbox.work().await;
    assert_eq!(sandbox.word("select status from gift_cards where id = $1", &[&card]).await, "delivered");
    sandbox.check().await;
}

#[tokio::test]
async fn news_of_a_message_whose_job_died_is_seen_by_doctor_and_taken_in_by_the_sweep() {
    let sent = claimed().await;
    let world = &sent.world;
    world.provider.then(SendError::permanent("21211", "not a number"));
    // the message is tried, and what tells of it dies each time
    let registry = messaging::jobs(jobs::Registry::new(), &world.test.app, &world.drivers);
    jobs::drain(&world.test.app.db, &world.test.app.clock, &registry).await.unwrap();
    let died =
        "update jobs set state = 'dead', finished_at = now() where kind = 'rewards.message_moved' and state = 'ready'";
    assert_eq!(world.admin.execute(died, &[]).await.unwrap(), 1);
    assert_eq!(sent.statuses().await, ("failed".into(), "claimed".into(), "pending".into()));
    let rule = rewards::INVARIANTS.iter().find(|(rule, _)| *rule == "a delivery is as far as its messages").unwrap();
    let operator = world.test.operator();
    let broken: i64 = world.test.app.scope(&operator).query_scalar(rule.1, &[]).await.unwrap();
    assert_eq!(broken, 1);
    rewards::actions::deliveries::catch_up(&world.test.app).await.unwrap();
    world.work().await;
    assert!(world.provider.sent()[0].0.ends_with("@example.com"), "the other way was taken after all");
    sent.expect("failed", "claimed", "sent").await;
}

#[tokio::test]
async fn what_cannot_be_delivered_at_all_comes_back_as_money_once_and_is_paid_for_when_it_is_sent_after_all() {
    let world = World::scripted().await;
    let pool = world.pool(5).await;
    let campaign = world.campaign(pool).await;
    world.run("update campaign_conditions set trigger_type = 'purl_visit'", &[]).await;
    world.price(3).await;
    world.grant(3).await;
    let recipient = world.recipient(campaign).await;
    world.run("update recipients set email = null", &[]).await;
    world.run("update contacts set email = null", &[]).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    let credits = "select credits::int8 from clients where id = $1";
    assert_eq!(world.count(credits, &[&world.client_id]).await, 0);
    world.provider.then(SendError::permanent("21211", "no such number"));
    world.work().await;
    assert_eq!(world.count(credits, &[&world.client_id]).await, 3, "nobody got anything");
    rewards::actions::deliveries::message_moved(&world.test.app, world.client_id, message).await.unwrap();
    assert_eq!(world.count(credits, &[&world.client_id]).await, 3, "it comes back once");
    world.check().await;
    let to = ResendInput { to: "+16145550177".into(), reason: "they called".into() };
    resend(
        &world.test.app,
        &world.test.operator(),
        (world.client_id, message),
        (true, &kernel::version::Expected::any()),
        &to,
    )
    .await
    .unwrap();
    world.work().await;
    assert_eq!(world.cards_of(recipient).await, 1);
    assert_eq!(world.count(credits, &[&world.client_id]).await, 0, "and is paid for once it is sent");
    assert_eq!(world.word("select status from gift_cards where id = $1", &[&card]).await, "claimed");
    world.check().await;
}

#[tokio::test]
async fn whoever_may_not_reveal_a_card_sends_it_to_nobody_else() {
    let sent = claimed().await;
    let world = &sent.world;
    world.provider.then(SendError::permanent("21211", "not a number"));
    world.provider.then(SendError::permanent("550", "no"));
    world.work().await;
    let (story, path) = (&world.test.story, format!("/v1/messages/{}/resend", sent.message));
    let elsewhere = json!({ "to": "+16145550177", "reason": "they called" });
    let page = format!("/acme-roofing/deliveries/{}", sent.message);
    let form = [("to", "+16145550177"), ("reason", "they called")];
    world.test.post_form(&format!("{page}/resend"), &form).as_user(&story.acme_agent).await.expect_status(403);
    let shown = world.test.get(&page).as_user(&story.acme_agent).await.expect_status(200);
    assert!(shown.text().contains("/resend") && !shown.text().contains("name=\"to\""), "the same number is offered");
    let silent = json!({ "to": "+16145550177" });
    let refused = world.test.api_json(Method::POST, &path, &silent).bearer(&story.acme.key).await.expect_status(422);
    assert_eq!(refused.json()["errors"][0]["pointer"], "#/reason");
    assert!(world.provider.sent().is_empty());
    world.test.api_json(Method::POST, &path, &elsewhere).bearer(&story.acme.key).await.expect_status(201);
    let audit =
        world.word("select string_agg(a::text, ' ') from audit_log a where action = 'message.resent'", &[]).await;
    assert!(audit.contains("they called"), "{audit}");
    world.work().await;
    assert_eq!(world.provider.sent()[0].0, "+16145550177");
}

#[tokio::test]
async fn a_card_that_arrived_was_used_or_is_over_goes_nowhere_else() {
    for (spoil, code) in [
        ("update gift_cards set status = 'redeemed' where id = $1", "card_redeemed"),
        ("update gift_cards set expires_at = '2020-01-01' where id = $1", "card_expired"),
        ("update gift_cards set revoked_at = now() where id = $1", "card_revoked"),
        ("update gift_cards set delivery_address = delivery_address where id = $1", "card_delivered"),
    ] {
        let sent = claimed().await;
        let world = &sent.world;
        world.work().await;
        sent.callback("delivered", DeliveryStatus::Delivered).await;
        world.run(spoil, &[&sent.card]).await;
        let (app, operator, at) = (&world.test.app, world.test.operator(), (world.client_id, sent.message));
        let elsewhere = ResendInput { to: "+16145550177".into(), reason: "they asked".into() };
        let refused =
            resend(app, &operator, at, (true, &kernel::version::Expected::any()), &elsewhere).await.unwrap_err();
        assert_eq!(refused.code(), code, "{spoil}");
        let same =
            resend(app, &operator, at, (false, &kernel::version::Expected::any()), &ResendInput::default()).await;
        assert_eq!(same.is_ok(), code == "card_delivered", "{spoil}");
    }
}

#[tokio::test]
async fn a_card_whose_last_day_is_over_before_it_leaves_is_not_sent() {
    let sent = claimed().await;
    sent.world.run("update gift_cards set expires_at = '2020-01-01' where id = $1", &[&sent.card]).await;
    sent.world.work().await;
    assert!(sent.world.provider.sent().is_empty());
    let why = sent.world.word("select last_error_code from messages where id = $1", &[&sent.message]).await;
    assert_eq!(why, "card_expired");
}

#[tokio::test]
async fn a_stop_that_the_provider_tells_of_holds_for_the_number_and_its_contacts() {
    for called_back in [false, true] {
        let sent = claimed().await;
        let world = &sent.world;
        if called_back {
            world.work().await;
            sent.callback("undelivered", failed("21610")).await;
        } else {
            world.provider.then(SendError::permanent("21610", "unsubscribed recipient"));
            world.work().await;
        }
        let stopped = "select count(*) from suppressed_addresses where channel = 'sms' and reason = 'stop'";
        assert_eq!(world.count(stopped, &[]).await, 1, "called back: {called_back}");
        let opted = "select count(*) from contacts c join messages m on m.to_address = c.phone where c.sms_opt_out and m.id = $1";
        assert_eq!(world.count(opted, &[&sent.message]).await, 1, "called back: {called_back}");
        let others = "select count(*) from contacts where sms_opt_out and email_opt_out";
        assert_eq!(world.count(others, &[]).await, 0);
        let (operator, at) = (world.test.operator(), (world.client_id, sent.message));
        let again =
            resend(&world.test.app, &operator, at, (true, &kernel::version::Expected::any()), &ResendInput::default())
                .await;
        assert_eq!(again.unwrap_err().code(), "GC-009");
    }
}

#[tokio::test]
async fn an_address_where_nobody_is_is_not_written_to_again() {
    let world = World::scripted().await;
    let pool = world.pool(2).await;
    let campaign = world.campaign(pool).await;
    for (code, text, kept) in [("550", "5.1.1 no such user", 1), ("550", "5.7.1 blocked", 0)] {
        let recipient = world.recipient(campaign).await;
        let email = world.word("select email from recipients where id = $1", &[&recipient]).await;
        let claim = world.to_claim(campaign, recipient).to(messaging::Channel::Email, email.clone());
        world.provider.then(SendError::permanent(code, text));
        world.claim(&claim).await;
        world.work().await;
        let sql = "select count(*) from suppressed_addresses where address = $1 and reason = 'bounce'";
        assert_eq!(world.count(sql, &[&email]).await, kept, "{text}");
    }
    assert_eq!(world.count("select count(*) from contacts where email_opt_out", &[]).await, 0, "nobody said no");
}

#[tokio::test]
async fn a_card_is_not_replaced_at_the_moment_it_is_sent_and_its_code_does_not_leave_afterwards() {
    let sent = claimed().await;
    let world = &sent.world;
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = rewards::actions::cards::ReplaceInput { reason: "lost".into(), to: String::new() };
    let try_it = "update messages set sending_since = $2 where id = $1";
    world.run(try_it, &[&sent.message, &app.clock.now()]).await;
    let refused = rewards::actions::cards::replace(
        app,
        &operator,
        (world.client_id, sent.card),
        (true, &kernel::version::Expected::any()),
        &input,
    )
    .await;
    assert_eq!(refused.unwrap_err().code(), "still_sending");
    // a process that was killed keeps nobody for ever
    world.later(3_000);
    rewards::actions::cards::replace(
        app,
        &operator,
        (world.client_id, sent.card),
        (true, &kernel::version::Expected::any()),
        &input,
    )
    .await
    .unwrap();
    world.work().await;
    assert_eq!(world.provider.sent().len(), 1, "the new code alone");
    world.check().await;
}

#[tokio::test]
async fn a_reward_that_failed_by_sms_and_arrived_by_mail_is_delivered_everywhere() {
    let sent = claimed().await;
    let world = &sent.world;
    world.provider.then(SendError::permanent("30006", "a landline"));
    world.work().await;
    let mail: Uuid = world.word("select id::text from messages where channel = 'email'", &[]).await.parse().unwrap();
    let name = world.word("select provider_message_id from messages where id = $1", &[&mail]).await;
    let update =
        StatusUpdate { provider_message_id: name, status: DeliveryStatus::Delivered, word: "delivered".into() };
    take_callback(&world.test.app, "twilio", mail, &update).await.unwrap();
    world.work().await;
    sent.expect("failed", "delivered", "delivered").await;
    let story = &world.test.story;
    let list = async |query: &str| {
        let path = format!("/acme-roofing/deliveries{query}");
        world.test.get(&path).as_user(&story.agency_owner).await.expect_status(200).text()
    };
    let row = |id: Uuid| format!("/acme-roofing/deliveries/{id}\"");
    let all = list("").await;
    assert!(all.contains(&row(mail)) && !all.contains(&row(sent.message)), "one row for one reward");
    assert!(!list("?status=failed").await.contains(&row(mail)));
    assert!(list("?status=delivered").await.contains(&row(mail)));
    let phone = world.word("select to_address from messages where id = $1", &[&sent.message]).await;
    assert!(list(&format!("?q={}", phone.replace('+', "%2B"))).await.contains(&row(mail)), "found by every address");
    let told = world.test.api(Method::GET, &format!("/v1/messages/{}", sent.message)).bearer(&story.acme.key);
    let told = told.await.expect_status(200).json();
    assert_eq!((&told["status"], &told["reward_status"]), (&json!("failed"), &json!("delivered")));
}

#[tokio::test]
async fn the_sandbox_shows_codes_to_those_who_may_reveal_them_and_is_kept_by_no_cache() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let file = std::io::Cursor::new(b"code,pin\nHIDE-ME-PLEASE,4711\n".to_vec());
    rewards::upload::run(&world.test.app, &world.test.operator(), pool, file).await.unwrap();
    let campaign = world.campaign(pool).await;
    world.run("update campaign_reward_configs set sms_template = 'Code {{code}}, PIN {{pin|}}'", &[]).await;
    let recipient = world.recipient(campaign).await;
    world.claim_by_sms(campaign, recipient).await;
    world.work().await;
    let story = &world.test.story;
    for path in ["/sandbox", "/sandbox/latest"] {
        let whole = world.test.get(path).as_user(&story.agency_owner).await.expect_status(200);
        assert_eq!(whole.header("cache-control"), "no-store");
        assert!(whole.text().contains("Code HIDE-ME-PLEASE, PIN 4711"));
        for person in [&story.acme_agent, &story.support] {
            let masked = world.test.get(path).as_user(person).await.expect_status(200);
            assert_eq!(masked.header("cache-control"), "no-store");
            let text = masked.text();
            assert!(
                text.contains("Code •••• EASE, PIN ••••") && !text.contains("HIDE") && !text.contains("4711"),
                "{text}"
            );
        }
    }
}

/// Somebody with a card worth two credits on its way who says no to every channel before it leaves.
async fn refused_at_the_door() -> (Sent, Uuid) {
    let sent = claimed().await;
    let world = &sent.world;
    let sql = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, 10, 'grant', now())";
    world.run(sql, &[&world.client_id]).await;
    world.price(2).await;
    let campaign = world.campaign(sent.pool).await;
    let recipient = world.recipient(campaign).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    assert_eq!(world.count("select credits::int8 from clients where id = $1", &[&world.client_id]).await, 8);
    let no = "update contacts set do_not_contact = true where id = (select contact_id from recipients where id = $1)";
    world.run(no, &[&recipient]).await;
    (Sent { message, card, ..sent }, recipient)
}

#[tokio::test]
async fn a_card_nobody_saw_goes_back_to_stock_when_its_person_says_no_before_it_leaves() {
    let (sent, recipient) = refused_at_the_door().await;
    let world = &sent.world;
    world.work().await;
    assert!(world.provider.sent().iter().all(|(to, _)| *to != "nobody"));
    let back = "select count(*) from gift_cards where id = $1 and status = 'available' and recipient_id is null";
    assert_eq!(world.count(back, &[&sent.card]).await, 1);
    assert_eq!(world.count("select credits::int8 from clients where id = $1", &[&world.client_id]).await, 10);
    let waits = "select count(*) from call_conditions_met where recipient_id = $1 and gift_card_id is null
                 and delivery_status = 'pending' and delivery_address is null and refusal = 'do_not_contact'";
    assert_eq!(world.count(waits, &[&recipient]).await, 1, "it waits for a yes");
    for told in [
        "select count(*) from audit_log where action = 'gift_card.taken_back' and row_id = $1",
        "select count(*) from credit_ledger where gift_card_id = $1 and reason = 'refund' and note like '%back in stock'",
    ] {
        assert_eq!(world.count(told, &[&sent.card]).await, 1, "{told}");
    }
    let alert = "select count(*) from alerts where kind = 'consent_needed' and subject_id = $1 and resolved_at is null";
    assert_eq!(world.count(alert, &[&recipient]).await, 1);
    assert_eq!(world.count("select count(*) from messages where gift_card_id = $1", &[&sent.card]).await, 0);
    let (operator, at) = (world.test.operator(), (world.client_id, sent.message));
    let again =
        resend(&world.test.app, &operator, at, (true, &kernel::version::Expected::any()), &ResendInput::default())
            .await;
    assert_eq!(again.unwrap_err().code(), "card_taken_back", "it may be somebody else's by now");
    world.check().await;
}

#[tokio::test]
async fn a_card_that_somebody_may_have_seen_stays_where_it_is() {
    for seen in [
        "update gift_cards set revealed_at = now() where id = $1",
        "update call_conditions_met set last_shown_at = now() where gift_card_id = $1",
        "update messages set attempts = 3, last_error_code = 'timeout' where gift_card_id = $1",
    ] {
        let (sent, _) = refused_at_the_door().await;
        let world = &sent.world;
        world.run(seen, &[&sent.card]).await;
        world.work().await;
        let kept = "select count(*) from gift_cards where id = $1 and status = 'claimed'";
        assert_eq!(world.count(kept, &[&sent.card]).await, 1, "{seen}");
        let by_hand = "update gift_cards set status = 'available', recipient_id = null, campaign_id = null, claimed_at = null where id = $1";
        assert!(world.admin.execute(by_hand, &[&sent.card]).await.is_err(), "nor by hand: {seen}");
        world.check().await;
    }
}

#[tokio::test]
async fn a_text_of_nobody_in_particular_carries_every_part_of_the_card() {
    let world = World::scripted().await;
    let pool = world.pool(0).await;
    let file = "code,pin,number,expiry\nWHOLE-CODE-01,4711,6011000011,2027-03-01\n";
    let file = std::io::Cursor::new(file.as_bytes().to_vec());
    rewards::upload::run(&world.test.app, &world.test.operator(), pool, file).await.unwrap();
    let campaign = world.campaign(pool).await;
    world.run("update campaign_reward_configs set sms_template = null, email_template = null", &[]).await;
    let recipient = world.recipient(campaign).await;
    world.claim_by_sms(campaign, recipient).await;
    world.work().await;
    let (_, text) = &world.provider.sent()[0];
    for part in ["WHOLE-CODE-01", "4711", "6011000011", "Mar 1, 2027"] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let in_the_database = "select count(*) from pg_proc where prosrc ~ '\\{\\{(code|pin|number)'";
    assert_eq!(world.count(in_the_database, &[]).await, 0, "a default text names the whole card");
}
