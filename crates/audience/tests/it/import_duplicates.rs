//! Whom a file is about: contacts recognised, left alone or updated, and nobody made twice.

use audience::import::{Dedupe, ImportOptions, OnDuplicate};
use testkit::TestApp;

use crate::imports::{came_of, everything, options, run};
use crate::{count, test_app};

fn updating(filename: &str) -> ImportOptions {
    ImportOptions { on_duplicate: Some(OnDuplicate::Update), list_name: Some("All".into()), ..options(filename) }
}

async fn address_of(test: &TestApp, last_name: &str) -> (String, Option<String>) {
    let sql = "select address, address2 from contacts where last_name = $1";
    let row = test.database.admin().await.query_one(sql, &[&last_name]).await.unwrap();
    (row.get(0), row.get(1))
}

#[tokio::test]
async fn people_known_by_a_mobile_alone_are_recognised_by_it_in_either_column() {
    let test = test_app().await;
    let (acme, corner) = (test.story.acme.id, test.story.corner.id);
    let file = "name,cell\nAda Lee,(614) 555-0123\nBo Lee,614 555 0199\n";
    assert_eq!(came_of(&run(&test, acme, options("cells.csv"), file).await), [2, 0, 0, 0, 0]);
    let before = everything(&test).await;
    assert_eq!(came_of(&run(&test, acme, options("cells.csv"), file).await), [0, 0, 2, 0, 0]);
    assert_eq!(before, everything(&test).await);
    let as_phone = run(&test, acme, options("phones.csv"), "name,phone\nAda Lee,+16145550123\n").await;
    assert_eq!(came_of(&as_phone), [0, 0, 1, 0, 0]);
    // a number that is new beside one that is known
    let both = "name,phone,cell\nAda Lee,614 555 0100,614 555 0123\nAda Lee,,614 555 0100\n";
    assert_eq!(came_of(&run(&test, acme, updating("both.csv"), both).await), [0, 2, 0, 0, 0]);
    assert_eq!(count(&test, "select count(*) from contacts where phone = '+16145550100'").await, 1);
    // elsewhere they are strangers
    assert_eq!(came_of(&run(&test, corner, options("cells.csv"), file).await), [2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn numbers_that_cannot_exist_make_no_two_people_one() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let file = "name,phone\nAda Lee,+1\nBo Lee,+1\nCy Lee,+\nDi Lee,+\n";
    assert_eq!(came_of(&run(&test, acme, options("odd.csv"), file).await), [4, 0, 0, 0, 4]);
    assert_eq!(came_of(&run(&test, acme, options("odd.csv"), file).await), [0, 0, 4, 0, 4]);
}

#[tokio::test]
async fn an_address_given_on_one_line_replaces_both_lines_and_the_person_is_recognised_again() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let old = "first name,last name,address,address2,city,state,zip\nAda,Lee,12 Oak St,Apt 5,Columbus,OH,43215\n\
        Bo,Hall,12 Oak St,Apt 6,Columbus,OH,43215\n";
    run(&test, acme, options("old.csv"), old).await;
    let new = "first name,last name,address,city,state,zip\nAda,Lee,12 Oak Street Apt. 5,Columbus,OH,43215\n";
    assert_eq!(came_of(&run(&test, acme, updating("new.csv"), new).await), [0, 1, 0, 0, 0]);
    assert_eq!(address_of(&test, "Lee").await, ("12 Oak Street Apt. 5".into(), None));
    assert_eq!(came_of(&run(&test, acme, updating("new.csv"), new).await), [0, 0, 1, 0, 0]);
    assert_eq!(came_of(&run(&test, acme, updating("old.csv"), old).await), [0, 1, 1, 0, 0]);
    assert_eq!(address_of(&test, "Lee").await, ("12 Oak St".into(), Some("Apt 5".into())));
    // both in one file come to the same
    let both = "first name,last name,address,address2,city,state,zip\nAda,Lee,12 Oak St,Apt 5,Columbus,OH,43215\n\
        Ada,Lee,12 Oak St #5,,Columbus,OH,43215\n";
    run(&test, acme, updating("both.csv"), both).await;
    assert_eq!(address_of(&test, "Lee").await, ("12 Oak St #5".into(), None));
    assert_eq!(count(&test, "select count(*) from contacts").await, 2);
}

#[tokio::test]
async fn a_street_written_otherwise_keeps_its_unit_and_another_street_does_not() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    let old =
        "email,last name,address,address2\nada@example.com,Lee,12 Oak St,Apt 5\nbo@example.com,Hall,12 Oak St,Apt 6\n";
    run(&test, acme, options("old.csv"), old).await;
    let new = "email,address\nada@example.com,12 Oak Street\nbo@example.com,9 Elm St\n";
    assert_eq!(came_of(&run(&test, acme, updating("new.csv"), new).await), [0, 2, 0, 0, 0]);
    assert_eq!(address_of(&test, "Lee").await, ("12 Oak Street".into(), Some("Apt 5".into())));
    assert_eq!(address_of(&test, "Hall").await, ("9 Elm St".into(), None));
}

#[tokio::test]
async fn contacts_that_are_left_alone_get_no_tags_either() {
    let test = test_app().await;
    let acme = test.story.acme.id;
    run(&test, acme, options("one.csv"), "email,tags\nada@example.com,old\n").await;
    let file = "email,tags\nada@example.com,new\nbo@example.com,new\n";
    run(&test, acme, options("two.csv"), file).await;
    assert_eq!(count(&test, "select count(*) from contact_tags where tag = 'new'").await, 1);
    run(&test, acme, updating("two.csv"), file).await;
    assert_eq!(count(&test, "select count(*) from contact_tags where tag = 'new'").await, 2);
}

#[tokio::test]
async fn a_file_of_many_chunks_run_again_changes_nobody_even_where_its_rows_repeat_each_other() {
    let test = TestApp::with(|settings| settings.import.batch_rows = 3, audience::routes).await;
    // every person comes twice, in different chunks; the second row adds what the first leaves out
    let mut file = String::from("email,name,cell,address,address2,city,state,zip,roof,stage,do not email,tags\n");
    for (phone, roof) in [(true, ""), (false, "slate")] {
        for n in 0..10 {
            let cell = if phone { format!("614 555 01{n:02}") } else { String::new() };
            file.push_str(&format!(
                "p{n}@example.com,Pat{n} Lee,{cell},{n} Oak St,#{n},Columbus,OH,43215,{roof},mql,{},vip\n",
                if n == 4 { "yes" } else { "no" }
            ));
        }
    }
    for (client_id, dedupe) in [
        (test.story.acme.id, Dedupe::Email),
        (test.story.bright.id, Dedupe::NameAddress),
        (test.story.corner.id, Dedupe::CustomerCode),
    ] {
        let wanted = ImportOptions { dedupe: Some(dedupe), ..updating("chunks.csv") };
        let first = run(&test, client_id, wanted.clone(), file.clone()).await;
        let made = if dedupe == Dedupe::CustomerCode { [20, 0, 0, 0, 0] } else { [10, 10, 0, 0, 0] };
        assert_eq!((first.status.as_str(), came_of(&first)), ("finished", made), "{dedupe:?}");
        let before = everything(&test).await;
        test.clock().advance(chrono::Duration::seconds(7));
        let again = run(&test, client_id, wanted, file.clone()).await;
        assert_eq!(came_of(&again), [0, 0, 20, 0, 0], "{dedupe:?}");
        assert_eq!(before, everything(&test).await, "{dedupe:?}");
    }
}

#[tokio::test]
async fn columns_of_one_name_are_both_kept() {
    let test = test_app().await;
    let file = "email,Remark about roof,remark about ROOF\nada@example.com,slate,leaks\n";
    run(&test, test.story.acme.id, options("twice.csv"), file).await;
    let kept = "select count(*) from contacts
        where custom_fields = '{\"remark_about_roof\": \"slate\", \"remark_about_roof_2\": \"leaks\"}'";
    assert_eq!(count(&test, kept).await, 1);
    let mut wanted = options("twice.csv");
    wanted.map("#2=custom_fields.roof").unwrap();
    wanted.map("#3=custom_fields.roof").unwrap();
    let (actor, source) = (test.operator(), audience::import::source::bytes(file));
    let refused = audience::import::start(&test.app, &actor, test.story.acme.id, wanted, source).await.unwrap_err();
    assert!(refused.to_string().contains("custom_fields.roof is chosen for two columns"), "{refused}");
}

/// First names of everybody, and whether they have the e-mail they share.
async fn first_names(test: &TestApp, client_id: uuid::Uuid) -> String {
    let sql = "select coalesce(string_agg(first_name, ',' order by first_name), '') from contacts where client_id = $1";
    test.database.admin().await.query_one(sql, &[&client_id]).await.unwrap().get(0)
}

const COUPLE: &str = "First Name,Last Name,Email,Cell,ZIP\nJohn,Doe,doe@example.com,614-555-0140,43215\n\
    Ada,Lee,ada@example.com,614-555-0141,43215\nMary,Doe,DOE@example.com,614-555-0140,43216\nJ.,Doe,doe@example.com,,43217\n\
    Bo,Lee,bo@example.com,614-555-0142,43215\n";

#[tokio::test]
async fn people_who_share_an_address_stay_people_of_their_own_however_often_and_in_whatever_pieces_they_come() {
    for (batch_rows, dedupe) in [(5000, Dedupe::Email), (1, Dedupe::Email), (5000, Dedupe::Phone), (1, Dedupe::Phone)] {
        let test = TestApp::with(|settings| settings.import.batch_rows = batch_rows, audience::routes).await;
        let acme = test.story.acme.id;
        let wanted = ImportOptions { dedupe: Some(dedupe), ..updating("couple.csv") };
        // J. Doe without a number is John by e-mail, and somebody of the row's own by phone
        let (made, merged) = if dedupe == Dedupe::Email { (4, 1) } else { (5, 0) };
        let first = run(&test, acme, wanted.clone(), COUPLE).await;
        assert_eq!(came_of(&first), [made, merged, 0, 0, 1], "{batch_rows} {dedupe:?}");
        assert!(first_names(&test, acme).await.contains("John") || dedupe == Dedupe::Email);
        let told = format!(
            "select count(*) from import_refusals where line_number = 4 and not refused and reason like
            'the {} of %John Doe% under another name: kept as another person'",
            if dedupe == Dedupe::Email { "e-mail" } else { "phone" }
        );
        assert_eq!(count(&test, &told).await, 1, "{batch_rows} {dedupe:?}");
        let before = everything(&test).await;
        test.clock().advance(chrono::Duration::seconds(7));
        assert_eq!(run(&test, acme, wanted.clone(), COUPLE).await.rows_created, 0, "{batch_rows} {dedupe:?}");
        assert_eq!(count(&test, "select count(*) from contacts").await, made);
        if dedupe == Dedupe::Email && batch_rows > 1 {
            assert_eq!(before, everything(&test).await);
        }
        // Mary alone is Mary, and her new street is hers
        let mary = "First Name,Last Name,Email,Cell,Address\nMary,Doe,doe@example.com,614-555-0140,9 Elm St\n";
        assert_eq!(came_of(&run(&test, acme, wanted, mary).await)[..2], [0, 1]);
        assert_eq!(
            count(&test, "select count(*) from contacts where first_name = 'Mary' and address = '9 Elm St'").await,
            1
        );
    }
}

#[tokio::test]
async fn one_code_is_one_persons_and_whoever_says_that_rows_may_repeat_gets_one_person_of_each_address() {
    let test = test_app().await;
    let (acme, bright) = (test.story.acme.id, test.story.bright.id);
    let file = "Customer Code,First Name,Email\nAB-1,Ada,x@example.com\nAB-2,Bo,x@example.com\nAB-1,Cy,c@example.com\n\
        AB-3,Di,d@example.com\n";
    let mut by_code = updating("codes.csv");
    by_code.map("Customer Code=customer_code").unwrap();
    assert_eq!(came_of(&run(&test, acme, by_code, file).await), [3, 0, 0, 1, 0]);
    assert_eq!(first_names(&test, acme).await, "Ada,Bo,Di");
    let reason = "select count(*) from import_refusals where refused and line_number = 4 and reason like
        'the customer code of line 2 (Ada) under another name%' and raw like 'AB-1,Cy%'";
    assert_eq!(count(&test, reason).await, 1);
    // a code is made to outlive a name
    run(&test, acme, updating("married.csv"), "Customer Code,First Name\nAB-1,Adele\n").await;
    assert_eq!(first_names(&test, acme).await, "Adele,Bo,Di");
    let meant = ImportOptions { allow_repeats: Some(true), ..updating("couple.csv") };
    run(&test, bright, meant, COUPLE).await;
    assert_eq!(count(&test, "select count(*) from contacts where email = 'doe@example.com'").await, 1);
}

#[tokio::test]
async fn the_preview_tells_who_shares_an_address_and_on_which_lines() {
    let test = test_app().await;
    let key = &test.story.acme.key;
    let uploaded = test
        .api(web::Method::POST, "/v1/imports?filename=couple.csv&start=false")
        .bearer(key)
        .body("text/csv", COUPLE)
        .await
        .expect_status(201)
        .json();
    let path = format!("/v1/imports/{}/preview", uploaded["id"].as_str().unwrap());
    let preview = test.api(web::Method::GET, &path).bearer(key).await.expect_status(200).json();
    assert_eq!((preview["repeated"].as_i64(), preview["apart"].as_i64()), (Some(2), Some(1)));
    let said = preview["problems"][0]["reason"].as_str().unwrap();
    assert!(said.contains("line 2 (John Doe)") && preview["problems"][0]["line"] == 4, "{preview}");
    let page = format!("/acme-roofing/imports/{}/preview", uploaded["id"].as_str().unwrap());
    let html = test.get(&page).as_user(&test.story.acme_owner).await.expect_status(200).text();
    assert!(html.contains("People who share an address") && html.contains("1 row has an earlier row"), "{html}");
}

/// A contact as a form without a link leaves it behind.
async fn made_by_a_stranger(test: &TestApp, client_id: uuid::Uuid) -> uuid::Uuid {
    let admin = test.database.admin().await;
    let ids = [(); 3].map(|()| kernel::new_id());
    let [contact_id, form_id, submission_id] = ids;
    let sql = "insert into contacts (id, client_id, customer_code, first_name, email, phone, lead_source, unconfirmed)
               values ($1, $2, 'C-FORM', 'Vera', 'vera@example.com', '+16145550166', 'form',
                 array['vera@example.com', '+16145550166'])";
    admin.execute(sql, &[&contact_id, &client_id]).await.unwrap();
    let sql =
        "insert into ace_forms (id, client_id, name, form_config) values ($1, $2, 'Inspection', '{\"fields\": []}')";
    admin.execute(sql, &[&form_id, &client_id]).await.unwrap();
    let sql = "insert into ace_form_submissions (id, client_id, form_id, contact_id, unconfirmed, submitted_at)
               values ($1, $2, $3, $4, '{\"email\": \"vera@example.com\", \"phone\": \"+16145550166\"}', '2026-03-01')";
    admin.execute(sql, &[&submission_id, &client_id, &form_id, &contact_id]).await.unwrap();
    contact_id
}

#[tokio::test]
async fn a_contact_that_only_a_stranger_told_of_is_filled_by_the_file_and_loses_the_strangers_phone() {
    let file = "email,first name,last name,address,city,state,zip,tags,email_opt_out\n\
        vera@example.com,Vera,Victim,12 Oak St,Columbus,OH,43215,customer,yes\n\
        bo@example.com,Bo,Hall,9 Elm St,Columbus,OH,43215,,\n";
    for import in [options("skip.csv"), updating("update.csv")] {
        let test = test_app().await;
        let acme = test.story.acme.id;
        made_by_a_stranger(&test, acme).await;
        let import = ImportOptions { dedupe: Some(Dedupe::Email), ..import };
        assert_eq!(came_of(&run(&test, acme, import.clone(), file).await), [1, 1, 0, 0, 0]);
        let filled = "select count(*) from contacts where email = 'vera@example.com' and last_name = 'Victim'
                      and address = '12 Oak St' and num_nonnulls(phone, mobile_phone) = 0 and match_key is not null
                      and email_opt_out and unconfirmed = array['+16145550166']";
        assert_eq!(count(&test, filled).await, 1);
        assert_eq!(count(&test, "select count(*) from contact_tags where tag = 'customer'").await, 1);
        assert_eq!(
            count(&test, "select count(*) from contact_consents where channel = 'email' and not granted").await,
            1
        );
        // known now: the next file leaves it alone, or changes it as any other
        let again = file.replace("12 Oak St", "14 Oak St");
        let updates = import.on_duplicate == Some(OnDuplicate::Update);
        let expected = if updates { [0, 1, 1, 0, 0] } else { [0, 0, 2, 0, 0] };
        assert_eq!(came_of(&run(&test, acme, import, again).await), expected);
    }
}

#[tokio::test]
async fn what_a_stranger_said_is_on_file_once_a_file_or_staff_says_it_too() {
    let test = test_app().await;
    let (acme, owner) = (test.story.acme.id, &test.story.acme_owner);
    let id = made_by_a_stranger(&test, acme).await;
    let unconfirmed =
        async || count(&test, "select cardinality(unconfirmed)::int8 from contacts where phone is not null").await;
    let page = async || {
        let html = test.get(&format!("/acme-roofing/contacts/{id}")).as_user(owner).await.expect_status(200).text();
        let at = html.find("Not confirmed").map(|at| html[at..].to_owned());
        at.map(|rest| (rest.contains("vera@example.com"), rest.contains("(614) 555-0166")))
    };
    assert_eq!((unconfirmed().await, page().await), (2, Some((true, true))));

    // what is not about the phone says nothing of it
    let patch = |body: serde_json::Value| {
        test.api_json(web::Method::PATCH, &format!("/v1/contacts/{id}"), &body).bearer(&test.story.acme.key)
    };
    patch(serde_json::json!({ "notes": "called" })).await.expect_status(200);
    assert_eq!(unconfirmed().await, 2);
    patch(serde_json::json!({ "email": "vera@example.com" })).await.expect_status(200);
    assert_eq!((unconfirmed().await, page().await), (1, Some((false, true))));
    let told =
        "select count(*) from audit_log where action = 'contact.updated' and after -> 'confirmed' ? 'vera@example.com'";
    assert_eq!(count(&test, told).await, 1);
    let import = ImportOptions { dedupe: Some(Dedupe::Email), ..updating("phones.csv") };
    let file = "email,phone\nvera@example.com,(614) 555-0166\n";
    assert_eq!(came_of(&run(&test, acme, import, file).await), [0, 1, 0, 0, 0]);
    assert_eq!((unconfirmed().await, page().await), (0, None));
}
