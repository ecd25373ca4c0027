//! Two campaigns of Acme Roofing with visits, submissions and rewards over three weeks, and one of Corner Auto.

use serde_json::Value;
use testkit::TestApp;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

pub struct World {
    pub test: TestApp,
    pub admin: Client,
    pub client_id: Uuid,
    pub spring: Uuid,
    pub corner: Uuid,
}

/// One recipient in ten visits, some of them twice, some with a bot before; of those a third submits, of those all but
/// one in four has a card.
const HAPPENED: &str = "
    with people as (
        select r.id, r.client_id, r.campaign_id, n
        from (
            select id, client_id, campaign_id, row_number() over (order by purl_token) as n
            from recipients
            where campaign_id = $1) as r),
    happened as (
        select p.*, 'purl_visit' as event_type, '{}'::jsonb as data, n % 20 as days from people p where n % 10 = 0
        union all
        select p.*, 'qr_scan', '{}', n % 19 from people p where n % 20 = 0
        union all
        select p.*, 'purl_visit', '{\"bot\": true}', n % 20 from people p where n % 15 = 0
        union all
        select p.*, 'form_submit', '{}', n % 20 from people p where n % 30 = 0
        union all
        select p.*, 'gift_card_claimed', '{}', n % 20 from people p where n % 30 = 0 and n % 120 <> 0),
    recorded as (
        insert into events (id, client_id, campaign_id, recipient_id, event_type, event_data, created_at)
        select gen_random_uuid(), client_id, campaign_id, id, event_type, data,
            '2026-02-09 15:00Z'::timestamptz + days * interval '1 day' + n * interval '1 second'
        from happened)
    update recipients r
    set total_visits = v.visits
    from (
        select id, count(*)::int as visits
        from happened
        where event_type in ('purl_visit', 'qr_scan') and data = '{}'
        group by id) as v
    where r.id = v.id";

impl World {
    pub async fn new(recipients: i32) -> Self {
        let test = TestApp::new(|app| insights::routes(app).merge(campaigns::routes(app))).await;
        let admin = test.database.admin().await;
        let (client_id, corner) = (test.story.acme.id, test.story.corner.id);
        let [spring, summer, other] = [(); 3].map(|()| kernel::new_id());
        let world = Self { test, admin, client_id, spring, corner: other };
        // foreign keys and the steps of a campaign's life are others' subject
        world.run("set session_replication_role = replica", &[]).await;
        for (n, (client_id, id, slug)) in
            [(client_id, spring, "spring"), (client_id, summer, "summer"), (corner, other, "corner")]
                .into_iter()
                .enumerate()
        {
            let sql = "insert into campaigns (id, client_id, name, slug, status, launched_at, mailed_at, created_at)
                       values ($1, $2, $3, $3, 'active', '2026-02-08', '2026-02-08 15:00Z', '2026-02-01')";
            world.run(sql, &[&id, &client_id, &slug]).await;
            let sql = "insert into recipients (id, client_id, campaign_id, redemption_code, purl_token, first_name, last_name, status, created_at)
                       select gen_random_uuid(), $1, $2, lpad(($3 * 1000000 + n)::text, 12, '0'), lpad(($3 * 1000000 + n)::text, 10, '0'),
                         'Ada', 'No ' || n, case when n % 2 = 0 then 'delivered' else 'active' end, '2026-02-08'
                       from generate_series(1, $4) n";
            world.run(sql, &[&client_id, &id, &i32::try_from(n).unwrap(), &recipients]).await;
            world.run(HAPPENED, &[&id]).await;
            let sql = "insert into call_conditions_met (id, client_id, campaign_id, recipient_id, condition_number, trigger_type, met_at,
                         gift_card_pool_id, gift_card_id, delivery_status)
                       select gen_random_uuid(), s.client_id, s.campaign_id, s.recipient_id, 1, 'form_submit', s.created_at, gen_random_uuid(),
                         case when c.id is not null then gen_random_uuid() end, case when c.id is not null then 'delivered' else 'pending' end
                       from events s left join events c on c.recipient_id = s.recipient_id and c.event_type = 'gift_card_claimed'
                       where s.campaign_id = $1 and s.event_type = 'form_submit'";
            world.run(sql, &[&id]).await;
        }
        world.run("analyze", &[]).await;
        world
    }

    pub async fn run(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) {
        if let Err(error) = self.admin.execute(sql, params).await {
            panic!("{sql}: {error}: {:?}", error.as_db_error());
        }
    }

    /// One number.
    pub async fn count(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> i64 {
        self.admin.query_one(sql, params).await.unwrap().get(0)
    }

    /// JSON from the API as Acme's key.
    pub async fn ask(&self, path: &str) -> Value {
        let api = self.test.api(axum::http::Method::GET, path).bearer(&self.test.story.acme.key);
        api.await.expect_status(200).json()
    }
}
