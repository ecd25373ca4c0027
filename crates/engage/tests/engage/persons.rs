//! Telling people from programs where it is worth money: visits that earn something, and cards shown again.

use axum::http::Method;
use serde_json::json;

use crate::world::{PHONE, Someone, World, code_on, hidden};

/// The form's condition becomes one that a visit meets.
async fn rewards_visits(world: &World, trigger: &str) {
    world.run("set session_replication_role = replica", &[]).await;
    world
        .run("update campaign_conditions set trigger_type = $2 where campaign_id = $1", &[&world.campaign_id, &trigger])
        .await;
}

/// Recipients that a job tells the campaign of as people.
async fn told(world: &World) -> i64 {
    world
        .count("select count(*) from jobs where kind = 'campaigns.engaged' and payload @> '{\"person\": true}'", &[])
        .await
}

/// The value of an attribute of the page's script.
fn of_script(html: &str, name: &str) -> String {
    let start = html.find(&format!("{name}=\"")).unwrap_or_else(|| panic!("no {name} in {html}"));
    html[start..].split('"').nth(1).unwrap().to_owned()
}

async fn say_seen(world: &World, path: &str, token: &str, agent: &str) {
    world.test.post_form(path, &[("seen", token)]).header("user-agent", agent).await.expect_status(204);
}

#[tokio::test]
async fn a_visit_earns_something_only_once_its_page_was_seen_by_a_person() {
    for (trigger, way) in [("purl_visit", "r"), ("qr_scan", "q")] {
        let world = World::new(1).await;
        rewards_visits(&world, trigger).await;
        let (maria, olga) = (world.someone("Maria").await, world.someone("Olga").await);
        let reply = world.visit(&format!("/{way}/{}", maria.token)).await.expect_status(200);
        assert_eq!(told(&world).await, 0, "a visit alone earns nothing");
        assert_eq!(world.count("select total_visits::int8 from recipients where id = $1", &[&maria.id]).await, 1);
        let html = reply.text();
        let (action, token, nonce) =
            (of_script(&html, "data-seen"), of_script(&html, "data-token"), of_script(&html, "nonce"));
        assert!(reply.header("content-security-policy").contains(&format!("script-src 'nonce-{nonce}'")));

        say_seen(&world, &action, &token, PHONE).await;
        assert_eq!(told(&world).await, 0, "nobody saw it yet");
        world.test.clock().advance(chrono::Duration::seconds(1));
        world.visit(&format!("/r/{}", olga.token)).await.expect_status(200);
        say_seen(&world, &format!("/r/{}/seen", olga.token), &token, PHONE).await;
        say_seen(&world, &action, "r.0.00", PHONE).await;
        say_seen(&world, &action, &token, "curl/8.5.0").await;
        world.test.api(Method::GET, &action).header("user-agent", PHONE).await;
        assert_eq!(told(&world).await, 0, "another's page, a made-up sign, a program, a GET");

        say_seen(&world, &action, &token, PHONE).await;
        say_seen(&world, &action, &token, PHONE).await;
        assert_eq!(told(&world).await, 1, "{trigger}");
    }
}

#[tokio::test]
async fn programs_and_links_that_lead_away_get_no_page_that_could_tell() {
    let world = World::new(1).await;
    rewards_visits(&world, "purl_visit").await;
    let maria = world.someone("Maria").await;
    let path = format!("/r/{}", maria.token);
    for agent in
        ["", "Mozilla/4.0 (compatible; ms-office; MSOffice 16)", "Mozilla/5.0 HeadlessChrome/131.0 Safari/537.36"]
    {
        let html = world.test.get(&path).header("user-agent", agent).await.expect_status(200).text();
        assert!(!html.contains("<script"), "{agent}: {html}");
    }
    assert_eq!(world.count("select total_visits::int8 from recipients where id = $1", &[&maria.id]).await, 0);
    let html = world.visit(&path).await.expect_status(200).text();
    let (action, token) = (of_script(&html, "data-seen"), of_script(&html, "data-token"));
    world.run("update campaigns set lp_mode = 'redirect' where id = $1", &[&world.campaign_id]).await;
    world.test.clock().advance(chrono::Duration::seconds(1));
    say_seen(&world, &action, &token, PHONE).await;
    assert_eq!(told(&world).await, 0, "nothing says that a person came to somebody else's page");
}

#[tokio::test]
async fn no_script_runs_where_no_visit_earns_anything() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let reply = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200);
    assert!(!reply.text().contains("<script") && !reply.header("content-security-policy").contains("script-src"));
}

fn answers<'a>(someone: &'a Someone, email: &'a str, token: &'a str) -> [(&'a str, &'a str); 4] {
    [("first_name", "Maria"), ("email", email), ("ace-recipient", someone.token.as_str()), ("ace-token", token)]
}

#[tokio::test]
async fn the_link_opened_again_shows_the_card_to_whoever_proves_as_much_as_the_first_time() {
    let world = World::new(3).await;
    let maria = world.someone("Maria").await;
    let olga = world.someone("Olga").await;
    let page = format!("/r/{}", maria.token);
    let token = |n: u128| uuid::Uuid::from_u128(n).to_string();
    let first = world.send(&answers(&maria, "maria@example.com", &token(1))).await.expect_status(200);
    let code = code_on(&first.text()).unwrap();
    let cookie = first.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(first.header("set-cookie").contains("HttpOnly"));
    let shown = "select count(*) from audit_log where action = 'gift_card.shown'";
    assert_eq!(world.count(shown, &[]).await, 1);
    world.test.clock().advance(chrono::Duration::minutes(2));

    let with_cookie = |path: String| world.test.get(&path).header("user-agent", PHONE).header("cookie", &cookie);
    for path in [page.clone(), page.replace("/r/", "/q/"), format!("/f/{}?r={}", world.form_id, maria.token)] {
        let html = with_cookie(path.clone()).await.expect_status(200).text();
        assert_eq!(code_on(&html), Some(code.clone()), "{path}");
    }
    assert_eq!(world.count(shown, &[]).await, 4, "each time is on record");
    assert_eq!(code_on(&world.visit(&page).await.expect_status(200).text()), None, "without the proof");
    let html = with_cookie(format!("/r/{}", olga.token)).await.expect_status(200).text();
    assert_eq!(code_on(&html), None, "somebody else's link");

    let again = world.send(&answers(&maria, "MARIA@example.com", &token(2))).await.expect_status(200).text();
    assert_eq!(code_on(&again), Some(code.clone()), "{again}");
    let other = world.send(&answers(&maria, "thief@example.com", &token(3))).await.expect_status(200).text();
    assert!(code_on(&other).is_none() && other.contains("was sent to"), "{other}");
    let noted = "select count(*) from call_conditions_met where recipient_id = $1 and last_shown_at is not null";
    assert_eq!(world.count(noted, &[&maria.id]).await, 1);
    assert_eq!(world.count("select count(*) from gift_cards where status <> 'available'", &[]).await, 1);
    for _ in 0..10 {
        with_cookie(page.clone()).await;
    }
    with_cookie(page).await.expect_status(429);
    world.healthy().await;
}

#[tokio::test]
async fn what_proves_who_somebody_is_stands_on_no_page_once_something_was_earned() {
    let mut world = World::new(3).await;
    let maria = world.someone("Maria").await;
    world.publish("<main><p>{{first_name}} {{email}} {{phone}} {{custom_fields.mail}}</p>{{form}}</main>").await;
    let fields = json!({ "mail": "r@example.com", "roof": "tin" });
    world.run("update recipients set custom_fields = $2 where id = $1", &[&maria.id, &fields]).await;
    let own = format!("/f/{}?r={}", world.form_id, maria.token);
    let paths = [format!("/r/{}", maria.token), format!("/q/{}", maria.token), own.clone()];
    for path in &paths {
        let html = world.visit(path).await.expect_status(200).text();
        assert!(html.contains("r@example.com"), "{path}: filled in before: {html}");
    }
    let token = |n: u128| uuid::Uuid::from_u128(n).to_string();
    let first = world.send(&answers(&maria, "r@example.com", &token(1))).await.expect_status(200).text();
    let code = code_on(&first).unwrap();
    world.test.clock().advance(chrono::Duration::minutes(2));
    let shows_none = |path: &str, html: &str| {
        for proof in ["r@example.com", "555-0142", "6145550142"] {
            assert!(!html.contains(proof), "{path} shows {proof}: {html}");
        }
        assert!(html.contains("Maria"), "{path}: the name may stay: {html}");
    };
    for path in &paths {
        shows_none(path, &world.visit(path).await.expect_status(200).text());
    }
    // nor does the form that comes back with errors fill it in
    for page in ["", "landing"] {
        let empty = [("ace-recipient", maria.token.as_str()), ("ace-page", page)];
        shows_none("back", &world.send(&empty).await.expect_status(422).text());
    }
    let again = world.send(&answers(&maria, "r@example.com", &token(2))).await.expect_status(200).text();
    assert_eq!(code_on(&again), Some(code), "she who types it sees it again");
    world.healthy().await;
}

#[tokio::test]
async fn a_reward_to_an_address_that_was_not_on_file_is_marked_and_one_address_gets_five_a_day() {
    let world = World::new(9).await;
    let mut people = Vec::new();
    for n in 0..7 {
        people.push(world.someone(&format!("P{n}")).await);
    }
    world.run("update recipients set phone = null", &[]).await;
    let token = |n: u128| uuid::Uuid::from_u128(n).to_string();
    world.send(&answers(&people[6], "r@example.com", &token(99))).await.expect_status(200);
    let given = "select count(*) from call_conditions_met where given_address";
    assert_eq!(world.count(given, &[]).await, 0, "what the launch knew is on file");
    for (n, one) in people.iter().take(6).enumerate() {
        let html =
            world.send(&answers(one, "collector@example.com", &token(n as u128))).await.expect_status(200).text();
        assert_eq!(code_on(&html).is_some(), n < 5, "{n}: {html}");
    }
    assert_eq!(world.count(given, &[]).await, 6);
    assert_eq!(world.count("select count(*) from audit_log where action = 'reward.given_address'", &[]).await, 6);
    let held = "select count(*) from messages where status = 'held' and recipient_id = $1";
    assert_eq!(world.count(held, &[&people[5].id]).await, 1, "kept, not lost");
    let alert = "select count(*) from alerts where kind = 'reward_held' and subject_id = $1 and resolved_at is null";
    assert_eq!(world.count(alert, &[&people[5].id]).await, 1);
    world.healthy().await;
}

#[tokio::test]
async fn what_a_stranger_says_of_a_known_contact_stays_with_the_submission_and_reaches_nobody() {
    let world = World::new(1).await;
    let vic = world.someone("Vic").await;
    world.run("update contacts set email = 'vic@example.com' where id = $1", &[&vic.contact_id]).await;
    let fields = [("first_name", "Mallory"), ("email", "vic@example.com"), ("phone", "(212) 555-0166"), ("ok", "true")];
    world.send(&fields).await.expect_status(200);
    let untouched =
        "select count(*) from contacts where id = $1 and phone is null and mobile_phone is null and first_name = 'Vic'";
    assert_eq!(world.count(untouched, &[&vic.contact_id]).await, 1);
    assert_eq!(world.count("select count(*) from contact_consents", &[]).await, 0, "nobody agrees in another's name");
    let kept = "select count(*) from ace_form_submissions where contact_id = $1 and unconfirmed = $2";
    assert_eq!(world.count(kept, &[&vic.contact_id, &json!({ "phone": "+12125550166" })]).await, 1);

    let key = &world.test.story.acme.key;
    let path = format!("/v1/forms/{}/submissions", world.form_id);
    let listed = world.test.api(Method::GET, &path).bearer(key).await.expect_status(200).json();
    assert_eq!(listed["data"][0]["unconfirmed"]["phone"], "+12125550166");
    let path = format!("/acme-roofing/forms/{}/submissions", world.form_id);
    let page = world.test.get(&path).as_user(&world.test.story.acme_owner).await.expect_status(200).text();
    assert!(page.contains("Not confirmed") && page.contains("(212) 555-0166"), "{page}");
    // a number that somebody of the team entered is the contact's like any other
    let acme = world.test.story.acme.id;
    for (number, open) in [(None, 1), (Some("+12125550166"), 0), (None, 1)] {
        world.run("update contacts set mobile_phone = $2 where id = $1", &[&vic.contact_id, &number]).await;
        let operator = world.test.operator();
        let scope = world.test.app.scope(&operator);
        let told = audience::store::unconfirmed::of_contact(&scope, acme, vic.contact_id).await.unwrap();
        assert_eq!(told.len(), open, "{number:?}");
    }

    // their own link fills in what is empty, and changes nothing that is there
    let own = [
        ("first_name", "Vic"),
        ("email", "else@example.com"),
        ("phone", "(614) 555-0177"),
        ("ace-recipient", vic.token.as_str()),
    ];
    world.send(&own).await.expect_status(200);
    let filled = "select count(*) from contacts where id = $1 and phone = '+16145550177' and email = 'vic@example.com'";
    assert_eq!(world.count(filled, &[&vic.contact_id]).await, 1);
    assert_eq!(world.count(kept, &[&vic.contact_id, &json!({ "email": "else@example.com" })]).await, 1);
    world.healthy().await;
}

#[tokio::test]
async fn one_address_leaves_only_so_many_submissions_behind_and_whoever_has_a_link_is_not_counted() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let most = world.test.app.settings.limits.forms_per_hour;
    for n in 0..most {
        let email = format!("s{n}@example.com");
        world.send(&[("first_name", "S"), ("email", &email)]).await.expect_status(200);
    }
    let refused = world.send(&[("first_name", "S"), ("email", "one.more@example.com")]).await.expect_status(429);
    assert!(!refused.header("retry-after").is_empty());
    assert_eq!(world.count("select count(*) from contacts where lead_source = 'form'", &[]).await, i64::from(most));
    world.send_from("203.0.113.8", &[("first_name", "S"), ("email", "x@example.com")]).await.expect_status(200);
    let token = uuid::Uuid::from_u128(1).to_string();
    world.send(&answers(&maria, "maria@example.com", &token)).await.expect_status(200);
}

#[tokio::test]
async fn what_is_added_to_a_link_is_forgiven_and_counts_as_no_guess() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let token = &maria.token;
    for end in
        [".", ",", ")", "!", "/", "%3E", "%22", "%E2%80%8B", "%C2%A0", "%20", "%252E", "/.", "/index.html", "&utm=1"]
    {
        for way in ["r", "q", "R", "Q"] {
            let path = format!("/{way}/{token}{end}");
            let html = world.visit(&path).await.expect_status(200).text();
            assert!(html.contains("Hello Maria"), "{path}");
        }
    }
    world.visit(&format!("/f/{}.", world.form_id)).await.expect_status(200);
    world.visit(&format!("/f/{}/?r={token}.", world.form_id)).await.expect_status(200);
    world.visit(&format!("/r/{token}./qr.svg")).await.expect_status(200);
    let html = world.visit(&format!("/f/{}?r={token}%E2%80%8B", world.form_id)).await.expect_status(200).text();
    assert_eq!(hidden(&html, "ace-recipient"), *token);
    let wrong = world.visit("/r/0000000000").await;
    assert_eq!(wrong.status.as_u16(), 404, "the first wrong one of the hour");
}

#[tokio::test]
async fn people_of_the_team_preview_a_recipients_page_without_the_link_and_earn_nothing() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/acme-roofing/recipients/{}/preview", maria.id);
    let story = &world.test.story;
    let html = world.test.get(&path).as_user(&story.acme_owner).await.expect_status(200).text();
    assert!(html.contains("Hello Maria") && html.contains("Preview for your team"), "{html}");
    assert!(!html.contains(&maria.token) && !html.contains(&maria.code) && !html.contains("<script"), "{html}");
    assert!(html.contains("disabled"), "nothing can be sent");
    assert_eq!(world.count("select count(*) from events", &[]).await, 0);
    world.test.get(&path.replace("acme-roofing", "corner-auto")).as_user(&story.corner_owner).await.expect_status(404);
}

#[tokio::test]
async fn a_card_that_was_shown_to_somebody_without_an_address_has_arrived() {
    let form = serde_json::json!({ "fields": [{ "id": "owner", "type": "text", "label": "Owner" }] });
    let world = World::with(1, form).await;
    let maria = world.someone("Maria").await;
    world.run("update recipients set phone = null, email = null", &[]).await;
    world.run("update contacts set phone = null, mobile_phone = null, email = null", &[]).await;
    let page = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text();
    let token = crate::world::hidden(&page, "ace-token");
    let answers = [("owner", "yes"), ("ace-recipient", maria.token.as_str()), ("ace-token", token.as_str())];
    let shown = world.send(&answers).await.expect_status(200).text();
    assert!(crate::world::code_on(&shown).is_some(), "{shown}");
    let ended = "select count(*) from call_conditions_met m join gift_cards g on g.id = m.gift_card_id
                 where m.recipient_id = $1 and m.delivery_status = 'delivered' and g.status = 'delivered'
                   and g.delivered_at is not null";
    assert_eq!(world.count(ended, &[&maria.id]).await, 1);
    let event = "select count(*) from events where event_type = 'gift_card_delivered' and recipient_id = $1";
    assert_eq!(world.count(event, &[&maria.id]).await, 1);
    let again = world.send(&answers).await.expect_status(200).text();
    assert!(crate::world::code_on(&again).is_some(), "and is shown again");
    assert_eq!(world.count(event, &[&maria.id]).await, 1, "once");
    for (rule, statement) in rewards::INVARIANTS {
        assert_eq!(world.count(statement.sql, &[]).await, 0, "{rule}");
    }
    world.healthy().await;
}
