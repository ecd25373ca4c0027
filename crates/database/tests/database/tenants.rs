//! One tenant's actor and another tenant's rows, for every tenant table and every command, whatever tables there are.

use kernel::Actor;
use testkit::story::Story;
use testkit::{Person, TestDatabase};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::rows::{Maker, insert};

/// Who asks, as the settings of a transaction.
pub struct Asker(pub &'static str, String);

pub fn user(name: &'static str, person: &Person) -> Asker {
    Asker(name, testkit::entering(&format!("user:{}", person.id)))
}

/// A database with two tenants that have nothing to do with each other, and everything to make rows with.
pub struct Trial {
    pub admin: Client,
    pub maker: Maker,
    pub story: Story,
    tables: Vec<String>,
    /// Kept alive: dropped with this value.
    database: TestDatabase,
}

/// What became of a statement: rows, or the state it was refused with.
pub type Outcome = Result<u64, SqlState>;

impl Trial {
    pub async fn new() -> Self {
        let database = TestDatabase::new().await;
        let story = Story::tell(&database).await;
        let admin = database.admin().await;
        let maker = Maker::read(&admin).await;
        let rows = admin.query("select table_name::text from app.tenant_tables order by 1", &[]).await.unwrap();
        let tables: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(tables.len() >= 37, "there must be tables for these tests to mean anything");
        Self { admin, maker, story, tables, database }
    }

    pub fn acme(&self) -> Uuid {
        self.story.acme.id
    }

    pub fn corner(&self) -> Uuid {
        self.story.corner.id
    }

    /// Everybody who reaches Acme and not Corner Auto.
    pub fn acmes(&self) -> Vec<Asker> {
        let story = &self.story;
        vec![
            user("agency_owner", &story.agency_owner),
            user("company_owner", &story.acme_owner),
            user("developer", &story.acme_developer),
            user("call_center", &story.acme_agent),
            Asker("API key", testkit::entering(&format!("key:{}", story.acme.key_id))),
            Asker("background work", testkit::entering(&format!("client:{}", self.acme()))),
        ]
    }

    pub async fn begin(&self) {
        self.admin.batch_execute("begin").await.unwrap();
    }

    pub async fn roll_back(&self) {
        self.admin.batch_execute("rollback").await.unwrap();
    }

    pub async fn become_one(&self, asker: &Asker) {
        self.forget().await;
        self.admin.batch_execute(&format!("{}; set local role ace_app", asker.1)).await.unwrap();
    }

    async fn forget(&self) {
        let settings = "reset role; set local app.actor = ''; set local app.seal = ''";
        self.admin.batch_execute(settings).await.unwrap();
    }

    /// Tries a statement and takes back what it did.
    pub async fn try_out(&self, sql: &str) -> Outcome {
        self.admin.batch_execute("savepoint before").await.unwrap();
        let outcome = self.admin.execute(sql, &[]).await;
        self.admin.batch_execute("rollback to before").await.unwrap();
        outcome.map_err(|error| error.code().unwrap_or_else(|| panic!("{sql}: {error}")).clone())
    }

    pub async fn count(&self, table: &str, condition: &str) -> i64 {
        self.admin.query_one(&format!("select count(*) from {table} where {condition}"), &[]).await.unwrap().get(0)
    }

    async fn may(&self, table: &str, command: &str) -> bool {
        let sql = match command {
            "delete" => format!("select has_table_privilege('ace_app', '{table}', 'delete')"),
            other => format!("select has_any_column_privilege('ace_app', '{table}', '{other}')"),
        };
        self.admin.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// A column that people may change, if there is one.
    pub async fn changeable(&self, table: &str) -> String {
        let sql = format!(
            "select coalesce(min(attname::text) filter (where has_column_privilege('ace_app', attrelid, attname, 'update')),
                             min(attname::text))
             from pg_attribute where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped and attgenerated = ''"
        );
        self.admin.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// An update that changes nothing but asks for the right to.
    pub async fn harmless_update(&self, table: &str, condition: &str) -> String {
        let column = self.changeable(table).await;
        format!("update {table} set {column} = {column} where {condition}")
    }
}

/// One's own row is changed, unless nobody may; the other's is not there.
fn only_own(label: &str, allowed: bool, own: &Outcome, foreign: &Outcome) {
    if allowed {
        assert_eq!((own, foreign), (&Ok(1), &Ok(0)), "{label}");
    } else {
        let refused = Err(SqlState::INSUFFICIENT_PRIVILEGE);
        assert_eq!((own, foreign), (&refused, &refused), "{label}");
    }
}

#[tokio::test]
async fn one_tenants_actors_neither_read_nor_change_nor_delete_anothers_rows() {
    let trial = Trial::new().await;
    for table in &trial.tables {
        trial.begin().await;
        let own = trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        let foreign = trial.maker.fresh(&trial.admin, table, trial.corner()).await;
        let update = [trial.harmless_update(table, &own).await, trial.harmless_update(table, &foreign).await];
        let may = (trial.may(table, "update").await, trial.may(table, "delete").await);
        for asker in trial.acmes() {
            let label = format!("{} on {table}", asker.0);
            trial.become_one(&asker).await;
            assert_eq!((trial.count(table, &own).await, trial.count(table, &foreign).await), (1, 0), "{label}: select");
            let updated = (trial.try_out(&update[0]).await, trial.try_out(&update[1]).await);
            only_own(&format!("{label}: update"), may.0, &updated.0, &updated.1);
            let delete = |condition: &str| format!("delete from {table} where {condition}");
            let deleted = (trial.try_out(&delete(&own)).await, trial.try_out(&delete(&foreign)).await);
            only_own(&format!("{label}: delete"), may.1, &deleted.0, &deleted.1);
        }
        trial.roll_back().await;
    }
}

/// A statement that reads no column is not held by the policy for reading: the one for writing is on its own.
#[tokio::test]
async fn a_statement_without_a_condition_still_stops_at_ones_own_rows() {
    let trial = Trial::new().await;
    let owner = user("company_owner", &trial.story.acme_owner);
    for table in &trial.tables {
        trial.begin().await;
        trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        trial.maker.fresh(&trial.admin, table, trial.corner()).await;
        let may_move = format!("select has_column_privilege('ace_app', '{table}', 'client_id', 'update')");
        let may_move: bool = trial.admin.query_one(&may_move, &[]).await.unwrap().get(0);
        let may_delete = trial.may(table, "delete").await;
        let everything = trial.count(table, "true").await;
        trial.become_one(&owner).await;
        let own = trial.count(table, "true").await;
        assert!(own > 0 && own < everything, "{table}: there must be rows of both");
        let refused = Err(SqlState::INSUFFICIENT_PRIVILEGE);
        let expected = |may: bool| if may { Ok(own.cast_unsigned()) } else { refused.clone() };
        let claimed = trial.try_out(&format!("update {table} set client_id = '{}'", trial.acme())).await;
        assert_eq!(claimed, expected(may_move), "{table}: update");
        assert_eq!(trial.try_out(&format!("delete from {table}")).await, expected(may_delete), "{table}: delete");
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn one_tenants_actors_neither_insert_rows_for_another_nor_give_theirs_away() {
    let trial = Trial::new().await;
    for table in &trial.tables {
        trial.begin().await;
        let own = trial.maker.full(&trial.admin, table, trial.acme()).await;
        let foreign = trial.maker.full(&trial.admin, table, trial.corner()).await;
        let there = trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        let give_away = format!("update {table} set client_id = '{}' where {there}", trial.corner());
        let refused = Err(SqlState::INSUFFICIENT_PRIVILEGE);
        let may_insert = trial.may(table, "insert").await;
        for asker in trial.acmes() {
            let label = format!("{} on {table}", asker.0);
            trial.become_one(&asker).await;
            let inserted = trial.try_out(&insert(table, &own)).await;
            assert_eq!(inserted, if may_insert { Ok(1) } else { refused.clone() }, "{label}: insert of one's own");
            assert_eq!(trial.try_out(&insert(table, &foreign)).await, refused, "{label}: insert for another");
            assert_eq!(trial.try_out(&give_away).await, refused, "{label}: giving away");
        }
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn no_row_refers_to_another_tenants_row_whoever_writes_it() {
    let trial = Trial::new().await;
    let owner = user("company_owner", &trial.story.acme_owner);
    let mut tried = 0;
    for table in &trial.tables {
        let keys: Vec<_> =
            trial.maker.keys(table).iter().filter(|key| trial.tables.contains(&key.parent)).cloned().collect();
        for key in keys {
            trial.begin().await;
            let own = trial.maker.full(&trial.admin, table, trial.acme()).await;
            let foreign = trial.maker.fresh(&trial.admin, &key.parent, trial.corner()).await;
            let foreign = foreign.trim_start_matches("id = ").trim_matches('\'').to_owned();
            let mut crossing = own.clone();
            crossing.insert(key.column().to_owned(), foreign.clone().into());
            let label = format!("{table}.{}", key.column());
            let crossed = Err(SqlState::FOREIGN_KEY_VIOLATION);
            assert_eq!(trial.try_out(&insert(table, &own)).await, Ok(1), "{label}: to one's own");
            assert_eq!(trial.try_out(&insert(table, &crossing)).await, crossed, "{label}: by the superuser");
            trial.become_one(&owner).await;
            assert_eq!(trial.try_out(&insert(table, &crossing)).await, crossed, "{label}: by the owner");
            if trial.maker.has_id(table) {
                let there = trial.maker.write(&trial.admin, table, &own).await.unwrap();
                let redirect = format!("update {table} set {} = '{foreign}' where {there}", key.column());
                let redirected = trial.try_out(&redirect).await.unwrap_err();
                let expected = [SqlState::FOREIGN_KEY_VIOLATION, SqlState::INSUFFICIENT_PRIVILEGE];
                assert!(expected.contains(&redirected), "{label}: redirected: {redirected:?}");
            }
            trial.roll_back().await;
            tried += 1;
        }
    }
    assert!(tried >= 50, "there must be keys for this test to mean anything, not {tried}");
}

#[tokio::test]
async fn tech_support_reads_every_tenant_and_writes_none() {
    let trial = Trial::new().await;
    let support = user("tech_support", &trial.story.support);
    for table in &trial.tables {
        trial.begin().await;
        let row = trial.maker.full(&trial.admin, table, trial.acme()).await;
        let there = trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        let update = trial.harmless_update(table, &there).await;
        trial.become_one(&support).await;
        assert_eq!(trial.count(table, &there).await, 1, "{table}: select");
        assert_eq!(trial.try_out(&insert(table, &row)).await, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{table}: insert");
        let nothing = [Ok(0), Err(SqlState::INSUFFICIENT_PRIVILEGE)];
        let updated = trial.try_out(&update).await;
        assert!(nothing.contains(&updated), "{table}: update: {updated:?}");
        let deleted = trial.try_out(&format!("delete from {table} where {there}")).await;
        assert!(nothing.contains(&deleted), "{table}: delete: {deleted:?}");
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn whoever_is_nobody_any_more_reaches_nothing() {
    let trial = Trial::new().await;
    let story = &trial.story;
    let shut = format!(
        "update auth.users set deactivated_at = '2026-01-01' where id in ('{}', '{}');
         update api_keys set revoked_at = '2026-01-01' where id = '{}'",
        story.acme_owner.id, story.admin.id, story.acme.key_id
    );
    let nobodies = [
        Asker("no actor", String::new()),
        Asker("an unknown person", testkit::entering(&format!("user:{}", kernel::new_id()))),
        user("a deactivated company_owner", &story.acme_owner),
        user("a deactivated admin", &story.admin),
        Asker("a revoked key", testkit::entering(&format!("key:{}", story.acme.key_id))),
    ];
    for table in &trial.tables {
        trial.begin().await;
        let there = trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        let row = trial.maker.full(&trial.admin, table, trial.acme()).await;
        trial.become_one(&user("company_owner", &story.acme_owner)).await;
        assert_eq!(trial.count(table, &there).await, 1, "{table}: before");
        trial.forget().await;
        trial.admin.batch_execute(&shut).await.unwrap();
        for asker in &nobodies {
            trial.become_one(asker).await;
            assert_eq!(trial.count(table, "true").await, 0, "{} on {table}: select", asker.0);
            let inserted = trial.try_out(&insert(table, &row)).await;
            assert_eq!(inserted, Err(SqlState::INSUFFICIENT_PRIVILEGE), "{} on {table}: insert", asker.0);
        }
        trial.roll_back().await;
    }
}

/// Lines of a plan that say a policy's function is called for each row, or that the policy is not in it.
pub fn faults(plan: &[String]) -> Vec<String> {
    let mut faults: Vec<String> = plan
        .iter()
        .map(|line| line.trim())
        .filter(|line| {
            line.contains("SubPlan") || (line.contains(" Cond: ") || line.contains("Filter: ")) && calls(line)
        })
        .map(str::to_owned)
        .collect();
    if !plan.iter().any(|line| line.trim_start().starts_with("InitPlan")) {
        faults.push("the policy is not in the plan".into());
    }
    faults
}

fn calls(line: &str) -> bool {
    line.contains("app.") || line.contains("current_setting")
}

pub async fn plan(trial: &Trial, sql: &str) -> Option<Vec<String>> {
    trial.admin.batch_execute("savepoint before").await.unwrap();
    let rows = trial.admin.query(&format!("explain (verbose, costs off) {sql}"), &[]).await;
    trial.admin.batch_execute("rollback to before").await.unwrap();
    match rows {
        Ok(rows) => Some(rows.iter().map(|row| row.get(0)).collect()),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => None,
        Err(error) => panic!("{sql}: {error}"),
    }
}

#[tokio::test]
async fn every_policy_is_asked_once_a_statement_and_not_once_a_row() {
    let trial = Trial::new().await;
    let owner = user("company_owner", &trial.story.acme_owner);
    for table in &trial.tables {
        trial.begin().await;
        let row = trial.maker.full(&trial.admin, table, trial.acme()).await;
        let own = format!("client_id = '{}'", trial.acme());
        let update = trial.harmless_update(table, &own).await;
        trial.become_one(&owner).await;
        let statements = [
            ("select", format!("select client_id from {table} where {own}")),
            ("insert", insert(table, &row)),
            ("update", update),
            ("delete", format!("delete from {table} where {own}")),
        ];
        for (command, sql) in statements {
            match plan(&trial, &sql).await {
                Some(plan) => {
                    assert_eq!(faults(&plan), Vec::<String>::new(), "{table}: {command}\n{}", plan.join("\n"))
                }
                None => assert!(!trial.may(table, command).await, "{table}: {command}: no plan"),
            }
        }
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn a_policy_that_forgot_its_sub_select_would_be_noticed() {
    let trial = Trial::new().await;
    let owner = user("company_owner", &trial.story.acme_owner);
    trial.begin().await;
    trial.admin.batch_execute("alter policy tenant_select on contacts using (app.read_all())").await.unwrap();
    trial.become_one(&owner).await;
    let plan = plan(&trial, "select id from contacts").await.unwrap();
    assert_eq!(faults(&plan), ["Filter: app.read_all()", "the policy is not in the plan"]);
    trial.roll_back().await;
}

/// The plan says so; this counts. Where the clients by name decide, nobody asks for the roles.
#[tokio::test]
async fn reading_a_hundred_rows_calls_each_function_once() {
    let by_name = calls_to_read_a_hundred("company_owner", |story| &story.acme_owner).await;
    assert_eq!(by_name, [("client_ids".to_owned(), 1)]);
    let by_role = calls_to_read_a_hundred("admin", |story| &story.admin).await;
    assert_eq!(by_role, [("client_ids".to_owned(), 1), ("read_all".to_owned(), 1)]);
}

/// How often each function is called when somebody reads a hundred contacts.
async fn calls_to_read_a_hundred(role: &'static str, who: fn(&Story) -> &Person) -> Vec<(String, i64)> {
    let trial = Trial::new().await;
    trial.begin().await;
    for _ in 0..100 {
        trial.maker.fresh(&trial.admin, "contacts", trial.acme()).await;
    }
    trial.admin.batch_execute("set local track_functions = 'all'").await.unwrap();
    trial.become_one(&user(role, who(&trial.story))).await;
    assert_eq!(trial.count("contacts", "true").await, 100);
    let calls = "select funcname::text, calls from pg_stat_xact_user_functions
                 where schemaname = 'app' and funcname in ('read_all', 'client_ids') order by 1";
    let counted = trial.admin.query(calls, &[]).await.unwrap();
    trial.roll_back().await;
    counted.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// The door itself, for one of the tables: what the settings above stand for.
#[tokio::test]
async fn the_scope_of_a_person_is_the_scope_of_the_tests() {
    database::statement! {
        /// How many contacts the actor sees.
        COUNT_CONTACTS, app, "select count(*) from contacts"
    }
    let trial = Trial::new().await;
    trial.maker.fresh(&trial.admin, "contacts", trial.acme()).await;
    let database = trial.database.database();
    let (acme, corner) = (trial.story.acme_owner.actor(), trial.story.corner_owner.actor());
    let seen = |actor: Actor| {
        let database = database.clone();
        async move { database.scope(&actor).query_scalar::<i64>(&COUNT_CONTACTS, &[]).await.unwrap() }
    };
    assert_eq!((seen(acme).await, seen(corner).await), (1, 0));
    let background = Actor::system(kernel::System::Client(trial.corner()));
    assert_eq!(seen(background).await, 0);
}
