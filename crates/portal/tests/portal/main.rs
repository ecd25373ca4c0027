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
