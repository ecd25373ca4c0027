//! Links and QR codes.

use serde_json::{Value, json};

use crate::world::{PHONE, World};

#[tokio::test]
async fn a_link_and_a_qr_show_the_persons_page_and_each_is_counted_once() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let reply = world.visit(&format!("/r/{}", maria.token.to_lowercase())).await.expect_status(200);
    let html = reply.text();
    assert!(html.contains("<h1>Hello Maria</h1>") && html.contains("Spring &amp; Co"), "{html}");
    assert!(html.contains(&format!("/p/{}.css", world.version_id)) && html.contains("ace-token"));
    assert!(reply.body.len() < 100_000);
    let policy = reply.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'")
            && !policy.contains("unsafe")
            && policy.contains("frame-ancestors 'none'")
            && policy.starts_with("sandbox allow-forms")
            && !policy.contains("allow-same-origin")
            && !policy.contains("script-src")
            && policy.contains(&format!("form-action {}", world.test.app.link(&format!("/f/{}", world.form_id)))),
        "{policy}"
    );
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(reply.header("referrer-policy"), "no-referrer");

    world.visit(&format!("/q/{}", maria.token)).await.expect_status(200);
    let sql = "select count(*) from events where recipient_id = $1 and event_type = $2 and ip_address = '203.0.113.7'";
    assert_eq!(world.count(sql, &[&maria.id, &"purl_visit"]).await, 1);
    assert_eq!(world.count(sql, &[&maria.id, &"qr_scan"]).await, 1);
    let visits = "select total_visits::int8 from recipients where id = $1 and last_visited_at is not null";
    assert_eq!(world.count(visits, &[&maria.id]).await, 2);
    let woken = "select count(*) from jobs where kind = 'campaigns.engaged' and not payload ? 'person'";
    assert_eq!(world.count(woken, &[]).await, 2, "wakes the campaign");
    world.healthy().await;
}

#[tokio::test]
async fn what_a_person_is_called_cannot_become_markup() {
    let world = World::new(1).await;
    let evil = world.someone("<script>alert(1)</script>\"'{{redemption_code}}").await;
    let html = world.visit(&format!("/r/{}", evil.token)).await.expect_status(200).text();
    assert!(!html.contains("<script") && !html.contains("<b>tin"), "{html}");
    assert!(
        html.contains("&lt;script&gt;")
            && html.contains("&lt;b&gt;tin&lt;/b&gt;")
            && html.contains("title=\"O&quot;Neil\"")
    );
    assert_eq!(html.matches(&evil.code[..4]).count(), 1, "a tag in a value is not filled in: {html}");
}

#[tokio::test]
async fn programs_are_served_and_counted_apart() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/r/{}", maria.token);
    let bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    world.test.get(&path).header("user-agent", bot).await.expect_status(200);
    world.test.get(&path).header("user-agent", PHONE).header("sec-purpose", "prefetch").await.expect_status(200);
    let head = world.test.api(axum::http::Method::HEAD, &path).header("user-agent", PHONE).await.expect_status(200);
    assert!(head.body.is_empty());
    let events = "select count(*) from events where recipient_id = $1 and (event_data ->> 'bot')::bool";
    assert_eq!(world.count(events, &[&maria.id]).await, 3);
    assert_eq!(world.count("select total_visits::int8 from recipients where id = $1", &[&maria.id]).await, 0);
    assert_eq!(world.count("select count(*) from jobs", &[]).await, 0, "a program wakes nothing");
    world.healthy().await;
}

#[tokio::test]
async fn a_wrong_link_is_answered_kindly_twenty_times_and_then_not_for_an_hour() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    for n in 0..20 {
        let path = if n % 2 == 0 { "/r/0000000000" } else { "/q/nonsense" };
        let reply = world.visit(path).await.expect_status(404);
        assert!(reply.text().contains("check the address on your letter"), "{}", reply.text());
        assert!(reply.header("content-security-policy").contains("default-src 'none'"));
    }
    let refused = world.visit("/r/0000000001").await.expect_status(429);
    assert!(refused.header("retry-after").parse::<u32>().unwrap() > 0);
    world.visit("/r/0000000001/qr.svg").await.expect_status(429);
    world.visit(&format!("/r/{}", maria.token)).await.expect_status(200);
    world.test.get("/r/0000000001").from_ip("203.0.113.8").await.expect_status(404);
    world.test.clock().advance(chrono::Duration::hours(1));
    world.visit("/r/0000000001").await.expect_status(404);
}

#[tokio::test]
async fn redirect_leads_to_the_clients_own_page_with_utm_and_token_and_is_counted() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    world.run("update campaigns set lp_mode = 'redirect' where id = $1", &[&world.campaign_id]).await;
    let reply = world.visit(&format!("/q/{}", maria.token)).await.expect_status(302);
    let target = format!("https://acme.example/offer?a=1&utm_source=mail%20%26%20more&token={}", maria.token);
    assert_eq!(reply.location(), target);
    assert_eq!(reply.header("cache-control"), "private, no-store");
    assert_eq!(world.count("select total_visits::int8 from recipients where id = $1", &[&maria.id]).await, 1);
}

#[tokio::test]
async fn before_the_mail_a_link_is_a_preview_and_after_the_end_it_says_so() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let path = format!("/r/{}", maria.token);
    // the database refuses the way back: for this test it is told not to look
    world.run("set session_replication_role = replica", &[]).await;
    world.step("ready").await;
    let html = world.visit(&path).await.expect_status(200).text();
    assert!(html.contains("Preview.") && html.contains("Hello Maria"), "{html}");
    assert_eq!(world.count("select count(*) from events", &[]).await, 0);
    let fields = [("first_name", "M"), ("email", "m@example.com"), ("ace-recipient", maria.token.as_str())];
    assert!(world.send(&fields).await.expect_status(200).text().contains("nothing was stored"));
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 0);

    world.step("completed").await;
    let html = world.visit(&path).await.expect_status(200).text();
    assert!(html.contains("This offer has ended") && !html.contains("<form"), "{html}");
    world.run("update clients set support_phone = '+16145550100' where id = $1", &[&world.client_id]).await;
    let html = world.visit(&path).await.expect_status(200).text();
    assert!(html.contains("href=\"tel:+16145550100\">(614) 555-0100</a>"), "{html}");
    assert!(world.send(&fields).await.expect_status(200).text().contains("This offer has ended"));
    assert_eq!(world.count("select count(*) from ace_form_submissions", &[]).await, 0);
    world.healthy().await;
}

#[tokio::test]
async fn the_qr_of_a_link_decodes_to_the_scan_address_and_there_is_none_for_a_wrong_link() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let png = world.visit(&format!("/r/{}/qr.png", maria.token)).await.expect_status(200);
    assert_eq!(png.header("content-type"), "image/png");
    let picture = image::load_from_memory(&png.body).unwrap().to_luma8();
    let mut prepared = rqrr::PreparedImage::prepare(picture);
    let (_, content) = prepared.detect_grids()[0].decode().unwrap();
    assert_eq!(content, world.test.app.link(&format!("/q/{}", maria.token)));
    let svg = world.visit(&format!("/r/{}/qr.svg", maria.token)).await.expect_status(200);
    assert_eq!(svg.header("content-type"), "image/svg+xml");
    world.visit("/r/0000000000/qr.png").await.expect_status(404);
    assert_eq!(world.count("select count(*) from events", &[]).await, 0, "drawing it is no visit");
}

#[tokio::test]
async fn a_published_style_is_kept_for_good_and_an_unknown_one_is_not_found() {
    let world = World::new(1).await;
    let css = world.visit(&format!("/p/{}.css", world.version_id)).await.expect_status(200);
    assert_eq!(css.header("content-type"), "text/css; charset=utf-8");
    assert!(css.header("cache-control").contains("immutable") && css.text().contains("#333"));
    for wrong in [format!("/p/{}.css", kernel::new_id()), format!("/p/{}", world.version_id), "/p/x.css".to_owned()] {
        world.visit(&wrong).await.expect_status(404);
    }
}

#[tokio::test]
async fn every_accepted_visit_of_a_crowd_is_stored_and_counted() {
    let world = World::new(1).await;
    let mut people = Vec::new();
    for n in 0..8 {
        people.push(world.someone(&format!("P{n}")).await);
    }
    let visits = (0..400).map(|n| {
        let path = format!("/{}/{}", if n % 3 == 0 { "q" } else { "r" }, people[n % people.len()].token);
        let world = &world;
        async move { world.visit(&path).await.expect_status(200) }
    });
    futures_util::future::join_all(visits).await;
    assert_eq!(world.count("select count(*) from events", &[]).await, 400);
    assert_eq!(world.count("select sum(total_visits)::int8 from recipients", &[]).await, 400);
    world.healthy().await;
}

#[tokio::test]
async fn a_campaign_without_a_landing_page_shows_its_form_and_its_clients_name() {
    let world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let sql = "update campaigns set landing_page_id = null, form_id = $2 where id = $1";
    world.run(sql, &[&world.campaign_id, &world.form_id]).await;
    let html = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text();
    assert!(
        html.contains("Hello Maria") && html.contains("Book an inspection") && html.contains("Acme Roofing"),
        "{html}"
    );
}

#[tokio::test]
async fn a_page_names_the_reward_of_its_form_and_the_country_and_a_default_is_escaped_once() {
    let mut world = World::new(1).await;
    let maria = world.someone("Maria").await;
    world.run("update recipients set country = 'US' where id = $1", &[&maria.id]).await;
    world
        .publish("<p>{{amount|a gift}} {{brand|card}} {{expiration_date|soon}} {{country}} {{last_name}} {{zip|A &amp; B}}</p>")
        .await;
    let html = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text();
    assert!(html.contains("<p>$25.00 Coffee House soon US O&quot;Neil A &amp; B</p>"), "{html}");

    let mut bare = World::new(1).await;
    let olga = bare.someone("Olga").await;
    bare.run("delete from campaign_reward_configs where campaign_id = $1", &[&bare.campaign_id]).await;
    bare.publish("<p>{{amount|a gift}} {{brand}}</p>").await;
    let html = bare.visit(&format!("/r/{}", olga.token)).await.expect_status(200).text();
    assert!(html.contains("<p>a gift </p>"), "{html}");
}

#[tokio::test]
async fn the_largest_page_with_the_largest_form_and_their_styles_stays_under_100_kb() {
    let mut fields = Vec::new();
    let config = |fields: &[Value]| -> Value { json!({ "fields": fields, "settings": { "title": "Hello" } }) };
    let fits = |config: &Value| {
        let mut problems = kernel::Problems::new();
        content::forms::check(&serde_json::from_value(config.clone()).unwrap(), &mut problems);
        problems.is_empty()
    };
    for n in 0..100 {
        let kind = ["radio", "multiselect", "select", "textarea", "date"][n % 5];
        let options = if n % 5 < 3 { vec!["\"A\" & <B>"; 4] } else { Vec::new() };
        let show_if = (n > 0).then(|| json!({ "field": "f0", "operator": "not_equals", "value": "x" }));
        let mut field = json!({ "id": format!("f{n}"), "type": kind, "label": "Your \"roof\"?", "required": true,
            "options": options, "help": "As \"you\" like" });
        if let Some(show_if) = show_if {
            field["show_if"] = show_if;
        }
        fields.push(field);
        if !fits(&config(&fields)) {
            fields.pop();
            break;
        }
    }
    assert!(fields.len() > 20, "{} fields", fields.len());
    let mut world = World::with(1, config(&fields)).await;
    let maria = world.someone("Maria").await;
    let room = content::actions::landing_pages::MAX_PAGE - "<p></p>{{form}}".len();
    world.publish(&format!("<p>{}</p>{{{{form}}}}", "x".repeat(room))).await;
    let page = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200);
    assert!(page.text().contains(&format!("name=\"f{}\"", fields.len() - 1)));
    let styles = std::fs::metadata(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/dist/recipient.css"));
    let styles = styles.map_or(8_000, |file| usize::try_from(file.len()).unwrap());
    assert!(page.body.len() + styles < 100_000, "{} and {styles}", page.body.len());
    let form = page.body.len() - room;
    assert!(form < content::forms::MAX_FORM + 2_000, "{form} bytes of form and frame are more than was reckoned with");
}

#[tokio::test]
async fn a_page_or_a_value_from_before_the_limits_is_answered_small_and_honestly() {
    let mut world = World::new(1).await;
    let maria = world.someone("Maria").await;
    let large = json!({ "k": "x".repeat(1_900_000) });
    world.run("update recipients set custom_fields = $2 where id = $1", &[&maria.id, &large]).await;
    for html in ["{{custom_fields.k}}".repeat(60), "{{form}}".repeat(7_000)] {
        world.publish(&html).await;
        let reply = world.visit(&format!("/r/{}", maria.token)).await.expect_status(503);
        assert!(reply.body.len() < 5_000 && reply.text().contains("cannot be shown"), "{}", reply.body.len());
    }
    world.publish(&"<div>".repeat(20_000)).await;
    let reply = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200);
    assert!(reply.body.len() < 20_000, "what cannot be measured is served empty, with its form");
}

#[tokio::test]
async fn a_version_that_never_passed_the_cleaning_is_cleaned_before_it_is_served() {
    let mut world = World::new(1).await;
    let maria = world.someone("Maria").await;
    world.publish(r#"<main><form action="/acme-roofing/team" method="post"><input name="email"><input type="password"></form><script>x()</script><p>Hello</p></main>"#).await;
    let css = "input{-webkit-text-security:disc}";
    world.run("update landing_page_versions set css = $2 where id = $1", &[&world.version_id, &css]).await;
    let html = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text().to_owned();
    assert!(html.contains("<p>Hello</p>"), "{html}");
    assert!(!html.contains("/team") && !html.contains("type=\"password\"") && !html.contains("<script"), "{html}");
    let style = world.visit(&format!("/p/{}.css", world.version_id)).await.expect_status(200);
    assert_eq!(style.text(), "");
}

/// Each may change under the other: they are held against each other when they are served, too.
#[tokio::test]
async fn a_form_that_asks_for_a_password_together_with_its_page_is_left_out_of_it() {
    let mut world = World::new(1).await;
    let maria = world.someone("Maria").await;
    world.publish("<main><p>Hello {{custom_fields.x|you}}</p><i>word</i>{{form}}</main>").await;
    let pass = json!({ "fields": [{ "id": "a", "type": "text", "label": "Pass" }] });
    world.run("update ace_forms set form_config = $2 where id = $1", &[&world.form_id, &pass]).await;
    let said = json!({ "x": "Password" });
    world.run("update recipients set custom_fields = $1", &[&said]).await;
    let html = world.visit(&format!("/r/{}", maria.token)).await.expect_status(200).text().to_owned();
    assert!(html.contains("<p>Hello you</p>") && !html.contains("<form"), "{html}");
    let alone = world.visit(&format!("/f/{}", world.form_id)).await.expect_status(200);
    assert!(alone.text().contains("<form"), "alone it is a form like any other");
}

#[tokio::test]
async fn pages_on_a_host_of_their_own_answer_there_only_and_links_lead_there() {
    let set = |settings: &mut kernel::settings::Settings| {
        settings.server.public_url = "https://ace.example.com".into();
        settings.server.pages_url = "https://go.example.com".into();
    };
    let world = World::set_up(1, crate::world::form_config(), set).await;
    let maria = world.someone("Maria").await;
    let link = format!("/r/{}", maria.token);
    let at = |path: &str, host: &'static str| world.test.get(path).header("user-agent", PHONE).host(host);
    let page = at(&link, "go.example.com").await.expect_status(200);
    assert!(page.header("content-security-policy").contains("form-action https://go.example.com/f/"));
    assert_eq!(world.test.app.link(&link), format!("https://go.example.com{link}"));
    assert_eq!(world.test.app.link("/reset/x"), "https://ace.example.com/reset/x");
    let moved = at(&link, "ace.example.com").await.expect_status(421);
    assert!(moved.text().contains(&format!("href=\"https://go.example.com{link}\"")), "who holds a piece can go on");
    at(&link, "evil.example").await.expect_status(421);
    let owner = &world.test.story.acme_owner;
    let preview = format!("/acme-roofing/landing-pages/{}/preview", world.page_id);
    world.test.get(&preview).as_user(owner).host("ace.example.com").await.expect_status(200);
    for host in ["go.example.com", "evil.example"] {
        world.test.get(&preview).as_user(owner).host(host).await.expect_status(404);
        at("/v1/forms", host).await.expect_status(404);
    }
}

#[tokio::test]
async fn a_picture_a_frame_and_a_page_without_an_origin_get_nothing_of_the_console_and_leave_no_trace() {
    let world = World::new(1).await;
    let owner = &world.test.story.acme_owner;
    let preview = format!("/acme-roofing/landing-pages/{}/preview", world.page_id);
    let before = world.count("select count(*) from audit_log", &[]).await;
    for destination in ["image", "iframe", "empty", "script"] {
        for path in [preview.clone(), preview.replace("acme-roofing", "corner-auto")] {
            let asked = world.test.get(&path).as_user(owner).header("sec-fetch-site", "same-origin");
            asked.header("sec-fetch-dest", destination).await.expect_status(403);
        }
    }
    assert_eq!(world.count("select count(*) from audit_log", &[]).await, before);
    let person = world.test.get(&preview).as_user(owner).header("sec-fetch-site", "cross-site");
    person.header("sec-fetch-dest", "document").await.expect_status(200);
}
