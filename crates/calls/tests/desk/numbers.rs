//! Tracked numbers.

use http::Method;
use serde_json::json;

use crate::scene::Scene;

#[tokio::test]
async fn a_number_is_entered_listed_and_given_back_and_stays_held_for_its_campaign() {
    let scene = Scene::set().await;
    let owner = &scene.story().acme_owner;
    scene.run("update campaigns set mail_date = '2026-03-01'", &[]).await;
    let campaign = scene.campaign_id.to_string();
    let fields =
        [("phone_number", "(614) 555-0199"), ("friendly_name", "Spring line"), ("campaign_id", campaign.as_str())];
    let _ = scene.test.post_form(&scene.at("numbers"), &fields).as_user(owner).await.expect_status(303);
    let page = scene.test.get(&scene.at("numbers")).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("(614) 555-0199") && page.contains("Spring roof check"));
    let again = scene.test.post_form(&scene.at("numbers"), &fields).as_user(owner).await.expect_status(422);
    assert!(again.text().contains("this number is in use"));

    let id: uuid::Uuid = scene.one("select id from tracked_phone_numbers").await;
    let path = scene.at(&format!("numbers/{id}/release"));
    let _ = scene.test.post_form(&path, &[("", "")]).as_user(owner).await.expect_status(303);
    let body = json!({ "phone_number": "+16145550199" });
    let held = scene
        .test
        .api_json(Method::POST, "/v1/numbers", &body)
        .bearer(&scene.story().acme.key)
        .await
        .expect_status(422)
        .json();
    assert_eq!(held["errors"][0]["code"], "held");
    let body = json!({ "phone_number": "+16145550199", "campaign_id": campaign });
    let own = scene.test.api_json(Method::POST, "/v1/numbers", &body).bearer(&scene.story().acme.key).await;
    assert_eq!(own.expect_status(201).json()["phone_number"], "+16145550199");
}

#[tokio::test]
async fn a_wrong_number_or_a_foreign_campaign_is_named_and_agents_do_not_manage_numbers() {
    let scene = Scene::set().await;
    let fields = [("phone_number", "555"), ("forward_to_number", "nobody")];
    let page =
        scene.test.post_form(&scene.at("numbers"), &fields).as_user(&scene.story().acme_owner).await.expect_status(422);
    assert!(page.text().contains("enter 10 digits"));
    let body = json!({ "phone_number": "+16145550188", "campaign_id": scene.campaign_id });
    let foreign = scene
        .test
        .api_json(Method::POST, "/v1/numbers", &body)
        .bearer(&scene.story().corner.key)
        .await
        .expect_status(422)
        .json();
    assert_eq!(foreign["errors"][0]["pointer"], "#/campaign_id");
    let _ = scene.test.get(&scene.at("numbers")).as_user(&scene.story().acme_agent).await.expect_status(403);
}

#[tokio::test]
async fn a_number_is_not_entered_for_a_campaign_that_was_archived() {
    let scene = Scene::set().await;
    scene.run("set session_replication_role = replica", &[]).await;
    scene.run("update campaigns set status = 'completed', archived_at = now()", &[]).await;
    let campaign = scene.campaign_id.to_string();
    let body = json!({ "phone_number": "+16145550188", "campaign_id": campaign });
    let refused = scene.test.api_json(Method::POST, "/v1/numbers", &body).bearer(&scene.story().acme.key).await;
    assert_eq!(refused.expect_status(422).json()["errors"][0]["pointer"], "#/campaign_id");
    let fields = [("phone_number", "+16145550188"), ("campaign_id", campaign.as_str())];
    let page = scene.test.post_form(&scene.at("numbers"), &fields).as_user(&scene.story().acme_owner).await;
    assert!(page.expect_status(422).text().contains("that are not archived"));
    let entered = "select count(*) from tracked_phone_numbers where phone_number = '+16145550188'";
    assert_eq!(scene.one::<i64>(entered).await, 0);
}

#[tokio::test]
async fn nobody_takes_a_number_from_another_client_or_learns_that_it_is_entered() {
    let scene = Scene::set().await;
    let (acme, corner) = (&scene.story().acme.key, &scene.story().corner.key);
    for key in [acme, corner] {
        let body = json!({ "phone_number": "+16145550177" });
        let entered =
            scene.test.api_json(Method::POST, "/v1/numbers", &body).bearer(key).await.expect_status(201).json();
        assert_eq!(entered["phone_number"], "+16145550177");
        let twice = scene.test.api_json(Method::POST, "/v1/numbers", &body).bearer(key).await.expect_status(422).json();
        assert_eq!(twice["errors"][0]["code"], "taken");
    }
}
