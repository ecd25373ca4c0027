//! Acts of every kind at once: grants, cancels, launches, completions, claims, submissions, uploads, retired and used
//! cards, deliveries, contacts that go. None waits for another in a ring (docs/architecture.md, "The order of locks").

use std::future::Future;
use std::io::Cursor;
use std::sync::Arc;

use campaigns::actions::draft::{self, CampaignInput, ConditionInput};
use campaigns::actions::launch;
use campaigns::actions::steps::{self, Wish};
use campaigns::meet::{Met, Trigger, meet};
use kernel::{Actor, Error, Result, new_id};
use rewards::actions::cards::{RedeemInput, RevokeInput, redeem, revoke};
use rewards::actions::credits::{GrantInput, grant};
use rewards::actions::{deliveries, stock};
use uuid::Uuid;

use crate::world::{Someone, World, hidden};

/// How often each act is done, beside all others.
const ROUNDS: usize = 12;

struct Crowd {
    world: World,
    pools: [Uuid; 2],
    list_id: Uuid,
    people: Vec<Someone>,
    tokens: Vec<String>,
}

impl Crowd {
    async fn gather() -> Self {
        let world = World::new(6).await;
        let prices = "update organizations set settings_json = '{\"prices\": {\"piece\": 1, \"reward\": 1}}'";
        world.run(prices, &[]).await;
        let (second, list_id) = (new_id(), new_id());
        let sql = "insert into gift_card_pools (id, client_id, brand_id, pool_name, value_amount)
                   select $1, client_id, brand_id, 'Second', 25 from gift_card_pools where id = $2";
        world.run(sql, &[&second, &world.pool_id]).await;
        for (number, trigger, pool) in
            [(2, "form_submit", second), (3, "purl_visit", second), (4, "purl_visit", world.pool_id)]
        {
            let sql = "insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
                       values (gen_random_uuid(), $1, $2, $3, 'More', $4)";
            world.run(sql, &[&world.client_id, &world.campaign_id, &number, &trigger]).await;
            let sql =
                "insert into campaign_reward_configs (id, client_id, campaign_id, condition_number, gift_card_pool_id)
                       values (gen_random_uuid(), $1, $2, $3, $4)";
            world.run(sql, &[&world.client_id, &world.campaign_id, &number, &pool]).await;
        }
        let sql = "insert into contact_lists (id, client_id, name) values ($1, $2, 'All')";
        world.run(sql, &[&list_id, &world.client_id]).await;
        let sql = "with made as (
                     insert into contacts (id, client_id, customer_code, first_name, phone, address, city, state, zip)
                     select gen_random_uuid(), $1, 'LIST' || n, 'Pat', '+1614555' || (7000 + n), '1 Main St', 'Columbus', 'OH', '43215'
                     from generate_series(1, 3) n
                     returning id)
                   insert into contact_list_members (id, client_id, list_id, contact_id)
                   select gen_random_uuid(), $1, $2, id from made";
        world.run(sql, &[&world.client_id, &list_id]).await;
        let (mut people, mut tokens) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS * 3 {
            let someone = world.someone("Maria").await;
            let page = world.visit(&format!("/r/{}", someone.token)).await.expect_status(200).text();
            tokens.push(hidden(&page, "ace-token"));
            people.push(someone);
        }
        let sql = "insert into contact_campaign_participation (id, client_id, contact_id, campaign_id, recipient_id)
                   select gen_random_uuid(), client_id, contact_id, campaign_id, id from recipients";
        world.run(sql, &[]).await;
        let crowd = Self { pools: [world.pool_id, second], list_id, people, tokens, world };
        crowd.grant(30).await.unwrap();
        crowd
    }

    fn actor(&self) -> Actor {
        Actor::client(self.world.client_id)
    }

    async fn grant(&self, credits: i32) -> Result<()> {
        let (app, operator) = (&self.world.test.app, self.world.test.operator());
        let input = GrantInput { amount: credits.to_string(), ..GrantInput::default() };
        grant(app, &operator, self.world.client_id, &input, &kernel::version::Expected::any()).await.map(|_| ())
    }

    /// A campaign for the list that rewards visits out of both pools.
    async fn draft(&self) -> Uuid {
        let reward = |pool| ConditionInput {
            trigger_type: "purl_visit".into(),
            gift_card_pool_id: Some(pool),
            ..ConditionInput::default()
        };
        let [first, second] = self.pools;
        let input = CampaignInput {
            name: format!("Extra {}", new_id()),
            no_mail_piece: true,
            contact_list_id: Some(self.list_id),
            landing_page_id: Some(self.world.page_id),
            cards_per_reward: Some(1),
            conditions: vec![reward(second), reward(first)],
            ..CampaignInput::default()
        };
        draft::create(&self.world.test.app, &self.actor(), self.world.client_id, &input).await.unwrap().0
    }

    async fn launch(&self, id: Uuid) -> Result<()> {
        let (app, client_id) = (&self.world.test.app, self.world.client_id);
        launch::begin(app, &self.actor(), (client_id, id), &kernel::version::Expected::any()).await?;
        let made = launch::run(app, client_id, id).await;
        if let Err(error) = &made {
            launch::fail(app, client_id, id, &error.to_string()).await?;
        }
        made.map(|_| ())
    }

    async fn step(&self, id: Uuid, to: &str) -> Result<()> {
        let wish = Wish { to: to.into(), ..Wish::default() };
        steps::take(
            &self.world.test.app,
            &self.actor(),
            (self.world.client_id, id),
            &wish,
            &kernel::version::Expected::any(),
        )
        .await
    }

    async fn visit(&self, n: usize) -> Result<()> {
        let met = Met {
            client_id: self.world.client_id,
            campaign_id: self.world.campaign_id,
            recipient_id: self.people[n].id,
            trigger: Trigger::PurlVisit,
            channel: None,
            phone: None,
            email: None,
            notes: None,
            most_per_address: 0,
        };
        let actor = Actor::client(self.world.client_id);
        let tx = self.world.test.app.scope(&actor).transaction().await?;
        meet(&tx, &met).await?;
        tx.commit().await
    }

    async fn submit(&self, n: usize) -> Result<()> {
        let (email, token) = (format!("maria{n}@example.com"), self.people[n].token.as_str());
        let answers = [
            ("first_name", "Maria"),
            ("email", email.as_str()),
            ("owner", "No"),
            ("ok", "true"),
            ("ace-recipient", token),
            ("ace-token", self.tokens[n].as_str()),
        ];
        let reply = self.world.send(&answers).await;
        match reply.status.as_u16() {
            503 => Err(Error::Unavailable("a submission".into())),
            500 => Err(Error::internal(reply.text())),
            _ => Ok(()),
        }
    }

    async fn upload(&self, n: usize) -> Result<()> {
        let lines: String = (0..3).map(|_| format!("{}\n", new_id().simple())).collect();
        let file = Cursor::new(format!("code\n{lines}").into_bytes());
        rewards::upload::run(&self.world.test.app, &self.actor(), self.pools[n % 2], file).await.map(|_| ())
    }

    /// Any card in this state, if there is one.
    async fn card(&self, status: &str) -> Option<Uuid> {
        let sql = "select id from gift_cards where status = $1 and revoked_at is null order by random() limit 1";
        self.world.admin.query_opt(sql, &[&status]).await.unwrap().map(|row| row.get(0))
    }

    async fn correct(&self) -> Result<()> {
        let input = GrantInput { amount: "-1".into(), note: "too many".into(), ..GrantInput::default() };
        let (test, any) = (&self.world.test, kernel::version::Expected::any());
        grant(&test.app, &test.operator(), self.world.client_id, &input, &any).await.map(|_| ())
    }

    async fn retire(&self) -> Result<()> {
        let Some(card) = self.card("available").await else { return Ok(()) };
        let why = RevokeInput { reason: "leaked".into() };
        revoke(
            &self.world.test.app,
            &self.actor(),
            (self.world.client_id, card),
            &why,
            &kernel::version::Expected::any(),
        )
        .await
    }

    async fn redeem(&self) -> Result<()> {
        let Some(card) = self.card("claimed").await else { return Ok(()) };
        redeem(
            &self.world.test.app,
            &self.actor(),
            (self.world.client_id, card),
            &RedeemInput::default(),
            &kernel::version::Expected::any(),
        )
        .await
    }

    /// A message fails for good, which gives the credits back; another one arrives.
    async fn deliver(&self, n: usize) -> Result<()> {
        let status = if n.is_multiple_of(2) { "failed" } else { "delivered" };
        let sql = "update messages set status = $1, delivered_at = now() where id = (
                     select id from messages where status = 'pending' order by random() limit 1 for update skip locked)
                   returning id";
        let Some(row) = self.world.admin.query_opt(sql, &[&status]).await.unwrap() else { return Ok(()) };
        deliveries::message_moved(&self.world.test.app, self.world.client_id, row.get(0)).await
    }

    async fn forget(&self, n: usize) -> Result<()> {
        let contact = self.people[n].contact_id;
        audience::actions::contacts::delete(
            &self.world.test.app,
            &self.actor(),
            (self.world.client_id, contact),
            &kernel::version::Expected::any(),
        )
        .await
    }

    /// A file with people who are on the list already, some of whom go meanwhile, and with new ones.
    async fn import(&self, n: usize) -> Result<()> {
        let known = (1..=3).map(|one| format!("LIST{one},Pat,{n} Oak St\n"));
        let new = (0..3).map(|one| format!("NEW{n}X{one},Kim,1 Elm St\n"));
        let file: String = known.chain(new).collect();
        let options = audience::import::ImportOptions {
            filename: "people.csv".into(),
            list_name: Some("All".into()),
            ..Default::default()
        };
        let file = audience::import::source::bytes(format!("customer_code,first_name,address\n{file}").into_bytes());
        let (app, operator) = (&self.world.test.app, self.world.test.operator());
        audience::import::run_now(app, &operator, self.world.client_id, (options, file), |_| {}).await.map(|_| ())
    }

    /// One of the list goes, another is taken off it and put back.
    async fn thin_out(&self) -> Result<()> {
        use audience::actions::{contacts, lists};
        let (app, actor, client_id) = (&self.world.test.app, self.actor(), self.world.client_id);
        let sql = "select contact_id from contact_list_members where list_id = $1 order by random() limit 3";
        let rows = self.world.admin.query(sql, &[&self.list_id]).await.unwrap();
        let some: Vec<Uuid> = rows.iter().map(|row| row.get(0)).collect();
        if some.len() < 3 {
            return Ok(());
        }
        lists::remove_members(app, &actor, (client_id, self.list_id), &some).await?;
        lists::add_members(app, &actor, (client_id, self.list_id), &some).await?;
        match contacts::delete(app, &actor, (client_id, some[0]), &kernel::version::Expected::any()).await {
            Err(Error::NotFound) => Ok(()),
            other => other,
        }
    }

    async fn serve(&self, n: usize) -> Result<()> {
        stock::fulfil(&self.world.test.app, self.world.client_id, self.pools[n % 2]).await.map(|_| ())
    }
}

/// What the state of things refuses is in order; what PostgreSQL broke off is not.
fn sound(act: &str, outcome: Result<()>) {
    let broken = matches!(outcome, Err(Error::Unavailable(_) | Error::Internal(_) | Error::Constraint(_)));
    assert!(!broken, "{act}: {outcome:?}");
}

/// Does an act over and over, beside the others.
fn keep<F, Fut>(crowd: &Arc<Crowd>, act: &'static str, doing: F) -> tokio::task::JoinHandle<()>
where
    F: Fn(Arc<Crowd>, usize) -> Fut + Send + 'static,
    Fut: Future<Output = Result<()>> + Send,
{
    let crowd = crowd.clone();
    tokio::spawn(async move {
        for n in 0..ROUNDS {
            sound(act, doing(crowd.clone(), n).await);
        }
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn acts_of_every_kind_at_once_never_wait_for_each_other_in_a_ring() {
    let crowd = Arc::new(Crowd::gather().await);
    let again = [crowd.draft().await, crowd.draft().await];
    let mut ends = Vec::new();
    for _ in 0..ROUNDS / 3 {
        crowd.upload(0).await.unwrap();
        crowd.upload(1).await.unwrap();
        let id = crowd.draft().await;
        crowd.launch(id).await.unwrap();
        crowd.step(id, "in_production").await.unwrap();
        crowd.step(id, "mailed").await.unwrap();
        ends.push(id);
    }
    let mut acts = Vec::new();
    for id in again {
        acts.push(keep(&crowd, "launch and cancel", move |crowd, n| async move {
            crowd.launch(id).await?;
            if n.is_multiple_of(2) {
                crowd.step(id, "in_production").await?;
            }
            crowd.step(id, "draft").await
        }));
    }
    acts.push(keep(&crowd, "complete", move |crowd, n| {
        let id = ends.get(n).copied();
        async move { if let Some(id) = id { crowd.step(id, "completed").await } else { Ok(()) } }
    }));
    acts.push(keep(&crowd, "grant", |crowd, _| async move { crowd.grant(2).await }));
    acts.push(keep(&crowd, "correct", |crowd, _| async move { crowd.correct().await }));
    for part in 0..3 {
        acts.push(keep(&crowd, "submit", move |crowd, n| async move { crowd.submit(n * 3 + part).await }));
        acts.push(keep(&crowd, "visit", move |crowd, n| async move { crowd.visit(n * 3 + part).await }));
    }
    acts.push(keep(&crowd, "forget", |crowd, n| async move { crowd.forget(n * 3).await }));
    for _ in 0..2 {
        acts.push(keep(&crowd, "import", |crowd, n| async move { crowd.import(n).await }));
        acts.push(keep(&crowd, "thin out", |crowd, _| async move { crowd.thin_out().await }));
    }
    acts.push(keep(&crowd, "upload", |crowd, n| async move { crowd.upload(n).await }));
    acts.push(keep(&crowd, "retire", |crowd, _| async move { crowd.retire().await }));
    acts.push(keep(&crowd, "redeem", |crowd, _| async move { crowd.redeem().await }));
    acts.push(keep(&crowd, "deliver", |crowd, n| async move { crowd.deliver(n).await }));
    acts.push(keep(&crowd, "serve", |crowd, n| async move { crowd.serve(n).await }));
    for act in acts {
        act.await.unwrap();
    }
    // A submission is tried once more by itself, so what it met is asked of PostgreSQL; its connections tell as they end.
    crowd.world.test.app.db.close();
    let others = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    while crowd.world.count(others, &[]).await > 0 {
        tokio::task::yield_now().await;
    }
    let rings = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(crowd.world.count(rings, &[]).await, 0, "somebody waited for somebody who waited for them");
    for (rule, statement) in rewards::INVARIANTS.iter().chain(campaigns::INVARIANTS) {
        assert_eq!(crowd.world.count(statement.sql, &[]).await, 0, "{rule}");
    }
}
