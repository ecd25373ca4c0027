//! Files as people export them from the programs they have, in `fixtures/exports.txt`: what becomes of each cell.

use std::fmt::Write;

use audience::import::{self, ImportOptions, OnDuplicate, source};
use serde_json::Value;
use testkit::TestApp;

use crate::imports::options;
use crate::test_app;

/// Files, each with the people it must become below it, and with what is refused of it or remarked on.
const EXPORTS: &str = include_str!("../../../../fixtures/exports.txt");

/// What there is to know of everybody, in the order of the file's lines; a field that says the usual is left out.
const HELD: &str = "
    select jsonb_strip_nulls(jsonb_build_object(
        'code', case when customer_code ~ '^C[0-9A-HJKMNP-TV-Z]{12}$' then null else customer_code end,
        'first', first_name, 'last', last_name, 'email', email, 'phone', phone, 'mobile', mobile_phone,
        'company', company, 'title', job_title, 'address', address, 'address2', address2, 'city', city, 'state', state,
        'zip', zip, 'country', nullif(country, 'US'), 'stage', nullif(lifecycle_stage, 'lead'), 'source', lead_source,
        'notes', notes,
        'stops', nullif(concat(case when do_not_contact then 'all ' end, case when email_opt_out then 'email ' end,
          case when sms_opt_out then 'sms' end), ''),
        'tags', (select string_agg(tag, ',' order by tag) from contact_tags t where t.contact_id = c.id))) ||
      jsonb_build_object('custom', custom_fields)
    from contacts c
    where client_id = $1
    order by id";

/// One person in one line.
fn line(person: &Value) -> String {
    const ORDER: [&str; 18] = [
        "code", "first", "last", "email", "phone", "mobile", "company", "title", "address", "address2", "city",
        "state", "zip", "country", "stage", "source", "stops", "tags",
    ];
    let mut line = String::new();
    let mut say = |key: &str, value: &Value| {
        let text = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().replace('\n', "\\n"));
        let _ = write!(line, "{}{key}={text}", if line.is_empty() { "" } else { "; " });
    };
    for key in ORDER.iter().chain(&["notes"]).filter(|key| person.get(**key).is_some()) {
        say(key, &person[*key]);
    }
    for (key, value) in person["custom"].as_object().into_iter().flatten() {
        say(&format!("+{key}"), value);
    }
    line
}

fn encoded(text: &str, name: &str) -> Vec<u8> {
    match name {
        "utf-16le" => {
            [&[0xFF, 0xFE], text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>().as_slice()].concat()
        }
        "utf-16be-bare" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        // all of its letters have the numbers they have in Unicode
        "windows-1252" => text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect(),
        _ => text.as_bytes().to_vec(),
    }
}

/// What became of a file: a line for each person, and one for each row that was refused or remarked on.
async fn became(test: &TestApp, name: &str, file: Vec<u8>) -> Vec<String> {
    let (admin, acme) = (test.database.admin().await, test.story.acme.id);
    admin.execute("delete from contacts where client_id = $1", &[&acme]).await.unwrap();
    let mut wanted = ImportOptions { on_duplicate: Some(OnDuplicate::Update), ..options(&format!("{name}.csv")) };
    if name.starts_with("One column") {
        wanted.header = Some(false);
    }
    let (actor, work) = (test.operator(), (wanted, source::bytes(file)));
    let import = match import::run_now(&test.app, &actor, acme, work, |_| {}).await {
        Ok(import) => import,
        Err(error) => return vec![format!("not imported: {error}")],
    };
    let mut lines: Vec<String> = Vec::new();
    lines.extend(admin.query(HELD, &[&acme]).await.unwrap().iter().map(|row| line(&row.get::<_, Value>(0))));
    let said =
        "select line_number, coalesce(column_name, ''), reason, refused from import_refusals where import_id = $1
        order by line_number, id";
    for row in admin.query(said, &[&import.id]).await.unwrap() {
        let (at, column, reason): (i64, String, String) = (row.get(0), row.get(1), row.get(2));
        lines.push(format!("{} {at} {column}: {reason}", if row.get(3) { "refused" } else { "remark" }));
    }
    lines
}

#[tokio::test]
async fn every_cell_of_what_programs_export_goes_where_it_belongs() {
    let test = test_app().await;
    let mut wrong = String::new();
    for export in EXPORTS.split("\n----\n") {
        let (title, rest) = export.split_once('\n').unwrap();
        let name = title.trim_start_matches("# ");
        let (name, encoding) =
            name.split_once(" [").map_or((name, ""), |(name, rest)| (name, rest.trim_end_matches(']')));
        let (file, wanted): (Vec<&str>, Vec<&str>) = rest.lines().partition(|line| !line.starts_with("=> "));
        let wanted: Vec<&str> = wanted.iter().map(|line| line.trim_start_matches("=> ")).collect();
        let found = became(&test, name, encoded(&format!("{}\n", file.join("\n")), encoding)).await;
        if found != wanted {
            let _ = write!(wrong, "# {name}\n=> {}\n", found.join("\n=> "));
        }
    }
    assert!(wrong.is_empty(), "these became something else:\n{wrong}");
}
