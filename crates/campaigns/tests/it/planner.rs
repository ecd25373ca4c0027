//! How the database makes the recipients of a launch.

use crate::world::World;

/// Members of lists that the statistics know: everybody there is.
const OTHERS: &str = "
    with made as (
        insert into contacts (id, client_id, customer_code)
        select gen_random_uuid(), $1, 'OTHER' || n
        from generate_series(1000, 9000) as n
        returning id),
    listed as (
        insert into contact_lists (id, client_id, name)
        values (gen_random_uuid(), $1, 'Others')
        returning id)
    insert into contact_list_members (id, client_id, list_id, contact_id)
    select gen_random_uuid(), $1, listed.id, made.id
    from made
    cross join listed";

#[tokio::test]
async fn a_client_newer_than_the_statistics_is_launched_along_its_list_and_codes_are_not_compared_each_with_each() {
    let world = World::with(3, 3).await;
    world.admin.execute(OTHERS, &[&world.test.story.corner.id]).await.unwrap();
    world.admin.batch_execute("analyze contacts, contact_lists, contact_list_members").await.unwrap();
    let generate = database::statements().find(|statement| statement.name.ends_with("recipients::GENERATE")).unwrap();
    let newcomer = world.test.story.bright.id;
    let begin = format!(
        "begin; {}; set local role ace_app;
         select app.plan_for_any_client(); prepare generating as {}",
        testkit::entering(&format!("client:{newcomer}")),
        generate.sql
    );
    world.admin.batch_execute(&begin).await.unwrap();
    let explain = format!(
        "explain (costs off) execute generating(
             '{newcomer}', '{newcomer}', '{newcomer}', '{newcomer}', 5000, '{{}}', '{{}}', '{{}}', '{{}}', now())"
    );
    let plan = world.admin.query(&explain, &[]).await.unwrap();
    let plan: Vec<String> = plan.iter().map(|row| row.get(0)).collect();
    world.admin.batch_execute("rollback; deallocate generating").await.unwrap();
    let plan = plan.join("\n");
    assert!(plan.contains("contact_list_members_list_id_contact_id_key"), "{plan}");
    assert!(plan.contains("Hash Full Join") || plan.contains("Merge Full Join"), "{plan}");
}
