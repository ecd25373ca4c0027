//! What [`crate::tenants`] proves of the tenant tables, for the tables that have a client and policies of their own, and
//! tech_support before every table there is. Both lists come from the catalogue.

use tokio_postgres::error::SqlState;

use crate::rows::insert;
use crate::tenants::{Outcome, Trial, faults, plan, user};

/// Tables of clients that `app.tenant_table()` did not make.
const OF_A_CLIENT: &str = "
    select c.oid::regclass::text
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'client_id' and not a.attisdropped
    where c.relkind in ('r', 'p')
      and not c.relispartition
      and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
      and c.oid not in (select table_name from app.tenant_tables)
      and has_table_privilege('ace_app', c.oid, 'select')
    order by 1";

/// Tables that people may write at all.
const WRITABLE: &str = "
    select c.oid::regclass::text
    from pg_class c
    where c.relkind in ('r', 'p')
      and not c.relispartition
      and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace)
      and (has_any_column_privilege('ace_app', c.oid, 'insert')
           or has_any_column_privilege('ace_app', c.oid, 'update')
           or has_table_privilege('ace_app', c.oid, 'delete'))
    order by 1";

const REFUSED: Outcome = Err(SqlState::INSUFFICIENT_PRIVILEGE);

async fn listed(trial: &Trial, sql: &str) -> Vec<String> {
    trial.admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

/// Which version of a row there is after a statement, which is then taken back; `None` when the row is gone.
async fn version_after(trial: &Trial, sql: &str, table: &str, condition: &str) -> Option<String> {
    trial.admin.batch_execute("savepoint before_all").await.unwrap();
    // refused is as good
    if trial.admin.execute(sql, &[]).await.is_err() {
        trial.admin.batch_execute("rollback to before_all").await.unwrap();
    }
    trial.admin.batch_execute("reset role").await.unwrap();
    let version = trial.admin.query_opt(&format!("select xmin::text from {table} where {condition}"), &[]).await;
    trial.admin.batch_execute("rollback to before_all").await.unwrap();
    version.unwrap().map(|row| row.get(0))
}

/// Nothing was there to change, or nobody may.
fn is_nothing(outcome: &Outcome) -> bool {
    [Ok(0), REFUSED].contains(outcome)
}

#[tokio::test]
async fn tables_with_policies_of_their_own_keep_tenants_apart_too() {
    let trial = Trial::new().await;
    let tables = listed(&trial, OF_A_CLIENT).await;
    assert_eq!(tables, ["audit_log", "client_users", "idempotency_keys", "invitations", "jobs"]);
    for table in &tables {
        trial.begin().await;
        let there = trial.maker.fresh(&trial.admin, table, trial.corner()).await;
        let row = trial.maker.full(&trial.admin, table, trial.corner()).await;
        let update = trial.harmless_update(table, &there).await;
        // it reads no column, so that no policy for reading stands in for the one for writing
        let column = trial.changeable(table).await;
        let value = format!("select quote_nullable({column}::text) from {table} where {there}");
        let value: String = trial.admin.query_one(&value, &[]).await.unwrap().get(0);
        let blind = format!("update {table} set {column} = {value}");
        let untouched = version_after(&trial, "select 1", table, &there).await;
        assert!(untouched.is_some(), "{table}: there is a row");
        for asker in trial.acmes() {
            let label = format!("{} on {table}", asker.0);
            trial.become_one(&asker).await;
            assert_eq!(trial.count(table, &there).await, 0, "{label}: select");
            assert_eq!(trial.try_out(&insert(table, &row)).await, REFUSED, "{label}: insert");
            for sql in [&update, &format!("delete from {table} where {there}")] {
                let outcome = trial.try_out(sql).await;
                assert!(is_nothing(&outcome), "{label}: {sql}: {outcome:?}");
            }
            // without a condition: one's own may go, the other's is still there afterwards
            for sql in [&blind, &format!("delete from {table}")] {
                assert_eq!(version_after(&trial, sql, table, &there).await, untouched, "{label}: {sql}");
            }
        }
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn their_policies_are_asked_once_a_statement_as_well() {
    let trial = Trial::new().await;
    let owner = user("company_owner", &trial.story.acme_owner);
    for table in listed(&trial, OF_A_CLIENT).await {
        trial.begin().await;
        let row = trial.maker.full(&trial.admin, &table, trial.acme()).await;
        let own = format!("client_id = '{}'", trial.acme());
        let update = trial.harmless_update(&table, &own).await;
        trial.become_one(&owner).await;
        let mut planned = 0;
        for sql in [
            format!("select client_id from {table} where {own}"),
            insert(&table, &row),
            update,
            format!("delete from {table} where {own}"),
        ] {
            let Some(plan) = plan(&trial, &sql).await else { continue };
            assert_eq!(faults(&plan), Vec::<String>::new(), "{sql}\n{}", plan.join("\n"));
            planned += 1;
        }
        assert!(planned > 0, "{table}: there must be a statement that people may send");
        trial.roll_back().await;
    }
}

#[tokio::test]
async fn tech_support_writes_no_table_whatever_it_is() {
    let trial = Trial::new().await;
    let support = user("tech_support", &trial.story.support);
    let tables = listed(&trial, WRITABLE).await;
    assert!(tables.len() > 45, "there must be tables for this test to mean anything, not {}", tables.len());
    let mut wrong = Vec::new();
    for table in &tables {
        trial.begin().await;
        let row = trial.maker.full(&trial.admin, table, trial.acme()).await;
        let there = trial.maker.fresh(&trial.admin, table, trial.acme()).await;
        let update = trial.harmless_update(table, &there).await;
        trial.become_one(&support).await;
        for sql in [insert(table, &row), update, format!("delete from {table} where {there}")] {
            let outcome = trial.try_out(&sql).await;
            if !is_nothing(&outcome) {
                wrong.push(format!("{sql}: {outcome:?}"));
            }
        }
        trial.roll_back().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
