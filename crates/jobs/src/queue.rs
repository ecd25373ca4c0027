//! What a worker asks of the queue.

use chrono::{DateTime, Duration, Utc};
use database::Database;
use kernel::{Actor, Result, System, new_id};
use uuid::Uuid;

use crate::job::Job;
use crate::registry::Registry;

database::statement! {
    /// Claims what is due. A lane is a client, or nobody in particular. Within a priority, lanes take turns: the one
    /// with the least under way first, and none takes more than its share of a batch while others wait. Which lanes
    /// there are is read off the index, one probe for each.
    CLAIM, system, "
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
            where run_at <= $1),
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
                    from jobs
                    where state = 'ready'
                      and priority = d.priority
                      and lane = d.lane
                      and run_at <= $1
                      and kind = any ($2::text[])
                    order by run_at, id
                    limit d.share
                    for update skip locked) as k) as j
            order by d.priority, turn, j.run_at, j.id
            limit $4)
        update jobs j
        set state = 'running',
            attempts = j.attempts + 1,
            max_attempts = p.max_attempts,
            leased_until = $5,
            leased_by = $6
        from turn, unnest($2::text[], $3::int4[]) as p (kind, max_attempts)
        where j.id = turn.id
          and p.kind = j.kind
        returning j.id, j.kind, j.payload, j.client_id, j.attempts, j.max_attempts";
    /// Keeps the leases of what is under way; answers which are still ours.
    RENEW, system, "
        update jobs
        set leased_until = $2
        where id = any ($1::uuid[])
          and state = 'running'
          and leased_by = $3
        returning id";
    /// Notes what came of jobs, as far as they are still ours.
    SETTLE, system, "
        update jobs j
        set state = s.state,
            run_at = coalesce(s.run_at, j.run_at),
            last_error = s.error,
            leased_until = null,
            leased_by = null,
            finished_at = case when s.state in ('done', 'dead') then $6::timestamptz end
        from unnest($1::uuid[], $2::int4[], $3::text[], $4::timestamptz[], $5::text[])
            as s (id, attempts, state, run_at, error)
        where j.id = s.id
          and j.attempts = s.attempts
          and j.state = 'running'
          and j.leased_by = $7";
    /// Recurring work that was done leaves nothing behind: it comes again.
    FORGET, system, "
        delete from jobs
        where id = any ($1::uuid[])
          and state = 'done'";
    /// Gives back what a stopping worker did not finish; that was no try.
    HAND_BACK, system, "
        update jobs
        set state = 'ready',
            attempts = attempts - 1,
            leased_until = null,
            leased_by = null
        where state = 'running'
          and leased_by = $1";
    /// Takes work back from workers that are lost. What was on its last try may be what killed them: it is given up.
    RECOVER, system, "
        update jobs
        set state = case when attempts >= max_attempts then 'dead' else 'ready' end,
            finished_at = case when attempts >= max_attempts then $1::timestamptz end,
            leased_until = null,
            leased_by = null,
            last_error = 'the worker was lost'
        where id in (
            select id
            from jobs
            where state = 'running'
              and leased_until < $1
            for update skip locked)";
    /// Sweeps what ended long ago.
    SWEEP, system, "
        delete from jobs
        where (state = 'done' and finished_at < $1)
           or (state = 'dead' and finished_at < $2)";
    /// Moves ticks forward and enqueues their work; another worker that was faster leaves nothing to do.
    TICK, system, "
        with tick as (
            insert into cron_ticks as t (name, last_run_at)
            select name, at
            from unnest($1::text[], $2::timestamptz[]) as due (name, at)
            order by name
            on conflict (name) do update
            set last_run_at = excluded.last_run_at
            where t.last_run_at < excluded.last_run_at
            returning name)
        insert into jobs (id, kind, unique_key, run_at, created_at)
        select due.id, due.name, 'every:' || due.name, $4, $4
        from unnest($1::text[], $3::uuid[]) as due (name, id)
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
    pub run_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
}

/// The queue as one worker sees it.
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
        now: DateTime<Utc>,
        lease: Duration,
    ) -> Result<Vec<Job>> {
        let (kinds, tries) = registry.kinds();
        let limit = i64::try_from(limit).unwrap_or(1);
        let params: database::Params<'_> = &[&now, &kinds, &tries, &limit, &(now + lease), &self.worker];
        self.db.scope(&self.actor).query(&CLAIM, params).await
    }

    pub async fn renew(&self, ids: &[Uuid], until: DateTime<Utc>) -> Result<Vec<Uuid>> {
        let ours: Vec<Held> = self.db.scope(&self.actor).query(&RENEW, &[&ids, &until, &self.worker]).await?;
        Ok(ours.into_iter().map(|held| held.id).collect())
    }

    pub async fn settle(&self, outcomes: &[Outcome], now: DateTime<Utc>) -> Result<()> {
        let ids: Vec<Uuid> = outcomes.iter().map(|o| o.id).collect();
        let attempts: Vec<i32> = outcomes.iter().map(|o| o.attempts).collect();
        let states: Vec<&str> = outcomes.iter().map(|o| o.state).collect();
        let times: Vec<Option<DateTime<Utc>>> = outcomes.iter().map(|o| o.run_at).collect();
        let errors: Vec<Option<&str>> = outcomes.iter().map(|o| o.error.as_deref()).collect();
        let scope = self.db.scope(&self.actor);
        let params: database::Params<'_> = &[&ids, &attempts, &states, &times, &errors, &now, &self.worker];
        scope.execute(&SETTLE, params).await?;
        let over: Vec<Uuid> = outcomes.iter().filter(|o| o.recurring && o.state == "done").map(|o| o.id).collect();
        if !over.is_empty() {
            scope.execute(&FORGET, &[&over]).await?;
        }
        Ok(())
    }

    pub async fn hand_back(&self) -> Result<u64> {
        self.db.scope(&self.actor).execute(&HAND_BACK, &[&self.worker]).await
    }

    pub async fn recover(&self, now: DateTime<Utc>) -> Result<u64> {
        self.db.scope(&self.actor).execute(&RECOVER, &[&now]).await
    }

    pub async fn sweep(&self, done_before: DateTime<Utc>, dead_before: DateTime<Utc>) -> Result<u64> {
        self.db.scope(&self.actor).execute(&SWEEP, &[&done_before, &dead_before]).await
    }

    /// `due` holds names and the beginnings of their ticks.
    pub async fn tick(&self, due: &[(&'static str, DateTime<Utc>)], now: DateTime<Utc>) -> Result<u64> {
        let (names, ticks): (Vec<&str>, Vec<DateTime<Utc>>) = due.iter().copied().unzip();
        let ids: Vec<Uuid> = due.iter().map(|_| new_id()).collect();
        self.db.scope(&self.actor).execute(&TICK, &[&names, &ticks, &ids, &now]).await
    }
}

#[derive(database::FromRow)]
struct Held {
    id: Uuid,
}
