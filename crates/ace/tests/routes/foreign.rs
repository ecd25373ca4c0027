//! What is another tenant's: the same answers as for what does not exist, and nothing of it changes.

use testkit::Reply;
use testkit::story::Tenant;
use uuid::Uuid;
use web::{Access, Kind, Method, RouteSpec};

use crate::walk::{Told, Walk, held, is_about_real_rows, name, permission, reaches_all, shorten, told, within_reach};

/// What a reply says, without what is different in every reply.
fn essence(reply: &Reply, path: &str) -> String {
    let mut text = reply.text().replace(path, "PATH");
    let id = reply.header("x-request-id").to_owned();
    if !id.is_empty() {
        text = text.replace(&id, "REQUEST");
    }
    format!("{} {text}", reply.status)
}

#[tokio::test]
async fn another_tenants_client_is_the_same_as_one_that_does_not_exist() {
    let walk = Walk::new().await;
    let corner = walk.test.story.corner.clone();
    let nobody = Tenant { id: Uuid::from_u128(7), slug: "nobody-at-all", ..corner.clone() };
    let mut wrong = Vec::new();
    for person in walk.test.story.one_in_each_role() {
        let held = held(&walk.admin, person.role).await;
        for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_))) {
            let reads = spec.method == Method::GET;
            let path = walk.path(spec, &corner);
            if reaches_all(person.role) {
                if reads {
                    let reply = walk.ask(spec, &path, Some(person), corner.id).await;
                    let (told, expected) = (told(spec, &reply), within_reach(spec, &held));
                    if told != expected {
                        wrong.push(format!("{} as {}: {told:?}, not {expected:?}", name(spec), person.role));
                    }
                }
                continue;
            }
            let foreign = walk.ask(spec, &path, Some(person), corner.id).await;
            let nowhere = walk.path(spec, &nobody);
            let missing = walk.ask(spec, &nowhere, Some(person), nobody.id).await;
            let same = essence(&foreign, &path) == essence(&missing, &nowhere);
            if told(spec, &foreign) != Told::NothingHere || !same {
                wrong.push(format!("{} as {}: {} {}", name(spec), person.role, foreign.status, shorten(&foreign)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A row of another tenant under one's own client's path: its id alone opens nothing.
#[tokio::test]
async fn another_tenants_rows_are_not_found_under_ones_own_client() {
    let walk = Walk::new().await;
    let (acme, corner) = (walk.test.story.acme.clone(), walk.test.story.corner.clone());
    let mut wrong = Vec::new();
    let mut tried = 0;
    for person in [&walk.test.story.agency_owner, &walk.test.story.acme_owner] {
        let held = held(&walk.admin, person.role).await;
        for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_))) {
            let about_a_row = spec.path.matches('{').count() > usize::from(spec.kind == Kind::Page);
            let real = is_about_real_rows(spec) && about_a_row;
            if !real || permission(spec).is_some_and(|permission| !held.contains(permission)) {
                continue;
            }
            let path = walk.path(spec, &corner).replace(corner.slug, acme.slug);
            let mut reply = walk.ask(spec, &path, Some(person), acme.id).await;
            if reply.status == 303 {
                // to a page about the row: it is not found there
                let target = reply.location().to_owned();
                reply = walk.test.get(&target).as_user(person).await;
            }
            tried += 1;
            // what is refused before anything is looked up is as good
            if !["404", "400", "415", "422"].contains(&reply.status.as_str()) {
                wrong.push(format!("{} as {}: {} {}", name(spec), person.role, reply.status, shorten(&reply)));
            }
        }
    }
    assert!(tried > 60, "there must be routes for this test to mean anything, not {tried}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// A key reaches its client and nothing else, whoever it says it asks for.
#[tokio::test]
async fn an_api_key_reaches_its_own_client_only() {
    let walk = Walk::new().await;
    let (acme, corner) = (walk.test.story.acme.clone(), walk.test.story.corner.clone());
    let mut let_in = 0;
    for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Client(_)) && spec.kind == Kind::Api) {
        if spec.method != Method::GET {
            continue;
        }
        let own = walk.test.api(Method::GET, &walk.path(spec, &acme)).bearer(&acme.key).for_client(acme.id).await;
        assert!([Told::LetIn, Told::NotAllowed].contains(&told(spec, &own)), "{}: {}", name(spec), own.status);
        let_in += usize::from(told(spec, &own) == Told::LetIn);
        let foreign =
            walk.test.api(Method::GET, &walk.path(spec, &corner)).bearer(&acme.key).for_client(corner.id).await;
        assert_eq!(told(spec, &foreign), Told::NothingHere, "{}: {}", name(spec), foreign.text());
    }
    assert!(let_in > 20, "there must be routes for this test to mean anything, not {let_in}");
}

/// What belongs to Corner Auto outside of its client's tables.
const OF_CORNER: &str = "
    select md5(concat(
        (select jsonb_agg(to_jsonb(o)) from organizations o where o.id = $1),
        (select jsonb_agg(to_jsonb(c) order by c.id) from clients c where c.org_id = $1),
        (select jsonb_agg(to_jsonb(i) order by i.id) from invitations i where i.org_id = $1),
        (select jsonb_agg(to_jsonb(m) order by m.id) from client_users m join clients c on c.id = m.client_id where c.org_id = $1),
        (select jsonb_agg(to_jsonb(r) order by r.id) from user_roles r where r.user_id = any ($2)),
        (select jsonb_agg(to_jsonb(u) order by u.id) from auth.users u where u.id = any ($2))))";

/// The path of an account's route with what belongs to Corner Auto, and with what nobody has; `None` when it is about
/// neither people nor organizations.
fn of_corner_and_of_nobody(spec: &RouteSpec, walk: &Walk, invitation: Uuid) -> Option<[String; 2]> {
    let story = &walk.test.story;
    let mut paths = [String::new(), String::new()];
    let mut before = "";
    for part in spec.path.trim_start_matches('/').split('/') {
        let nobody = Uuid::from_u128(7).to_string();
        let words = match (before, part) {
            ("organizations", "{org}") => ["corner-auto-org".to_owned(), "nobody-at-all".to_owned()],
            ("organizations", "{id}") => [story.corner_org.to_string(), nobody],
            ("clients", "{id}") => [story.corner.id.to_string(), nobody],
            ("users", "{id}") => [story.corner_owner.id.to_string(), nobody],
            ("invitations", "{id}") => [invitation.to_string(), nobody],
            (_, part) if part.starts_with('{') => return None,
            (_, part) => [part.to_owned(), part.to_owned()],
        };
        for (path, word) in paths.iter_mut().zip(words) {
            path.push_str(&format!("/{word}"));
        }
        before = part;
    }
    (paths[0] != paths[1]).then_some(paths)
}

/// What a route may want to be told before it looks for anything.
fn filled_in(spec: &RouteSpec) -> serde_json::Value {
    if spec.path.ends_with("/role") {
        serde_json::json!({ "role": "developer" })
    } else if spec.method == Method::PATCH {
        serde_json::json!({ "name": "Taken over" })
    } else {
        serde_json::json!({})
    }
}

/// People and organizations have no client in their path: each handler finds them, or does not.
#[tokio::test]
async fn another_tenants_people_and_organizations_are_the_same_as_none() {
    let walk = Walk::new().await;
    let story = &walk.test.story;
    let invitation = Uuid::from_u128(9);
    let invite = "insert into invitations (id, org_id, client_id, email, role, token_hash, invited_by, expires_at)
                  values ($1, $2, $3, 'new@example.com', 'developer', 'x', $4, '2036-01-01')";
    let invited: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
        [&invitation, &story.corner_org, &story.corner.id, &story.corner_owner.id];
    walk.admin.execute(invite, &invited).await.unwrap();
    let people = [&story.corner_owner, &story.corner_developer, &story.corner_agent].map(|person| person.id);
    let before: String = walk.admin.query_one(OF_CORNER, &[&story.corner_org, &&people[..]]).await.unwrap().get(0);
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for person in story.one_in_each_role().into_iter().filter(|person| !reaches_all(person.role)) {
        let held = held(&walk.admin, person.role).await;
        let may = |spec: &&RouteSpec| permission(spec).is_none_or(|permission| held.contains(permission));
        for spec in walk.table().iter().filter(|spec| matches!(spec.access, Access::Account(_))).filter(may) {
            let Some(paths) = of_corner_and_of_nobody(spec, &walk, invitation) else { continue };
            let mut answers = Vec::new();
            for path in &paths {
                let reply = match (spec.kind, &spec.method) {
                    (Kind::Api, method) if *method != Method::GET => {
                        walk.test.api_json(method.clone(), path, &filled_in(spec)).as_user(person).await
                    }
                    (Kind::Page, method) if *method != Method::GET => {
                        let fields = [("name", "Taken over"), ("email", "x@example.com"), ("role", "company_owner")];
                        walk.test.post_form(path, &fields).as_user(person).await
                    }
                    _ => walk.ask(spec, path, Some(person), story.acme.id).await,
                };
                answers.push((essence(&reply, path), reply.status.as_u16(), shorten(&reply)));
            }
            tried += 1;
            if answers[0].0 != answers[1].0 || answers[0].1 != 404 {
                wrong.push(format!(
                    "{} as {}: {} {}, of nobody {}",
                    name(spec),
                    person.role,
                    answers[0].1,
                    answers[0].2,
                    answers[1].1
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 20, "there must be routes for this test to mean anything, not {tried}");
    let after: String = walk.admin.query_one(OF_CORNER, &[&story.corner_org, &&people[..]]).await.unwrap().get(0);
    assert_eq!(after, before, "something of Corner Auto changed");
}
