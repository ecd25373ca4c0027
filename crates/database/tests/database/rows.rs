//! Makes a row of any table from the catalogue alone: types, checks, enums and foreign keys say what goes in.
//!
//! A table of tomorrow needs nothing here, unless it has a check over several columns: see [`HINTS`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Map, Value, json};
use tokio_postgres::Client;
use uuid::Uuid;

/// Values of a full row that a check over several columns asks for.
const HINTS: [(&str, &str, &str); 3] = [
    ("contact_lists", "list_type", "dynamic"),
    ("gift_cards", "status", "claimed"),
    // what it takes elsewhere is looked at when a transaction ends: no full row is ever committed
    ("credit_ledger", "reason", "transfer"),
];

/// What a full row leaves out, because it would end the row: nothing archived is changed, nothing in quarantine claimed; and
/// a card goes only with the recipient who has it, and credits are set aside only with cards, which is no matter of one column.
const ABSENT: [(&str, &str); 5] = [
    ("campaigns", "archived_at"),
    ("gift_cards", "quarantined_at"),
    ("call_conditions_met", "gift_card_id"),
    ("messages", "gift_card_id"),
    ("campaign_reservations", "credits"),
];

const COLUMNS: &str = "
    select c.oid::regclass::text as \"table\", a.attname::text as name, format_type(a.atttypid, a.atttypmod) as type,
           a.attnotnull as required, a.atthasdef as has_default, a.attgenerated <> '' as generated,
           array(select e.enumlabel::text from pg_enum e where e.enumtypid = a.atttypid order by e.enumsortorder) as labels,
           array(select pg_get_expr(x.conbin, x.conrelid) from pg_constraint x
                 where x.conrelid = c.oid and x.contype = 'c' and x.conkey = array[a.attnum]) as checks
    from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
    order by c.oid, a.attnum";

const KEYS: &str = "
    select x.conrelid::regclass::text as \"table\", x.confrelid::regclass::text as parent,
           array(select a.attname::text from unnest(x.conkey) with ordinality k (n, i)
                 join pg_attribute a on a.attrelid = x.conrelid and a.attnum = k.n order by k.i) as columns
    from pg_constraint x
    join pg_class c on c.oid = x.conrelid
    where x.contype = 'f' and not c.relispartition";

/// One column and what may be put into it.
struct Column {
    name: String,
    kind: String,
    required: bool,
    has_default: bool,
    shape: Shape,
}

/// How values of a column look.
#[derive(Clone)]
enum Shape {
    /// A number padded to this many digits behind a prefix.
    Digits(&'static str, usize),
    /// One of a closed list.
    Word(String),
    /// Anything of the type.
    Any,
    /// Nothing that is known: a row of this table cannot be made.
    Unknown(String),
}

/// A reference to another table; the last of `columns` is the one that chooses the row.
#[derive(Clone, Debug)]
pub struct Key {
    /// The columns of the child.
    pub columns: Vec<String>,
    /// The table referred to.
    pub parent: String,
}

impl Key {
    /// The column that chooses the row; the others name its client.
    pub fn column(&self) -> &str {
        self.columns.last().unwrap()
    }
}

/// Makes rows.
pub struct Maker {
    columns: BTreeMap<String, Vec<Column>>,
    keys: BTreeMap<String, Vec<Key>>,
    counter: AtomicU32,
}

impl Maker {
    /// Reads the catalogue.
    pub async fn read(admin: &Client) -> Self {
        let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for row in admin.query(COLUMNS, &[]).await.unwrap() {
            if row.get("generated") {
                continue;
            }
            let (table, name, kind): (String, String, String) = (row.get("table"), row.get("name"), row.get("type"));
            let labels: Vec<String> = row.get("labels");
            let checks: Vec<String> = row.get("checks");
            let shape = match labels.last() {
                Some(label) => Shape::Word(label.clone()),
                None => fitting(admin, &name, &kind, &checks).await,
            };
            let (required, has_default) = (row.get("required"), row.get("has_default"));
            columns.entry(table).or_default().push(Column { name, kind, required, has_default, shape });
        }
        let mut keys: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for row in admin.query(KEYS, &[]).await.unwrap() {
            keys.entry(row.get("table"))
                .or_default()
                .push(Key { columns: row.get("columns"), parent: row.get("parent") });
        }
        Self { columns, keys, counter: AtomicU32::new(1) }
    }

    /// The foreign keys of a table.
    pub fn keys(&self, table: &str) -> &[Key] {
        self.keys.get(table).map_or(&[], Vec::as_slice)
    }

    /// Whether its rows have an id of their own.
    pub fn has_id(&self, table: &str) -> bool {
        self.columns[table].iter().any(|column| column.name == "id")
    }

    /// Values of a row of `client` with everything it may have; the rows it refers to are made, the row itself is not.
    pub async fn full(&self, admin: &Client, table: &str, client: Uuid) -> Map<String, Value> {
        let mut row = Box::pin(self.values(admin, table, client, true)).await;
        for (_, column, value) in HINTS.iter().filter(|hint| hint.0 == table) {
            row.insert((*column).to_owned(), json!(value));
        }
        for (_, column) in ABSENT.iter().filter(|absent| absent.0 == table) {
            row.remove(*column);
        }
        row
    }

    /// Writes a row of `client` with what it must have, and the rows it refers to; answers the condition that finds it.
    pub async fn fresh(&self, admin: &Client, table: &str, client: Uuid) -> String {
        let row = Box::pin(self.values(admin, table, client, false)).await;
        self.write(admin, table, &row).await.unwrap_or_else(|error| panic!("{table}: {error:?}: {row:?}"))
    }

    /// Writes a row; answers the condition that finds it.
    pub async fn write(
        &self,
        client: &Client,
        table: &str,
        row: &Map<String, Value>,
    ) -> Result<String, tokio_postgres::Error> {
        let identity = if self.has_id(table) { "id" } else { "ctid" };
        let sql = format!("{} returning {identity}::text", insert(table, row));
        let answer = client.query_one(&sql, &[]).await?;
        Ok(format!("{identity} = '{}'", answer.get::<_, String>(0)))
    }

    async fn values(&self, admin: &Client, table: &str, client: Uuid, full: bool) -> Map<String, Value> {
        let mut row = Map::new();
        for column in &self.columns[table] {
            if column.name == "client_id" && table != "auth.users" {
                row.insert(column.name.clone(), json!(client));
            } else if column.name == "org_id" && self.columns[table].iter().any(|other| other.name == "client_id") {
                // a row about both is about the client's own organization
                let org = admin.query_one("select org_id::text from clients where id = $1", &[&client]).await.unwrap();
                row.insert(column.name.clone(), json!(org.get::<_, String>(0)));
            } else if (column.required || full) && !column.has_default {
                let value = match self.keys(table).iter().find(|key| key.column() == column.name) {
                    Some(key) => Box::pin(self.parent(admin, key, client)).await,
                    None => self.value(column),
                };
                row.insert(column.name.clone(), value);
            }
        }
        row
    }

    async fn parent(&self, admin: &Client, key: &Key, client: Uuid) -> Value {
        let found_by = self.fresh(admin, &key.parent, client).await;
        json!(found_by.trim_start_matches("id = ").trim_matches('\''))
    }

    fn value(&self, column: &Column) -> Value {
        let n = self.counter.fetch_add(1, Ordering::Relaxed);
        match &column.shape {
            Shape::Word(word) => json!(word),
            Shape::Digits(prefix, width) => json!(format!("{prefix}{n:0width$}")),
            Shape::Any => json!(plain(&column.kind, n)),
            Shape::Unknown(why) => panic!("{why}"),
        }
    }
}

/// The statement that writes a row. Values travel as one JSON literal: PostgreSQL knows the types.
pub fn insert(table: &str, row: &Map<String, Value>) -> String {
    let names = row.keys().cloned().collect::<Vec<_>>().join(", ");
    let text = Value::Object(row.clone()).to_string().replace('\'', "''");
    format!("insert into {table} ({names}) select {names} from jsonb_populate_record(null::{table}, '{text}')")
}

/// The first shape of values that keeps every check of the column.
async fn fitting(admin: &Client, name: &str, kind: &str, checks: &[String]) -> Shape {
    if kind != "text" && checks.is_empty() {
        return Shape::Any;
    }
    let digits = [("", 12), ("", 10), ("+1", 10)].map(|(prefix, width)| Shape::Digits(prefix, width));
    let words =
        checks.iter().flat_map(|check| check.split('\'').skip(1).step_by(2)).map(|word| Shape::Word(word.to_owned()));
    let words = words.chain([Shape::Word("some.thing".into())]);
    let shapes: Vec<Shape> = if kind == "text" { digits.into_iter().chain(words).collect() } else { vec![Shape::Any] };
    for shape in shapes {
        let value = match &shape {
            Shape::Digits(prefix, width) => format!("{prefix}{:0width$}", 1),
            Shape::Word(word) => word.clone(),
            Shape::Any | Shape::Unknown(_) => plain(kind, 1),
        };
        let all = checks.iter().map(|check| format!(" and ({check})")).collect::<String>();
        let sql = format!("select count(*) from (select $1::text::{kind} as {name}) as one where true{all}");
        if admin.query_one(&sql, &[&value]).await.is_ok_and(|row| row.get::<_, i64>(0) == 1) {
            return shape;
        }
    }
    Shape::Unknown(format!(
        "no value is known that {name} {kind} accepts with {checks:?}: teach tests/database/rows.rs one"
    ))
}

/// A value of a type, as PostgreSQL reads it from text.
fn plain(kind: &str, n: u32) -> String {
    match kind {
        "uuid" => Uuid::from_u128(u128::from(n)).to_string(),
        "boolean" => "false".into(),
        "integer" | "bigint" => "1".into(),
        "jsonb" => "{}".into(),
        "bytea" => format!("\\x{n:08x}"),
        "timestamp with time zone" => "2026-03-02T15:00:00Z".into(),
        "date" => "2026-03-02".into(),
        "inet" => "203.0.113.1".into(),
        "text[]" => "{}".into(),
        kind if kind.starts_with("numeric") => "1".into(),
        other => panic!("no value of type {other} is known: teach tests/database/rows.rs one"),
    }
}
