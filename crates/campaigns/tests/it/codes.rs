//! Whoever has a recipient's link or code can have their card: both are masked, and opening them is an act of its own.

use std::collections::BTreeSet;

use axum::http::Method;
use campaigns::meet::{Met, Trigger};
use kernel::codes::RedemptionCode;
use messaging::Channel;
use uuid::Uuid;

use crate::world::World;

const CLIENT: &str = "/acme-roofing";

struct Printed {
    id: Uuid,
    slug: String,
    recipient: Uuid,
    code: String,
    token: String,
}

async fn printed(world: &World) -> Printed {
    let (id, slug) = world.launched(&world.input()).await;
    let sql = "select id, redemption_code, purl_token from recipients where campaign_id = $1 order by id limit 1";
    let row = world.admin.query_one(sql, &[&id]).await.unwrap();
    let code: String = row.get(1);
    let code = RedemptionCode::parse(&code).unwrap().to_string();
    Printed { id, slug, recipient: row.get(0), code, token: row.get(2) }
}

/// Whether a text gives the piece away, in any spelling.
fn gives_away(text: &str, printed: &Printed) -> bool {
    let text = text.to_uppercase();
    text.contains(&printed.code) || text.contains(&printed.code.replace('-', "")) || text.contains(&printed.token)
}

#[tokio::test]
async fn no_page_and_no_answer_shows_a_link_or_a_code_to_anybody() {
    let world = World::with(2, 20).await;
    let printed = printed(&world).await;
    let story = &world.test.story;
    let pages = [
        format!("{CLIENT}/campaigns/{}", printed.slug),
        format!("{CLIENT}/campaigns/{}/recipients", printed.slug),
        format!("{CLIENT}/recipients/{}", printed.recipient),
    ];
    for person in story.one_in_each_role() {
        for path in &pages {
            let reply = world.test.get(path).as_user(person).await.expect_status(200);
            assert!(!gives_away(&reply.text(), &printed), "{path} as {:?}", person.role);
        }
    }
    for path in [
        format!("/v1/campaigns/{}/recipients", printed.id),
        format!("/v1/campaigns/{}/recipients?q={}", printed.id, printed.code),
        format!("/v1/recipients/{}", printed.recipient),
    ] {
        let reply = world.test.api(Method::GET, &path).bearer(&story.acme.key).await.expect_status(200).text();
        let shown = reply.matches(&printed.code[10..]).count();
        assert!(!gives_away(&reply, &printed) && shown > 0, "its end tells two apart: {reply}");
    }
}

#[tokio::test]
async fn opening_a_recipients_codes_is_for_owners_and_on_record() {
    let world = World::with(2, 20).await;
    let printed = printed(&world).await;
    let story = &world.test.story;
    let audited = "select count(*) from audit_log where action = 'recipient.codes_opened' and row_id = $1";
    let page = format!("{CLIENT}/recipients/{}/codes", printed.recipient);
    for person in [&story.support, &story.acme_developer, &story.acme_agent] {
        world.test.post_form(&page, &()).as_user(person).await.expect_status(403);
    }
    assert_eq!(world.count(audited, printed.recipient).await, 0);
    let opened = world.test.post_form(&page, &()).as_user(&story.acme_owner).await.expect_status(200);
    assert!(gives_away(&opened.text(), &printed));
    assert_eq!(opened.header("cache-control"), "no-store");
    let path = format!("/v1/recipients/{}/codes", printed.recipient);
    let json = world.test.api(Method::POST, &path).bearer(&story.acme.key).await.expect_status(200).json();
    assert_eq!(json["redemption_code"], printed.code);
    assert!(json["link"].as_str().unwrap().ends_with(&format!("/r/{}", printed.token)));
    assert_eq!(world.count(audited, printed.recipient).await, 2);
    // under one key the codes are opened, and recorded, each time: no stored answer shows them without a row
    for times in 3..=4 {
        let ask = world.test.api(Method::POST, &path).bearer(&story.acme.key).header("idempotency-key", "once");
        ask.await.expect_status(200);
        assert_eq!(world.count(audited, printed.recipient).await, times);
    }
    world.test.api(Method::POST, &path).bearer(&story.corner.key).await.expect_status(404);
    world.test.get(&page).as_user(&story.acme_owner).await.expect_status(405);
}

#[tokio::test]
async fn the_mail_file_has_a_line_for_each_recipient_also_compressed_and_is_on_record() {
    let world = World::with(2_001, 2_100).await;
    let printed = printed(&world).await;
    let evil = "update recipients set first_name = '=HYPERLINK(1)' where id = $1";
    world.admin.execute(evil, &[&printed.recipient]).await.unwrap();
    let story = &world.test.story;
    let path = format!("{CLIENT}/campaigns/{}/mail-file", printed.slug);
    for person in [&story.support, &story.acme_developer, &story.acme_agent] {
        world.test.post_form(&path, &()).as_user(person).await.expect_status(403);
    }
    let overview = |who| world.test.get(path.trim_end_matches("/mail-file")).as_user(who);
    let action = format!("action=\"{path}\"");
    assert!(overview(&story.acme_owner).await.expect_status(200).text().contains(&action), "in the menu of every tab");
    assert!(!overview(&story.acme_agent).await.expect_status(200).text().contains(&action));
    let file = world.test.post_form(&path, &()).as_user(&story.acme_owner).await.expect_status(200);
    assert!(file.header("content-disposition").starts_with("attachment; filename=\"spring-2026-"));
    let text = file.text();
    assert_eq!(text.lines().count(), 2_002);
    let ids: BTreeSet<&str> = text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    assert_eq!(ids.len(), 2_001);
    let line = text.lines().find(|line| line.starts_with(&printed.recipient.to_string())).unwrap();
    assert!(line.contains(&printed.code) && line.contains(&format!("/r/{}", printed.token)), "{line}");
    assert!(line.contains(&format!("/q/{}", printed.token)) && line.contains("'=HYPERLINK(1)"), "{line}");

    let api = format!("/v1/campaigns/{}/mail-file", printed.id);
    let key = &story.acme.key;
    let packed =
        world.test.api(Method::POST, &api).bearer(key).header("accept-encoding", "gzip").await.expect_status(200);
    assert!(!packed.body.is_empty());
    assert_eq!(
        world
            .count("select count(*) from audit_log where action = 'campaign.mail_file' and row_id = $1", printed.id)
            .await,
        2
    );
    world.test.api(Method::POST, &api).bearer(&story.corner.key).await.expect_status(404);
    let (draft, _) =
        world.draft(&campaigns::actions::draft::CampaignInput { name: "Draft".into(), ..world.input() }).await;
    let refused = world.test.api(Method::POST, &format!("/v1/campaigns/{draft}/mail-file")).bearer(key).await;
    assert_eq!(refused.expect_status(409).json()["code"], "not_launched");
}

#[tokio::test]
async fn the_sixth_reward_of_a_day_to_one_address_is_kept_until_somebody_releases_it() {
    let world = World::with(8, 20).await;
    let mut input = world.input();
    input.conditions = vec![world.condition("form_submit")];
    let (id, people) = world.mailed(&input).await;
    let form = |recipient| {
        let met = world.met(id, recipient, Trigger::FormSubmit { form_id: world.form_id });
        Met { channel: Some(Channel::Email), email: Some("collector@example.com".into()), ..met }
    };
    for recipient in &people[..6] {
        world.meet(&form(*recipient)).await.unwrap();
    }
    let held = "select count(*) from messages where status = 'held' and recipient_id = $1";
    assert_eq!((world.count(held, people[4]).await, world.count(held, people[5]).await), (0, 1));
    world.work().await;
    let owner = &world.test.story.agency_owner;
    let page = format!("{CLIENT}/recipients/{}", people[5]);
    let html = world.test.get(&page).as_user(owner).await.expect_status(200).text();
    assert!(html.contains("Waits for your look") && html.contains("was not on file"), "{html}");
    let path = format!("{page}/release");
    for causes in [&world.test.story.acme_developer, &world.test.story.acme_agent] {
        world.test.post_form(&path, &()).as_user(causes).await.expect_status(403);
        let by_api =
            world.test.api(Method::POST, &format!("/v1/recipients/{}/release", people[5])).as_user(causes).await;
        assert!(by_api.expect_status(403).text().contains("campaigns.launch"), "who hands out releases nothing");
    }
    let agent = world.test.get(&page).as_user(&world.test.story.acme_agent).await.expect_status(200).text();
    assert!(agent.contains("Waits for your look") && !agent.contains("Release reward"), "no button that is refused");
    world.test.post_form(&path, &()).as_user(owner).await.expect_status(303);
    assert_eq!(world.count(held, people[5]).await, 0);
    let due = "select count(*) from jobs where kind = 'messages.send' and payload ->> 'message_id' in
                 (select id::text from messages where recipient_id = $1)";
    assert_eq!(world.count(due, people[5]).await, 1);
    let open = "select count(*) from alerts where kind = 'reward_held' and subject_id = $1 and resolved_at is null";
    assert_eq!(world.count(open, people[5]).await, 0);
    let again = world.test.api(Method::POST, &format!("/v1/recipients/{}/release", people[5]));
    assert_eq!(again.bearer(&world.test.story.acme.key).await.expect_status(409).json()["code"], "nothing_held");
    // a day later the address is free again
    world.test.clock().advance(chrono::Duration::hours(25));
    world.meet(&form(people[6])).await.unwrap();
    assert_eq!(world.count(held, people[6]).await, 0);
    world.assert_sound().await;
}
