//! What people do with one card.

use futures_util::future::join_all;
use kernel::Error;
use rewards::actions::cards::{RedeemInput, ReplaceInput, RevokeInput, redeem, replace, reveal, revoke};
use uuid::Uuid;

use crate::support::World;

async fn with_a_card() -> (World, Uuid, Uuid) {
    let world = World::new().await;
    let pool = world.pool(3).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let (_, card) = world.claim_by_sms(campaign, recipient).await;
    (world, recipient, card)
}

fn because() -> RevokeInput {
    RevokeInput { reason: "the code was seen".into() }
}

#[tokio::test]
async fn a_reveal_opens_the_code_and_leaves_an_audit_row_without_it() {
    let (world, _, card) = with_a_card().await;
    let owner = world.test.story.agency_owner.actor();
    let open =
        reveal(&world.test.app, &owner, (world.client_id, card), &kernel::version::Expected::any()).await.unwrap();
    assert_eq!(open.code.len(), 32);
    let audit =
        world.word("select string_agg(a::text, ' ') from audit_log a where action = 'gift_card.revealed'", &[]).await;
    assert!(audit.contains("nora.north@example.com") && !audit.contains(&open.code));
    assert!(!format!("{open:?}").contains(&open.code));
    let foreign = world.test.story.corner_owner.actor();
    assert_eq!(
        reveal(&world.test.app, &foreign, (world.client_id, card), &kernel::version::Expected::any())
            .await
            .unwrap_err(),
        Error::NotFound
    );
}

#[tokio::test]
async fn a_retired_card_is_replaced_by_another_one_for_the_same_condition() {
    let (world, recipient, card) = with_a_card().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = ReplaceInput { reason: "lost".into(), to: "ada@example.org".into() };
    let claimed = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap();
    let new = claimed.gift_card_id.unwrap();
    assert_ne!(new, card);
    world.work().await;
    let sql = "select to_address from messages where gift_card_id = $1 and status = 'sent'";
    assert_eq!(world.word(sql, &[&new]).await, "ada@example.org");
    let sql = "select gift_card_id::text from call_conditions_met where recipient_id = $1";
    assert_eq!(world.word(sql, &[&recipient]).await, new.to_string());
    world.check().await;
    for _ in 0..2 {
        let newest: String = world.word("select gift_card_id::text from call_conditions_met", &[]).await;
        let _ = replace(
            app,
            &operator,
            (world.client_id, newest.parse().unwrap()),
            (true, &kernel::version::Expected::any()),
            &input,
        )
        .await;
    }
    let newest: String = world.word("select gift_card_id::text from call_conditions_met", &[]).await;
    let empty = replace(
        app,
        &operator,
        (world.client_id, newest.parse().unwrap()),
        (true, &kernel::version::Expected::any()),
        &input,
    )
    .await
    .unwrap_err();
    assert_eq!(empty.code(), "GC-003");
    world.check().await;
}

#[tokio::test]
async fn a_card_is_redeemed_once_and_never_comes_back_to_the_shelf() {
    let (world, _, card) = with_a_card().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let note = RedeemInput { balance_note: "2.50 left".into() };
    redeem(app, &operator, (world.client_id, card), &note, &kernel::version::Expected::any()).await.unwrap();
    world.check().await;
    assert_eq!(
        redeem(app, &operator, (world.client_id, card), &note, &kernel::version::Expected::any())
            .await
            .unwrap_err()
            .code(),
        "not_redeemable"
    );
    let back = world
        .admin
        .execute("update gift_cards set status = 'available', recipient_id = null where id = $1", &[&card])
        .await;
    assert!(back.is_err(), "the database refuses it, whoever asks");
    let free: Uuid = world
        .admin
        .query_one("select id from gift_cards where status = 'available' limit 1", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(
        redeem(app, &operator, (world.client_id, free), &note, &kernel::version::Expected::any())
            .await
            .unwrap_err()
            .code(),
        "not_redeemable"
    );
    revoke(app, &operator, (world.client_id, free), &because(), &kernel::version::Expected::any()).await.unwrap();
    assert_eq!(
        revoke(app, &operator, (world.client_id, free), &because(), &kernel::version::Expected::any())
            .await
            .unwrap_err()
            .code(),
        "already_revoked"
    );
    assert_eq!(world.word("select status from gift_cards where id = $1", &[&free]).await, "expired");
    world.check().await;
}

#[tokio::test]
async fn nobody_sees_the_code_of_a_card_that_is_still_to_be_handed_out() {
    let (world, _, _) = with_a_card().await;
    let (app, owner) = (&world.test.app, world.test.story.agency_owner.actor());
    let in_stock = "select id from gift_cards where status = 'available' limit 1";
    let free: Uuid = world.admin.query_one(in_stock, &[]).await.unwrap().get(0);
    assert_eq!(
        reveal(app, &owner, (world.client_id, free), &kernel::version::Expected::any()).await.unwrap_err().code(),
        "still_in_stock"
    );
    let path = format!("/acme-roofing/cards/{free}");
    let page = world.test.get(&path).as_user(&world.test.story.agency_owner).await.expect_status(200).text();
    assert!(!page.contains("Reveal code"), "no button that would be refused");
    let asked = world.test.post_form(&format!("{path}/reveal"), &[("", "")]).as_user(&world.test.story.agency_owner);
    assert!(asked.await.expect_status(422).text().contains("revoke it first"));
    assert_eq!(world.count("select count(*) from audit_log where action = 'gift_card.revealed'", &[]).await, 0);
    revoke(app, &owner, (world.client_id, free), &because(), &kernel::version::Expected::any()).await.unwrap();
    reveal(app, &owner, (world.client_id, free), &kernel::version::Expected::any()).await.unwrap();
    let page = world.test.get(&path).as_user(&world.test.story.agency_owner).await.expect_status(200).text();
    assert!(page.contains("Reveal code"), "a retired one goes to nobody");
}

#[tokio::test]
async fn after_a_replacement_everything_names_the_new_card_and_where_it_went() {
    let (world, recipient, card) = with_a_card().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let contact = "select contact_id::text from recipients where id = $1";
    let contact: Uuid = world.word(contact, &[&recipient]).await.parse().unwrap();
    let sql = "insert into contact_campaign_participation (id, client_id, contact_id, campaign_id, recipient_id, gift_card_id)
               select gen_random_uuid(), client_id, $2, campaign_id, id, $3 from recipients where id = $1";
    world.run(sql, &[&recipient, &contact, &card]).await;
    let input = ReplaceInput { reason: "lost".into(), to: "ada@example.org".into() };
    let new = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap()
        .gift_card_id
        .unwrap();
    let sql = "select delivery_channel || ' ' || delivery_address from call_conditions_met where recipient_id = $1";
    assert_eq!(world.word(sql, &[&recipient]).await, "email ada@example.org");
    let sql = "select gift_card_id::text from contact_campaign_participation where contact_id = $1";
    assert_eq!(world.word(sql, &[&contact]).await, new.to_string());
    world.check().await;
}

#[tokio::test]
async fn a_replacement_is_no_promised_card_as_long_as_there_are_others() {
    let world = World::new().await;
    let pool = world.pool(4).await;
    let campaign = world.campaign(pool).await;
    world.promise(campaign, pool, 3).await;
    let recipient = world.recipient(campaign).await;
    let (_, card) = world.claim_by_sms(campaign, recipient).await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = ReplaceInput { reason: "lost".into(), to: String::new() };
    let promised = "select reserved::bigint from campaign_reservations";
    assert_eq!(world.count(promised, &[]).await, 2);
    let second = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap()
        .gift_card_id
        .unwrap();
    assert_eq!(world.count(promised, &[]).await, 2, "one was free");
    world.check().await;
    replace(app, &operator, (world.client_id, second), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap();
    assert_eq!(world.count(promised, &[]).await, 1, "none was");
    world.check().await;
}

#[tokio::test]
async fn a_revoked_card_can_still_be_replaced_once() {
    let (world, recipient, card) = with_a_card().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let owner = &world.test.story.agency_owner;
    let page =
        async || world.test.get(&format!("/acme-roofing/cards/{card}")).as_user(owner).await.expect_status(200).text();
    revoke(app, &operator, (world.client_id, card), &because(), &kernel::version::Expected::any()).await.unwrap();
    let shown = page().await;
    assert!(shown.contains("/replace") && !shown.contains("/redeem") && !shown.contains("/revoke"), "{shown}");
    let input = ReplaceInput { reason: "another one".into(), to: String::new() };
    let new = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap()
        .gift_card_id
        .unwrap();
    let sql = "select gift_card_id::text from call_conditions_met where recipient_id = $1";
    assert_eq!(world.word(sql, &[&recipient]).await, new.to_string());
    let reason = world.word("select revoked_reason from gift_cards where id = $1", &[&card]).await;
    assert_eq!(reason, "the code was seen", "why it was retired stays");
    assert!(!page().await.contains("/replace"));
    let again = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap_err();
    assert_eq!(again.code(), "GC-001");
    world.check().await;
}

#[tokio::test]
async fn a_card_that_only_a_form_showed_is_replaced_by_one_that_goes_somewhere() {
    let world = World::new().await;
    let pool = world.pool(2).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    let claim = rewards::Claim::new(world.client_id, campaign, recipient, 1);
    let card = world.claim(&claim).await.gift_card_id.unwrap();
    let (app, operator) = (&world.test.app, world.test.operator());
    let mut input = ReplaceInput { reason: "lost".into(), to: String::new() };
    let refused = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap_err();
    assert_eq!(refused.fields()[0].field, "to");
    input.to = "ada@example.org".into();
    let new = replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap();
    assert!(new.message_id.is_some());
    world.check().await;
}

#[tokio::test]
async fn a_card_in_stock_that_leaked_is_retired_whatever_is_promised_and_the_promise_is_mended_first() {
    let world = World::new().await;
    let pool = world.pool(2).await;
    let campaign = world.campaign(pool).await;
    world.promise(campaign, pool, 2).await;
    for status in ["ready", "in_production", "mailed"] {
        let sql = "update campaigns set status = $2::text::campaign_status, estimate = '{\"cards_per_reward\": 2}'
            where id = $1";
        world.run(sql, &[&campaign, &status]).await;
    }
    let (app, operator) = (&world.test.app, world.test.operator());
    let leaked: Uuid = world.admin.query_one("select id from gift_cards limit 1", &[]).await.unwrap().get(0);
    revoke(app, &operator, (world.client_id, leaked), &because(), &kernel::version::Expected::any()).await.unwrap();
    let promised = "select reserved::bigint from campaign_reservations";
    assert_eq!(world.count(promised, &[]).await, 1);
    let open = "select count(*) from alerts where kind = 'promise_cut' and resolved_at is null";
    assert_eq!(world.count(open, &[]).await, 1);
    world.check().await;
    world.upload(pool, 3).await;
    assert_eq!(world.count(promised, &[]).await, 2, "before anybody else");
    rewards::actions::stock::watch(app).await.unwrap();
    assert_eq!(world.count(open, &[]).await, 0);
    world.check().await;
    let page = format!("/acme-roofing/cards/{leaked}");
    let shown = world.test.get(&page).as_user(&world.test.story.agency_owner).await.expect_status(200);
    assert!(shown.text().contains("Revoked"));
}

#[tokio::test]
async fn the_database_lets_a_card_go_forward_only_and_stay_with_its_recipient() {
    let (world, recipient, card) = with_a_card().await;
    let other = {
        let campaign: Uuid =
            world.admin.query_one("select campaign_id from gift_cards where id = $1", &[&card]).await.unwrap().get(0);
        world.recipient(campaign).await
    };
    let as_app = format!("{}; set local role ace_app", testkit::entering(&format!("client:{}", world.client_id)));
    let redeem = format!("update gift_cards set status = 'redeemed' where id = '{card}'");
    world.admin.batch_execute(&redeem).await.unwrap();
    world.run("update messages set sent_at = now(), attempts = 1", &[]).await;
    world.run("update call_conditions_met set last_shown_at = now()", &[]).await;
    let campaign: Uuid =
        world.word("select campaign_id::text from recipients where id = $1", &[&other]).await.parse().unwrap();
    let (_, elses) = world.claim_by_sms(campaign, other).await;
    let free = world.word("select id::text from gift_cards where status = 'available' limit 1", &[]).await;
    let bring = |card: &str| bringing(&world, (campaign, recipient), card);
    for refused in [
        format!("update gift_cards set status = 'claimed' where id = '{card}'"),
        format!("update gift_cards set status = 'delivered' where id = '{card}'"),
        format!("update gift_cards set status = 'expired' where id = '{card}'"),
        format!("update gift_cards set recipient_id = '{other}' where id = '{card}'"),
        format!("update gift_cards set claimed_at = now() where id = '{card}'"),
        format!("update gift_cards set quarantined_at = now() where id = '{card}'"),
        "update gift_cards set status = 'claimed' where status = 'available'".to_owned(),
        format!("update call_conditions_met set recipient_id = '{other}' where recipient_id = '{recipient}'"),
        format!("update call_conditions_met set gift_card_id = null where recipient_id = '{recipient}'"),
        "update messages set status = 'held'".to_owned(),
        format!("delete from call_conditions_met where recipient_id = '{recipient}'"),
        format!("delete from gift_cards where id = '{card}'"),
        "delete from messages".to_owned(),
        "delete from alerts".to_owned(),
        // a card that was handed out stays what it is
        format!("update gift_cards set card_code = 'x' where id = '{card}'"),
        format!("update gift_cards set code_fingerprint = '\\x00' where id = '{card}'"),
        format!("update gift_cards set value_amount = 1 where id = '{card}'"),
        // what says that it was seen stays, so that it cannot be given to somebody else
        format!("update messages set gift_card_id = null where gift_card_id = '{card}'"),
        format!("update messages set sent_at = null where gift_card_id = '{card}'"),
        format!("update messages set attempts = 0 where gift_card_id = '{card}'"),
        format!("update call_conditions_met set last_shown_at = null where gift_card_id = '{card}'"),
        // and nobody is given one that is not theirs
        format!("update call_conditions_met set gift_card_id = '{free}' where recipient_id = '{recipient}'"),
        format!("update messages set gift_card_id = '{free}' where gift_card_id = '{card}'"),
        format!("update messages set gift_card_id = '{elses}' where gift_card_id = '{card}'"),
        bring(&elses.to_string()),
        bring(&free),
        format!("update recipients set purl_token = 'mine' where id = '{recipient}'"),
        format!("update recipients set redemption_code = 'MINE' where id = '{recipient}'"),
    ] {
        for role in ["", as_app.as_str()] {
            // what is never removed is refused by its right alone
            if role.is_empty() && refused.starts_with("delete") {
                continue;
            }
            let done = world.admin.batch_execute(&format!("{role}; {refused}")).await;
            world.admin.batch_execute("reset role").await.unwrap();
            assert!(done.is_err(), "{refused} as {role:?}");
        }
    }
    world.admin.batch_execute("update messages set status = 'failed'").await.unwrap();
    assert!(world.admin.batch_execute("update messages set status = 'pending'").await.is_err());
}

#[tokio::test]
async fn the_database_keeps_cards_credits_and_messages_what_they_are() {
    let world = World::new().await;
    let pool = world.pool(5).await;
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    world.price(2).await;
    world.grant(20).await;
    world.promise(campaign, pool, 0).await;
    world.run("update campaign_reservations set price_credits = 2", &[]).await;
    world.run("update campaign_reservations set reserved = 2", &[]).await;
    world.run("update gift_card_pools set reserved_cards = 2 where id = $1", &[&pool]).await;
    let (message, card) = world.claim_by_sms(campaign, recipient).await;
    world.run("update messages set status = 'delivered' where id = $1", &[&message]).await;
    world.run("update campaigns set status = 'ready' where id = $1", &[&campaign]).await;
    let piece = "insert into credit_ledger (id, client_id, amount, reason, campaign_id, created_at)
                 values (gen_random_uuid(), $1, -3, 'piece', $2, now())";
    world.run(piece, &[&world.client_id, &campaign]).await;
    let as_app = format!("{}; set local role ace_app", testkit::entering(&format!("client:{}", world.client_id)));
    let free = "id = (select id from gift_cards where status = 'available' limit 1)";
    for refused in [
        format!("update gift_cards set value_amount = 1000 where {free}"),
        format!("update gift_cards set code_fingerprint = sha256('x') where {free}"),
        format!("update gift_cards set case_folded = not case_folded where {free}"),
        format!("update gift_cards set quarantined_at = now() where {free}"),
        "update campaign_reservations set credits = 0".into(),
        "update campaign_reservations set price_credits = 0".into(),
        "delete from campaign_reservations".into(),
        "update messages set to_address = '+16145550999'".into(),
        bringing(&world, (campaign, recipient), &card.to_string()),
        format!(
            "insert into credit_ledger (id, client_id, amount, reason, campaign_id, created_at)
             values (gen_random_uuid(), '{}', 1, 'refund', '{campaign}', now())",
            world.client_id
        ),
    ] {
        let done = world.admin.batch_execute(&format!("begin; {as_app}; {refused}; commit")).await;
        let refused_as = done.expect_err(&refused);
        assert_eq!(refused_as.code().map(|code| code.code()), Some("42501"), "{refused}: {refused_as:?}");
        world.admin.batch_execute("rollback").await.unwrap();
    }
}

/// A message that would bring a card to a recipient.
fn bringing(world: &World, (campaign, recipient): (Uuid, Uuid), card: &str) -> String {
    format!(
        "insert into messages (id, client_id, campaign_id, recipient_id, gift_card_id, channel, purpose, to_address,
           body_template, created_at)
         values (gen_random_uuid(), '{}', '{campaign}', '{recipient}', '{card}', 'sms', 'reward', '+16145550000', 'x', now())",
        world.client_id
    )
}

#[tokio::test]
async fn the_database_makes_no_credits_out_of_any_word() {
    let world = World::new().await;
    let as_app = format!("{}; set local role ace_app", testkit::entering(&format!("client:{}", world.client_id)));
    let made = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, 5, 'grant', now())";
    world.admin.batch_execute(&format!("begin; {as_app}")).await.unwrap();
    assert!(world.admin.execute(made, &[&world.client_id]).await.is_err(), "credits from nowhere");
    world.admin.batch_execute("rollback").await.unwrap();
    for reason in ["refund", "transfer", "piece", "reward"] {
        let made = made.replace("grant", reason);
        world.admin.batch_execute(&format!("begin; {as_app}")).await.unwrap();
        let written = world.admin.execute(&made, &[&world.client_id]).await;
        let kept = world.admin.batch_execute("commit").await;
        assert!(written.is_err() || kept.is_err(), "credits out of a {reason}");
        let _ = world.admin.batch_execute("rollback; reset role").await;
    }
}

/// Puts another card in the place of one, sent to `to`, or where that one went.
async fn replaced(world: &World, card: Uuid, to: &str) -> kernel::Result<rewards::Claimed> {
    let (input, any) = (ReplaceInput { reason: "lost".into(), to: to.into() }, kernel::version::Expected::any());
    replace(&world.test.app, &world.test.operator(), (world.client_id, card), (true, &any), &input).await
}

/// Nobody can be written to but by SMS.
async fn without_mail(world: &World) {
    world.run("update contacts set email = null", &[]).await;
    world.run("update recipients set email = null", &[]).await;
}

/// Who the card was sent to says no to everything.
async fn says_no(world: &World, recipient: Uuid) {
    let no = "update contacts set do_not_contact = true where id = (select contact_id from recipients where id = $1)";
    world.run(no, &[&recipient]).await;
}

#[tokio::test]
async fn no_card_is_taken_to_replace_one_that_nobody_may_be_sent_and_none_leaves_an_archived_pool() {
    let (world, recipient, card) = with_a_card().await;
    world.work().await;
    let free = "select count(*) from gift_cards where status = 'available'";
    let before = world.count(free, &[]).await;
    let stop = "insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
                values (gen_random_uuid(), $1, 'email', 'ada@example.org', 'stop', now())";
    world.run(stop, &[&world.client_id]).await;
    let refused = replaced(&world, card, "ada@example.org").await.unwrap_err();
    assert_eq!(refused.code(), "GC-009");
    says_no(&world, recipient).await;
    assert_eq!(replaced(&world, card, "").await.unwrap_err().code(), "GC-009");
    world.run("update contacts set do_not_contact = false", &[]).await;
    world.run("update gift_card_pools set archived_at = now()", &[]).await;
    assert_eq!(replaced(&world, card, "").await.unwrap_err().code(), "archived");
    assert_eq!(world.count(free, &[]).await, before);
    assert_eq!(world.count("select count(*) from gift_cards where revoked_at is not null", &[]).await, 0);
    world.check().await;
}

#[tokio::test]
async fn credits_come_back_for_a_reward_that_nobody_had_and_are_paid_again_with_the_card_that_replaces_it() {
    use providers::SendError;

    let world = World::scripted().await;
    let pool = world.pool(6).await;
    world.grant(10).await;
    world.price(2).await;
    let campaign = world.campaign(pool).await;
    world.run("update campaign_conditions set trigger_type = 'purl_visit'", &[]).await;
    let credits = async || world.count("select credits::int8 from clients where id = $1", &[&world.client_id]).await;
    let gone = || SendError::permanent("21211", "no such number");

    // one that arrived is replaced for nothing, and the one that follows pays nothing back when it fails
    let had = world.recipient(campaign).await;
    without_mail(&world).await;
    let (_, card) = world.claim_by_sms(campaign, had).await;
    world.work().await;
    assert_eq!(credits().await, 8);
    let second = replaced(&world, card, "+16145550177").await.unwrap();
    world.provider.then(gone());
    world.work().await;
    assert_eq!(credits().await, 8, "the first card was had");
    // nor does the one after that
    world.provider.then(gone());
    replaced(&world, second.gift_card_id.unwrap(), "+16145550178").await.unwrap();
    world.work().await;
    assert_eq!(credits().await, 8);

    // one that reached nobody is paid back, once, and paid again when another one is sent
    let unreached = world.recipient(campaign).await;
    without_mail(&world).await;
    world.provider.then(gone());
    let (_, card) = world.claim_by_sms(campaign, unreached).await;
    assert_eq!(credits().await, 6);
    world.work().await;
    assert_eq!(credits().await, 8);
    let again = replaced(&world, card, "+16145550179").await.unwrap();
    assert_eq!(credits().await, 6);
    world.provider.then(gone());
    world.work().await;
    assert_eq!(credits().await, 8, "nobody had either of the two");
    world.run("update clients set credits_reserved = credits", &[]).await;
    let short = replaced(&world, again.gift_card_id.unwrap(), "+16145550180").await;
    assert_eq!(short.unwrap_err().code(), "GC-006");
    world.run("update clients set credits_reserved = 0", &[]).await;
    world.check().await;
}

#[tokio::test]
async fn a_replacement_goes_to_an_address_that_is_not_on_record_only_for_those_who_may_reveal() {
    let (world, recipient, card) = with_a_card().await;
    let key = &world.test.story.acme.key;
    world.run("update api_keys set scopes = array['gift_cards.view', 'gift_cards.revoke']", &[]).await;
    let path = format!("/v1/cards/{card}/replace");
    let ask = |to: &str| {
        let body = serde_json::json!({ "reason": "lost", "to": to });
        world.test.api_json(web::Method::POST, &path, &body).bearer(key)
    };
    let refused = ask("thief@example.com").await.expect_status(403).text();
    assert!(refused.contains("gift_cards.reveal"), "{refused}");
    assert_eq!(world.count("select count(*) from gift_cards where replaced_by_id is not null", &[]).await, 0);
    let own = world.word("select email from recipients where id = $1", &[&recipient]).await;
    ask(&own).await.expect_status(201);
    let given = "select count(*) from call_conditions_met where given_address";
    assert_eq!(world.count(given, &[]).await, 0, "what is on record is not given");

    let newest: Uuid = world.word("select gift_card_id::text from call_conditions_met", &[]).await.parse().unwrap();
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = ReplaceInput { reason: "moved".into(), to: "ada@example.org".into() };
    replace(app, &operator, (world.client_id, newest), (true, &kernel::version::Expected::any()), &input)
        .await
        .unwrap();
    assert_eq!(world.count(given, &[]).await, 1);
    let audited = "select (before ->> 'to') || ' ' || (after ->> 'to') from audit_log
                   where action = 'gift_card.replaced' and row_id = $1";
    assert_eq!(world.word(audited, &[&newest]).await, format!("{own} ada@example.org"));
    world.check().await;
}

#[tokio::test]
async fn replacements_count_against_the_address_they_go_to() {
    let world = World::new().await;
    let pool = world.pool(14).await;
    let campaign = world.campaign(pool).await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = ReplaceInput { reason: "lost".into(), to: "collector@example.com".into() };
    let mut cards = Vec::new();
    for _ in 0..6 {
        let recipient = world.recipient(campaign).await;
        cards.push(world.claim_by_sms(campaign, recipient).await.1);
    }
    // what was earned long ago counts from when its card goes to the address
    world.test.clock().advance(chrono::Duration::days(3));
    for (n, card) in cards.into_iter().enumerate() {
        let done =
            replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &input).await;
        match done {
            Ok(_) => assert!(n < 5, "the sixth went out"),
            Err(error) => assert_eq!((n, error.code()), (5, "many_rewards_to_one_address")),
        }
    }
    world.check().await;
}

/// Each from a pool of its own: no lock but that on the address makes one wait for the other.
#[tokio::test]
async fn replacements_sent_to_one_address_at_once_do_not_pass_the_limit_together() {
    let world = World::new().await;
    let (app, operator) = (&world.test.app, world.test.operator());
    let input = ReplaceInput { reason: "lost".into(), to: "collector@example.com".into() };
    let mut cards = Vec::new();
    for _ in 0..8 {
        let campaign = world.campaign(world.pool(2).await).await;
        let recipient = world.recipient(campaign).await;
        cards.push(world.claim_by_sms(campaign, recipient).await.1);
    }
    let any = kernel::version::Expected::any();
    let all = cards.into_iter().map(|card| replace(app, &operator, (world.client_id, card), (true, &any), &input));
    let (sent, refused): (Vec<_>, Vec<_>) = join_all(all).await.into_iter().partition(Result::is_ok);
    assert_eq!((sent.len(), refused.len()), (5, 3));
    assert!(refused.into_iter().all(|refused| refused.unwrap_err().code() == "many_rewards_to_one_address"));
    world.check().await;
}
