//! What was deleted stays deleted: every act on an archived campaign, or with an archived part, is refused.

use campaigns::actions::draft::{self, CampaignInput};
use campaigns::actions::{clear, launch};
use kernel::Error;
use serde_json::json;
use uuid::Uuid;
use web::Method;

use crate::world::World;

/// Every address of the API and of the console by which something is done with a campaign.
fn acts(id: Uuid, slug: &str, body: &serde_json::Value) -> Vec<(Method, String, serde_json::Value)> {
    let mut acts = vec![
        (Method::PATCH, format!("/v1/campaigns/{id}"), body.clone()),
        (Method::DELETE, format!("/v1/campaigns/{id}"), json!({})),
        (Method::POST, format!("/v1/campaigns/{id}/launch"), json!({})),
        (Method::POST, format!("/v1/campaigns/{id}/duplicate"), json!({})),
        (Method::POST, format!("/v1/campaigns/{id}/mail-file"), json!({})),
    ];
    for to in ["draft", "ready", "in_production", "mailed", "active", "completed"] {
        acts.push((Method::POST, format!("/v1/campaigns/{id}/steps"), json!({ "to": to })));
        acts.push((Method::POST, format!("/acme-roofing/campaigns/{slug}/steps"), json!({ "to": to })));
    }
    for page in ["launch", "archive", "duplicate", "mail-file"] {
        acts.push((Method::POST, format!("/acme-roofing/campaigns/{slug}/{page}"), json!({})));
    }
    acts
}

/// Tries every act; none may succeed, and nothing may have moved.
async fn refuses_everything(world: &World, id: Uuid, slug: &str, body: &serde_json::Value) {
    let story = &world.test.story;
    let made = "select count(*) from campaigns where client_id = $1";
    let (before, version) = (world.count(made, world.client_id).await, version(world, id).await);
    for (method, path, body) in acts(id, slug, body) {
        let reply = if path.starts_with("/v1/") {
            world.test.api_json(method.clone(), &path, &body).as_user(&story.acme_owner).await
        } else {
            let to = body["to"].as_str().unwrap_or_default();
            world.test.post_form(&path, &[("to", to)]).as_user(&story.acme_owner).await
        };
        // the console's forms lead back and say why; that nothing has moved is looked at below
        let back = !path.starts_with("/v1/") && reply.status.as_u16() == 303;
        assert!(back || [404, 409, 422].contains(&reply.status.as_u16()), "{method} {path} {body}: {}", reply.text());
        if path.starts_with("/v1/") && path.ends_with("/launch")
            || path.ends_with("/duplicate")
            || method == Method::PATCH
        {
            assert_eq!(reply.status.as_u16(), 409, "{method} {path}: {}", reply.text());
        }
    }
    world.work().await;
    assert_eq!((world.count(made, world.client_id).await, self::version(world, id).await), (before, version));
}

async fn version(world: &World, id: Uuid) -> String {
    world.admin.query_one("select xmin::text from campaigns where id = $1", &[&id]).await.unwrap().get(0)
}

#[tokio::test]
async fn nothing_is_done_with_a_campaign_that_was_deleted_as_a_draft_or_after_its_end() {
    let world = World::with(3, 50).await;
    let story = &world.test.story;
    let (id, slug) = world.draft(&world.input()).await;
    let body = json!(world.input());
    let path = format!("/v1/campaigns/{id}");
    world.test.api(Method::DELETE, &path).as_user(&story.acme_owner).await.expect_status(204);
    let read = world.test.api(Method::GET, &path).as_user(&story.acme_owner).await.expect_status(200);
    assert!(read.json()["archived_at"].is_string(), "it can be read, and says that it is gone");
    refuses_everything(&world, id, &slug, &body).await;

    let (over, _) = world.mailed(&world.input()).await;
    world.step(over, "completed").await.unwrap();
    let slug: String =
        world.admin.query_one("select slug from campaigns where id = $1", &[&over]).await.unwrap().get(0);
    let archive = world.test.api(Method::DELETE, &format!("/v1/campaigns/{over}"));
    archive.as_user(&story.acme_owner).await.expect_status(204);
    refuses_everything(&world, over, &slug, &body).await;
    let whose = "select id from recipients where campaign_id = $1 limit 1";
    let recipient: Uuid = world.admin.query_one(whose, &[&over]).await.unwrap().get(0);
    for (what, body) in [("codes", json!({})), ("address", json!({ "to": "+16145550177" }))] {
        let path = format!("/v1/recipients/{recipient}/{what}");
        let refused = world.test.api_json(Method::POST, &path, &body).as_user(&story.acme_owner).await;
        assert_eq!(refused.expect_status(409).json()["code"], "archived", "{what}");
    }
    world.assert_sound().await;
}

#[tokio::test]
async fn a_launch_that_was_begun_before_the_campaign_was_deleted_makes_nothing() {
    let world = World::with(3, 50).await;
    let (id, _) = world.draft(&world.input()).await;
    launch::begin(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
        .await
        .unwrap();
    draft::archive(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
        .await
        .unwrap();
    world.work().await;
    assert_eq!(world.status(id).await, "draft");
    assert_eq!(world.count("select count(*) from recipients where campaign_id = $1", id).await, 0);
    let state = "select count(*) from campaign_launches where campaign_id = $1 and state = 'failed'";
    assert_eq!(world.count(state, id).await, 1, "and says why");
    let by_hand = world.admin.execute("update campaigns set status = 'ready' where id = $1", &[&id]).await.unwrap_err();
    assert_eq!(by_hand.as_db_error().unwrap().constraint(), Some("campaigns_archived"));
    clear::run(&world.test.app, world.client_id, id).await.unwrap();
    world.assert_sound().await;
}

#[tokio::test]
async fn nobody_is_launched_with_a_piece_a_page_or_a_form_that_is_gone_nor_for_a_client_that_is() {
    let world = World::with(3, 50).await;
    let parts = [
        ("templates", world.template_id, "template_id"),
        ("landing_pages", world.landing_page_id, "landing_page_id"),
        ("ace_forms", world.form_id, "form_id"),
        ("gift_card_pools", world.pool_id, "conditions/0/gift_card_pool_id"),
    ];
    let (id, _) = world.draft(&world.input()).await;
    for (table, part, field) in parts {
        let set = |at: &str| format!("update {table} set archived_at = {at} where id = $1");
        world.admin.execute(&set("now()"), &[&part]).await.unwrap();
        let refused =
            launch::begin(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
                .await
                .unwrap_err();
        assert!(refused.fields().iter().any(|wrong| wrong.field == field), "{table}: {refused:?}");
        if table != "gift_card_pools" {
            let (owner, input) = (world.owner(), with(&world));
            let chosen = draft::create(&world.test.app, &owner, world.client_id, &input).await.unwrap_err();
            assert!(chosen.fields().iter().any(|wrong| wrong.field == field), "{table}: {chosen:?}");
        }
        world.admin.execute(&set("null"), &[&part]).await.unwrap();
    }
    launch::begin(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
        .await
        .unwrap();
    world.admin.execute("update clients set archived_at = now() where id = $1", &[&world.client_id]).await.unwrap();
    world.work().await;
    assert_eq!(world.status(id).await, "draft", "its client is gone");
    let step = world.step(id, "in_production").await;
    assert!(matches!(step, Err(Error::Conflict { code: "archived", .. })), "{step:?}");
}

/// A draft that names its form itself.
fn with(world: &World) -> CampaignInput {
    CampaignInput { form_id: Some(world.form_id), ..world.input() }
}
