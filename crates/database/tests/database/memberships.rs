//! The tables that policies of their own guard: who belongs where, the record, the queue. What a tenant's actor may
//! write there by any statement, whatever the application would ask first.

use testkit::Person;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use crate::tenants::{Outcome, Trial, user};

const REFUSED: Outcome = Err(SqlState::INSUFFICIENT_PRIVILEGE);

fn membership(client: Uuid, person: &Person) -> String {
    format!(
        "insert into client_users (id, client_id, user_id) values ('{}', '{client}', '{}')",
        kernel::new_id(),
        person.id
    )
}

fn removal(client: Uuid, person: &Person) -> String {
    format!("delete from client_users where client_id = '{client}' and user_id = '{}'", person.id)
}

#[tokio::test]
async fn nobody_puts_a_stranger_into_their_client_or_organization() {
    let trial = Trial::new().await;
    let (story, acme) = (&trial.story, trial.story.acme.id);
    trial.begin().await;
    for asker in trial.acmes() {
        trial.become_one(&asker).await;
        let into_org = format!(
            "insert into org_members (id, org_id, user_id) values ('{}', '{}', '{}')",
            kernel::new_id(),
            story.northside,
            story.corner_owner.id
        );
        assert_eq!(trial.try_out(&membership(acme, &story.corner_owner)).await, REFUSED, "{}: client", asker.0);
        assert_eq!(trial.try_out(&into_org).await, REFUSED, "{}: organization", asker.0);
    }
    trial.become_one(&user("admin", &story.admin)).await;
    assert_eq!(trial.try_out(&membership(acme, &story.corner_owner)).await, Ok(1));
    trial.roll_back().await;
}

#[tokio::test]
async fn people_are_taken_out_of_a_client_by_those_above_them_even_if_they_work_elsewhere_too() {
    let trial = Trial::new().await;
    let (story, acme) = (&trial.story, trial.story.acme.id);
    trial.begin().await;
    trial.admin.batch_execute(&membership(story.corner.id, &story.acme_developer)).await.unwrap();
    let removed = [
        ("agency_owner", [Ok(1), Ok(1), Ok(1)]),
        ("company_owner", [Ok(0), Ok(1), Ok(1)]),
        ("developer", [Ok(0), Ok(0), Ok(0)]),
        ("call_center", [Ok(0), Ok(0), Ok(0)]),
        ("API key", [Ok(0), Ok(0), Ok(0)]),
        ("background work", [Ok(0), Ok(0), Ok(0)]),
    ];
    for (asker, (name, expected)) in trial.acmes().iter().zip(removed) {
        assert_eq!(asker.0, name);
        trial.become_one(asker).await;
        let people = [&story.acme_owner, &story.acme_developer, &story.acme_agent];
        for (person, expected) in people.into_iter().zip(expected) {
            let outcome = trial.try_out(&removal(acme, person)).await;
            assert_eq!(outcome, expected, "{name} takes {} out", person.full_name);
        }
        assert_eq!(trial.try_out(&removal(story.corner.id, &story.acme_developer)).await, Ok(0), "{name}: elsewhere");
        assert_eq!(trial.try_out("delete from org_members").await, Ok(0), "{name}: organization");
    }
    trial.roll_back().await;
}

/// An audit row with these words over an owner's own.
fn act(kind: &str, values: &[(&str, Uuid)]) -> String {
    let names: String = values.iter().map(|(name, _)| format!(", {name}")).collect();
    let values: String = values.iter().map(|(_, id)| format!(", '{id}'")).collect();
    format!(
        "insert into audit_log (id, at, actor_kind, action{names}) values ('{}', now(), '{kind}', 'x.y'{values})",
        kernel::new_id()
    )
}

#[tokio::test]
async fn the_record_is_written_in_ones_own_name_about_what_is_within_reach() {
    let trial = Trial::new().await;
    let story = &trial.story;
    let (own, acme, corner) = (story.acme_agent.id, story.acme.id, story.corner.id);
    trial.begin().await;
    trial.become_one(&user("call_center", &story.acme_agent)).await;
    let me = ("actor_user_id", own);
    for fine in
        [act("user", &[me]), act("user", &[me, ("client_id", acme)]), act("user", &[me, ("org_id", story.northside)])]
    {
        assert_eq!(trial.try_out(&fine).await, Ok(1), "{fine}");
    }
    for forged in [
        act("operator", &[me]),
        act("auth", &[]),
        act("user", &[("actor_user_id", story.acme_owner.id)]),
        act("user", &[me, ("actor_key_id", story.acme.key_id)]),
        act("user", &[me, ("org_id", story.corner_org)]),
        act("user", &[me, ("org_id", story.corner_org), ("client_id", acme)]),
        act("user", &[me, ("client_id", corner)]),
    ] {
        assert_eq!(trial.try_out(&forged).await, REFUSED, "{forged}");
    }
    let [.., key, background] = &trial.acmes()[..] else { panic!("there must be a key and background work") };
    let by_key = ("actor_key_id", story.acme.key_id);
    trial.become_one(key).await;
    assert_eq!(trial.try_out(&act("key", &[by_key, ("client_id", acme)])).await, Ok(1));
    assert_eq!(trial.try_out(&act("key", &[("actor_key_id", story.corner.key_id)])).await, REFUSED);
    trial.become_one(background).await;
    assert_eq!(trial.try_out(&act("client", &[("client_id", acme)])).await, Ok(1));
    assert_eq!(trial.try_out(&act("worker", &[("client_id", acme)])).await, REFUSED);
    trial.roll_back().await;
}

#[tokio::test]
async fn work_for_all_is_not_a_tenants_to_begin_but_for_the_mail_of_those_who_invite() {
    let trial = Trial::new().await;
    let job = |kind: &str| {
        let id = kernel::new_id();
        format!("insert into jobs (id, kind, run_at, created_at) values ('{id}', '{kind}', now(), now())")
    };
    trial.begin().await;
    for asker in trial.acmes() {
        trial.become_one(&asker).await;
        for kind in ["accounts.sweep", "accounts.send_reset", "messages.send"] {
            assert_eq!(trial.try_out(&job(kind)).await, REFUSED, "{} begins {kind}", asker.0);
        }
        let invites = ["agency_owner", "company_owner"].contains(&asker.0);
        let expected = if invites { Ok(1) } else { REFUSED };
        assert_eq!(trial.try_out(&job("messages.system_mail")).await, expected, "{} sends mail", asker.0);
        let mail = "insert into system_messages (id, purpose, to_address, subject, body_sealed, created_at)
                    values (gen_random_uuid(), 'notice', 'a@example.com', 'x', 'x', now())";
        assert_eq!(trial.try_out(mail).await, REFUSED, "{} writes mail", asker.0);
    }
    trial.roll_back().await;
}

#[tokio::test]
async fn an_invitation_is_made_in_ones_own_name_and_only_its_end_is_written_later() {
    let trial = Trial::new().await;
    let story = &trial.story;
    let invitation = |by: &str| {
        format!(
            "insert into invitations (id, org_id, client_id, email, role, token_hash, invited_by, expires_at)
             values (gen_random_uuid(), '{}', '{}', 'a@example.com', 'developer', 'x', {by}, now())",
            story.northside, story.acme.id
        )
    };
    let own = format!("'{}'", story.acme_owner.id);
    trial.begin().await;
    trial.admin.batch_execute(&invitation(&own).replace("'x'", "'y'")).await.unwrap();
    trial.become_one(&user("company_owner", &story.acme_owner)).await;
    for by in ["null".to_owned(), format!("'{}'", story.agency_owner.id)] {
        assert_eq!(trial.try_out(&invitation(&by)).await, REFUSED, "by {by}");
    }
    assert_eq!(trial.try_out("update invitations set email = 'b@example.com'").await, REFUSED);
    assert_eq!(trial.try_out("update invitations set status = 'revoked'").await, Ok(1));
    assert_eq!(trial.try_out(&invitation(&own).replace("developer", "call_center")).await, Ok(1));
    trial.roll_back().await;
}
