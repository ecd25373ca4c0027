//! The data model, table by table, against the live catalogue.
//!
//! `data-model.json` is the data model as its owner wrote it, extracted once; more than it asks for is allowed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use testkit::TestDatabase;
use tokio_postgres::Client;

const MODEL: &str = include_str!("data-model.json");

const COLUMNS: &str = "
    select n.nspname || '.' || c.relname as \"table\", a.attname::text as name, t.typname::text as type,
           coalesce((select array_agg(e.enumlabel::text) from pg_enum e where e.enumtypid = t.oid), '{}') as labels
    from pg_attribute a
    join pg_class c on c.oid = a.attrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_type t on t.oid = a.atttypid
    where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p') and n.nspname in ('public', 'auth')";

const REFERENCES: &str = "
    select n.nspname || '.' || c.relname as \"table\", a.attname::text as name, fn.nspname || '.' || f.relname as target
    from pg_constraint x
    join pg_class c on c.oid = x.conrelid
    join pg_namespace n on n.oid = c.relnamespace
    join pg_class f on f.oid = x.confrelid
    join pg_namespace fn on fn.oid = f.relnamespace
    cross join lateral unnest(x.conkey) as k (attnum)
    join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
    where x.contype = 'f'";

const INDEXES: &str = "
    select n.nspname || '.' || c.relname as \"table\", am.amname::text as method,
           array(select coalesce(a.attname::text, '(expression)')
                 from unnest(i.indkey) with ordinality k (attnum, ord)
                 left join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
                 order by k.ord) as columns
    from pg_index i
    join pg_class c on c.oid = i.indrelid
    join pg_class ic on ic.oid = i.indexrelid
    join pg_am am on am.oid = ic.relam
    join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ('public', 'auth')";

const TABLES: &str = "
    select n.nspname || '.' || c.relname as \"table\", c.relrowsecurity as secured, pg_get_partkeydef(c.oid) as partitioned
    from pg_class c
    join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname in ('public', 'auth')";

struct Catalogue {
    columns: BTreeMap<(String, String), (String, BTreeSet<String>)>,
    references: BTreeSet<(String, String, String)>,
    indexes: BTreeSet<(String, String, Vec<String>)>,
    tables: BTreeMap<String, (bool, Option<String>)>,
}

impl Catalogue {
    async fn read(admin: &Client) -> Self {
        let columns = admin.query(COLUMNS, &[]).await.unwrap();
        let references = admin.query(REFERENCES, &[]).await.unwrap();
        let indexes = admin.query(INDEXES, &[]).await.unwrap();
        let tables = admin.query(TABLES, &[]).await.unwrap();
        Self {
            columns: columns
                .iter()
                .map(|row| {
                    let labels: Vec<String> = row.get("labels");
                    ((row.get("table"), row.get("name")), (row.get("type"), labels.into_iter().collect()))
                })
                .collect(),
            references: references.iter().map(|r| (r.get("table"), r.get("name"), r.get("target"))).collect(),
            indexes: indexes.iter().map(|r| (r.get("table"), r.get("method"), r.get("columns"))).collect(),
            tables: tables.iter().map(|r| (r.get("table"), (r.get("secured"), r.get("partitioned")))).collect(),
        }
    }

    fn departures(&self, model: &Value) -> Vec<String> {
        let mut found = Vec::new();
        for table in model.as_array().unwrap() {
            let name = format!("{}.{}", text(table, "schema"), text(table, "name"));
            match self.tables.get(&name) {
                None => found.push(format!("{name}: the table is missing")),
                Some(is) => found.extend(table_departures(&name, table, is)),
            }
            let columns = table["columns"].as_array().unwrap();
            found.extend(columns.iter().flat_map(|column| self.column_departures(&name, column)));
            let indexes = table["indexes"].as_array().unwrap();
            found.extend(indexes.iter().filter_map(|index| self.index_departure(&name, index)));
        }
        found
    }

    fn column_departures(&self, table: &str, column: &Value) -> Vec<String> {
        let name = text(column, "name");
        let Some((kind, labels)) = self.columns.get(&(table.to_owned(), name.to_owned())) else {
            return vec![format!("{table}.{name}: the column is missing")];
        };
        let mut found = Vec::new();
        let wanted = text(column, "type");
        if wanted == "ENUM" {
            for label in column["labels"].as_array().unwrap() {
                if !labels.contains(label.as_str().unwrap()) {
                    found.push(format!("{table}.{name}: the enum {kind} lacks {label}"));
                }
            }
        } else if !stands_for(wanted).contains(&kind.as_str()) {
            found.push(format!("{table}.{name}: is {kind}, the model says {wanted}"));
        }
        if let Some(target) = column["references"].as_str()
            && !self.references.contains(&(table.to_owned(), name.to_owned(), target.to_owned()))
        {
            found.push(format!("{table}.{name}: no foreign key to {target}"));
        }
        found
    }

    fn index_departure(&self, table: &str, index: &Value) -> Option<String> {
        let columns: Vec<String> =
            index["columns"].as_array().unwrap().iter().map(|c| c.as_str().unwrap().to_owned()).collect();
        let method = text(index, "method");
        let there =
            self.indexes.iter().any(|(of, by, begins)| of == table && by == method && begins.starts_with(&columns));
        (!there).then(|| format!("{table}: no {method} index begins with {columns:?}"))
    }
}

fn table_departures(name: &str, table: &Value, (secured, partitioned): &(bool, Option<String>)) -> Vec<String> {
    let mut found = Vec::new();
    if table["row_level_security"] == true && !secured {
        found.push(format!("{name}: row-level security is off"));
    }
    if let Some(column) = table["partitioned_by"].as_str()
        && partitioned.as_deref() != Some(&format!("RANGE ({column})"))
    {
        found.push(format!("{name}: not partitioned by range of {column}"));
    }
    found
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap()
}

fn stands_for(wanted: &str) -> &'static [&'static str] {
    match wanted {
        "UUID" => &["uuid"],
        "TEXT" => &["text", "citext"],
        "TIMESTAMPTZ" => &["timestamptz"],
        "JSONB" => &["jsonb"],
        "INTEGER" => &["int4", "int8"],
        "BOOLEAN" => &["bool"],
        "DECIMAL" => &["numeric"],
        "DATE" => &["date"],
        "TEXT[]" => &["_text"],
        other => panic!("data-model.json names a type nobody knows: {other}"),
    }
}

#[tokio::test]
async fn every_table_column_type_key_index_and_partition_of_the_data_model_exists() {
    let db = TestDatabase::new().await;
    let model: Value = serde_json::from_str(MODEL).unwrap();
    let tables = model.as_array().unwrap();
    let columns: usize = tables.iter().map(|table| table["columns"].as_array().unwrap().len()).sum();
    assert_eq!((tables.len(), columns), (31, 305), "the snapshot itself must be whole");
    let departures = Catalogue::read(&db.admin().await).await.departures(&model);
    assert!(departures.is_empty(), "{}", departures.join("\n"));
}

#[tokio::test]
async fn a_schema_that_departs_from_the_data_model_is_told_by_name() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let spoil = "alter table contacts drop column job_title;
                 alter table contacts alter column lead_source type varchar;
                 drop index campaigns_mail_date_idx;
                 alter table gift_cards disable row level security;
                 alter table recipients drop constraint recipients_contact_id_fkey;
                 alter type postage rename value 'standard' to 'marketing'";
    admin.batch_execute(spoil).await.unwrap();
    let departures = Catalogue::read(&admin).await.departures(&serde_json::from_str(MODEL).unwrap());
    assert_eq!(
        departures,
        [
            "public.campaigns.postage: the enum postage lacks \"standard\"",
            "public.campaigns: no btree index begins with [\"mail_date\"]",
            "public.recipients.contact_id: no foreign key to public.contacts",
            "public.contacts.job_title: the column is missing",
            "public.contacts.lead_source: is varchar, the model says TEXT",
            "public.gift_cards: row-level security is off",
        ]
    );
}
