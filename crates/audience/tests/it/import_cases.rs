//! Files as people export them, in `fixtures/contacts`: who they become, and who may be written to.

use audience::import::{self, Dedupe, ImportOptions, OnDuplicate, source};
use testkit::TestApp;
use uuid::Uuid;
use web::Method;

use crate::imports::{came_of, options, run};
use crate::{count, test_app};

macro_rules! case {
    ($name:literal) => {
        &include_bytes!(concat!("../../../../fixtures/contacts/", $name, ".csv"))[..]
    };
}

/// First name, last name, company, e-mail, code of everybody, in order of their names.
async fn people(test: &TestApp, client_id: Uuid) -> Vec<String> {
    let sql = "select concat_ws('|', coalesce(first_name, ''), coalesce(last_name, ''), coalesce(company, ''), coalesce(email, ''),
            coalesce(city, ''), coalesce(zip, '')) from contacts where client_id = $1";
    let rows = test.database.admin().await.query(sql, &[&client_id]).await.unwrap();
    sorted(rows.iter().map(|row| row.get::<_, String>(0)))
}

fn sorted<T: Into<String>>(people: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut people: Vec<String> = people.into_iter().map(Into::into).collect();
    people.sort();
    people
}

async fn refused(test: &TestApp, file: impl Into<bytes::Bytes>, options: ImportOptions) -> String {
    let actor = test.operator();
    let client_id = test.story.acme.id;
    import::run_now(&test.app, &actor, client_id, (options, source::bytes(file)), |_| {}).await.unwrap_err().to_string()
}

#[tokio::test]
async fn people_are_people_companies_are_companies_and_types_are_no_codes() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    assert_eq!(came_of(&run(&test, acme, options("c02.csv"), case!("c02-quickbooks-customer")).await), [2, 0, 0, 0, 0]);
    assert_eq!(
        people(&test, acme).await,
        sorted(["Ruth|Mason||ruth@c02.example||", "Harbor|Dental||office@c02.example||"])
    );
    let bright = test.story.bright.id;
    assert_eq!(
        came_of(&run(&test, bright, options("c14.csv"), case!("c14-companies-as-names")).await),
        [6, 0, 0, 0, 0]
    );
    assert_eq!(
        people(&test, bright).await,
        sorted([
            "||Acme Holdings, LLC||Columbus|43215",
            "||Johnson & Sons, Inc.||Columbus|43215",
            "Ruth|Mason|||Columbus|43215",
            "Cher||||Columbus|43215",
            "John|Smith Jr.|||Columbus|43215",
            "MARIA|DE LA CRUZ|||Columbus|43215"
        ])
    );
    let corner = test.story.corner.id;
    assert_eq!(came_of(&run(&test, corner, options("c33.csv"), case!("c33-customer-type")).await), [4, 0, 0, 0, 0]);
}

#[tokio::test]
async fn of_several_blocks_the_filled_one_counts_and_labels_do_not() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    assert_eq!(came_of(&run(&test, acme, options("c04.csv"), case!("c04-google-2024")).await)[0], 2);
    assert_eq!(
        people(&test, acme).await,
        sorted([
            "Ole|Berg|Berg Bakery|ole@c04.example|Columbus|43215",
            "Ida|Falk|Berg Bakery|ida@c04.example|Columbus|43215"
        ])
    );
    let blocks = "First Name,Last Name,Business Street,Business City,Business Postal Code,Home Street,Home City,Home Postal Code\n\
        Ada,Lee,,,,1 Oak St,Rome,43215\nBo,Hall,2 Elm St,Bonn,43216,,,\n";
    run(&test, test.story.bright.id, options("blocks.csv"), blocks).await;
    assert_eq!(people(&test, test.story.bright.id).await, ["Ada|Lee|||Rome|43215", "Bo|Hall|||Bonn|43216"]);
}

#[tokio::test]
async fn ids_that_differ_in_case_only_are_two_people_and_opt_outs_of_salesforce_are_kept() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    assert_eq!(
        came_of(&run(&test, acme, options("c05.csv"), case!("c05-salesforce-api-names")).await),
        [2, 0, 0, 0, 0]
    );
    let stopped = "select count(*) from contacts where email = 'ruth@c05.example' and email_opt_out and sms_opt_out and zip = '43215'";
    assert_eq!(count(&test, stopped).await, 1);
    assert_eq!(
        count(&test, "select count(*) from contacts where email_opt_out or sms_opt_out or do_not_contact").await,
        1
    );
    let report = run(&test, test.story.bright.id, options("c06.csv"), case!("c06-salesforce-report")).await;
    assert_eq!((report.rows_created, report.rows_refused), (2, 4));
    assert_eq!(
        count(&test, "select count(*) from contacts where email = 'ruth@c06.example' and email_opt_out").await,
        1
    );
}

#[tokio::test]
async fn what_stands_above_and_below_a_table_is_nobody() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    assert_eq!(came_of(&run(&test, acme, options("c15.csv"), case!("c15-sep-line")).await), [2, 0, 0, 0, 0]);
    assert_eq!(
        people(&test, acme).await,
        sorted(["Ruth|Mason||ruth@c15.example|Columbus|", "Ole|Berg||ole@c15.example|Dayton|"])
    );
    let titled = run(&test, test.story.bright.id, options("c16.csv"), case!("c16-title-above")).await;
    assert_eq!(came_of(&titled), [2, 0, 0, 1, 0]);
    assert_eq!(people(&test, test.story.bright.id).await[1], "Ruth|Mason||ruth@c16.example|Columbus|");
}

#[tokio::test]
async fn a_quote_that_never_closes_is_reported_and_swallows_nobody() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let import = run(&test, acme, options("c34.csv"), case!("c34-open-quote-last-column")).await;
    assert_eq!(came_of(&import), [8, 0, 0, 1, 0]);
    assert_eq!(count(&test, "select line_number from import_refusals where reason like 'a quote%'").await, 3);
}

#[tokio::test]
async fn an_export_imported_elsewhere_is_the_same_contacts_as_often_as_one_likes() {
    let test = test_app().await;
    run(&test, test.story.acme.id, options("c41.csv"), case!("c41-round-trip")).await;
    let tagged = "email,tags,Notes,custom_fields\nrt9@p.example,vip; roof,'=x,\"{\"\"a\"\":\"\"1\"\",\"\"note\"\":\"\"n\"\"}\"\n";
    run(&test, test.story.acme.id, options("tags.csv"), tagged).await;
    let of = "select string_agg((to_jsonb(c) - array['id', 'client_id', 'created_at', 'updated_at', 'created_by_user_id'])::text ||
        coalesce((select string_agg(tag, ',' order by tag) from contact_tags t where t.contact_id = c.id), ''), E'\\n' order by customer_code)
        from contacts c where client_id = $1";
    let admin = test.database.admin().await;
    let held = async |client_id: Uuid| admin.query_one(of, &[&client_id]).await.unwrap().get::<_, String>(0);
    let mut keys = [(test.story.acme.id, &test.story.acme.key), (test.story.corner.id, &test.story.corner.key)];
    for _ in 0..2 {
        let csv = test.api(Method::GET, "/v1/contacts/export").bearer(keys[0].1).await.expect_status(200).text();
        let wanted = ImportOptions { on_duplicate: Some(OnDuplicate::Update), ..options("back.csv") };
        let import = run(&test, keys[1].0, wanted, csv.clone()).await;
        assert_eq!(import.rows_refused, 0, "{csv}");
        assert_eq!(held(keys[0].0).await, held(keys[1].0).await, "{csv}");
        keys.reverse();
    }
    assert_eq!(count(&test, "select count(*) from contacts where custom_fields ? 'membership_no'").await, 4);
    assert_eq!(count(&test, "select count(*) from contacts where custom_fields ? 'custom_fields'").await, 0);
}

#[tokio::test]
async fn whoever_refused_in_any_words_is_written_to_no_more() {
    let test = test_app().await;
    for (n, (header, no, yes)) in [
        ("Unsubscribed", "2024-05-01", ""),
        ("Subscribed", "FALSE", "TRUE"),
        ("Email Marketing Status", "Cleaned", "Subscribed"),
        ("Email Marketing Status", "Non-Subscribed", "Subscribed"),
        ("Marketing consent", "denied", "granted"),
        ("Do Not Mail", "X", ""),
        ("Do Not Contact", "1", "0"),
        ("Email status", "blocklisted", "active"),
        ("Status", "Unsubscribed", "Subscribed"),
        ("accepts_marketing", "no", "yes"),
        ("Newsletter", "Abgemeldet", "Angemeldet"),
        ("Opted out of email: News", "true", ""),
        ("GDPR consent", "Withdrawn", "Given"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("email,{header}\nno{n}@p.example,{no}\nyes{n}@p.example,{yes}\n");
        run(&test, test.story.acme.id, options("consent.csv"), file).await;
        let stopped = format!(
            "select count(*) from contacts where email = 'no{n}@p.example' and (email_opt_out or do_not_contact)"
        );
        assert_eq!(count(&test, &stopped).await, 1, "{header}={no}");
        let free = format!(
            "select count(*) from contacts where email = 'yes{n}@p.example' and not (email_opt_out or do_not_contact or sms_opt_out)"
        );
        assert_eq!(count(&test, &free).await, 1, "{header}={yes}");
    }
}

#[tokio::test]
async fn a_note_that_says_no_and_nothing_else_is_a_no() {
    let test = test_app().await;
    let file = "First Name,Last Name,Email,Comments\nAnn,Sto,annsto@mailbox.org,DO NOT CONTACT\n\
        Bob,Sto,bobsto@mailbox.org,Unsubscribed\nCy,Sto,cysto@mailbox.org,Please call before you stop by\n\
        Di,Sto,disto@mailbox.org,do not text\n";
    run(&test, test.story.acme.id, options("notes.csv"), file).await;
    for (who, stopped) in [
        ("annsto", "do_not_contact"),
        ("bobsto", "email_opt_out and not do_not_contact"),
        ("cysto", "not (do_not_contact or email_opt_out or sms_opt_out)"),
        ("disto", "sms_opt_out and not email_opt_out"),
    ] {
        let sql =
            format!("select count(*) from contacts where email = '{who}@mailbox.org' and notes <> '' and {stopped}");
        assert_eq!(count(&test, &sql).await, 1, "{who}");
    }
    assert_eq!(count(&test, "select count(*) from import_refusals where reason like '%stops%'").await, 3);
}

#[tokio::test]
async fn what_only_a_person_can_tell_is_asked_by_name_and_nothing_is_imported_before() {
    let test = test_app().await;
    let file = "email,Newsletter\na@p.example,weekly\nb@p.example,monthly\n";
    let said = refused(&test, file, options("news.csv")).await;
    assert!(said.contains("Newsletter=email_opt_in") && said.contains("Newsletter=skip"), "{said}");
    let codes = "email,Customer ID\na@p.example,R1X\nb@p.example,R1X\nc@p.example,R2X\nd@p.example,R1X\n";
    assert!(refused(&test, codes, options("codes.csv")).await.contains("Customer ID=customer_code"));
    let headless = "Ruth,Mason,ruth@p.example\nOle,Berg,ole@p.example\n";
    assert!(refused(&test, headless, options("headless.csv")).await.contains("header=no"));
    assert!(refused(&test, "email,name\n", options("only.csv")).await.contains("no row below"));
    assert_eq!(count(&test, "select count(*) from imports").await, 0);
    assert_eq!(count(&test, "select count(*) from contacts").await, 0);
    let mut answered = options("news.csv");
    answered.map("Newsletter=email_opt_out").unwrap();
    run(&test, test.story.acme.id, answered, file).await;
    assert_eq!(count(&test, "select count(*) from contacts where email_opt_out").await, 2);
    let mut without = ImportOptions { header: Some(false), ..options("headless.csv") };
    for map in ["#1=first_name", "#2=last_name"] {
        without.map(map).unwrap();
    }
    run(&test, test.story.corner.id, without, headless).await;
    assert_eq!(people(&test, test.story.corner.id).await[1], "Ruth|Mason||ruth@p.example||");
}

#[tokio::test]
async fn a_file_whose_rows_would_mostly_be_lost_in_each_other_stops_until_that_is_said_to_be_meant() {
    let test = test_app().await;
    let rows: String = (0..9).map(|n| format!("Pat{n},Lee,office@p.example\n")).collect();
    let file = format!("First Name,Last Name,Email\n{rows}");
    let said = refused(&test, file.clone(), options("one.csv")).await;
    assert!(said.contains("8 of 9 rows repeat") && said.contains("allow_repeats"), "{said}");
    let by_name = ImportOptions { dedupe: Some(Dedupe::CustomerCode), ..options("one.csv") };
    assert_eq!(came_of(&run(&test, test.story.acme.id, by_name, file.clone()).await)[0], 9);
    let meant = ImportOptions { allow_repeats: Some(true), ..options("one.csv") };
    assert_eq!(came_of(&run(&test, test.story.corner.id, meant, file).await), [1, 0, 8, 0, 0]);
}

#[tokio::test]
async fn suffixes_and_placeholders_make_nobody_somebody_else() {
    let test = test_app().await;
    let suffixes = "First Name,Last Name,Suffix,Address,City,State,ZIP\nJohn,Lee,Jr.,1 Oak St,Rome,OH,43215\nJohn,Lee,Sr.,1 Oak St,Rome,OH,43215\n";
    assert_eq!(came_of(&run(&test, test.story.acme.id, options("jr.csv"), suffixes).await)[0], 2);
    let nobody =
        "First Name,Last Name,Email,Phone\nAda,Lee,none@none.com,614-555-5555\nBo,Hall,none@none.com,614-555-5555\n";
    for dedupe in [Dedupe::Email, Dedupe::Phone] {
        let wanted = ImportOptions { dedupe: Some(dedupe), ..options("none.csv") };
        let client_id = if dedupe == Dedupe::Email { test.story.bright.id } else { test.story.corner.id };
        assert_eq!(came_of(&run(&test, client_id, wanted, nobody).await), [2, 0, 0, 0, 2]);
    }
}

#[tokio::test]
async fn short_rows_extensions_and_limits_in_characters() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let name = "é".repeat(400);
    let file = format!(
        "email,first name,last name,phone,city,state,zip,ID\na@p.example,Ada,Lee\nb@p.example,{name},Hall,(614) 555-0101 x12,Rome,OH,43215,1\n"
    );
    assert_eq!(came_of(&run(&test, acme, options("short.csv"), file).await), [2, 0, 0, 0, 1]);
    let kept = "select count(*) from contacts where phone = '+16145550101' and custom_fields = '{\"id\": \"1\", \"phone_extension\": \"12\"}'";
    assert_eq!(count(&test, kept).await, 1);
}

#[tokio::test]
async fn people_are_found_however_their_names_are_typed() {
    let test = test_app().await;
    let (acme, key) = (test.story.acme.id, &test.story.acme.key);
    run(
        &test,
        acme,
        options("n.csv"),
        "first name,last name\nJosé,Núñez\nAnn,O’Brien\nZoe\u{308},Straße\nIda,O'Brien\n",
    )
    .await;
    for (typed, found) in [
        ("nunez", 1),
        ("NÚÑEZ", 1),
        ("nun\u{303}ez", 1),
        ("obrien", 2),
        ("o'brien", 2),
        ("O’Brien", 2),
        ("zoë", 1),
        ("strasse", 1),
        ("nunes", 0),
    ] {
        let text: String = typed.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let reply =
            test.api(Method::GET, &format!("/v1/contacts?q={text}")).bearer(key).await.expect_status(200).json();
        assert_eq!(reply["data"].as_array().unwrap().len(), found, "{typed}");
    }
}
