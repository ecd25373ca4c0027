//! Forms: shown, sent, sent twice, sent by strangers.

use kernel::codes::RedemptionCode;
use rewards::actions::cards::{ReplaceInput, RevokeInput, replace, revoke};
use serde_json::json;
use testkit::Reply;

use crate::world::{Someone, World, code_on, form_with_code, hidden};

fn answers<'a>(someone: &'a Someone, token: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("first_name", "Maria"),
        ("email", "Maria@Example.com"),
        ("phone", "(614) 555-0142"),
        ("owner", "No"),
        ("roof_age", "12"),
        ("ok", "true"),
        ("ace-recipient", someone.token.as_str()),
        ("ace-token", token),
    ]
}

async fn token_of(world: &World, someone: &Someone) -> String {
    let html = world.visit(&format!("/r/{}", someone.token)).await.expect_status(200).text();
    hidden(&html, "ace-token")
}

#[tokio::test]
async fn a_submission_shows_the_card_on_the_spot_and_sends_it() {
    let world = World::new(2).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let reply = world.send(&answers(&maria, &token)).await.expect_status(200);
    let html = reply.text();
    assert!(code_on(&html).unwrap().starts_with("CODE-"), "{html}");
    assert!(html.contains("$25.00") && html.contains("Coffee House") && html.contains("•••• 0142"), "{html}");
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(reply.location(), "", "a code never stands in an address");

    let stored = world.admin.query_one(
        "select s.submission_data, s.contact_id, s.gift_card_id, s.campaign_id, c.email, c.phone, c.first_name, f.total_submissions
         from ace_form_submissions s join contacts c on c.id = s.contact_id join ace_forms f on f.id = s.form_id", &[]).await.unwrap();
    let data: serde_json::Value = stored.get("submission_data");
    assert_eq!(
        data,
        serde_json::json!({"first_name": "Maria", "email": "maria@example.com", "phone": "+16145550142", "owner": "No", "ok": true})
    );
    assert_eq!(stored.get::<_, uuid::Uuid>("contact_id"), maria.contact_id);
    assert_eq!(
        stored.get::<_, Option<String>>("email").as_deref(),
        Some("maria@example.com"),
        "an empty field is filled"
    );
    assert_eq!(stored.get::<_, i32>("total_submissions"), 1);
    assert!(stored.get::<_, Option<uuid::Uuid>>("gift_card_id").is_some());
    let message = "select count(*) from messages where channel = 'sms' and to_address = '+16145550142' and gift_card_id is not null";
    assert_eq!(world.count(message, &[]).await, 1);
    assert_eq!(
        world
            .count("select count(*) from contact_consents where channel = 'sms' and wording = 'You may text me'", &[])
            .await,
        1
    );
    assert_eq!(
        world
            .count("select count(*) from audit_log where action = 'gift_card.shown' and actor_kind = 'client'", &[])
            .await,
        1
    );
    assert_eq!(world.count("select count(*) from events where event_type = 'form_submit'", &[]).await, 1);
    world.healthy().await;
}

#[tokio::test]
async fn the_same_page_sent_twice_is_one_submission_and_shows_the_same_card() {
    let world = World::new(3).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let first = code_on(&world.send(&answers(&maria, &token)).await.expect_status(200).text()).unwrap();
    world.test.clock().advance(chrono::Duration::minutes(1));
    let second = code_on(&world.send(&answers(&maria, &token)).await.expect_status(200).text());
    assert_eq!(second.as_deref(), Some(first.as_str()));
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 1);

    // somebody else who has the page's token, but not the link, sees nothing
    let other = world.someone("Olga").await;
    let html = world.send(&answers(&other, &token)).await.expect_status(200).text();
    assert_eq!(code_on(&html), None, "{html}");

    // the form filled in anew earns nothing more, and with another address does not show the code again
    world.test.clock().advance(chrono::Duration::minutes(1));
    let anew = token_of(&world, &maria).await;
    let elsewhere = answers(&maria, &anew).into_iter().filter(|(name, _)| *name != "phone");
    let elsewhere: Vec<_> = elsewhere
        .map(|(name, value)| if name == "email" { (name, "else@example.com") } else { (name, value) })
        .collect();
    let html = world.send(&elsewhere).await.expect_status(200).text();
    assert!(code_on(&html).is_none() && html.contains("was sent to •••• 0142 before"), "{html}");
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    assert_eq!(world.count("select total_submissions::int8 from ace_forms where id = $1", &[&world.form_id]).await, 2);
    world.healthy().await;
}

#[tokio::test]
async fn thirty_two_at_once_get_one_card_whether_it_is_one_page_or_many() {
    let world = World::with(40, crate::world::form_config()).await;
    world
        .test
        .app
        .limits
        .spend(web::limits::Rule { name: "x", requests: 0, seconds: 1 }, &web::limits::Key::Text("x".into()))
        .unwrap();
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let same = (0..8).map(|_| async { world.send(&answers(&maria, &token)).await.expect_status(200).text() });
    let pages = futures_util::future::join_all(same).await;
    let codes: std::collections::BTreeSet<_> = pages.iter().map(|html| code_on(html).unwrap()).collect();
    assert_eq!(codes.len(), 1, "every one of the eight saw the card");
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 1);

    let mut crowd = Vec::new();
    for n in 0..8 {
        crowd.push(world.someone(&format!("P{n}")).await);
    }
    let tokens: Vec<String> = (0..32).map(|_| kernel::new_id().to_string()).collect();
    let many = tokens.iter().enumerate().map(|(n, token)| {
        let (world, someone) = (&world, &crowd[n % 8]);
        async move { world.send(&answers(someone, token)).await.expect_status(200) }
    });
    futures_util::future::join_all(many).await;
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 9);
    assert_eq!(world.count("select count(*) from call_conditions_met", &[]).await, 9);
    assert_eq!(world.count("select count(*) from messages", &[]).await, 9);
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 33);
    world.healthy().await;
}

#[tokio::test]
async fn an_empty_pool_is_said_kindly_and_the_card_shows_once_it_is_there() {
    let world = World::new(0).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let html = world.send(&answers(&maria, &token)).await.expect_status(200).text();
    assert!(html.contains("Your reward is on its way") && code_on(&html).is_none(), "{html}");
    let pending = "select count(*) from call_conditions_met where delivery_status = 'pending' and gift_card_id is null";
    assert_eq!(world.count(pending, &[]).await, 1);
    world.cards(1).await;
    assert_eq!(rewards::actions::stock::fulfil(&world.test.app, world.client_id, world.pool_id).await.unwrap(), 1);
    let html = world.send(&answers(&maria, &token)).await.expect_status(200).text();
    assert!(code_on(&html).is_some_and(|code| code.starts_with("CODE-")), "{html}");
    world.healthy().await;
}

#[tokio::test]
async fn the_old_page_shows_neither_a_replacement_nor_promises_what_was_revoked() {
    let world = World::new(2).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let first = code_on(&world.send(&answers(&maria, &token)).await.expect_status(200).text()).unwrap();
    let (app, operator) = (&world.test.app, world.test.operator());
    let earned = "select gift_card_id from call_conditions_met";
    let card: uuid::Uuid = world.admin.query_one(earned, &[]).await.unwrap().get(0);
    let to = ReplaceInput { reason: "stolen".into(), to: "maria@example.org".into() };
    let replaced =
        replace(app, &operator, (world.client_id, card), (true, &kernel::version::Expected::any()), &to).await.unwrap();
    let html = world.send(&answers(&maria, &token)).await.expect_status(200).text();
    assert_eq!(code_on(&html), None, "whoever has the page has no claim to the new card: {html}");
    assert!(!html.contains(&first) && html.contains("Your reward was sent"), "{html}");

    let because = RevokeInput { reason: "fraud".into() };
    revoke(
        app,
        &operator,
        (world.client_id, replaced.gift_card_id.unwrap()),
        &because,
        &kernel::version::Expected::any(),
    )
    .await
    .unwrap();
    let html = world.send(&answers(&maria, &token)).await.expect_status(200).text();
    assert!(code_on(&html).is_none() && html.contains("Thank you"), "{html}");
    assert!(!html.contains("as soon as it is ready") && !html.contains("on its way"), "nothing follows: {html}");
}

#[tokio::test]
async fn wrong_answers_come_back_with_their_errors_and_everything_that_was_typed() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let fields = [
        ("first_name", "  "),
        ("email", "not <an> address"),
        ("owner", "Yes"),
        ("days", "Tue"),
        ("ace-recipient", maria.token.as_str()),
        ("ace-token", token.as_str()),
        ("ace-channel", "email"),
    ];
    let html = world.send(&fields).await.expect_status(422).text();
    for text in [
        "enter an address such as maria@example.com",
        "please fill this in",
        "id=\"f-email-error\"",
        "not &#60;an&#62; address",
        "value=\"Yes\" checked",
        "value=\"Tue\" checked",
        "value=\"email\" checked",
        &token,
        &maria.token,
        "href=\"#f-roof_age\"",
    ] {
        assert!(html.contains(text), "{text} is not in {html}");
    }
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 0);
}

#[tokio::test]
async fn a_form_that_was_sent_from_a_landing_page_comes_back_on_it_in_its_accent() {
    let mut world = World::new(1).await;
    world.publish("<main><h1>A roof for Columbus</h1>{{form}}<p>Since 1962</p></main>").await;
    let accent = "update ace_forms set form_config = jsonb_set(form_config, '{settings}',
        coalesce(form_config -> 'settings', '{}') || '{\"colours\": {\"accent\": \"#aa3366\", \"background\": \"\"}}')";
    world.run(accent, &[]).await;
    let maria = world.someone("Maria").await;
    let page = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text();
    assert!(page.contains("/assets/brand/aa3366.css") && page.contains("ace-page"), "{page}");
    let token = token_of(&world, &maria).await;
    let fields = [
        ("email", "at home"),
        ("ace-recipient", maria.token.as_str()),
        ("ace-token", token.as_str()),
        ("ace-page", "landing"),
    ];
    let reply = world.send(&fields).await.expect_status(422);
    let html = reply.text();
    for text in ["A roof for Columbus", "Since 1962", "/assets/brand/aa3366.css", "value=\"at home\"", "f-email-error"]
    {
        assert!(html.contains(text), "{text} is not in {html}");
    }
    assert!(reply.header("content-security-policy").contains("form-action http"), "it can be sent again");
    let elsewhere = fields.map(|(name, value)| if name == "ace-page" { (name, "") } else { (name, value) });
    assert!(!world.send(&elsewhere).await.expect_status(422).text().contains("Since 1962"), "a page of its own");
}

#[tokio::test]
async fn a_card_has_its_copy_button_whose_script_alone_may_run_and_confetti_where_it_was_chosen() {
    let world = World::new(2).await;
    let chosen =
        "update ace_forms set form_config = jsonb_set(form_config, '{reveal}', '{\"animation\": \"confetti\"}')";
    world.run(chosen, &[]).await;
    let maria = world.someone("Maria").await;
    let token = token_of(&world, &maria).await;
    let reply = world.send(&answers(&maria, &token)).await.expect_status(200);
    let html = reply.text();
    let nonce = html.split_once("nonce=\"").unwrap().1.split('"').next().unwrap();
    assert!(reply.header("content-security-policy").contains(&format!("script-src 'nonce-{nonce}'")));
    assert!(html.contains("data-copy hidden") && html.contains("card.js"), "{html}");
    assert_eq!(html.matches("<i></i>").count(), 28, "{html}");
}

#[tokio::test]
async fn the_form_page_is_filled_in_for_its_recipient_and_for_nobody_elses() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/f/{}", world.form_id);
    let own = world.visit(&format!("{path}?r={}", maria.token)).await.expect_status(200);
    assert!(own.text().contains("value=\"Maria\"") && own.text().contains("value=\"r@example.com\""));
    assert!(
        own.header("content-security-policy").contains("frame-ancestors *"),
        "it may stand in the client's own site"
    );
    let plain = world.visit(&path).await.expect_status(200).text();
    assert!(
        !plain.contains("value=\"Maria\"")
            && !plain.contains("ace-recipient")
            && plain.contains("Only if “Do you own it?” is Yes.")
    );
    // counted together, a moment later
    while world.count("select total_views::int8 from ace_forms where id = $1", &[&world.form_id]).await < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(world.count("select total_views::int8 from ace_forms where id = $1", &[&world.form_id]).await, 2);

    // a form of another client does not know her, and her link sent to it earns nothing
    let (corner, foreign) = (world.test.story.corner.id, kernel::new_id());
    let sql = "insert into ace_forms (id, client_id, name, form_config, is_active, is_draft) values ($1, $2, 'F', $3, true, false)";
    world.run(sql, &[&foreign, &corner, &crate::world::form_config()]).await;
    let html = world.visit(&format!("/f/{foreign}?r={}", maria.token)).await.expect_status(200).text();
    assert!(!html.contains("value=\"Maria\""), "{html}");
    let fields = answers(&maria, "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0de");
    let html = world.test.post_form(&format!("/f/{foreign}"), &fields).await.expect_status(200).text();
    assert!(html.contains("Thank you") && code_on(&html).is_none());
    let stranger = "select count(*) from ace_form_submissions where client_id = $1 and recipient_id is null";
    assert_eq!(world.count(stranger, &[&corner]).await, 1);
    assert_eq!(
        world.count("select count(*) from contacts where client_id = $1 and lead_source = 'form'", &[&corner]).await,
        1
    );
    // another form of her own client is not one of her campaign's either
    let sql = "insert into ace_forms (id, client_id, name, form_config, is_active, is_draft) values ($1, $2, 'G', $3, true, false)";
    let unrelated = kernel::new_id();
    world.run(sql, &[&unrelated, &world.client_id, &crate::world::form_config()]).await;
    world
        .test
        .post_form(&format!("/f/{unrelated}"), &answers(&maria, "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0d1"))
        .await
        .expect_status(200);
    assert_eq!(world.count("select count(*) from call_conditions_met", &[]).await, 0);
    world.visit("/f/nonsense").await.expect_status(404);
    world.run("update ace_forms set is_active = false where id = $1", &[&world.form_id]).await;
    world.visit(&path).await.expect_status(404);
    world.healthy().await;
}

#[tokio::test]
async fn a_wrong_a_foreign_and_a_spent_code_get_the_same_answer() {
    let world = World::with(5, form_with_code()).await;
    let (maria, olga) = (world.someone("Maria").await, world.someone("Olga").await);
    let shown = |code: &str| RedemptionCode::parse(code).unwrap().to_string().to_lowercase();
    let send = |code: String| {
        let world = &world;
        async move {
            world
                .send(&[
                    ("email", "maria@example.com"),
                    ("code", &code),
                    ("ace-token", "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0de"),
                ])
                .await
        }
    };
    // without a link: the code itself says who it is
    let html = send(shown(&maria.code)).await.expect_status(200).text();
    let first = code_on(&html).unwrap();
    // the same page again is the same answer
    assert_eq!(code_on(&send(shown(&maria.code)).await.expect_status(200).text()), Some(first));

    let anew = |code: String, link: Option<String>| {
        let world = &world;
        async move {
            let mut fields = vec![("email", "x@example.com".to_owned()), ("code", code)];
            fields.extend(link.map(|link| ("ace-recipient", link)));
            let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
            world.send(&fields).await
        }
    };
    let unknown = RedemptionCode::generate(&mut kernel::random::generator()).to_string();
    let corner = foreign_code(&world).await;
    world.test.clock().advance(chrono::Duration::minutes(5));
    let spent = whole(&anew(shown(&maria.code), None).await, &shown(&maria.code));
    assert_eq!(spent.0, 422);
    assert!(spent.2.contains("this code is not valid here, or it was used already"), "{}", spent.2);
    assert!(spent.2.contains("id=\"f-code-error\"") && spent.2.contains("value=\"CODE\""));
    assert_eq!(whole(&anew(unknown.clone(), None).await, &unknown), spent);
    assert_eq!(whole(&anew(corner.clone(), None).await, &corner), spent);
    let other = anew(shown(&olga.code), Some(maria.token.clone())).await.expect_status(422).text();
    assert!(other.contains("this code is not valid here, or it was used already"), "{other}");
    let html = anew("7K2M-9QRX-4TV0".into(), None).await.expect_status(422).text();
    assert!(html.contains("a character is wrong"), "a slip is told without looking: {html}");
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 1);
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    world.healthy().await;
}

/// A whole answer: status, headers, body; without what differs between any two.
fn whole(reply: &Reply, code: &str) -> (u16, Vec<(String, String)>, String) {
    let own = ["x-request-id", "date"];
    let headers = reply.headers.iter().filter(|(name, _)| !own.contains(&name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    headers.sort();
    let text = reply.text();
    let body = text.replace(&hidden(&text, "ace-token"), "TOKEN").replace(code, "CODE");
    (reply.status.as_u16(), headers, body)
}

#[tokio::test]
async fn a_code_without_a_link_meets_the_same_limits_whether_it_is_unknown_foreign_or_spent() {
    let world = World::with(5, form_with_code()).await;
    let maria = world.someone("Maria").await;
    let try_code = |ip, code: String| {
        let world = &world;
        let email = if ip == "203.0.113.1" { "maria@example.com" } else { "x@example.com" };
        async move { world.send_from(ip, &[("email", email), ("code", code.as_str())]).await }
    };
    try_code("203.0.113.1", maria.code.clone()).await.expect_status(200);
    world.test.clock().advance(chrono::Duration::minutes(5));
    let unknown = RedemptionCode::generate(&mut kernel::random::generator()).to_string();
    let mut answers = Vec::new();
    for (ip, code) in
        [("203.0.113.2", unknown), ("203.0.113.3", foreign_code(&world).await), ("203.0.113.4", maria.code.clone())]
    {
        let mut told = Vec::new();
        for _ in 0..12 {
            let reply = try_code(ip, code.clone()).await;
            told.push((reply.status.as_u16(), reply.header("retry-after").to_owned()));
        }
        assert_eq!(told[9].0, 422);
        assert_eq!(told[10].0, 429);
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn who_tried_too_many_wrong_codes_does_not_get_to_the_right_one_but_with_the_link() {
    let world = World::with(5, form_with_code()).await;
    let (maria, olga) = (world.someone("Maria").await, world.someone("Olga").await);
    let mut generator = kernel::random::generator();
    for _ in 0..20 {
        let wrong = RedemptionCode::generate(&mut generator).to_string();
        world.send(&[("email", "x@example.com"), ("code", &wrong)]).await.expect_status(422);
    }
    let right = [("email", "x@example.com"), ("code", maria.code.as_str())];
    let refused = world.send(&right).await.expect_status(429);
    assert!(!refused.header("retry-after").is_empty());
    let with_link = [("email", "o@example.com"), ("code", olga.code.as_str()), ("ace-recipient", olga.token.as_str())];
    assert!(code_on(&world.send(&with_link).await.expect_status(200).text()).is_some());
    assert!(code_on(&world.send_from("203.0.113.8", &right).await.expect_status(200).text()).is_some());
}

/// The code of a recipient of another client.
async fn foreign_code(world: &World) -> String {
    let (corner, campaign) = (world.test.story.corner.id, kernel::new_id());
    world
        .run("insert into campaigns (id, client_id, name, slug) values ($1, $2, 'C', 'c')", &[&campaign, &corner])
        .await;
    let code = RedemptionCode::generate(&mut kernel::random::generator());
    let sql = "insert into recipients (id, client_id, campaign_id, redemption_code, purl_token) values ($1, $2, $3, $4, '7K2M9QRX4T')";
    world.run(sql, &[&kernel::new_id(), &corner, &campaign, &code.as_str()]).await;
    world.run("set session_replication_role = replica", &[]).await;
    world.run("update campaigns set status = 'mailed' where id = $1", &[&campaign]).await;
    code.to_string()
}

#[tokio::test]
async fn a_program_that_fills_in_the_hidden_field_is_thanked_and_nothing_is_stored() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let mut fields = answers(&maria, "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0de");
    fields.push(("ace-website", "http://spam.example"));
    let html = world.send(&fields).await.expect_status(200).text();
    assert!(html.contains("Thank you") && code_on(&html).is_none());
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 0);
}

#[tokio::test]
async fn one_recipient_is_tried_ten_times_a_minute_whoever_tries() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let fields = [("first_name", ""), ("ace-recipient", maria.token.as_str())];
    for _ in 0..10 {
        world.send(&fields).await.expect_status(422);
    }
    let refused = world.send(&fields).await.expect_status(429);
    assert!(!refused.header("retry-after").is_empty());
    let olga = world.someone("Olga").await;
    world.send(&[("first_name", ""), ("ace-recipient", olga.token.as_str())]).await.expect_status(422);
}

#[tokio::test]
async fn a_stranger_becomes_one_contact_however_often_they_write() {
    let world = World::new(1).await;
    for (email, phone) in
        [("new@example.com", "(614) 555-0188"), ("NEW@example.com", ""), ("other@example.com", "614-555-0188")]
    {
        let fields = [("first_name", "<i>New</i>"), ("email", email), ("phone", phone)];
        world.send(&fields).await.expect_status(200);
    }
    assert_eq!(world.count("select count(*) from contacts where lead_source = 'form'", &[]).await, 1);
    assert_eq!(world.count("select count(distinct contact_id) from ace_form_submissions", &[]).await, 1);
    assert_eq!(world.count("select count(*) from call_conditions_met", &[]).await, 0, "nobody's reward");
    world.healthy().await;
}

#[tokio::test]
async fn what_was_chosen_decides_the_way_of_the_reward() {
    let world = World::new(2).await;
    let maria = world.someone("Maria").await;
    let html = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text();
    assert!(html.contains("name=\"ace-channel\""), "the reward's channel is the person's choice: {html}");
    let mut fields = answers(&maria, "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0de");
    fields.push(("ace-channel", "email"));
    let html = world.send(&fields).await.expect_status(200).text();
    assert!(html.contains("m•••@example.com"), "{html}");
    let mail = "select count(*) from messages where channel = 'email' and to_address = 'maria@example.com'";
    assert_eq!(world.count(mail, &[]).await, 1);
}

#[tokio::test]
async fn a_contact_made_by_a_form_is_found_again_by_the_import_and_by_its_mobile_phone() {
    let fields = ["first_name", "last_name", "address", "city", "state", "zip"];
    let mut fields: Vec<_> = fields.iter().map(|id| json!({ "id": id, "type": "text", "label": id })).collect();
    fields.push(json!({ "id": "phone", "type": "phone", "label": "Phone" }));
    let world = World::with(1, json!({ "fields": fields })).await;
    let sent = [
        ("first_name", "Ada"),
        ("last_name", "Byron"),
        ("address", "12 Elm Street"),
        ("city", "Columbus"),
        ("state", "ohio"),
        ("zip", "43004"),
        ("phone", "614 555 0111"),
    ];
    world.send(&sent).await.expect_status(200);
    let address = kernel::postal::Address {
        street: "12 Elm St.",
        street2: "",
        city: "COLUMBUS",
        state: "OH",
        zip: "43004",
        country: "US",
    };
    let key = audience::contacts::match_key("ada", "byron", &address).unwrap();
    let made = "select count(*) from contacts where lead_source = 'form' and country = 'US' and match_key = $1";
    assert_eq!(world.count(made, &[&key]).await, 1);

    // one who was there without a name, known by the mobile phone, gets a name and so a key
    let known = kernel::new_id();
    let sql = "insert into contacts (id, client_id, customer_code, mobile_phone, address, city, state, zip, country)
               values ($1, $2, 'KNOWN', '+16145550122', '12 Elm Street', 'Columbus', 'OH', '43004', 'US')";
    world.run(sql, &[&known, &world.client_id]).await;
    world.send(&[("first_name", "Ada"), ("last_name", "Byron"), ("phone", "614 555 0122")]).await.expect_status(200);
    let touched = "select count(*) from contacts where id = $1 and match_key = $2";
    assert_eq!(world.count(touched, &[&known, &key]).await, 1);
    assert_eq!(world.count("select count(*) from contacts where lead_source = 'form'", &[]).await, 1);
}

#[tokio::test]
async fn a_forms_colours_brand_and_card_look_as_they_were_set() {
    let mut config = crate::world::form_config();
    let world = World::with(2, config.clone()).await;
    let maria = world.someone("Maria").await;
    let path = format!("/f/{}", world.form_id);
    let plain = world.visit(&path).await.expect_status(200).text();
    assert!(plain.contains("<header class=\"brand\">") && !plain.contains("/p/ground-"), "{plain}");

    config["settings"]["colours"] = json!({ "accent": "#0f766e", "background": "#F0FDFA" });
    config["settings"]["branding"] = json!(false);
    config["reveal"] = json!({ "card_style": "filled", "show_instructions": false });
    world.run("update ace_forms set form_config = $2 where id = $1", &[&world.form_id, &config]).await;
    world.run("update gift_card_brands set brand_logo_url = 'https://coffee.example/logo.png'", &[]).await;
    let html = world.visit(&path).await.expect_status(200).text();
    assert!(html.contains("/assets/brand/0f766e.css") && html.contains("/p/ground-f0fdfa.css"), "{html}");
    assert!(!html.contains("<header") && !html.contains("<footer") && !html.contains("Acme Roofing"), "{html}");
    let ground = world.visit("/p/ground-f0fdfa.css").await.expect_status(200);
    assert!(ground.text().contains("background:#f0fdfa") && ground.header("content-type").starts_with("text/css"));

    let token = "2b0ff3a0-5d1c-4a3e-9a55-9d4a35f5c0de";
    let html = world.send(&answers(&maria, token)).await.expect_status(200).text();
    assert!(
        html.contains("data-style=\"filled\"") && html.contains("src=\"https://coffee.example/logo.png\""),
        "{html}"
    );
    assert!(!html.contains("Use it at") && html.contains("/p/ground-f0fdfa.css"), "{html}");
    config["reveal"] = json!({ "show_logo": false });
    world.run("update ace_forms set form_config = $2 where id = $1", &[&world.form_id, &config]).await;
    let html = world.send(&answers(&maria, token)).await.expect_status(200).text();
    assert!(
        html.contains("data-style=\"plain\"") && !html.contains("logo.png") && html.contains("Use it at"),
        "{html}"
    );
}

#[tokio::test]
async fn a_submission_that_lost_a_deadlock_is_tried_again_before_anybody_is_told() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    // the first try, and only that one, is the one that PostgreSQL kills
    let sql = "create sequence public.tries;
        grant usage on sequence public.tries to ace_app;
        create function public.lose_once() returns trigger language plpgsql as $$
        begin
          if nextval('public.tries') = 1 then
            raise exception 'deadlock detected' using errcode = '40P01';
          end if;
          return new;
        end $$;
        create trigger lose_once before insert on messages for each row execute function public.lose_once();";
    world.admin.batch_execute(sql).await.unwrap();
    let token = token_of(&world, &maria).await;
    let html = world.send(&answers(&maria, &token)).await.expect_status(200).text();
    assert!(code_on(&html).is_some(), "{html}");
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 1);
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    world.healthy().await;
}
