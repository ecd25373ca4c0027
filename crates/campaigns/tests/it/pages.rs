//! The console: a person goes through the wizard without JavaScript, launches, and looks at what came of it.

use web::Method;

use crate::world::World;

const BASE: &str = "/acme-roofing/campaigns";

#[tokio::test]
async fn a_person_goes_through_the_wizard_step_by_step_and_launches() {
    let world = World::with(12, 40).await;
    let owner = &world.test.story.acme_owner;
    // with the version of the page, where it is one that has a form
    let post = async |path: &str, fields: &[(&str, &str)]| world.test.edit(owner, (path, path), &fields).await;
    let page = world.test.get(&format!("{BASE}/new")).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("Homeowners (12 contacts)"), "{page}");
    let nameless = post(BASE, &[("name", " "), ("contact_list_id", "")]).await.expect_status(422);
    assert!(nameless.text().contains("name is required"));
    let list = world.list_id.to_string();
    let made = post(BASE, &[("name", "New"), ("contact_list_id", &list)]).await.expect_status(303);
    let edit = format!("{BASE}/new-1/edit");
    assert_eq!(made.location(), format!("{edit}/design"), "the word `new` belongs to the wizard itself");
    let review = world.test.get(&format!("{edit}/review")).as_user(owner).await.expect_status(200).text();
    assert!(review.contains(&format!("{edit}/design#f-template_id")), "what is missing leads to its field: {review}");
    assert!(!review.contains("data-confirm-yes=\"Launch campaign\""), "no button before everything is there");
    let early = post(&format!("{BASE}/new-1/launch"), &[]).await.expect_status(422);
    assert!(early.text().contains("Choose a mail piece, or say that there is none."), "{}", early.text());

    let template = world.template_id.to_string();
    let fields = [("size", "6x9"), ("template_id", template.as_str()), ("mail_date", "soon")];
    let wrong = post(&format!("{edit}/design"), &fields).await.expect_status(422).text();
    assert!(wrong.contains("a date such as 2026-03-31") && wrong.contains("value=\"soon\""), "{wrong}");
    let fields = [("size", "6x9"), ("template_id", template.as_str()), ("mail_date", "2026-03-31")];
    assert_eq!(post(&format!("{edit}/design"), &fields).await.expect_status(303).location(), format!("{edit}/page"));
    let landing_page = world.landing_page_id.to_string();
    let fields = [("lp_mode", "bridge"), ("landing_page_id", landing_page.as_str())];
    assert_eq!(
        post(&format!("{edit}/page"), &fields).await.expect_status(303).location(),
        format!("{edit}/conditions")
    );
    conditions(&world, &edit).await;

    let review = world.test.get(&format!("{edit}/review")).as_user(owner).await.expect_status(200).text();
    assert!(review.contains("Makes 12 recipients") && review.contains("Promises 24 gift cards."), "{review}");
    let launched = post(&format!("{BASE}/new-1/launch"), &[]).await.expect_status(303);
    assert_eq!(launched.location(), format!("{BASE}/new-1/launch"));
    follow_the_launch(&world).await;
}

/// Adds two conditions, moves them, and is told of an unknown tag with everything typed kept.
async fn conditions(world: &World, edit: &str) {
    let owner = &world.test.story.acme_owner;
    let path = format!("{edit}/conditions");
    let pool = world.pool_id.to_string();
    let fields = |act: &str, sms: &str| -> Vec<(String, String)> {
        let columns = [
            ("condition_name", ["Estimate asked", "Called us"]),
            ("trigger_type", ["form_submit", "call"]),
            ("crm_event_name", ["", ""]),
            ("time_delay_hours", ["", ""]),
            ("form_id", ["", ""]),
            ("gift_card_pool_id", [&pool, &pool]),
            ("reward_description", ["", ""]),
            ("delivery_channel", ["choice", "sms"]),
            ("sms_template", [sms, "{{code}}"]),
            ("email_subject", ["", ""]),
            ("email_template", ["", ""]),
        ];
        let mut fields = vec![("cards_per_reward".to_owned(), String::new()), ("act".to_owned(), act.to_owned())];
        let pairs =
            columns.iter().flat_map(|(name, values)| values.iter().map(|value| (name.to_string(), value.to_string())));
        fields.extend(pairs);
        fields
    };
    let version = world.test.get(&path).as_user(owner).await.version();
    let send = async |fields: &[(String, String)]| {
        world.test.post_form(&path, &fields).and("version", &version).as_user(owner).await
    };
    let empty = send(&[("act".into(), "add".into())]).await.expect_status(200).text();
    assert!(empty.contains("1. Form submitted") && empty.contains("data-sms-counter"), "{empty}");
    let moved = send(&fields("up:1", "Hi")).await.expect_status(200).text();
    assert!(moved.find("1. Called us").unwrap() < moved.find("2. Estimate asked").unwrap());
    let refused = send(&fields("save", "{{frist_name}} hello")).await;
    let refused = refused.expect_status(422).text();
    assert!(refused.contains("href=\"#f-conditions-0-sms_template\""), "{refused}");
    assert!(refused.contains("{{frist_name}} hello"), "what was typed is kept");
    let saved = send(&fields("save", "Hi {{first_name|there}}")).await;
    assert_eq!(saved.expect_status(303).location(), format!("{edit}/review"));
    let late = send(&fields("save", "Hello {{first_name|there}}")).await.expect_status(422);
    let text = late.text();
    assert!(text.contains(">Hi {{first_name|there}}</pre>") && text.contains("Hello {{first_name|there}}"), "{text}");
}

async fn follow_the_launch(world: &World) {
    let owner = &world.test.story.acme_owner;
    let path = format!("{BASE}/new-1/launch");
    let page = world.test.get(&path).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("0 of 12") && page.contains("<title>"), "a page to come back to: {page}");
    let fragment = world.test.get(&path).as_user(owner).header("hx-request", "true").await.expect_status(200).text();
    assert!(
        fragment.starts_with("<div id=\"launch-progress\"") && fragment.contains("hx-trigger=\"every 1s\""),
        "{fragment}"
    );
    let editing = world.test.get(&format!("{BASE}/new-1/edit/design")).as_user(owner).await.expect_status(303);
    assert_eq!(editing.location(), path, "nothing is edited while it is launched");
    world.work().await;
    let done = world.test.get(&path).as_user(owner).header("hx-request", "true").await.expect_status(200);
    assert_eq!(done.header("hx-redirect"), format!("{BASE}/new-1"));
    let done = world.test.get(&path).as_user(owner).await.expect_status(303);
    assert_eq!(done.location(), format!("{BASE}/new-1"));
    let page = world.test.get(&format!("{BASE}/new-1")).as_user(owner).await.expect_status(200).text();
    assert!(page.contains("Send to production") && page.contains("12 recipients, 0 credits now."), "{page}");
    assert!(page.contains(&format!("hx-get=\"{BASE}/new-1/figures\"")), "{page}");
}

#[tokio::test]
async fn recipients_are_found_by_name_phone_and_code_and_a_mistyped_code_is_told() {
    let world = World::with(60, 90).await;
    let (id, slug) = world.launched(&world.input()).await;
    let owner = &world.test.story.acme_owner;
    let get = async |query: &str| {
        let path = format!("{BASE}/{slug}/recipients{query}");
        world.test.get(&path).as_user(owner).await.expect_status(200).text()
    };
    let first = get("").await;
    assert_eq!(first.matches("Preview the page of").count(), 50);
    let next = first.split("after=").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(get(&format!("?after={next}")).await.matches("Preview the page of").count(), 10);
    assert_eq!(get("?q=No+17").await.matches("Preview the page of").count(), 1);
    assert_eq!(get("?q=614-555-0017").await.matches("Preview the page of").count(), 1);
    let sql = "select redemption_code from recipients where campaign_id = $1 limit 1";
    let code: String = world.admin.query_one(sql, &[&id]).await.unwrap().get(0);
    assert_eq!(get(&format!("?q={}", code.to_lowercase())).await.matches("Preview the page of").count(), 1);
    let last = if code.ends_with('7') { '8' } else { '7' };
    let mistyped = get(&format!("?q={}{last}", &code[..11])).await;
    assert!(mistyped.contains("A character of that code is wrong"), "{mistyped}");
}

#[tokio::test]
async fn the_list_filters_by_status_and_searches_and_a_draft_shows_what_is_missing() {
    let world = World::with(2, 20).await;
    world.launched(&world.input()).await;
    let mut second = world.input();
    second.name = "Winter & snow".into();
    second.template_id = None;
    let (_, slug) = world.draft(&second).await;
    let owner = &world.test.story.acme_owner;
    let get =
        async |query: &str| world.test.get(&format!("{BASE}{query}")).as_user(owner).await.expect_status(200).text();
    let all = get("").await;
    assert!(all.contains("Spring 2026") && all.contains("Winter &#38; snow"), "{all}");
    let drafts = get("?status=draft").await;
    assert!(!drafts.contains("Spring 2026") && drafts.contains("Winter"));
    assert!(get("?q=nothing+like+it").await.contains("Nothing matches"));
    let draft = get(&format!("/{slug}")).await;
    assert!(draft.contains("Continue setting up") && draft.contains("Choose a mail piece"), "{draft}");
    let agent =
        world.test.get(&format!("{BASE}/{slug}")).as_user(&world.test.story.acme_agent).await.expect_status(200);
    assert!(!agent.text().contains("Continue setting up"), "an agent sees and does not edit");
    world
        .test
        .get(&format!("{BASE}/{slug}/edit/design"))
        .as_user(&world.test.story.acme_agent)
        .await
        .expect_status(403);
    world.test.post_form(&format!("{BASE}/{slug}/archive"), &()).as_user(owner).await.expect_status(303);
    assert!(!get("").await.contains("Winter"));
    let empty = world.test.get("/bright-dental/campaigns").as_user(&world.test.story.bright_owner).await;
    assert!(empty.expect_status(200).text().contains("No campaigns yet"));
}

#[tokio::test]
async fn every_page_of_a_campaign_is_drawn() {
    let world = World::with(2, 20).await;
    let mut input = world.input();
    input.conditions.push(world.condition("time_delay"));
    input.conditions[1].time_delay_hours = Some(48);
    let (_, slug) = world.launched(&input).await;
    let owner = &world.test.story.acme_owner;
    for (rest, expected) in [
        ("", "Homeowners"),
        ("/recipients", "Preview the page of"),
        ("/conditions", "Time passed: 48 hours"),
        ("/skipped", "Nobody was skipped"),
        ("/history", "Launched by Amir Acme"),
    ] {
        let page = world.test.get(&format!("{BASE}/{slug}{rest}")).as_user(owner).await.expect_status(200).text();
        assert!(page.contains(expected), "{rest}: {page}");
        assert!(page.contains("aria-current=\"page\""), "{rest} marks its tab");
    }
    let copy = world.test.post_form(&format!("{BASE}/{slug}/duplicate"), &()).as_user(owner).await.expect_status(303);
    for step in ["audience", "design", "page", "conditions", "review"] {
        let path = copy.location().replace("audience", step);
        let page = world.test.get(&path).as_user(owner).await.expect_status(200).text();
        assert!(page.contains("aria-current=\"step\""), "{step}: {page}");
    }
    let table = world.test.table();
    assert!(table.iter().filter(|spec| spec.path.starts_with("/v1/")).all(|spec| spec.doc.is_some()));
    assert!(table.iter().any(|spec| spec.method == Method::DELETE));
}
