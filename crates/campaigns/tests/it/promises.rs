//! Promising cards: only those that are really there and that nobody waits for; what is given back serves who waits.

use campaigns::actions::draft::CampaignInput;
use campaigns::actions::launch;
use campaigns::meet::Trigger;
use campaigns::store::reservations::{Reserved, reserve};
use campaigns::store::stock;
use rewards::Outcome;
use rewards::actions::credits::GrantInput;
use uuid::Uuid;

use crate::world::World;

/// A draft that asks for so many cards.
fn asking(world: &World, name: &str, cards: i32) -> CampaignInput {
    CampaignInput { name: name.into(), cards_per_reward: Some(cards), ..world.input() }
}

async fn submit(world: &World, campaign: Uuid, recipient: Uuid) -> Outcome {
    let mut met = world.met(campaign, recipient, Trigger::FormSubmit { form_id: world.form_id });
    met.email = Some("pat@example.com".into());
    world.meet(&met).await.unwrap()[0]
}

const CARDS: &str = "select count(*) from gift_cards where recipient_id = $1";

#[tokio::test]
async fn cards_past_their_last_day_are_not_promised() {
    let world = World::with(2, 3).await;
    let yesterday = world.test.app.clock.now().date_naive() - chrono::Days::new(1);
    let sql = "update gift_cards set expires_at = $1 where id in (select id from gift_cards limit 2)";
    world.admin.execute(sql, &[&yesterday]).await.unwrap();
    let (id, _) = world.draft(&asking(&world, "Two", 2)).await;
    let refused =
        launch::begin(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert!(refused.fields()[0].message.contains("1 free card and 2 are needed"), "{refused:?}");
    world.launched(&asking(&world, "One", 1)).await;
    world.assert_sound().await;
}

#[tokio::test]
async fn cards_that_people_wait_for_are_not_promised() {
    let world = World::with(2, 1).await;
    let (first, people) = world.mailed(&asking(&world, "First", 1)).await;
    assert_eq!(submit(&world, first, people[0]).await, Outcome::Claimed);
    assert_eq!(submit(&world, first, people[1]).await, Outcome::PoolEmpty);
    world.add_cards(1).await;
    let (second, _) = world.draft(&asking(&world, "Second", 1)).await;
    let refused =
        launch::begin(&world.test.app, &world.owner(), (world.client_id, second), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert!(refused.fields()[0].message.contains("0 free cards and 1 is needed"), "{refused:?}");
    let actor = kernel::Actor::client(world.client_id);
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let promised = reserve(&tx, (world.client_id, second), world.pool_id, (1, 0)).await.unwrap();
    assert_eq!(promised, Reserved::FewCards, "the only card is for the one who waits");
    drop(tx);
    world.add_cards(1).await;
    let tx = world.test.app.scope(&actor).transaction().await.unwrap();
    let promised = reserve(&tx, (world.client_id, second), world.pool_id, (1, 0)).await.unwrap();
    assert_eq!(promised, Reserved::Done, "the other one is not");
}

#[tokio::test]
async fn what_a_campaign_gives_back_goes_to_who_waits() {
    let world = World::with(2, 2).await;
    let (over, people) = world.mailed(&asking(&world, "Over", 2)).await;
    let (other, strangers) = world.mailed(&asking(&world, "Other", 0)).await;
    assert_eq!(submit(&world, other, strangers[0]).await, Outcome::PoolEmpty);
    assert_eq!(submit(&world, over, people[0]).await, Outcome::Claimed);
    world.work().await;
    assert_eq!(world.count(CARDS, strangers[0]).await, 0);
    world.admin.execute("update campaigns set status = 'active' where id = $1", &[&over]).await.unwrap();
    world.step(over, "completed").await.unwrap();
    world.work().await;
    assert_eq!(world.count(CARDS, strangers[0]).await, 1);
    world.assert_sound().await;
}

#[tokio::test]
async fn a_campaign_that_asks_for_no_cards_launches_beside_people_who_wait() {
    let world = World::with(2, 1).await;
    let (first, people) = world.mailed(&asking(&world, "First", 1)).await;
    submit(&world, first, people[0]).await;
    assert_eq!(submit(&world, first, people[1]).await, Outcome::PoolEmpty);
    world.launched(&asking(&world, "None", 0)).await;
    world.assert_sound().await;
}

/// Every reward and every piece of Acme's organization costs so many credits.
async fn prices(world: &World, piece: i32, reward: i32) {
    let sql = "update organizations set settings_json = jsonb_build_object('prices', jsonb_build_object('piece', $2::int4, 'reward', $3::int4)) where id = $1";
    world.admin.execute(sql, &[&world.test.story.northside, &piece, &reward]).await.unwrap();
}

async fn grant(world: &World, credits: i32) {
    let sql = "insert into credit_ledger (id, client_id, amount, reason, created_at) values (gen_random_uuid(), $1, $2, 'grant', now())";
    world.admin.execute(sql, &[&world.client_id, &credits]).await.unwrap();
}

/// Credits left, and of those the promised ones.
async fn credits(world: &World) -> (i64, i64) {
    let left = world.count("select credits::int8 from clients where id = $1", world.client_id).await;
    (left, world.count("select credits_reserved::int8 from clients where id = $1", world.client_id).await)
}

#[tokio::test]
async fn a_price_that_rises_after_the_launch_takes_nothing_from_what_was_promised() {
    let world = World::with(5, 20).await;
    prices(&world, 0, 1).await;
    grant(&world, 5).await;
    let (id, people) = world.mailed(&world.input()).await;
    assert_eq!(credits(&world).await, (5, 5));
    prices(&world, 0, 2).await;
    for person in &people {
        assert_eq!(submit(&world, id, *person).await, Outcome::Claimed);
        world.assert_sound().await;
    }
    assert_eq!(credits(&world).await, (0, 0));
}

#[tokio::test]
async fn two_campaigns_are_not_launched_on_the_same_credits() {
    let world = World::with(5, 50).await;
    prices(&world, 1, 1).await;
    grant(&world, 15).await;
    let (first, _) = world.launched(&world.input()).await;
    assert_eq!(credits(&world).await, (15, 10), "five pieces and five rewards");
    let (second, _) = world.draft(&world.input()).await;
    let refused =
        launch::begin(&world.test.app, &world.owner(), (world.client_id, second), &kernel::version::Expected::any())
            .await
            .unwrap_err();
    assert_eq!(refused.fields()[0].field, "credits");
    assert!(refused.fields()[0].message.contains("of which 10 are promised"), "{refused:?}");
    // nor when both pass the check list before either works
    let (third, _) = world.draft(&asking(&world, "Third", 0)).await;
    let (fourth, _) = world.draft(&asking(&world, "Fourth", 0)).await;
    for id in [third, fourth] {
        launch::begin(&world.test.app, &world.owner(), (world.client_id, id), &kernel::version::Expected::any())
            .await
            .unwrap();
    }
    world.work().await;
    let mut statuses = [world.status(third).await, world.status(fourth).await];
    statuses.sort();
    assert_eq!(statuses, ["draft", "ready"]);
    let (operator, less) =
        (world.test.operator(), GrantInput { amount: "-1".into(), note: "oops".into(), ..GrantInput::default() });
    let corrected = rewards::actions::credits::grant(
        &world.test.app,
        &operator,
        world.client_id,
        &less,
        &kernel::version::Expected::any(),
    )
    .await;
    assert!(matches!(corrected, Err(kernel::Error::Conflict { code: "GC-006", .. })), "all are promised");
    // Production charges what was set aside, taking back frees the rest.
    world.step(first, "in_production").await.unwrap();
    assert_eq!(credits(&world).await, (10, 10));
    world.assert_sound().await;
    world.step(first, "draft").await.unwrap();
    assert_eq!(credits(&world).await, (15, 5));
    world.work().await;
    world.launch(second).await;
    assert_eq!((world.status(second).await.as_str(), credits(&world).await), ("ready", (15, 15)));
    world.step(second, "in_production").await.unwrap();
    world.step(second, "mailed").await.unwrap();
    world.step(second, "completed").await.unwrap();
    assert_eq!(credits(&world).await, (10, 5));
    world.assert_sound().await;
}

#[tokio::test]
async fn promised_cards_that_expire_free_the_credits_set_aside_for_them() {
    let world = World::with(2, 2).await;
    prices(&world, 0, 3).await;
    grant(&world, 6).await;
    world.launched(&world.input()).await;
    assert_eq!(credits(&world).await, (6, 6));
    let yesterday = world.test.app.clock.now().date_naive() - chrono::Days::new(2);
    world.admin.execute("update gift_cards set expires_at = $1", &[&yesterday]).await.unwrap();
    rewards::actions::stock::expire(&world.test.app).await.unwrap();
    assert_eq!(credits(&world).await, (6, 0));
    world.assert_sound().await;
}

#[tokio::test]
async fn whoever_launches_cannot_tell_a_card_in_quarantine_from_any_other() {
    let world = World::with(2, 2).await;
    let (app, actor) = (&world.test.app, world.owner());
    let (plain, _) = world.draft(&asking(&world, "Plain", 2)).await;
    let (aside, slug) = world.draft(&asking(&world, "Aside", 2)).await;
    let told = async |id: Uuid, slug: &str| {
        let scope = app.scope(&actor);
        let stock = stock::list(&scope, world.client_id, id, app.clock.now()).await.unwrap();
        let stock: Vec<_> = stock.iter().map(|pool| (pool.free_cards, pool.with_pin, pool.with_number)).collect();
        let choices = campaigns::store::choices::pools(&scope, world.client_id).await.unwrap();
        let list = world.test.api(web::Method::GET, &format!("/v1/campaigns/{id}/checklist"));
        let list = list.as_user(&world.test.story.acme_owner).await.expect_status(200).json();
        let page = world.test.get(&format!("/acme-roofing/campaigns/{slug}/edit/review"));
        let page = page.as_user(&world.test.story.acme_owner).await.status;
        format!("{stock:?} {choices:?} {list} {page}").replace(&id.to_string(), "")
    };
    let before = told(aside, &slug).await;
    let sql = "alter table gift_cards disable trigger leaves_quarantine;
               update gift_cards set quarantined_at = now();
               alter table gift_cards enable trigger leaves_quarantine";
    world.admin.batch_execute(sql).await.unwrap();
    assert_eq!(told(aside, &slug).await, before);
    launch::begin(app, &actor, (world.client_id, plain), &kernel::version::Expected::any()).await.unwrap();
    world.work().await;
    world.assert_sound().await;
    let promised = "select sum(reserved)::int8 from campaign_reservations where pool_id = $1";
    assert_eq!(world.count(promised, world.pool_id).await, 2);
    // one that is retired takes its promise with it, like any other
    let card: Uuid = world.admin.query_one("select id from gift_cards limit 1", &[]).await.unwrap().get(0);
    let why = rewards::actions::cards::RevokeInput { reason: "leaked".into() };
    rewards::actions::cards::revoke(app, &actor, (world.client_id, card), &why, &kernel::version::Expected::any())
        .await
        .unwrap();
    assert_eq!(world.count(promised, world.pool_id).await, 1);
    world.assert_sound().await;
}
