//! What an agent does at the desk.

use crate::scene::Scene;

#[tokio::test]
async fn an_agent_finds_a_caller_by_code_in_any_spelling_and_a_slip_is_told_from_a_stranger() {
    let scene = Scene::set().await;
    let agent = &scene.story().acme_agent;
    let spoken = scene.code.to_lowercase().replace('-', " ");
    let found = scene.test.get(&scene.at(&format!("desk?code={}", spoken.replace(' ', "%20")))).as_user(agent).await;
    assert_eq!(found.location(), scene.desk());

    let last = if scene.code.ends_with('0') { '1' } else { '0' };
    let slip = format!("{}{last}", &scene.code[..scene.code.len() - 1]);
    let page = scene.test.get(&scene.at(&format!("desk?code={slip}"))).as_user(agent).await.expect_status(422);
    assert!(page.text().contains("One character is wrong"), "{}", page.text());
    let other =
        kernel::codes::RedemptionCode::generate(&mut <rand::rngs::StdRng as rand::SeedableRng>::seed_from_u64(8));
    let page = scene.test.get(&scene.at(&format!("desk?code={other}"))).as_user(agent).await.expect_status(422);
    assert!(page.text().contains("Nobody has this code"));
    let page = scene.test.get(&scene.at("desk?code=hello")).as_user(agent).await.expect_status(422);
    assert!(page.text().contains("12 letters and digits"));
}

#[tokio::test]
async fn an_agent_finds_a_caller_by_phone_or_name_and_nobody_of_another_tenant() {
    let scene = Scene::set().await;
    let agent = &scene.story().acme_agent;
    for typed in ["(614)%20555-0123", "lopez", "MARIA%20lop"] {
        let reply = scene.test.get(&scene.at(&format!("desk?q={typed}"))).as_user(agent).await;
        assert_eq!(reply.location(), scene.desk(), "{typed}");
    }
    let page = scene.test.get(&scene.at("desk?q=Nobody")).as_user(agent).await.expect_status(200);
    assert!(page.text().contains("Nobody fits"));
    let page =
        scene.test.get("/corner-auto/desk?q=lopez").as_user(&scene.story().corner_agent).await.expect_status(200);
    assert!(page.text().contains("Nobody fits"));
}

#[tokio::test]
async fn among_people_of_one_name_those_of_running_campaigns_come_first_and_the_others_say_so() {
    let scene = Scene::set().await;
    let (over_and_done, recipient, acme) = (kernel::new_id(), kernel::new_id(), scene.story().acme.id);
    let sql = "insert into campaigns (id, client_id, name, slug, no_mail_piece) values ($1, $2, 'Last year', 'last-year', true)";
    scene.run(sql, &[&over_and_done, &acme]).await;
    let sql = "insert into recipients (id, client_id, campaign_id, redemption_code, purl_token, first_name, last_name)
        values ($1, $2, $3, '000000000000', '9876543210', 'Pedro', 'Lopez')";
    scene.run(sql, &[&recipient, &acme, &over_and_done]).await;
    let page =
        scene.test.get(&scene.at("desk?q=lopez")).as_user(&scene.story().acme_agent).await.expect_status(200).text();
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}: {page}"));
    assert!(place("Maria Lopez") < place("Pedro Lopez"));
    assert!(page.contains("Last year, not running") && !page.contains("Spring roof check, not running"));
}

#[tokio::test]
async fn the_desk_shows_the_caller_and_hides_them_from_those_who_may_not_take_calls_or_are_of_another_tenant() {
    let scene = Scene::set().await;
    let page = scene.test.get(&scene.desk()).as_user(&scene.story().acme_agent).await.expect_status(200).text();
    for part in [
        "Maria Lopez",
        &format!("••••-••••-{}", &scene.code[scene.code.len() - 4..]),
        "12 Elm St, Columbus, OH 43004",
        "(614) 555-0123",
        "Booked by phone",
        "$10 Test Coffee card",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains(&scene.code), "the caller reads the code out, and nobody to them");
    let _ = scene.test.get(&scene.desk()).as_user(&scene.story().acme_developer).await.expect_status(403);
    let foreign =
        scene.test.get(&scene.desk().replace("acme-roofing", "corner-auto")).as_user(&scene.story().corner_agent);
    let _ = foreign.await.expect_status(404);
    let _ = scene.test.get(&scene.desk()).as_user(&scene.story().corner_agent).await.expect_status(404);
}

#[tokio::test]
async fn confirming_sends_the_card_once_however_often_the_button_is_pressed() {
    let scene = Scene::set().await;
    let (agent, call) = (&scene.story().acme_agent, kernel::new_id());
    let fields = [
        ("confirm", "2"),
        ("identity_checked", "name"),
        ("identity_checked", "phone"),
        ("channel", "sms"),
        ("notes", "wants Tuesday"),
    ];
    for _ in 0..2 {
        let _ = scene.test.post_form(&scene.call_path(call), &fields).as_user(agent).await.expect_status(200);
    }
    let page = scene.test.get(&scene.call_path(call)).as_user(agent).await.expect_status(200).text();
    assert!(page.contains("•••• </span>") || page.contains("WXYZ"), "{page}");
    assert!(page.contains("wants Tuesday") && !page.contains("name=\"confirm\""), "{page}");
    assert_eq!(scene.one::<i64>("select count(*) from gift_cards where status = 'claimed'").await, 1);
    assert_eq!(scene.one::<i64>("select count(*) from call_sessions").await, 1);
    assert_eq!(scene.one::<i64>("select count(*) from events where event_type = 'call'").await, 1);
    assert_eq!(scene.one::<i64>("select count(*) from messages where to_address = '+16145550123'").await, 1);
    let sql = "select count(*) from call_conditions_met m join call_sessions s on s.id = m.call_session_id
        where m.condition_number = 2 and m.met_by_agent_id = s.agent_user_id";
    assert_eq!(scene.one::<i64>(sql).await, 1);
}

#[tokio::test]
async fn nothing_is_confirmed_before_two_of_three_answers_match_and_what_was_typed_stays() {
    let scene = Scene::set().await;
    let fields = [("confirm", "2"), ("identity_checked", "name"), ("notes", "sounds unsure")];
    let reply = scene
        .test
        .post_form(&scene.call_path(kernel::new_id()), &fields)
        .as_user(&scene.story().acme_agent)
        .await
        .expect_status(422);
    assert!(reply.text().contains("two of name, address and phone") && reply.text().contains("sounds unsure"));
    assert_eq!(scene.one::<i64>("select count(*) from call_conditions_met").await, 0);
}

#[tokio::test]
async fn a_form_condition_cannot_be_confirmed_by_phone_and_an_ended_campaign_confirms_nothing() {
    let scene = Scene::set().await;
    let agent = &scene.story().acme_agent;
    let fields = |number| [("confirm", number), ("identity_checked", "name"), ("identity_checked", "phone")];
    let path = scene.call_path(kernel::new_id());
    let _ = scene.test.post_form(&path, &fields("1")).as_user(agent).await.expect_status(404);
    for status in ["active", "completed"] {
        scene.run("update campaigns set status = $1::text::campaign_status", &[&status]).await;
    }
    let reply = scene.test.post_form(&path, &fields("2")).as_user(agent).await.expect_status(422);
    assert!(reply.text().contains("only while the campaign is mailed or active"));
    assert_eq!(scene.one::<i64>("select count(*) from call_conditions_met").await, 0);
    assert_eq!(scene.one::<i64>("select count(*) from call_sessions").await, 0);
}

#[tokio::test]
async fn an_empty_pool_is_said_and_the_card_follows_later() {
    let scene = Scene::with_cards(0).await;
    let call = kernel::new_id();
    let fields = [
        ("confirm", "2"),
        ("identity_checked", "address"),
        ("identity_checked", "phone"),
        ("email", "maria@example.com"),
        ("channel", "email"),
    ];
    let reply = scene
        .test
        .post_form(&scene.call_path(call), &fields)
        .as_user(&scene.story().acme_agent)
        .await
        .expect_status(200);
    assert!(reply.text().contains("GC-003"), "{}", reply.text());
    assert_eq!(scene.one::<String>("select delivery_status from call_conditions_met").await, "pending");
    assert_eq!(scene.one::<String>("select delivery_address from call_conditions_met").await, "maria@example.com");
}

#[tokio::test]
async fn the_result_ends_the_call_and_do_not_call_suppresses_the_contact() {
    let scene = Scene::set().await;
    let (agent, call) = (&scene.story().acme_agent, kernel::new_id());
    let opened = scene.test.clock().now().to_rfc3339();
    scene.test.clock().advance(chrono::Duration::seconds(95));
    let fields = [("disposition", "qualified"), ("opened_at", opened.as_str())];
    let reply = scene.test.post_form(&scene.call_path(call), &fields).as_user(agent).await.expect_status(303);
    assert_eq!(reply.location(), "/acme-roofing/desk");
    assert_eq!(
        scene.one::<i32>("select call_duration_seconds from call_sessions where call_status = 'completed'").await,
        95
    );
    assert!(!scene.one::<bool>("select do_not_contact from contacts").await);

    let fields = [("disposition", "do_not_call")];
    let _ = scene.test.post_form(&scene.call_path(kernel::new_id()), &fields).as_user(agent).await.expect_status(303);
    assert!(scene.one::<bool>("select do_not_contact from contacts").await);
    assert_eq!(
        scene.one::<i64>("select count(*) from contact_consents where channel = 'all' and not granted").await,
        1
    );
    let fields = [("disposition", "sold")];
    let _ = scene.test.post_form(&scene.call_path(kernel::new_id()), &fields).as_user(agent).await.expect_status(422);
}

#[tokio::test]
async fn saving_keeps_where_the_card_should_go_and_another_window_overwrites_nothing() {
    let scene = Scene::set().await;
    let (agent, path) = (&scene.story().acme_agent, scene.call_path(kernel::new_id()));
    let fields = |notes: &'static str| {
        [("notes", notes), ("phone", "614 555 0199"), ("email", "new@example.com"), ("channel", "email")]
    };
    let saved = scene.test.post_form(&path, &fields("first")).as_user(agent).await.expect_status(200);
    let text = saved.text();
    for kept in
        ["Call saved", "value=\"614 555 0199\"", "value=\"new@example.com\"", "value=\"email\" checked", "data-unsaved"]
    {
        assert!(text.contains(kept), "{kept}: {text}");
    }
    let next = scene.test.post_form(&path, &fields("second")).and("version", &saved.version()).as_user(agent).await;
    drop(next.expect_status(200));
    let late = scene.test.post_form(&path, &fields("third")).and("version", &saved.version()).as_user(agent).await;
    let text = late.expect_status(422).text();
    assert!(text.contains(">second</pre>") && text.contains("third") && text.contains("614 555 0199"), "{text}");
    assert_eq!(scene.one::<String>("select notes from call_sessions").await, "second");
}

#[tokio::test]
async fn another_agents_call_is_history_and_not_to_be_changed() {
    let scene = Scene::set().await;
    let (agent, owner, call) = (&scene.story().acme_agent, &scene.story().acme_owner, kernel::new_id());
    let _ = scene.test.post_form(&scene.call_path(call), &[("notes", "mine")]).as_user(agent).await.expect_status(200);
    let _ =
        scene.test.post_form(&scene.call_path(call), &[("notes", "theirs")]).as_user(owner).await.expect_status(422);
    assert_eq!(scene.one::<String>("select notes from call_sessions").await, "mine");
    let page = scene.test.get(&scene.call_path(call)).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("Earlier calls") && !page.contains(&format!("?call={call}")));
}

#[tokio::test]
async fn the_log_lists_calls_by_result_and_name_and_shows_nothing_of_another_tenant() {
    let scene = Scene::set().await;
    let (agent, call) = (&scene.story().acme_agent, kernel::new_id());
    let empty = scene.test.get(&scene.at("calls")).as_user(agent).await.expect_status(200).text();
    assert!(empty.contains("No calls yet"));
    let fields = [("disposition", "callback"), ("notes", "after 5 pm")];
    let _ = scene.test.post_form(&scene.call_path(call), &fields).as_user(agent).await.expect_status(303);
    let log = |query: &str| scene.test.get(&scene.at(&format!("calls{query}"))).as_user(agent);
    for query in ["", "?disposition=callback", "?q=lopez", "?q=614-555-0123", "?agent=me"] {
        assert!(log(query).await.expect_status(200).text().contains("Maria Lopez"), "{query}");
    }
    for query in ["?disposition=qualified", "?q=smith", "?disposition=open"] {
        assert!(log(query).await.expect_status(200).text().contains("Nothing matches"), "{query}");
    }
    let page = scene.test.get(&scene.at(&format!("calls/{call}"))).as_user(agent).await.expect_status(200).text();
    assert!(page.contains("after 5 pm") && page.contains("Call back"));
    let _ = scene
        .test
        .get(&format!("/corner-auto/calls/{call}"))
        .as_user(&scene.story().corner_agent)
        .await
        .expect_status(404);
    let _ = scene.test.get(&scene.at("calls")).as_user(&scene.story().acme_developer).await.expect_status(403);
}

#[tokio::test]
async fn what_the_caller_says_is_also_where_a_reward_goes_that_nobody_could_send() {
    let scene = Scene::set().await;
    let agent = &scene.story().acme_agent;
    let sql = "insert into call_conditions_met (id, client_id, campaign_id, recipient_id, condition_number, trigger_type, met_at,
            gift_card_pool_id, delivery_status)
        select gen_random_uuid(), client_id, campaign_id, $1, 1, 'qr_scan', now(), gift_card_pool_id, 'pending'
        from campaign_reward_configs";
    scene.run(sql, &[&scene.recipient_id]).await;
    let page = scene.test.get(&scene.desk()).as_user(agent).await.expect_status(200).text();
    let way = format!("<a href=\"/acme-roofing/recipients/{}\">say where to send the card</a>", scene.recipient_id);
    assert!(page.contains(&way), "{page}");
    let fields = [
        ("confirm", "2"),
        ("identity_checked", "name"),
        ("identity_checked", "phone"),
        ("channel", "email"),
        ("email", "maria@example.com"),
    ];
    let path = scene.call_path(kernel::new_id());
    let _ = scene.test.post_form(&path, &fields).as_user(agent).await.expect_status(200);
    let sql = "select count(*) from call_conditions_met where delivery_address = 'maria@example.com'";
    assert_eq!(scene.one::<i64>(sql).await, 2);
    assert_eq!(scene.one::<i64>("select count(*) from jobs where kind = 'rewards.fulfil'").await, 1);
}
