//! What a stranger decides for others: nothing. And what somebody who earned a card keeps when the campaign is over.

use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::world::{PHONE, Someone, World, code_on, form_with_code};

const STRANGERS: &str = "+16145550166";

/// A contact that a form without a link made, and somebody with a link who became a recipient of it as it was.
async fn made_by_a_stranger(world: &World) -> (Someone, Uuid) {
    let fields = [("first_name", "Vera"), ("email", "vera@example.com"), ("phone", "(614) 555-0166"), ("ok", "true")];
    world.send_from("203.0.113.66", &fields).await.expect_status(200);
    let sql = "select id from contacts where lead_source = 'form'";
    let contact_id: Uuid = world.admin.query_one(sql, &[]).await.unwrap().get(0);
    let vera = world.someone("Vera").await;
    let sql = "update recipients set contact_id = $2, email = 'vera@example.com', phone = $3 where id = $1";
    world.run(sql, &[&vera.id, &contact_id, &STRANGERS]).await;
    world.test.clock().advance(chrono::Duration::minutes(2));
    (vera, contact_id)
}

fn own<'a>(someone: &'a Someone, email: &'a str, phone: &'a str) -> [(&'a str, &'a str); 4] {
    [("first_name", "Vera"), ("email", email), ("phone", phone), ("ace-recipient", someone.token.as_str())]
}

const GIVEN: &str = "select count(*) from call_conditions_met where given_address";

#[tokio::test]
async fn what_a_stranger_says_of_somebody_new_is_on_file_only_once_their_own_link_says_it() {
    let world = World::new(3).await;
    let (vera, contact_id) = made_by_a_stranger(&world).await;
    let unconfirmed = "select count(*) from contacts where id = $1 and unconfirmed = $2";
    let both = vec!["vera@example.com", STRANGERS];
    assert_eq!(world.count(unconfirmed, &[&contact_id, &both]).await, 1);
    let kept = "select count(*) from ace_form_submissions where contact_id = $1 and unconfirmed = $2";
    let said = json!({ "email": "vera@example.com", "phone": STRANGERS });
    assert_eq!(world.count(kept, &[&contact_id, &said]).await, 1, "shown with the contact");

    // launch has copied the phone, and the contact still has it: nobody knows it all the same
    world.send(&own(&vera, "vera@example.com", "")).await.expect_status(200);
    assert_eq!(world.count(GIVEN, &[]).await, 1, "a reward to it is marked");
    assert_eq!(world.count(unconfirmed, &[&contact_id, &vec![STRANGERS]]).await, 1, "the link said the e-mail");
    world.healthy().await;
}

#[tokio::test]
async fn whoever_has_the_link_says_where_their_reward_goes_whatever_a_stranger_said_before() {
    let world = World::new(3).await;
    let (vera, contact_id) = made_by_a_stranger(&world).await;
    world.send(&own(&vera, "vera@example.com", "(614) 555-0177")).await.expect_status(200);
    let own_phone = "select count(*) from contacts where id = $1 and phone = '+16145550177' and unconfirmed = $2";
    assert_eq!(
        world.count(own_phone, &[&contact_id, &vec![STRANGERS]]).await,
        1,
        "it stands in place of the stranger's"
    );
    let sent = "select count(*) from messages where to_address = '+16145550177'";
    assert_eq!((world.count(sent, &[]).await, world.count(GIVEN, &[]).await), (1, 1));
    world.healthy().await;
}

#[tokio::test]
async fn a_strangers_phone_that_an_import_dropped_gets_nothing_though_launch_knew_it() {
    let world = World::new(3).await;
    let (vera, contact_id) = made_by_a_stranger(&world).await;
    world
        .run("update contacts set phone = null, unconfirmed = $2 where id = $1", &[&contact_id, &vec![STRANGERS]])
        .await;
    world.test.clock().advance(chrono::Duration::minutes(2));
    world.send(&own(&vera, "vera@example.com", "")).await.expect_status(200);
    let sent = "select count(*) from messages where to_address = $1";
    assert_eq!(world.count(sent, &[&STRANGERS]).await, 0);
    assert_eq!((world.count(sent, &[&"vera@example.com"]).await, world.count(GIVEN, &[]).await), (1, 0));
    world.healthy().await;
}

#[tokio::test]
async fn one_mailbox_gets_five_a_day_under_whatever_names() {
    let names = [
        "thief@gmail.com",
        "thief+1@gmail.com",
        "th.ief@gmail.com",
        "T.H.I.E.F+x+y@Gmail.com",
        "thief@googlemail.com",
        "t.hief+6@googlemail.com",
    ];
    let elsewhere: Vec<String> = (0..6).map(|n| format!("thief+{n}@example.com")).collect();
    let elsewhere: Vec<&str> = elsewhere.iter().map(String::as_str).collect();
    for names in [&names[..], &elsewhere[..]] {
        let world = World::new(9).await;
        for (n, name) in names.iter().enumerate() {
            let one = world.someone(&format!("P{n}")).await;
            world.run("update recipients set phone = null where id = $1", &[&one.id]).await;
            let html = world.send(&own(&one, name, "")).await.expect_status(200).text();
            assert_eq!(code_on(&html).is_some(), n < 5, "{name}: {html}");
            let typed = "select count(*) from messages where recipient_id = $1 and to_address = lower($2)";
            assert_eq!(world.count(typed, &[&one.id, name]).await, 1, "it goes where it was typed");
        }
        // dots mean something elsewhere, and so do phones
        let other = world.someone("Other").await;
        world.run("update recipients set phone = null where id = $1", &[&other.id]).await;
        let html = world.send(&own(&other, "th.ief@example.com", "")).await.expect_status(200).text();
        assert!(code_on(&html).is_some(), "{html}");
        world.healthy().await;
    }
}

#[tokio::test]
async fn a_form_answers_with_no_more_than_it_was_sent_and_takes_no_more_than_a_form_holds() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/f/{}", world.form_id);
    let post = |body: String| {
        let ask = world.test.api(Method::POST, &path).header("user-agent", PHONE).from_ip("203.0.113.7");
        ask.body("application/x-www-form-urlencoded", body)
    };
    post(format!("phone={}", "'".repeat(1_900_000))).await.expect_status(413);
    post(format!("phone={}", "'".repeat(100_000))).await.expect_status(413);
    for name in ["first_name", "email", "phone", "owner", "roof_age", "days", "ok", "ace-channel", "no_such"] {
        for place in ["", "&ace-page=landing"] {
            let recipient = if place.is_empty() { String::new() } else { format!("&ace-recipient={}", maria.token) };
            let body = format!("{name}={}{recipient}{place}", "'".repeat(95_000));
            let most = body.len() / 2;
            let html = post(body).await.expect_status(422).text();
            assert!(html.len() < most, "{name}: {} bytes", html.len());
        }
    }
    // nor does the page of a campaign that is over
    world.test.clock().advance(chrono::Duration::minutes(2));
    world.send(&own(&maria, "maria@example.com", "")).await.expect_status(200);
    world.step("active").await;
    world.step("completed").await;
    let html = post(format!("ace-recipient={}&email={}", maria.token, "'".repeat(95_000))).await.text();
    assert!(html.contains("This offer has ended") && html.len() < 50_000, "{} bytes", html.len());
}

#[tokio::test]
async fn a_card_is_shown_again_after_the_campaign_for_the_same_proof_as_before() {
    let world = World::new(3).await;
    let (maria, olga) = (world.someone("Maria").await, world.someone("Olga").await);
    let first = world.send(&own(&maria, "maria@example.com", "(614) 555-0188")).await.expect_status(200).text();
    let code = code_on(&first).unwrap();
    world.step("active").await;
    world.step("completed").await;
    world.test.clock().advance(chrono::Duration::minutes(2));

    for path in [format!("/r/{}", maria.token), format!("/f/{}?r={}", world.form_id, maria.token)] {
        let html = world.visit(&path).await.expect_status(200).text();
        assert!(html.contains("This offer has ended") && html.contains("See your card again"), "{path}: {html}");
        assert!(html.contains("name=\"email\"") && html.contains("name=\"phone\""), "{html}");
        assert!(!html.contains("name=\"first_name\"") && !html.contains("maria@example.com"), "{html}");
    }
    for proof in [("email", "MARIA@example.com"), ("phone", "614 555 0188")] {
        let again = world.send(&[proof, ("ace-recipient", &maria.token)]).await.expect_status(200);
        assert_eq!(code_on(&again.text()), Some(code.clone()), "{proof:?}");
        assert!(!again.header("set-cookie").is_empty(), "the browser keeps the proof");
    }
    world.test.clock().advance(chrono::Duration::minutes(2));
    for proof in [("email", "thief@example.com"), ("email", "no address"), ("email", ""), ("phone", "614 555 0189")] {
        let html = world.send(&[proof, ("ace-recipient", &maria.token)]).await.expect_status(200).text();
        assert!(html.contains("This offer has ended") && code_on(&html).is_none(), "{proof:?}: {html}");
    }
    // who earned nothing has nothing to prove, and earns nothing any more
    for reply in [
        world.visit(&format!("/r/{}", olga.token)).await,
        world.send(&own(&olga, "maria@example.com", "(614) 555-0188")).await,
    ] {
        let html = reply.expect_status(200).text();
        assert!(html.contains("This offer has ended") && !html.contains("<form") && code_on(&html).is_none(), "{html}");
    }
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 1);
    world.healthy().await;
}

#[tokio::test]
async fn a_form_that_asks_for_no_address_shows_its_card_again_for_the_one_it_was_sent_to() {
    let form = serde_json::json!({ "fields": [{ "id": "ok", "type": "checkbox", "label": "I want it" }] });
    let world = World::with(2, form).await;
    let maria = world.someone("Maria").await;
    let own = || [("ok", "true"), ("ace-recipient", maria.token.as_str())];
    let code = code_on(&world.send(&own()).await.expect_status(200).text()).unwrap();
    for over in [false, true] {
        if over {
            world.step("active").await;
            world.step("completed").await;
        }
        world.test.clock().advance(chrono::Duration::minutes(2));
        let html = world.send(&own()).await.expect_status(200).text();
        assert!(
            html.contains("See your card again") && html.contains("name=\"phone\"") && code_on(&html).is_none(),
            "{html}"
        );
        let prove = async |phone: &str| {
            world.send(&[("phone", phone), ("ace-again", "yes"), ("ace-recipient", &maria.token)]).await
        };
        let wrong = prove("614 555 0199").await.expect_status(200).text();
        assert!(code_on(&wrong).is_none() && wrong.contains("not what you gave"), "{wrong}");
        let again = prove("614 555 0142").await.expect_status(200).text();
        assert_eq!(code_on(&again), Some(code.clone()), "over: {over}: {again}");
    }
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    world.healthy().await;
}

#[tokio::test]
async fn the_link_of_an_archived_client_says_that_the_offer_has_ended_and_counts_nothing() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    world.run("update clients set archived_at = now() where id = $1", &[&world.client_id]).await;
    for way in ["r", "q"] {
        let html = world.visit(&format!("/{way}/{}", maria.token)).await.expect_status(200).text();
        assert!(html.contains("This offer has ended") && !html.contains("<form"), "{html}");
    }
    // a page that was opened before
    let html = world.send(&own(&maria, "maria@example.com", "")).await.expect_status(404).text();
    assert!(html.contains("This offer has ended") && !html.contains("ten letters"), "{html}");
    for nothing in [
        "select count(*) from events",
        "select sum(total_visits)::int8 from recipients",
        "select count(*) from jobs where kind = 'campaigns.engaged'",
    ] {
        assert_eq!(world.count(nothing, &[]).await, 0, "{nothing}");
    }
}

#[tokio::test]
async fn a_code_shows_its_card_again_after_the_campaign_with_the_address_of_the_first_time_only() {
    let world = World::with(3, form_with_code()).await;
    let maria = world.someone("Maria").await;
    let send = |email: &'static str| {
        let fields = [("email", email), ("code", maria.code.as_str())];
        world.test.post_form(&format!("/f/{}", world.form_id), &fields).header("user-agent", PHONE)
    };
    let code = code_on(&send("maria@example.com").await.expect_status(200).text()).unwrap();
    world.step("active").await;
    world.step("completed").await;
    world.test.clock().advance(chrono::Duration::minutes(2));
    assert_eq!(code_on(&send("maria@example.com").await.expect_status(200).text()), Some(code));
    let refused = send("thief@example.com").await.expect_status(422).text();
    assert!(refused.contains("this code is not valid here") && code_on(&refused).is_none(), "{refused}");
    world.healthy().await;
}
