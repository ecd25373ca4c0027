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
