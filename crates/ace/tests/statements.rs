//! Every statement of ACE, prepared and planned as each role that runs it: syntax, types, grants, and that the
//! policy is in the plan and asked once a statement.
#![cfg(test)]

use std::collections::BTreeSet;
use std::path::Path;

use database::{RunsAs, Statement};
use testkit::TestDatabase;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

/// Touches the assembly, so that every room with its statements is linked into this test.
fn everything() -> Vec<&'static Statement> {
    let doors: [*const (); 3] =
        [ace::run as *const (), ace::assemble::routes as *const (), ace::assemble::registry as *const ()];
    std::hint::black_box(doors);
    database::statements().collect()
}

fn roles(statement: &Statement) -> &'static [&'static str] {
    match statement.runs_as {
        RunsAs::app => &["ace_app"],
        RunsAs::system => &["ace_system"],
        RunsAs::both => &["ace_app", "ace_system"],
    }
}

/// The plan of a statement whose values are not known, as the role.
async fn plan(admin: &Client, role: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    admin.batch_execute(&format!("set local role {role}; set local plan_cache_mode = force_generic_plan")).await?;
    admin.batch_execute(&format!("prepare walked as {sql}")).await?;
    let count = "select coalesce(cardinality(parameter_types), 0) from pg_prepared_statements where name = 'walked'";
    let values: i32 = admin.query_one(count, &[]).await?.get(0);
    let nulls = vec!["null"; usize::try_from(values).unwrap_or(0)].join(", ");
    let arguments = if values == 0 { String::new() } else { format!("({nulls})") };
    let rows = admin.query(&format!("explain (verbose, costs off) execute walked{arguments}"), &[]).await?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// What cannot be prepared (COPY, utility statements) is run instead, and taken back.
async fn run(admin: &Client, role: &str, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    admin.batch_execute(&format!("set local role {role}")).await?;
    if sql.trim_start().starts_with("copy import_rows") {
        admin.batch_execute("select app.stage_import_rows()").await?;
    }
    if sql.trim_start().starts_with("copy") {
        drop(admin.copy_in::<_, std::io::Cursor<Vec<u8>>>(sql).await?);
    } else {
        admin.batch_execute(sql).await?;
    }
    Ok(Vec::new())
}

/// A statement's plan, or what PostgreSQL has against it. Leaves nothing behind.
async fn walk(admin: &Client, role: &str, sql: &str) -> Result<Vec<String>, String> {
    admin.batch_execute("begin").await.unwrap();
    let mut planned = plan(admin, role, sql).await;
    admin.batch_execute("rollback; deallocate all").await.unwrap();
    if planned.as_ref().is_err_and(|error| error.code() == Some(&SqlState::SYNTAX_ERROR)) {
        admin.batch_execute("begin").await.unwrap();
        planned = run(admin, role, sql).await;
        admin.batch_execute("rollback").await.unwrap();
    }
    planned.map_err(|error| error.as_db_error().map_or_else(|| error.to_string(), |db| db.message().to_owned()))
}

/// What is wrong with the plan of a statement that `ace_app` runs: only a policy that is in the plan holds, and only
/// one that is an init-plan is asked once.
fn faults(plan: &[String], guarded: &BTreeSet<String>) -> Vec<String> {
    let mut faults = Vec::new();
    for line in plan.iter().map(|line| line.trim()) {
        let condition = line.contains("Filter: ") || line.contains(" Cond: ");
        let asks = ["app.read_all", "app.write_all", "app.client_ids", "app.org_ids", "current_setting"];
        if condition && asks.iter().any(|name| line.contains(name)) {
            faults.push(format!("asked once a row: {line}"));
        }
    }
    let touches = plan.iter().any(|line| guarded.iter().any(|table| touches(line, table)));
    let policy = plan.iter().any(|line| line.contains("Output: app.") || line.contains("InitPlan"));
    if touches && !policy {
        faults.push("touches a tenant's rows without a policy in the plan".into());
    }
    faults
}

/// Whether a line of a plan reads or writes the table.
fn touches(line: &str, table: &str) -> bool {
    line.split_once(" on public.").is_some_and(|(_, rest)| rest.split([' ', '\n']).next() == Some(table))
}

#[tokio::test]
async fn every_statement_is_planned_as_the_role_that_runs_it() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let rows = admin.query("select table_name::text from app.tenant_tables", &[]).await.unwrap();
    let guarded: BTreeSet<String> = rows.iter().map(|row| row.get(0)).collect();
    let mut broken = Vec::new();
    let statements = everything();
    for statement in &statements {
        for role in roles(statement) {
            let told = |what: String| format!("{} as {role}: {what}", statement.name);
            match walk(&admin, role, statement.sql).await {
                Err(error) => broken.push(told(error)),
                Ok(plan) if *role == "ace_app" => broken.extend(faults(&plan, &guarded).into_iter().map(told)),
                Ok(_) => {}
            }
        }
    }
    assert!(broken.is_empty(), "{} of {} statements:\n{}", broken.len(), statements.len(), broken.join("\n"));
}

/// Everything `ace_system` asks for: its statements, and the bodies of the functions they call.
async fn asked_of_system(admin: &Client) -> Vec<String> {
    let rows = admin.query("select prosrc from pg_proc where pronamespace = 'app'::regnamespace", &[]).await.unwrap();
    let functions = rows.iter().map(|row| row.get::<_, String>(0));
    let statements = everything().into_iter().filter(|statement| roles(statement).contains(&"ace_system"));
    let texts = functions.chain(statements.map(|statement| statement.sql.to_owned()));
    texts.map(|text| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// Whether a text asks for a privilege on a table. `for update` asks for update, too.
fn asks(text: &str, privilege: &str, table: &str) -> bool {
    let told = |before: &str| {
        text.match_indices(&format!("{before}{table}")).any(|(at, whole)| {
            let next = text[at + whole.len()..].chars().next();
            !next.is_some_and(|c| c.is_alphanumeric() || c == '_')
        })
    };
    let locks = text.contains(" for update") || text.contains(" for no key update") || text.contains(" for share");
    match privilege {
        "INSERT" => told("insert into "),
        "UPDATE" => told("update ") || (told("insert into ") && text.contains("do update")) || (locks && told(" ")),
        "DELETE" => told("delete from "),
        _ => told(" "),
    }
}

#[tokio::test]
async fn ace_system_holds_nothing_that_no_statement_asks_for() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let asked = asked_of_system(&admin).await;
    let sql = "select distinct c.oid::regclass::text, g.privilege_type::text
               from pg_class c
               join information_schema.column_privileges g
                 on g.table_schema = c.relnamespace::regnamespace::text and g.table_name = c.relname
               where g.grantee = 'ace_system' and c.relkind in ('r', 'p') and c.relname <> 'refinery_schema_history'
               union
               select c.oid::regclass::text, 'DELETE'
               from pg_class c
               where c.relkind in ('r', 'p') and has_table_privilege('ace_system', c.oid, 'delete')
               order by 1, 2";
    let held: Vec<(String, String)> =
        admin.query(sql, &[]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(held.len() > 60, "there must be grants for this test to mean anything, not {}", held.len());
    let unused: Vec<String> = held
        .iter()
        .filter(|(table, privilege)| !asked.iter().any(|text| asks(text, privilege, table)))
        .map(|(table, privilege)| format!("{privilege} on {table}"))
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

/// Statements register themselves when they are linked: what the linker left out would not be walked.
#[test]
fn every_statement_of_the_sources_is_walked() {
    let mut written = BTreeSet::new();
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for entry in std::fs::read_dir(crates).unwrap() {
        collect(&entry.unwrap().path().join("src"), &mut written);
    }
    assert!(written.len() > 200, "there must be statements for this test to mean anything, not {}", written.len());
    let walked: BTreeSet<String> =
        everything().iter().map(|statement| statement.name.rsplit("::").next().unwrap().to_owned()).collect();
    let missing: Vec<_> = written.difference(&walked).collect();
    assert_eq!(missing, Vec::<&String>::new());
}

/// Names in `statement! { … NAME, role, "…" }`, outside of test modules.
fn collect(directory: &Path, names: &mut BTreeSet<String>) {
    let Ok(entries) = std::fs::read_dir(directory) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let served = text.split("#[cfg(test)]").next().unwrap_or_default();
            names.extend(served.lines().filter_map(declared));
        }
    }
}

fn declared(line: &str) -> Option<String> {
    let mut parts = line.trim().splitn(3, ", ");
    let (name, role, rest) = (parts.next()?, parts.next()?, parts.next()?);
    let name = name.rsplit(' ').next()?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    (is_name && ["app", "system", "both"].contains(&role) && rest.starts_with('"')).then(|| name.to_owned())
}

#[tokio::test]
async fn a_statement_without_right_or_policy_would_be_told() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let password = walk(&admin, "ace_app", "select encrypted_password from auth.users where id = $1").await;
    assert_eq!(password, Err("permission denied for table users".to_owned()));
    let misspelt = walk(&admin, "ace_app", "select nme from contacts where id = $1").await;
    assert_eq!(misspelt, Err("column \"nme\" does not exist".to_owned()));
    admin.batch_execute("alter table contacts disable row level security").await.unwrap();
    let plan = walk(&admin, "ace_app", "select id from contacts where client_id = $1").await.unwrap();
    assert_eq!(faults(&plan, &BTreeSet::from(["contacts".to_owned()])).len(), 1);
}
