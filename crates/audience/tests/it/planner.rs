//! How the database finds the contacts of a chunk.

use crate::test_app;

/// Statistics that know one client only, with every contact there is.
const OTHERS: &str = "
    insert into contacts (id, client_id, customer_code, email, phone, mobile_phone, match_key)
    select gen_random_uuid(), $1, 'OTHER' || n, 'person' || n || '@example.com', '+1614555' || n, '+1740555' || n, 'key ' || n
    from generate_series(1000, 9000) as n";

#[tokio::test]
async fn contacts_of_a_client_newer_than_the_statistics_are_looked_up_by_the_index_of_what_is_looked_for() {
    let test = test_app().await;
    let admin = test.database.admin().await;
    admin.execute(OTHERS, &[&test.story.acme.id]).await.unwrap();
    admin.batch_execute("analyze contacts").await.unwrap();
    let newcomer = test.story.corner.id;
    for (name, index) in [
        ("MATCH_BY_EMAIL", "contacts_email_idx"),
        ("MATCH_BY_PHONE", "contacts_mobile_phone_idx"),
        ("MATCH_BY_NAME_ADDRESS", "contacts_match_key_idx"),
        ("MATCH_BY_CODE", "contacts_customer_code_key"),
    ] {
        let statement = database::statements().find(|statement| statement.name.ends_with(name)).unwrap();
        let begin = format!(
            "begin; {}; set local role ace_app;
             select app.stage_import_rows(); prepare matching as {}",
            testkit::entering(&format!("client:{newcomer}")),
            statement.sql
        );
        admin.batch_execute(&begin).await.unwrap();
        let explain = format!("explain (costs off) execute matching('{newcomer}')");
        let plan = admin.query(&explain, &[]).await.unwrap();
        let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
        admin.batch_execute("rollback; deallocate matching").await.unwrap();
        let plan = plan.join("\n");
        assert!(plan.contains(index) && !plan.contains("contacts_client_id_id_key"), "{name}:\n{plan}");
    }
}
