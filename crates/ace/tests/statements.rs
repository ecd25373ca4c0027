//! Every statement of ACE, prepared and planned as each role that runs it: syntax, types, grants, and that the
//! policy is in the plan and asked once a statement.
#![cfg(test)]

#[path = "statements/grants.rs"]
mod grants;

use std::collections::BTreeSet;
use std::path::Path;

use database::Statement;
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

fn roles(statement: &Statement) -> impl Iterator<Item = &'static str> {
    statement.runs_as.iter().map(|role| role.role())
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
                Ok(plan) if role == "ace_app" => broken.extend(faults(&plan, &guarded).into_iter().map(told)),
                Ok(_) => {}
            }
        }
    }
    assert!(broken.is_empty(), "{} of {} statements:\n{}", broken.len(), statements.len(), broken.join("\n"));
}

/// Queues, where it does not matter who of those that are due at once comes first; and moments that come once each.
const IN_ANY_ORDER: [&str; 4] = ["run_at", "j.run_at", "callback_due_at", "slots.at"];

/// What happened in one moment keeps its order: a list by time goes on by something that two rows never share.
#[test]
fn a_list_by_time_has_an_order_within_a_moment_as_well() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut waiting, mut seen, mut wrong) = (vec![crates], 0, Vec::new());
    while let Some(folder) = waiting.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() && !path.ends_with("tests") {
                waiting.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
            for rest in source.split("order by ").skip(1) {
                seen += 1;
                let keys = rest.split(['\n', '"', ')', ';']).next().unwrap_or_default();
                let keys = keys.split(" limit").next().unwrap_or_default();
                let last = keys.rsplit(',').next().unwrap_or_default().trim();
                let last = ["nulls last", "nulls first", "desc", "asc"]
                    .iter()
                    .fold(last, |key, end| key.trim_end().trim_end_matches(end).trim_end());
                if IN_ANY_ORDER.contains(&last) {
                    continue;
                }
                if last.ends_with("_at") || last == "at" || last.ends_with(".at") {
                    wrong.push(format!("{}: order by {keys}", path.display()));
                }
            }
        }
    }
    assert!(seen > 50 && wrong.is_empty(), "of {seen}: {wrong:#?}");
}

/// Everything a role asks for: its statements, and the bodies of the functions and triggers that run in its name; of `ace_system`, the
/// bodies of those that run in its own.
async fn asked_of(admin: &Client, role: &str) -> Vec<String> {
    let sql = "select p.proname::text, p.prosrc, p.prosecdef and p.proowner = 'ace_system'::regrole,
                 exists (
                   select
                   from pg_trigger t
                   join pg_class c on c.oid = t.tgrelid
                   where t.tgfoid = p.oid
                     and (
                       has_any_column_privilege($1::text::name, c.oid, 'insert, update')
                       or has_table_privilege($1::text::name, c.oid, 'delete')))
               from pg_proc p where p.pronamespace = 'app'::regnamespace";
    let plain = |text: &str| text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    let rows = admin.query(sql, &[&role]).await.unwrap();
    let functions: Vec<(String, String, bool, bool)> =
        rows.iter().map(|row| (row.get(0), plain(row.get(1)), row.get(2), row.get(3))).collect();
    if role == "ace_system" {
        return functions.into_iter().filter(|function| function.2).map(|function| function.1).collect();
    }
    let statements = everything().into_iter().filter(|statement| roles(statement).any(|one| one == role));
    let mut texts: Vec<String> = statements.map(|statement| plain(statement.sql)).collect();
    let mut called = BTreeSet::new();
    loop {
        let more: Vec<_> = functions
            .iter()
            .filter(|(name, _, past, trigger)| {
                let call = format!("app.{name}(");
                !past && !called.contains(name) && (*trigger || texts.iter().any(|text| text.contains(&call)))
            })
            .collect();
        if more.is_empty() {
            return texts;
        }
        for (name, body, ..) in more {
            called.insert(name.clone());
            texts.push(body.clone());
        }
    }
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
async fn aces_own_roles_hold_nothing_that_no_statement_of_theirs_asks_for() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let sql = "select distinct c.oid::regclass::text, g.privilege_type::text
               from pg_class c
               join information_schema.column_privileges g
                 on g.table_schema = c.relnamespace::regnamespace::text and g.table_name = c.relname
               where g.grantee::text = $1::text and c.relkind in ('r', 'p') and c.relname <> 'refinery_schema_history'
               union
               select c.oid::regclass::text, 'DELETE'
               from pg_class c
               where c.relkind in ('r', 'p') and has_table_privilege($1::text::name, c.oid, 'delete')
               order by 1, 2";
    for role in ["ace_public", "ace_signin", "ace_worker", "ace_system"] {
        let asked = asked_of(&admin, role).await;
        let held: Vec<(String, String)> =
            admin.query(sql, &[&role]).await.unwrap().iter().map(|row| (row.get(0), row.get(1))).collect();
        assert!(held.len() > 15, "there must be grants for this test to mean anything, not {}: {role}", held.len());
        let unused: Vec<String> = held
            .iter()
            .filter(|(table, privilege)| !asked.iter().any(|text| asks(text, privilege, table)))
            .map(|(table, privilege)| format!("{privilege} on {table}"))
            .collect();
        assert_eq!(unused, Vec::<String>::new(), "{role}");
    }
}

/// A page for strangers knows of accounts what the record names, and nothing by which one signs in.
#[tokio::test]
async fn strangers_pages_and_workers_read_no_secret_of_an_account_and_signing_in_reaches_no_card() {
    let db = TestDatabase::new().await;
    let sql = "select r || ' ' || c.oid::regclass || '.' || a.attname
               from pg_class c
               join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
               cross join unnest(array['ace_public', 'ace_worker', 'ace_signin']) r
               where case r when 'ace_signin' then c.relname in ('gift_cards', 'contacts', 'recipients', 'messages', 'credit_ledger')
                   else c.relnamespace = 'auth'::regnamespace and a.attname ~ '(password|secret|_hash$)'
                       or c.relname = 'api_keys' and a.attname = 'key_hash' end
                 and c.relkind in ('r', 'p')
                 and not (r = 'ace_worker' and c.relname in ('failed_sign_ins', 'sessions', 'one_time_tokens'))
                 and has_column_privilege(r, c.oid, a.attnum, 'select')";
    let read: Vec<String> = db.admin().await.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect();
    assert_eq!(read, Vec::<String>::new());
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
    (is_name
        && role.split(" | ").all(|one| ["app", "public", "signin", "worker"].contains(&one))
        && rest.starts_with('"'))
    .then(|| name.to_owned())
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
