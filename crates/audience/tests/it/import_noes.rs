//! A no in a file stops the person who says it, whatever else happens to the row.

use audience::import::{ImportOptions, OnDuplicate};
use testkit::TestApp;
use uuid::Uuid;

use crate::imports::{came_of, options, run};
use crate::{count, test_app};

fn doing(filename: &str, on_duplicate: OnDuplicate) -> ImportOptions {
    ImportOptions { on_duplicate: Some(on_duplicate), ..options(filename) }
}

/// What each person of a client has refused: `Ada: all email`.
async fn noes(test: &TestApp, client_id: Uuid) -> Vec<String> {
    let sql = "select first_name || ':' || case when do_not_contact then ' all' else '' end
            || case when email_opt_out then ' email' else '' end || case when sms_opt_out then ' sms' else '' end
        from contacts where client_id = $1 order by first_name, created_at, id";
    let rows = test.database.admin().await.query(sql, &[&client_id]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn a_no_is_taken_over_and_counted_whatever_happens_to_the_values() {
    let test = test_app().await;
    for (client_id, on_duplicate) in [
        (test.story.acme.id, OnDuplicate::Skip),
        (test.story.bright.id, OnDuplicate::Update),
        (test.story.corner.id, OnDuplicate::Create),
    ] {
        let first = "First Name,Last Name,Email,Unsubscribed\nAda,Lee,ada@a.example,No\nBo,Hall,bo@a.example,No\n";
        assert_eq!(run(&test, client_id, doing("a.csv", on_duplicate), first).await.opt_outs, 0);
        let later = "First Name,Last Name,Email,Unsubscribed\nAda,Lee,ada@a.example,Yes\nBo,Hall,bo@a.example,No\n";
        let import = run(&test, client_id, doing("b.csv", on_duplicate), later).await;
        assert_eq!(import.opt_outs, 1, "{on_duplicate:?}");
        let ada = format!("select count(*) from contacts where client_id = '{client_id}' and first_name = 'Ada'");
        let all = count(&test, &ada).await;
        assert_eq!(count(&test, &format!("{ada} and email_opt_out")).await, all, "{on_duplicate:?}");
        let told = format!(
            "select count(*) from contact_consents where client_id = '{client_id}' and not granted and channel = 'email'"
        );
        assert_eq!(count(&test, &told).await, all);
        assert_eq!(run(&test, client_id, doing("b.csv", on_duplicate), later).await.opt_outs, 0, "nothing is new");
        assert_eq!(count(&test, &told).await, all);
    }
    assert!(!noes(&test, test.story.acme.id).await.contains(&"Bo: email".to_owned()));
}

#[tokio::test]
async fn of_two_lines_about_one_person_either_may_say_no() {
    let test = test_app().await;
    let file = "First Name,Last Name,Email,Unsubscribed\nAda,Lee,ada@a.example,No\nBo,Hall,bo@a.example,No\nAda,Lee,ada@a.example,Yes\n";
    let import = run(&test, test.story.acme.id, options("twice.csv"), file).await;
    assert_eq!((import.opt_outs, noes(&test, test.story.acme.id).await), (1, vec!["Ada: email".into(), "Bo:".into()]));
    // both lines are about one contact who was there already, and the last of them says nothing
    let bright = test.story.bright.id;
    run(&test, bright, options("one.csv"), "name,phone,cell\nAda Lee,614 555 0123,614 555 0199\n").await;
    let lines = "name,phone,Do Not Call\nAda Lee,614 555 0123,Yes\nAda Lee,614 555 0199,No\n";
    run(&test, bright, doing("two.csv", OnDuplicate::Update), lines).await;
    assert_eq!(noes(&test, bright).await, ["Ada: sms"]);
}

#[tokio::test]
async fn a_refused_row_does_not_take_its_no_with_it() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let first = "Customer Code,First Name,Last Name,Email,Mobile,Do Not Mail,Unsubscribed\nC-100,Ada,Lee,ada@a.example,,No,No\n\
        C-101,Bo,Hall,bo@a.example,,No,No\nC-102,Cy,Roe,cy@a.example,,No,No\n";
    run(&test, acme, options("first.csv"), first).await;
    let long = "x".repeat(501);
    let refused = format!(
        "Customer Code,First Name,Last Name,Email,Mobile,Do Not Mail,Unsubscribed\n#N/A,Ada,Lee,ada@a.example,,Yes,No\n\
        C-101,{long},Hall,bo@a.example,,No,Yes\nC-102,Cy,Roe,cy@a.example,,No,Yes,extra\n\
        !,Di,Poe,di@a.example,614 555 0104,Yes,No\n!,Ev,Moe,ev@a.example,,No,No\n"
    );
    let import = run(&test, acme, options("refused.csv"), refused).await;
    assert_eq!((came_of(&import), import.opt_outs), ([0, 0, 0, 5, 0], 5));
    assert_eq!(noes(&test, acme).await, ["Ada: all", "Bo: email", "Cy: email"]);
    // whom nobody has yet is kept by address
    let kept = "select string_agg(channel || ' ' || address || ' ' || reason, ', ' order by channel) from suppressed_addresses";
    let row = test.database.admin().await.query_one(kept, &[]).await.unwrap();
    assert_eq!(row.get::<_, String>(0), "email di@a.example opted_out, sms +16145550104 opted_out");
    let told = "select count(*) from import_refusals where reason like '%; its opt-out is kept for %@a.example'";
    assert_eq!(count(&test, told).await, 4);
    // elsewhere nobody knows of it
    assert_eq!(
        count(&test, &format!("select count(*) from suppressed_addresses where client_id <> '{acme}'")).await,
        0
    );
}

#[tokio::test]
async fn a_no_by_post_reaches_the_same_person_under_another_code_and_nobody_else() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let first = "Customer ID,First Name,Last Name,Email,Address,City,State,Zip\nA-100,Ada,Lee,lee@a.example,12 Oak St,Columbus,OH,43215\n\
        A-101,Bo,Lee,lee@a.example,12 Oak St,Columbus,OH,43215\nA-102,Cy,Roe,,12 Oak St,Columbus,OH,43215\n";
    run(&test, acme, options("a.csv"), first).await;
    let later = "Customer ID,First Name,Last Name,Email,Address,City,State,Zip,Do Not Mail\n\
        B-1,Ada,Lee,lee@a.example,,,,,Yes\nB-2,Cy,Roe,,12 Oak Street,Columbus,OH,43215,Yes\n";
    let import = run(&test, acme, options("b.csv"), later).await;
    assert_eq!(import.opt_outs, 2);
    assert_eq!(noes(&test, acme).await, ["Ada: all", "Ada: all", "Bo:", "Cy: all", "Cy: all"]);
}

#[tokio::test]
async fn a_code_given_later_is_that_of_the_person_with_the_same_email_and_name() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    run(&test, acme, options("a.csv"), "Email,First Name,Last Name\nada@a.example,Ada,Lee\nbo@a.example,Bo,Hall\n")
        .await;
    let coded = "Customer ID,Email,First Name,Last Name,Do Not Mail\nC-1001,ada@a.example,Ada,Lee,Yes\n\
        C-1002,bo@a.example,Maria,Roe,No\n";
    let import = run(&test, acme, options("b.csv"), coded).await;
    assert_eq!((came_of(&import), import.opt_outs), ([1, 1, 0, 0, 0], 1));
    assert_eq!(noes(&test, acme).await, ["Ada: all", "Bo:", "Maria:"]);
    let ada = "select count(*) from contacts where customer_code = 'C-1001' and email = 'ada@a.example'";
    assert_eq!(count(&test, ada).await, 1);
    // a second code of the client's is a second person
    let other = "Customer ID,Email,First Name,Last Name\nC-2001,ada@a.example,Ada,Lee\n";
    assert_eq!(came_of(&run(&test, acme, options("c.csv"), other).await), [1, 0, 0, 0, 0]);
    assert_eq!(came_of(&run(&test, acme, options("b.csv"), coded).await), [0, 0, 2, 0, 0]);
}

#[tokio::test]
async fn accents_make_no_second_person_and_the_no_finds_the_first() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let first = "First Name,Last Name,Address,City,State,Zip\nJosé,Núñez,12 Oak Street,Columbus,OH,43215\n";
    run(&test, acme, options("a.csv"), first).await;
    for name in ["Jose,Nunez", "Jose\u{301},Nu\u{301}n\u{303}ez"] {
        let later = format!(
            "First Name,Last Name,Address,City,State,Zip,Do Not Mail\n{name},12 Oak St,Columbus,OH,43215,Yes\n"
        );
        assert_eq!(run(&test, acme, options("b.csv"), later).await.rows_created, 0, "{name}");
    }
    assert_eq!(noes(&test, acme).await, ["José: all"]);
    // keys from before are made like new ones, whichever way the accents were typed
    let sql = include_str!("../../../../migrations/V33__imp.sql");
    let update = &sql[sql.find("update contacts").unwrap()..];
    let admin = test.database.admin().await;
    let key = "select match_key from contacts where customer_code = (select min(customer_code) from contacts where last_name in ('Núñez', $1))";
    let split = "Nu\u{301}n\u{303}ez";
    let wanted: String = admin.query_one(key, &[&split]).await.unwrap().get(0);
    for (first, last, old) in [("José", "Núñez", "josé núñez"), ("Jose\u{301}", split, "jose nu n ez")] {
        let before = "update contacts set first_name = $1, last_name = $2, match_key = $3 || substring(match_key from '[|].*') where match_key = $4";
        assert_eq!(admin.execute(before, &[&first, &last, &old, &wanted]).await.unwrap(), 1);
        admin.batch_execute(update).await.unwrap();
        assert_eq!(admin.query_one(key, &[&split]).await.unwrap().get::<_, String>(0), wanted, "{last}");
    }
}

#[tokio::test]
async fn a_file_that_is_called_like_people_who_refused_is_asked_about() {
    let test = test_app().await;
    let (acme, actor) = (test.story.acme.id, test.operator());
    let file = "Email Address,First Name,Last Name\nada@a.example,Ada,Lee\nbo@a.example,Bo,Hall\n";
    for name in
        ["unsubscribed_contacts.csv", "nonsubscribed_email_audience_export_ab12cd.csv", "Bounced 2026.csv", "dnc.csv"]
    {
        let source = audience::import::source::bytes(file);
        let refused = audience::import::run_now(&test.app, &actor, acme, (options(name), source), |_| {}).await;
        assert!(refused.unwrap_err().to_string().contains("*=email_opt_out"), "{name}");
    }
    let mut answered = options("unsubscribed_contacts.csv");
    answered.map("*=email_opt_out").unwrap();
    run(&test, acme, answered, file).await;
    assert_eq!(noes(&test, acme).await, ["Ada: email", "Bo: email"]);
    let mut may = options("unsubscribed_contacts.csv");
    may.map("*=skip").unwrap();
    run(&test, test.story.bright.id, may, file).await;
    assert_eq!(noes(&test, test.story.bright.id).await, ["Ada:", "Bo:"]);
    // each row says it by itself
    let told = "Email Address,First Name,UNSUB_TIME\nada@a.example,Ada,2024-05-01\n";
    run(&test, test.story.corner.id, options("unsubscribed_contacts.csv"), told).await;
    assert_eq!(noes(&test, test.story.corner.id).await, ["Ada: email"]);
}

#[tokio::test]
async fn what_is_refused_in_words_stops_what_it_says_and_nobody_else() {
    let test = test_app().await;
    let file = |header: &str, cells: [&str; 4]| {
        let names = ["Ada,Lee", "Bo,Hall", "Cy,Roe", "Di,Poe"];
        let rows = names
            .iter()
            .zip(cells)
            .map(|(name, cell)| format!("{},{name},\"{cell}\"\n", name.replace(',', "@a.") + ".example"));
        format!("Email,First Name,Last Name,{header}\n{}", rows.collect::<String>())
    };
    let all = |wanted: [&str; 4]| {
        ["Ada:", "Bo:", "Cy:", "Di:"].iter().zip(wanted).map(|(name, no)| format!("{name}{no}")).collect::<Vec<_>>()
    };
    for (header, cells, wanted) in [
        ("Customer Status", ["Active", "Active", "Active", "Do Not Contact"], ["", "", "", " all email"]),
        (
            "Subscription status",
            ["Subscribed", "Unsubscribed", "Do not contact", "Do Not Mail"],
            ["", " email", " all email", " all email"],
        ),
        ("Flag", ["", "", "", "Do not mail"], ["", "", "", " all"]),
        ("Privacy Flags", ["", "No Mail", "", ""], ["", " all", "", ""]),
        ("Requests", ["", "", "No calls", ""], ["", "", " sms", ""]),
        ("Email status", ["", "", "", "Unsubscribed"], ["", "", "", " email"]),
        ("Tags", ["", "", "vip", "Unsubscribed"], ["", "", "", " email"]),
        ("Tags", ["vip,Unsubscribed", "do not contact; roof", "vip", ""], [" email", " all", "", ""]),
        ("Communication Restrictions", ["Do Not Mail, Do Not Call", "", "", ""], [" all sms", "", "", ""]),
        (
            "Notes",
            ["Unsubscribed 5/1/2024", "Please do not contact again", "call first", ""],
            [" email", " all", "", ""],
        ),
    ] {
        let client_id = test.story.acme.id;
        test.database.admin().await.execute("delete from contacts where client_id = $1", &[&client_id]).await.unwrap();
        let import = run(&test, client_id, options("words.csv"), file(header, cells)).await;
        assert_eq!(import.rows_created, 4, "{header}");
        // "do not contact" also stops e-mail where the column is about it
        let found: Vec<String> = noes(&test, client_id).await;
        assert_eq!(found, all(wanted), "{header} {cells:?}");
    }
}

#[tokio::test]
async fn an_address_that_stands_line_by_line_is_one() {
    let test = test_app().await;
    let file = "Customer,Bill to 1,Bill to 2,Bill to 3,Bill to 4,Bill to 5,Ship to 1,Ship to 2,Ship to 3\n\
        \"Lee, Ada\",Ada Lee,12 Oak St,\"Columbus, OH 43215\",,,Ada Lee,9 Elm St,\"Dayton, OH 45402\"\n\
        Bo Hall,Hall Roofing,Attn: Bo,14 Oak St,Suite 5,\"Columbus, OH 43215\",,,\n";
    run(&test, test.story.acme.id, options("desktop.csv"), file).await;
    let held = "select string_agg(concat_ws('|', address, address2, city, state, zip), ', ' order by first_name) from contacts";
    let found: String = test.database.admin().await.query_one(held, &[]).await.unwrap().get(0);
    assert_eq!(found, "12 Oak St|Columbus|OH|43215, 14 Oak St|Suite 5|Columbus|OH|43215");
}

#[tokio::test]
async fn an_export_says_who_refused_and_an_old_note_in_it_does_not() {
    let test = test_app().await;
    let file = "customer_code,first_name,last_name,email,lifecycle_stage,engagement_score,notes,email_opt_out,custom_fields.mail\n\
        C-100,Ada,Lee,ada@a.example,lead,0,Unsubscribed,false,do not mail\nC-101,Bo,Hall,bo@a.example,lead,0,,true,\n";
    run(&test, test.story.acme.id, options("export.csv"), file).await;
    assert_eq!(noes(&test, test.story.acme.id).await, ["Ada:", "Bo: email"]);
}

#[tokio::test]
async fn whoever_leaves_a_column_out_has_not_left_out_do_not_mail() {
    let test = test_app().await;
    for (client_id, answer) in [(test.story.acme.id, "skip"), (test.story.bright.id, "lifecycle_stage")] {
        let file = "Email,First Name,Last Name,Status\nada@a.example,Ada,Lee,Customer\nbo@a.example,Bo,Hall,Lead\n\
            cy@a.example,Cy,Roe,Do Not Mail\ndi@a.example,Di,Poe,Do Not Contact\n";
        let mut options = options("status.csv");
        options.map(&format!("Status={answer}")).unwrap();
        run(&test, client_id, options, file).await;
        assert_eq!(noes(&test, client_id).await, ["Ada:", "Bo:", "Cy: all", "Di: all"], "{answer}");
    }
}

#[tokio::test]
async fn a_no_far_below_in_an_empty_column_is_asked_about() {
    let test = test_app().await;
    let actor = test.operator();
    for (header, cell) in [
        ("Newsletter", "No"),
        ("Email Marketing Status", "Non-marketing contact"),
        ("Marketing", "denied"),
        ("SMS", "N"),
    ] {
        let mut file = format!("Email,First Name,Last Name,{header}\n");
        file.extend((0..2100).map(|n| format!("p{n}@a.example,P{n},L{n},\n")));
        file.push_str(&format!("zz@a.example,Zed,Zulu,{cell}\n"));
        let source = audience::import::source::bytes(file);
        let import = audience::import::upload(&test.app, &actor, test.story.acme.id, "far.csv", source).await.unwrap();
        let plan = audience::import::plan_of(&import).unwrap();
        let is_taken = plan.targets[3].to_string().starts_with("email_opt");
        assert!(
            is_taken || plan.questions().iter().any(|question| question.column.as_deref() == Some(header)),
            "{header}"
        );
    }
}
