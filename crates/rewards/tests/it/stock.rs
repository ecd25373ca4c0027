//! The counters: equal to a recount whatever happened, in whatever order.

use proptest::prelude::*;
use rewards::actions::cards::{RedeemInput, ReplaceInput, RevokeInput, redeem, replace, revoke};
use rewards::actions::stock;
use uuid::Uuid;

use crate::support::World;

#[derive(Debug, Clone)]
enum Act {
    Upload(usize),
    Claim { campaign: usize },
    ClaimAgain(usize),
    Redeem(usize),
    Revoke(usize),
    Replace(usize),
    Days(i64),
    Work,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..4_usize).prop_map(Act::Upload),
        (0..2_usize).prop_map(|campaign| Act::Claim { campaign }),
        (0..2_usize).prop_map(|campaign| Act::Claim { campaign }),
        (0..8_usize).prop_map(Act::ClaimAgain),
        (0..8_usize).prop_map(Act::Redeem),
        (0..8_usize).prop_map(Act::Revoke),
        (0..8_usize).prop_map(Act::Replace),
        (1..20_i64).prop_map(Act::Days),
        Just(Act::Work),
    ]
}

struct Run {
    world: World,
    pool: Uuid,
    campaigns: [Uuid; 2],
    recipients: Vec<(Uuid, Uuid)>,
}

impl Run {
    async fn new() -> Self {
        let world = World::new().await;
        let pool = world.pool(4).await;
        let campaigns = [world.campaign(pool).await, world.campaign(pool).await];
        let sql =
            "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
                   values (gen_random_uuid(), $1, $2, $3, 2, now(), now())";
        world.run(sql, &[&world.client_id, &campaigns[0], &pool]).await;
        world.run("update gift_card_pools set reserved_cards = 2 where id = $1", &[&pool]).await;
        Self { world, pool, campaigns, recipients: Vec::new() }
    }

    /// A card by its place, whatever its status.
    async fn card(&self, at: usize) -> Uuid {
        let cards = self.world.admin.query("select id from gift_cards order by id", &[]).await.unwrap();
        cards[at % cards.len()].get(0)
    }

    async fn act(&mut self, act: &Act) {
        let (app, operator, client_id) =
            (self.world.test.app.clone(), self.world.test.operator(), self.world.client_id);
        let any = kernel::version::Expected::any();
        match act {
            Act::Upload(cards) => {
                let day = (app.clock.now() + chrono::Duration::days(10)).date_naive();
                let lines: String = (0..*cards).map(|_| format!("{},{day}\n", kernel::new_id().simple())).collect();
                let file = std::io::Cursor::new(format!("code,expiry\n{lines}").into_bytes());
                rewards::upload::run(&app, &operator, self.pool, file).await.unwrap();
            }
            Act::Claim { campaign } => {
                let campaign = self.campaigns[*campaign];
                let recipient = self.world.recipient(campaign).await;
                self.recipients.push((campaign, recipient));
                self.claim(self.recipients.len() - 1).await;
            }
            Act::ClaimAgain(at) if !self.recipients.is_empty() => self.claim(at % self.recipients.len()).await,
            Act::ClaimAgain(_) => {}
            Act::Redeem(at) => {
                let _ = redeem(&app, &operator, (client_id, self.card(*at).await), &RedeemInput::default(), &any).await;
            }
            Act::Revoke(at) => {
                let _ = revoke(
                    &app,
                    &operator,
                    (client_id, self.card(*at).await),
                    &RevokeInput { reason: "seen".into() },
                    &any,
                )
                .await;
            }
            Act::Replace(at) => {
                let input = ReplaceInput { reason: "lost".into(), to: String::new() };
                let _ = replace(&app, &operator, (client_id, self.card(*at).await), (true, &any), &input).await;
            }
            Act::Days(days) => {
                self.world.later(days * 86_400);
                stock::expire(&app).await.unwrap();
            }
            Act::Work => {
                self.world.work().await;
                messaging::actions::sweep::settle_sandbox(&app, &self.world.drivers).await.unwrap();
                self.world.later(5);
                messaging::actions::sweep::settle_sandbox(&app, &self.world.drivers).await.unwrap();
                self.world.work().await;
            }
        }
    }

    async fn claim(&self, at: usize) {
        let (campaign, recipient) = self.recipients[at];
        let claim = self.world.to_claim(campaign, recipient).to(messaging::Channel::Sms, "+16145550123");
        self.world.claim(&claim).await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 60, ..ProptestConfig::default() })]

    #[test]
    fn counters_equal_a_recount_after_any_acts(acts in prop::collection::vec(act(), 5..25)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut run = Run::new().await;
            for act in &acts {
                run.act(act).await;
                run.world.check().await;
            }
        });
    }
}

#[tokio::test]
async fn low_pools_are_told_of_at_a_fifth_and_a_tenth_and_no_longer_once_cards_arrive() {
    let world = World::new().await;
    let pool = world.pool(10).await;
    let campaign = world.campaign(pool).await;
    let open = "select coalesce(string_agg(data ->> 'percent', ','), '') from alerts where kind = 'pool_low' and resolved_at is null";
    for (claims, expected) in [(7, ""), (1, "20"), (1, "10"), (0, "10")] {
        for _ in 0..claims {
            let recipient = world.recipient(campaign).await;
            world.claim(&world.to_claim(campaign, recipient)).await;
        }
        stock::watch(&world.test.app).await.unwrap();
        assert_eq!(world.word(open, &[]).await, expected);
    }
    // what the pool has is told by the pool alone: an alert's number would stand still beside it
    let told = self::open(&world, "pool_low").await;
    assert!(told.ends_with("is running low: 10 % of its cards are left, or less."), "{told}");
    world.upload(pool, 20).await;
    stock::watch(&world.test.app).await.unwrap();
    assert_eq!(world.word(open, &[]).await, "");
}

#[tokio::test]
async fn promises_that_expired_cards_cannot_keep_are_cut() {
    let world = World::new().await;
    let pool = world.pool(0).await;
    let campaign = world.campaign(pool).await;
    let file = "code,expiry\nSTAYS-CODE-01,\nGONE-CODE-0001,2026-03-05\nGONE-CODE-0002,2026-03-05\n";
    let file = std::io::Cursor::new(file.as_bytes().to_vec());
    rewards::upload::run(&world.test.app, &world.test.operator(), pool, file).await.unwrap();
    let sql =
        "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
               values (gen_random_uuid(), $1, $2, $3, 3, now(), now())";
    world.run(sql, &[&world.client_id, &campaign, &pool]).await;
    world.run("update gift_card_pools set reserved_cards = 3 where id = $1", &[&pool]).await;
    world.later(10 * 86_400);
    stock::expire(&world.test.app).await.unwrap();
    assert_eq!(world.count("select reserved::bigint from campaign_reservations", &[]).await, 1);
    world.check().await;
}

/// Open alerts of a kind: their texts.
async fn open(world: &World, kind: &str) -> String {
    let sql = "select coalesce(string_agg(message, '; '), '') from alerts where kind = $1 and resolved_at is null";
    world.word(sql, &[&kind]).await
}

#[tokio::test]
async fn an_empty_pool_is_low_too_and_an_archived_one_is_not() {
    let world = World::new().await;
    let (pool, unused) = (world.pool(1).await, world.pool(0).await);
    let campaign = world.campaign(pool).await;
    let recipient = world.recipient(campaign).await;
    world.claim(&world.to_claim(campaign, recipient)).await;
    stock::watch(&world.test.app).await.unwrap();
    assert!(open(&world, "pool_low").await.ends_with(" has no card left."), "and {unused} is only new");
    let (app, operator) = (&world.test.app, world.test.operator());
    rewards::actions::pools::archive(app, &operator, (world.client_id, pool), &kernel::version::Expected::any())
        .await
        .unwrap();
    stock::watch(app).await.unwrap();
    assert_eq!(open(&world, "pool_low").await, "");
}

#[tokio::test]
async fn a_pool_where_people_wait_in_vain_is_one_line_and_not_low_as_well() {
    let world = World::new().await;
    let pool = world.pool(1).await;
    let campaign = world.campaign(pool).await;
    for _ in 0..2 {
        let recipient = world.recipient(campaign).await;
        world.claim(&world.to_claim(campaign, recipient)).await;
    }
    stock::watch(&world.test.app).await.unwrap();
    assert!(open(&world, "pool_low").await.ends_with(" has no card left."));
    let lines = "select string_agg(kind, ',') from client_needs where subject_id = $1";
    assert_eq!(world.word(lines, &[&pool]).await, "pool_empty");
    let page = world.test.get(&format!("/acme-roofing/pools/{pool}")).as_user(&world.test.story.acme_owner).await;
    let text = page.expect_status(200).text();
    assert!(text.contains("the pool has no card left for it") && !text.contains("has no card left.<"), "{text}");
}

#[tokio::test]
async fn cards_that_expire_within_thirty_days_are_told_of_until_they_are_gone() {
    let world = World::new().await;
    let (app, pool) = (&world.test.app, world.pool(1).await);
    let zone = world.word("select time_zone from clients where id = $1", &[&world.client_id]).await;
    let today = kernel::zone::day(app.clock.now(), &zone);
    let day = |days| today + chrono::Duration::days(days);
    let file =
        format!("code,expiry\nSOON-CODE-0001,{}\nSOON-CODE-0002,{}\nLATE-CODE-0003,{}\n", day(31), day(32), day(90));
    let file = std::io::Cursor::new(file.into_bytes());
    rewards::upload::run(app, &world.test.operator(), pool, file).await.unwrap();
    stock::watch_expiring(app).await.unwrap();
    assert_eq!(open(&world, "cards_expiring").await, "", "31 days are not soon");
    world.later(86_400);
    world.work().await;
    let told = open(&world, "cards_expiring").await;
    assert!(told.contains(&day(31).format("%b %-d, %Y").to_string()), "{told}");
    world.later(32 * 86_400);
    world.work().await;
    assert_eq!(open(&world, "cards_expiring").await, "", "they are gone, and the third has time");
}

#[tokio::test]
async fn a_promise_that_was_cut_is_told_of_until_there_are_cards_for_it() {
    let world = World::new().await;
    let (app, pool) = (&world.test.app, world.pool(0).await);
    let campaign = world.campaign(pool).await;
    let file = "code,expiry\nSTAYS-CODE-01,\nGONE-CODE-0001,2026-03-05\nGONE-CODE-0002,2026-03-05\n";
    let file = std::io::Cursor::new(file.as_bytes().to_vec());
    rewards::upload::run(app, &world.test.operator(), pool, file).await.unwrap();
    let sql =
        "insert into campaign_reservations (id, client_id, campaign_id, pool_id, reserved, created_at, updated_at)
               values (gen_random_uuid(), $1, $2, $3, 3, now(), now())";
    world.run(sql, &[&world.client_id, &campaign, &pool]).await;
    world.run("update gift_card_pools set reserved_cards = 3 where id = $1", &[&pool]).await;
    let sql = "update campaigns set status = 'ready', estimate = '{\"cards_per_reward\": 3}' where id = $1";
    world.run(sql, &[&campaign]).await;
    stock::watch(app).await.unwrap();
    assert_eq!(open(&world, "promise_cut").await, "");
    world.later(10 * 86_400);
    stock::expire(app).await.unwrap();
    stock::watch(app).await.unwrap();
    let told = open(&world, "promise_cut").await;
    assert!(told.contains("2 cards were missing when this was told"), "{told}");
    // somebody who takes a promised card changes nothing about it
    let recipient = world.recipient(campaign).await;
    world.claim(&world.to_claim(campaign, recipient)).await;
    stock::watch(app).await.unwrap();
    assert_eq!(open(&world, "promise_cut").await, told);
    world.upload(pool, 2).await;
    stock::watch(app).await.unwrap();
    assert_eq!(open(&world, "promise_cut").await, "");
    world.check().await;
}

#[tokio::test]
async fn the_thirty_days_before_a_card_expires_are_counted_by_the_clients_own_calendar() {
    // a day ahead of one another at every hour
    for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let world = World::new().await;
        let (app, pool) = (&world.test.app, world.pool(0).await);
        world.run("update clients set time_zone = $2 where id = $1", &[&world.client_id, &zone]).await;
        let today = kernel::zone::day(app.clock.now(), zone);
        let until = |days| (today + chrono::Duration::days(days)).to_string();
        world.upload_until(pool, &[&until(31)]).await;
        stock::watch_expiring(app).await.unwrap();
        assert_eq!(open(&world, "cards_expiring").await, "", "{zone}");
        world.upload_until(pool, &[&until(30)]).await;
        stock::watch_expiring(app).await.unwrap();
        assert!(open(&world, "cards_expiring").await.contains("within 30 days"), "{zone}");
    }
}
