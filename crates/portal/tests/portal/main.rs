//! The search of the top bar, and help.
#![cfg(test)]

use testkit::TestApp;

#[tokio::test]
async fn search_finds_contacts_places_and_help_and_only_what_somebody_may_open() {
    let test = TestApp::new(portal::routes).await;
    let admin = test.database.admin().await;
    for (n, client_id) in [test.story.acme.id, test.story.corner.id].into_iter().enumerate() {
        let sql = "insert into contacts (id, client_id, customer_code, first_name, last_name, created_at, updated_at)
                   values ($1, $2, $3, 'Maria', $4, '2026-03-01', '2026-03-01')";
        let (code, last) = (format!("M-{n}00"), ["Credits", "Foreign"][n]);
        admin.execute(sql, &[&kernel::new_id(), &client_id, &code, &last]).await.unwrap();
    }
    let found =
        test.get("/acme-roofing/search?q=credits").as_user(&test.story.acme_owner).await.expect_status(200).text();
    for part in ["Maria Credits", "href=\"/acme-roofing/credits\"", "href=\"/help/gift-cards\""] {
        assert!(found.contains(part), "{part} is missing in {found}");
    }
    let maria = test.get("/acme-roofing/search?q=maria").as_user(&test.story.acme_owner).await.text();
    assert!(maria.contains("Maria Credits") && !maria.contains("Foreign"), "{maria}");

    let agents =
        test.get("/acme-roofing/search?q=credits").as_user(&test.story.acme_agent).await.expect_status(200).text();
    assert!(!agents.contains("Maria") && !agents.contains("/acme-roofing/credits\""), "{agents}");
    test.get("/corner-auto/search?q=maria").as_user(&test.story.acme_owner).await.expect_status(404);
}

/// One thing of every kind, named after the client; the contact and recipient are Núñez O’Brien.
async fn one_of_each(test: &TestApp, client_id: uuid::Uuid, mark: &str) {
    let admin = test.database.admin().await;
    let sql = format!(
        "set session_replication_role = replica;
         insert into contacts (id, client_id, customer_code, first_name, last_name, email, phone, created_at, updated_at)
           values (gen_random_uuid(), '{client_id}', '{mark}-1', 'Núñez', 'O’Brien', '{mark}@example.com', '+16145550188', now(), now());
         insert into contact_lists (id, client_id, name) values (gen_random_uuid(), '{client_id}', '{mark} Été list');
         insert into campaigns (id, client_id, name, slug, status, created_at)
           values ('{client_id}', '{client_id}', '{mark} Été campaign', lower('{mark}-ete'), 'active', now());
         insert into recipients (id, client_id, campaign_id, redemption_code, purl_token, first_name, last_name, phone, created_at)
           values (gen_random_uuid(), '{client_id}', '{client_id}', lpad('{mark}', 12, '2'), lpad('{mark}', 10, '2'), 'Núñez', 'O’Brien', '+16145550188', now());
         insert into templates (id, client_id, name, size) values (gen_random_uuid(), '{client_id}', '{mark} Été piece', '6x9');
         insert into landing_pages (id, client_id, name) values (gen_random_uuid(), '{client_id}', '{mark} Été page');
         insert into ace_forms (id, client_id, name) values (gen_random_uuid(), '{client_id}', '{mark} Été form');
         insert into gift_card_brands (id, brand_name) values ('{client_id}', '{mark} brand');
         insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount)
           values ('{client_id}', '{client_id}', '{client_id}', '{mark} Été cards', 10);
         insert into gift_cards (id, client_id, pool_id, card_code, code_last4, code_fingerprint, value_amount)
           values ('{client_id}', '{client_id}', '{client_id}', '{mark}-sealed', '6778', convert_to('{mark}', 'UTF8'), 10);"
    );
    admin.batch_execute(&sql).await.unwrap();
}

#[tokio::test]
async fn the_palette_finds_every_kind_folded_for_those_who_may_open_it_and_nothing_of_others() {
    let test = TestApp::new(portal::routes).await;
    one_of_each(&test, test.story.acme.id, "AX").await;
    one_of_each(&test, test.story.corner.id, "CX").await;
    let ask = async |path: &str, who: &testkit::Person| {
        test.get(path).header("hx-request", "true").as_user(who).await.expect_status(200).text()
    };
    let found = ask("/acme-roofing/search?q=ETE", &test.story.acme_owner).await;
    for kind in ["campaign", "list", "piece", "page", "form", "cards"] {
        assert!(found.contains(&format!("AX Été {kind}")), "{kind} is missing in {found}");
    }
    assert!(!found.contains("CX") && !found.contains("<html") && found.contains("role=\"option\""), "{found}");
    for text in ["nunez", "obrien", "614%20555", "(614)%20555-01", "614-555-0188", "ax%20brien"] {
        let found = ask(&format!("/acme-roofing/search?q={text}"), &test.story.acme_owner).await;
        assert_eq!(found.matches("href=\"/acme-roofing/contacts/").count(), 1, "{text}: {found}");
        assert!(!found.contains("/acme-roofing/desk/"), "{text}: {found}");
    }
    let agent = ask("/acme-roofing/search?q=614%20555", &test.story.acme_agent).await;
    assert!(agent.contains("href=\"/acme-roofing/desk/") && !agent.contains("/contacts/"), "{agent}");
    let agent = ask("/acme-roofing/search?q=ete", &test.story.acme_agent).await;
    assert!(
        agent.contains("AX Été campaign") && agent.contains("AX Été cards") && !agent.contains("AX Été list"),
        "{agent}"
    );
    let developer = ask("/acme-roofing/search?q=ete", &test.story.acme_developer).await;
    assert!(developer.contains("AX Été form") && !developer.contains("AX Été cards"), "{developer}");
    let card = format!("href=\"/acme-roofing/cards/{}\"", test.story.acme.id);
    for text in ["6778", "%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A2%206778"] {
        let found = ask(&format!("/acme-roofing/search?q={text}"), &test.story.acme_owner).await;
        assert!(found.contains(&card) && !found.contains("CX"), "{text}: {found}");
        let developer = ask(&format!("/acme-roofing/search?q={text}"), &test.story.acme_developer).await;
        assert!(!developer.contains("/cards/"), "{text}: {developer}");
    }
    for text in ["AX-sealed", "%25778", "778", "6779"] {
        let found = ask(&format!("/acme-roofing/search?q={text}"), &test.story.acme_owner).await;
        assert!(!found.contains("/cards/"), "{text}: {found}");
    }
    for text in ["%25", "_", "%27", "a", "", "%5C%5C", "zzzz"] {
        let found = ask(&format!("/acme-roofing/search?q={text}"), &test.story.acme_owner).await;
        assert!(!found.contains("AX Été"), "{text}: {found}");
    }
    test.get("/acme-roofing/search?q=%00").as_user(&test.story.acme_owner).await.expect_status(422);
}

#[tokio::test]
async fn without_a_client_the_palette_finds_clients_within_reach() {
    let test = TestApp::new(portal::routes).await;
    let ask = async |q: &str, who: &testkit::Person| {
        test.get(&format!("/search?q={q}")).header("hx-request", "true").as_user(who).await.expect_status(200).text()
    };
    let agency = ask("ro", &test.story.agency_owner).await;
    assert!(agency.contains("href=\"/acme-roofing/home\"") && !agency.contains("corner-auto"), "{agency}");
    assert!(!ask("corner", &test.story.agency_owner).await.contains("corner-auto"));
    assert!(ask("acme", &test.story.acme_agent).await.contains("href=\"/acme-roofing/desk\""));
    assert_eq!(test.get("/search?q=acme").await.expect_status(303).location(), "/sign-in?next=%2Fsearch%3Fq%3Dacme");
}

#[tokio::test]
async fn every_topic_of_the_help_can_be_opened() {
    let test = TestApp::new(portal::routes).await;
    let list = test.get("/help").as_user(&test.story.acme_agent).await.expect_status(200).text();
    let links: Vec<&str> = list.split("href=\"/help/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(links.len() >= 10, "{links:?}");
    for slug in links {
        test.get(&format!("/help/{slug}")).as_user(&test.story.acme_agent).await.expect_status(200);
    }
    test.get("/help/nothing").as_user(&test.story.acme_agent).await.expect_status(404);
}
