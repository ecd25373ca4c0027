//! SQL that somebody smuggled in: it runs as `ace_app`, in the middle of a tenant's transaction or beside it, and may say
//! whatever that role may say. Another tenant's rows stay out of its reach.

use kernel::{Actor, Error, System};
use testkit::TestDatabase;
use testkit::story::Story;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};
use uuid::Uuid;

database::statement! {
    /// The actor's settings, as whoever is inside the transaction reads them.
    SETTINGS, app, "select concat_ws(' ', current_setting('app.actor'), current_setting('app.seal'))";
    /// Puts on an actor's settings, and those of earlier versions.
    WEAR, app, "
        select concat(
            set_config('app.actor', $1, true), set_config('app.seal', $2, true), set_config('app.operator', 'on', true),
            set_config('app.client_id', $3, true))";
    /// Looks for a client.
    LOOK, app, "select count(*) from clients where id = $1";
    /// Changes a client.
    TAKE_OVER, app, "update clients set name = 'taken' where id = $1"
}

/// What an attacker reaches of the client.
const REACHED: &str = "
    select (select count(*) from clients where id = $1)
         + (select count(*) from api_keys where client_id = $1)
         + (select count(*) from client_users where client_id = $1)";

/// A connection of the application's own login, set up as the pool does it, in the attacker's hands.
async fn attacker(test: &TestDatabase) -> Client {
    let mut config = test.config();
    #[expect(clippy::disallowed_methods, reason = "nobody who comes through the scope is an attacker")]
    let (client, connection) = config.user("ace_app").connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute("select app.new_secret()").await.unwrap();
    client
}

async fn reached(client: &Client, of: Uuid) -> i64 {
    client.query_one(REACHED, &[&of]).await.unwrap().get(0)
}

#[tokio::test]
async fn an_injected_statement_widens_nothing_in_a_tenants_transaction() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let db = test.database();
    for actor in [story.acme_owner.actor(), Actor::key(story.acme.key_id), Actor::client(story.acme.id)] {
        for (name, corner) in
            [("operator".to_owned(), story.corner.id), (format!("client:{}", story.corner.id), story.corner.id)]
        {
            let tx = db.scope(&actor).transaction().await.unwrap();
            assert_eq!(tx.query_scalar::<i64>(&LOOK, &[&story.acme.id]).await.unwrap(), 1, "before");
            let worn = tx.query_scalar::<String>(&WEAR, &[&name, &"0".repeat(64), &corner.to_string()]).await;
            worn.unwrap();
            assert_eq!(tx.query_scalar::<i64>(&LOOK, &[&corner]).await.unwrap(), 0, "{:?} as {name}", actor.who);
            let taken = tx.execute(&TAKE_OVER, &[&corner]).await;
            assert!(matches!(taken, Ok(0) | Err(Error::NotFound)), "{:?} as {name}: {taken:?}", actor.who);
        }
    }
}

#[tokio::test]
async fn nothing_that_the_role_may_say_makes_it_somebody() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let (client, corner) = (attacker(&test).await, story.corner.id);
    let lies = [
        "select set_config('app.operator', 'on', true)".to_owned(),
        "select set_config('app.actor', 'operator', true)".to_owned(),
        format!(
            "select set_config('app.actor', 'client:{corner}', true), set_config('app.seal', repeat('0', 64), true)"
        ),
        format!(
            "select set_config('app.client_id', '{corner}', true), set_config('app.user_id', '{}', true)",
            story.admin.id
        ),
        format!("set app.actor = 'user:{}'", story.admin.id),
        "reset all".to_owned(),
        "set session role none".to_owned(),
        "set local timezone = 'Asia/Tokyo'; set local datestyle = 'German'".to_owned(),
    ];
    for lie in &lies {
        client.batch_execute(&format!("begin; {lie}")).await.unwrap();
        assert_eq!(reached(&client, corner).await, 0, "{lie}");
        let changed = client.execute("update clients set name = 'taken' where id = $1", &[&corner]).await.unwrap();
        assert_eq!(changed, 0, "{lie}");
        client.batch_execute("rollback").await.unwrap();
    }
    client.batch_execute("discard all").await.unwrap();
    assert_eq!(reached(&client, corner).await, 0, "discard all");
    for refused in [
        "set role ace_system".to_owned(),
        "set role ace_owner".to_owned(),
        "select * from app.actor_key".to_owned(),
        "select * from app.known_keys".to_owned(),
        "update app.actor_key set inner_pad = inner_pad".to_owned(),
        "select app.proof(1, 'operator')".to_owned(),
        "select currval('app.secret_one')".to_owned(),
        "select nextval('app.secret_one')".to_owned(),
        "select setval('app.secret_two', 1)".to_owned(),
        "select * from app.secret_one".to_owned(),
        "select app.seal('operator')".to_owned(),
        "select app.enter('operator', '\\x00')".to_owned(),
        "select app.enter('operator', null)".to_owned(),
        "create temp table contacts (id uuid)".to_owned(),
        "create temp view contacts as select * from public.contacts".to_owned(),
        "create function pg_temp.steal(text) returns boolean language sql as 'select true'".to_owned(),
        "create or replace function app.entered() returns text language sql as $$ select 'operator' $$".to_owned(),
        "alter table clients disable row level security".to_owned(),
    ] {
        let said = client.batch_execute(&refused).await.expect_err(&refused);
        assert_eq!(said.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{refused}: {said:?}");
    }
}

/// What stands in a transaction's settings is worth something in that transaction alone.
#[tokio::test]
async fn settings_read_in_one_transaction_are_worth_nothing_in_another() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let db = testkit::options(&test.config(), 1);
    let db = database::Database::new(&db, test.clock().clone()).unwrap();
    let corner = story.corner.id;
    for (actor, kind) in [(Actor::system(System::Operator), "operator"), (Actor::client(corner), "client")] {
        let scope = db.scope(&actor);
        let open = scope.transaction().await.unwrap();
        let seen: String = open.query_scalar(&SETTINGS, &[]).await.unwrap();
        let (name, seal) = seen.split_once(' ').unwrap();
        assert!(name.starts_with(kind) && seal.len() == 64, "{seen}");
        open.query_scalar::<String>(&WEAR, &[&name, &seal, &""]).await.unwrap();
        assert_eq!(open.query_scalar::<i64>(&LOOK, &[&corner]).await.unwrap(), 1, "{kind}: where it belongs");
        // on another connection, while it is open
        let client = attacker(&test).await;
        let replay =
            format!("select set_config('app.actor', '{name}', false), set_config('app.seal', '{seal}', false)");
        client.batch_execute(&replay).await.unwrap();
        assert_eq!(reached(&client, corner).await, 0, "{kind}: elsewhere");
        open.commit().await.unwrap();
        // on the same connection, in the next transaction
        let acme = Actor::client(story.acme.id);
        let tx = db.scope(&acme).transaction().await.unwrap();
        tx.query_scalar::<String>(&WEAR, &[&name, &seal, &""]).await.unwrap();
        assert_eq!(tx.query_scalar::<i64>(&LOOK, &[&corner]).await.unwrap(), 0, "{kind}: later");
    }
}

/// The proof by which the application enters is for one connection.
#[tokio::test]
async fn a_proof_is_taken_by_its_own_connection_only() {
    let test = TestDatabase::new().await;
    Story::tell(&test).await;
    let (one, other) = (attacker(&test).await, attacker(&test).await);
    let admin = test.admin().await;
    let pid: i32 = one.query_one("select pg_backend_pid()", &[]).await.unwrap().get(0);
    let proof = "select app.proof($1, 'operator')";
    let proof: Vec<u8> = admin.query_one(proof, &[&pid]).await.unwrap().get(0);
    let enter = "select app.enter('operator', $1), app.is_operator()";
    let entered = one.query_one("select app.enter('operator', $1)", &[&proof]).await;
    assert!(entered.is_ok(), "the proof itself is right: {entered:?}");
    let elsewhere = other.query_one(enter, &[&proof]).await.unwrap_err();
    assert_eq!(elsewhere.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE));
    let shown = "select count(*) from pg_stat_activity where query like '%' || $1 || '%' and pid <> pg_backend_pid()";
    let hex: String = proof.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(other.query_one(shown, &[&hex]).await.unwrap().get::<_, i64>(0), 0, "a bound value is shown to nobody");
}

/// A request that began before its client was archived ends with it.
#[tokio::test]
async fn the_key_of_an_archived_client_reaches_nothing() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let key = Actor::key(story.acme.key_id);
    let looks = || async { test.database().scope(&key).query_scalar::<i64>(&LOOK, &[&story.acme.id]).await.unwrap() };
    assert_eq!(looks().await, 1);
    let archive = "update clients set archived_at = now() where id = $1";
    test.admin().await.execute(archive, &[&story.acme.id]).await.unwrap();
    assert_eq!(looks().await, 0);
}

/// Functions that look past the policies answer the same about another tenant's ids as about none.
#[tokio::test]
async fn functions_past_the_policies_tell_nothing_of_other_tenants() {
    let test = TestDatabase::new().await;
    let story = Story::tell(&test).await;
    let admin = test.admin().await;
    admin
        .batch_execute(
            "update organizations set settings_json = '{\"prices\": {\"reward\": 2, \"piece\": 3}, \"require_second_factor\": true}'",
        )
        .await
        .unwrap();
    // also those that call one: any function of ours that ace_app may run and that takes an id
    let functions = "
        select p.oid::regprocedure::text, p.proname::text, array(select format_type(t, null) from unnest(p.proargtypes) t)
        from pg_proc p
        where p.pronamespace in ('app'::regnamespace, 'public'::regnamespace)
          and p.prorettype <> 'trigger'::regtype
          and (p.prosecdef or p.provolatile <> 'v')
          and 'uuid'::regtype = any (p.proargtypes)
          and has_function_privilege('ace_app', p.oid, 'execute')";
    let functions = admin.query(functions, &[]).await.unwrap();
    assert!(!functions.is_empty(), "there must be functions for this test to mean anything");
    for row in functions {
        let (whole, name, types): (String, String, Vec<String>) = (row.get(0), row.get(1), row.get(2));
        for id in [story.corner.id, story.corner_owner.id, story.corner.key_id, story.corner.org_id, story.admin.id] {
            let mut answers = Vec::new();
            for asked in [id, kernel::new_id()] {
                let values: Vec<String> = types.iter().map(|kind| value(kind, asked)).collect();
                let call = format!("select app.{name}({})::text", values.join(", "));
                let begin = format!(
                    "begin; {}; set local role ace_app",
                    testkit::entering(&format!("user:{}", story.acme_owner.id))
                );
                admin.batch_execute(&begin).await.unwrap();
                let answer = admin.query_one(&call, &[]).await;
                admin.batch_execute("rollback").await.unwrap();
                answers.push(answer.map(|row| row.get::<_, Option<String>>(0)).map_err(|e| e.code().cloned()));
            }
            assert_eq!(answers[0], answers[1], "{whole}");
        }
    }
}

fn value(kind: &str, id: Uuid) -> String {
    match kind {
        "uuid" => format!("'{id}'"),
        "text" => "'reward'".to_owned(),
        "timestamp with time zone" => "now()".to_owned(),
        other => format!("null::{other}"),
    }
}
