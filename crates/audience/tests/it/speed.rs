//! How fast an import is beside the bare COPY of the same contacts. Run by hand:
//! `cargo nextest run -p audience --run-ignored only speed --no-capture`, with a server that has fsync on.

use std::time::Instant;

use audience::import::{self, ImportOptions, source};

use crate::{count, test_app};

const ROWS: usize = 100_000;

fn file() -> Vec<u8> {
    let mut file = String::from("email,first_name,last_name,phone,address,city,state,zip,roof age\n");
    for n in 0..ROWS {
        let (area, line) = ([614, 380, 740][n % 3], n % 10_000);
        file.push_str(&format!(
            "person.{n}@example.com,Pat{n},Lee{n},({area}) 555-{line:04},{n} Oak Street,Columbus,OH,{:05},{}\n",
            43_000 + n % 300,
            n % 40
        ));
    }
    file.into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement, not a test"]
async fn an_import_is_at_least_half_as_fast_as_the_bare_copy() {
    let test = test_app().await;
    let admin = test.database.admin().await;
    let options = ImportOptions { filename: "big.csv".into(), ..ImportOptions::default() };
    let began = Instant::now();
    let import = import::upload(&test.app, &test.operator(), test.story.acme.id, "big.csv", source::bytes(file()))
        .await
        .unwrap();
    let uploaded = began.elapsed();
    import::begin(&test.app, &test.operator(), (test.story.acme.id, import.id), &options, import::Runs::Here)
        .await
        .unwrap();
    let began = Instant::now();
    import::run(&test.app, &test.operator(), (test.story.acme.id, import.id), |_| {}).await.unwrap();
    let imported = began.elapsed();
    assert_eq!(count(&test, "select count(*) from contacts").await, ROWS as i64);
    // the same rows, from a file of the server's own, into a table with the same indexes and keys
    let setup = "create table copied (like contacts including all);
        alter table copied add foreign key (client_id) references clients, add foreign key (created_by_user_id) references auth.users;
        create temporary table source as select * from contacts order by id; checkpoint;";
    admin.batch_execute(setup).await.unwrap();
    let path = format!("/tmp/ace-speed-{}", import.id);
    admin.batch_execute(&format!("copy source to '{path}' with (format binary)")).await.unwrap();
    let began = Instant::now();
    admin.batch_execute(&format!("copy copied from '{path}' with (format binary)")).await.unwrap();
    let copied = began.elapsed();
    let rate = |time: std::time::Duration| ROWS as f64 / time.as_secs_f64();
    println!(
        "upload {:.0} rows/s, import {:.0} rows/s, bare COPY {:.0} rows/s, ratio {:.2}",
        rate(uploaded),
        rate(imported),
        rate(copied),
        rate(imported) / rate(copied)
    );
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    println!("peak memory of this process, the file included: {peak}");
    admin.batch_execute(&format!("copy (select) to program 'rm {path}'")).await.unwrap();
}
