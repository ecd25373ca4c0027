//! What a worker asks of the queue.

use std::time::Duration;

use chrono::{DateTime, Utc};
use database::Database;
use kernel::{Actor, Error, Result, System, new_id};
use uuid::Uuid;

use crate::job::Job;
use crate::registry::Registry;

database::statement! {
    /// Claims what is due. A lane is a client, or nobody in particular. Within a priority, lanes take turns: the one
    /// with the least under way first, and none takes more than its share of a batch while others wait. Which lanes
    /// there are is read off the index, one probe for each. What is due and how long a lease holds is told by the database's
    /// clock: workers on several machines have no other in common. Work that is under way waits for its second turn.
    CLAIM, worker, "
        with recursive lanes as (
            (select priority, lane, run_at
            from jobs
            where state = 'ready'
            order by priority, lane, run_at
            limit 1)
            union all
            select next.priority, next.lane, next.run_at
            from lanes l
            cross join lateral (
                select j.priority, j.lane, j.run_at
                from jobs j
                where j.state = 'ready'
                  and (j.priority, j.lane) > (l.priority, l.lane)
                order by j.priority, j.lane, j.run_at
                limit 1) as next),
        due as (
            select priority, lane, ceil($4::int8::float8 / count(*) over (partition by priority))::int8 as share
            from lanes
            where run_at <= coalesce($1::timestamptz, now())),
        busy as (
            select lane, count(*) as running
            from jobs
            where state = 'running'
            group by lane),
        turn as (
            select j.id, d.priority, j.run_at, j.n + coalesce(b.running, 0) as turn
            from due d
            left join busy b on b.lane = d.lane
            cross join lateral (
                select k.id, k.run_at, row_number() over (order by k.run_at, k.id) as n
                from (
                    select id, run_at
                    from jobs ready
                    where state = 'ready'
                      and priority = d.priority
                      and lane = d.lane
                      and run_at <= coalesce($1::timestamptz, now())
                      and kind = any ($2::text[])
                      and (
                        unique_key is null
                        or not exists (
                            select from jobs r where r.unique_key = ready.unique_key and r.state = 'running'))
                    order by run_at, id
                    limit d.share
                    for update skip locked) as k) as j
            order by d.priority, turn, j.run_at, j.id
            limit $4)
        update jobs j
        set state = 'running',
            attempts = j.attempts + 1,
            max_attempts = p.max_attempts,
            leased_until = coalesce($1, now()) + make_interval(secs => $5),
            leased_by = $6
        from turn, unnest($2::text[], $3::int4[]) as p (kind, max_attempts)
        where j.id = turn.id
          and p.kind = j.kind
        returning j.id, j.kind, j.payload, j.client_id, j.attempts, j.max_attempts";
    /// Keeps the leases of what is under way; answers which are still ours.
    RENEW, worker, "
        update jobs
        set leased_until = coalesce($2::timestamptz, now()) + make_interval(secs => $4)
        where id = any ($1::uuid[])
          and state = 'running'
          and leased_by = $3
        returning id";
    /// Notes what came of jobs, as far as they are still ours. Where the same work waits already, that is the next try.
    SETTLE, worker, "
        with ended as (
            select id, attempts, delay, error,
                case when state = 'ready' and exists (
                    select
                    from jobs tried
                    join jobs waits on waits.unique_key = tried.unique_key and waits.state = 'ready'
                    where tried.id = e.id) then 'done' else state end as state
            from unnest($1::uuid[], $2::int4[], $3::text[], $4::float8[], $5::text[])
                as e (id, attempts, state, delay, error))
        update jobs j
        set state = s.state,
            run_at = case when s.state = 'ready' then coalesce($6::timestamptz, now()) + make_interval(secs => s.delay)
                else j.run_at end,
            last_error = s.error,
            leased_until = null,
            leased_by = null,
            finished_at = case when s.state in ('done', 'dead') then coalesce($6::timestamptz, now()) end
        from ended s
        where j.id = s.id
          and j.attempts = s.attempts
          and j.state = 'running'
          and j.leased_by = $7";
    /// Recurring work that was done leaves nothing behind: it comes again.
    FORGET, worker, "
        delete from jobs
        where id = any ($1::uuid[])
          and state = 'done'";
    /// Gives back what a stopping worker did not finish; that was no try.
    HAND_BACK, worker, "
        update jobs j
        set state = case when app.waits(unique_key) then 'done' else 'ready' end,
            finished_at = case when app.waits(unique_key) then coalesce($2::timestamptz, now()) end,
            attempts = attempts - 1,
            leased_until = null,
            leased_by = null
        where state = 'running'
          and leased_by = $1";
    /// Takes work back from workers that are lost. What was on its last try may be what killed them: it is given up.
    RECOVER, worker, "
        update jobs
        set state = case when attempts >= max_attempts then 'dead' when app.waits(unique_key) then 'done' else 'ready' end,
            finished_at = case when attempts >= max_attempts or app.waits(unique_key) then coalesce($1::timestamptz, now()) end,
            leased_until = null,
            leased_by = null,
            last_error = 'the worker was lost'
        where id in (
            select id
            from jobs
            where state = 'running'
              and leased_until < coalesce($1, now())
            for update skip locked)";
    /// Sweeps what ended long ago.
    SWEEP, worker, "
        delete from jobs
        where (state = 'done' and finished_at < coalesce($1::timestamptz, now()) - make_interval(secs => $2))
           or (state = 'dead' and finished_at < coalesce($1::timestamptz, now()) - make_interval(secs => $3))";
    /// Moves ticks forward, to whole multiples of their period in microseconds, and enqueues their work; another worker that was faster leaves nothing to do.
    TICK, worker, "
        with due as (
            select name, id,
                to_timestamp(floor(extract(epoch from coalesce($4::timestamptz, now())) * 1000000 / period) * period / 1000000) as at
            from unnest($1::text[], $2::int8[], $3::uuid[]) as asked (name, period, id)),
        tick as (
            insert into cron_ticks as t (name, last_run_at)
            select name, at
            from due
            order by name
            on conflict (name) do update
            set last_run_at = excluded.last_run_at
            where t.last_run_at < excluded.last_run_at
            returning name)
        insert into jobs (id, kind, unique_key, run_at, created_at)
        select due.id, due.name, 'every:' || due.name, coalesce($4, now()), coalesce($4, now())
        from due
        join tick on tick.name = due.name
        on conflict do nothing"
}

/// What came of a job.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub id: Uuid,
    pub attempts: i32,
    pub recurring: bool,
    pub state: &'static str,
    /// How long after it ended the next try comes.
    pub delay: Option<std::time::Duration>,
    pub error: Option<String>,
}

/// Tries at what the same work, coming in at this very moment, may collide with.
const COLLISIONS: usize = 3;

/// The queue as one worker sees it. `told` is the time where it is not the database's own.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    pub db: Database,
    pub worker: String,
    actor: Actor,
}

impl Queue {
    pub fn new(db: &Database) -> Self {
        Self { db: db.clone(), worker: new_id().to_string(), actor: Actor::system(System::Worker) }
    }

    pub async fn claim(
        &self,
        registry: &Registry,
        limit: usize,
        told: Option<DateTime<Utc>>,
        lease: Duration,
    ) -> Result<Vec<Job>> {
        let (kinds, tries) = registry.kinds();
        let limit = i64::try_from(limit).unwrap_or(1);
        let params: database::Params<'_> = &[&told, &kinds, &tries, &limit, &lease.as_secs_f64(), &self.worker];
        self.db.scope(&self.actor).query(&CLAIM, params).await
    }

    pub async fn renew(&self, ids: &[Uuid], told: Option<DateTime<Utc>>, lease: Duration) -> Result<Vec<Uuid>> {
        let params: database::Params<'_> = &[&ids, &told, &self.worker, &lease.as_secs_f64()];
        let ours: Vec<Held> = self.db.scope(&self.actor).query(&RENEW, params).await?;
        Ok(ours.into_iter().map(|held| held.id).collect())
    }

    pub async fn settle(&self, outcomes: &[Outcome], told: Option<DateTime<Utc>>) -> Result<()> {
        let ids: Vec<Uuid> = outcomes.iter().map(|o| o.id).collect();
        let attempts: Vec<i32> = outcomes.iter().map(|o| o.attempts).collect();
        let states: Vec<&str> = outcomes.iter().map(|o| o.state).collect();
        let delays: Vec<Option<f64>> = outcomes.iter().map(|o| o.delay.map(|delay| delay.as_secs_f64())).collect();
        let errors: Vec<Option<&str>> = outcomes.iter().map(|o| o.error.as_deref()).collect();
        let scope = self.db.scope(&self.actor);
        let params: database::Params<'_> = &[&ids, &attempts, &states, &delays, &errors, &told, &self.worker];
        let mut tries = 1;
        while let Err(error) = scope.execute(&SETTLE, params).await {
            if tries == COLLISIONS || !matches!(error, Error::Constraint(_)) {
                return Err(error);
            }
            tries += 1;
        }
        let over: Vec<Uuid> = outcomes.iter().filter(|o| o.recurring && o.state == "done").map(|o| o.id).collect();
        if !over.is_empty() {
            scope.execute(&FORGET, &[&over]).await?;
        }
        Ok(())
    }

    pub async fn hand_back(&self, told: Option<DateTime<Utc>>) -> Result<u64> {
        self.db.scope(&self.actor).execute(&HAND_BACK, &[&self.worker, &told]).await
    }

    pub async fn recover(&self, told: Option<DateTime<Utc>>) -> Result<u64> {
        self.db.scope(&self.actor).execute(&RECOVER, &[&told]).await
    }

    pub async fn sweep(&self, told: Option<DateTime<Utc>>, keep: [Duration; 2]) -> Result<u64> {
        let [done, dead] = keep.map(|keep| keep.as_secs_f64());
        self.db.scope(&self.actor).execute(&SWEEP, &[&told, &done, &dead]).await
    }

    /// `due` holds names and their periods in microseconds.
    pub async fn tick(&self, due: &[(&'static str, i64)], told: Option<DateTime<Utc>>) -> Result<u64> {
        let (names, periods): (Vec<&str>, Vec<i64>) = due.iter().copied().unzip();
        let ids: Vec<Uuid> = due.iter().map(|_| new_id()).collect();
        self.db.scope(&self.actor).execute(&TICK, &[&names, &periods, &ids, &told]).await
    }
}

#[derive(database::FromRow)]
struct Held {
    id: Uuid,
}
