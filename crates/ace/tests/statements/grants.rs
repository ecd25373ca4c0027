//! ACE's own roles hold what their statements need and no more, to the column: a right is needed when a statement of the
//! role fails without it, or when a function that runs in its name asks for it.

use std::collections::BTreeSet;

use testkit::TestDatabase;
use tokio_postgres::Client;

use super::{asked_of, asks, everything, plan, roles};

const ROLES: [&str; 3] = ["ace_public", "ace_signin", "ace_worker"];

/// What a role may do with a table: the privilege, and the column where one column at a time is granted.
type Right = (String, String, Option<String>);

async fn rights(admin: &Client, role: &str) -> Vec<Right> {
    let sql = "select format('%I.%I', table_schema, table_name), lower(privilege_type), column_name::text
               from information_schema.column_privileges
               where grantee = $1::text and table_schema in ('public', 'auth', 'app')
               union all
               select format('%s.%I', c.relnamespace::regnamespace, c.relname), 'delete', null
               from pg_class c
               where c.relkind in ('r', 'p') and has_table_privilege($1::text::name, c.oid, 'delete')
               order by 1, 2, 3";
    let rows = admin.query(sql, &[&role]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

/// The statements of a role that fail now.
async fn failing(admin: &Client, role: &str, statements: &[&str]) -> usize {
    let mut failing = 0;
    for sql in statements {
        admin.batch_execute("savepoint walked").await.unwrap();
        failing += usize::from(plan(admin, role, sql).await.is_err());
        admin.batch_execute("rollback to savepoint walked; deallocate all").await.unwrap();
    }
    failing
}

fn change(what: &str, (table, privilege, column): &Right, role: &str) -> String {
    let of = column.as_ref().map(|column| format!(" (\"{column}\")")).unwrap_or_default();
    let who = if what == "grant" { "to" } else { "from" };
    format!("{what} {privilege}{of} on {table} {who} {role};")
}

/// The rights of a role that nothing of it needs.
async fn unneeded(admin: &Client, role: &str) -> Vec<Right> {
    let statements: Vec<&str> =
        everything().into_iter().filter(|one| roles(one).any(|of| of == role)).map(|one| one.sql).collect();
    // the functions only: what statements ask for is tried
    let functions = asked_of(admin, role).await.split_off(statements.len());
    let held = rights(admin, role).await;
    admin.batch_execute("begin").await.unwrap();
    // a right on a whole table becomes one on each of its columns, so that each can be tried alone
    for table in held.iter().map(|right| &right.0).collect::<BTreeSet<_>>() {
        admin.batch_execute(&format!("revoke all on {table} from {role}")).await.unwrap();
    }
    let again: String = held.iter().map(|right| change("grant", right, role)).collect();
    admin.batch_execute(&again).await.unwrap();
    assert_eq!(failing(admin, role, &statements).await, 0, "{role} is held by rights on columns alone");
    let mut unneeded = Vec::new();
    for right in held {
        let name = right.0.strip_prefix("public.").unwrap_or(&right.0).to_owned();
        let near: Vec<&str> = statements.iter().copied().filter(|sql| sql.contains(&name)).collect();
        admin.batch_execute("savepoint tried").await.unwrap();
        admin.batch_execute(&change("revoke", &right, role)).await.unwrap();
        let needed = failing(admin, role, &near).await > 0;
        let asked = functions.iter().any(|text| asks(text, &right.1.to_uppercase(), &name));
        admin.batch_execute("rollback to savepoint tried").await.unwrap();
        if !needed && !asked {
            unneeded.push(right);
        }
    }
    admin.batch_execute("rollback").await.unwrap();
    unneeded
}

#[tokio::test]
async fn each_right_of_aces_own_roles_is_one_that_a_statement_or_a_function_fails_without() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    for role in ROLES {
        let unneeded = unneeded(&admin, role).await;
        assert_eq!(unneeded, Vec::<Right>::new(), "{role}");
    }
}

#[tokio::test]
async fn aces_own_roles_run_no_function_that_no_statement_of_theirs_calls() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let sql = "select p.proname::text
               from pg_proc p
               where p.pronamespace = 'app'::regnamespace and has_function_privilege($1::text::name, p.oid, 'execute')";
    for role in ROLES {
        let asked = asked_of(&admin, role).await;
        let held: Vec<String> = admin.query(sql, &[&role]).await.unwrap().iter().map(|row| row.get(0)).collect();
        // whether the database answers is asked with a function of the kind that every policy calls (knock.rs)
        let knocks = |name: &String| role == "ace_worker" && name == "entered";
        let is_called = |name: &String| asked.iter().any(|text| text.contains(&format!("app.{name}(")));
        let unused: Vec<&String> = held.iter().filter(|name| !is_called(name) && !knocks(name)).collect();
        assert_eq!(unused, Vec::<&String>::new(), "{role}");
    }
}

/// What a stranger's page can change when everything else fails: what it counts, and the job it leaves.
#[tokio::test]
async fn strangers_pages_write_visits_views_and_jobs_and_nothing_else() {
    let db = TestDatabase::new().await;
    let held = rights(&db.admin().await, "ace_public").await;
    let written: BTreeSet<String> = held
        .into_iter()
        .filter(|(_, privilege, _)| privilege != "select")
        .map(|(table, privilege, column)| match privilege.as_str() {
            "update" => format!("update {table}.{}", column.unwrap_or_default()),
            _ => format!("{privilege} {table}"),
        })
        .collect();
    let expected = [
        "insert public.events",
        "insert public.jobs",
        "update public.ace_forms.total_views",
        "update public.recipients.last_visited_at",
        "update public.recipients.total_visits",
    ];
    assert_eq!(written, BTreeSet::from(expected.map(str::to_owned)));
}
