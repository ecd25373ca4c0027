//! The real route table, walked by every role, for a client within reach and for another's: who is let in, who is
//! told that it takes a permission, and who is told nothing.
//!
//! Being let in is told apart from being turned away by the mark the guard leaves on its own answers, which no visitor
//! sees. A 404 of a handler therefore never passes for one of the guard.
#![cfg(test)]

mod downloads;
mod examples;
mod foreign;
mod manners;
mod paging;
mod races;
mod refusals;
mod schema;
mod walk;

#[path = "../../../database/tests/database/rows.rs"]
#[expect(dead_code, reason = "the tenant tests use all of it, this one makes rows only")]
mod rows;

use std::collections::BTreeSet;

use kernel::role::Role;
use web::{Access, Kind, Method};

use walk::{NOT_YET, Told, Walk, held, is_about_real_rows, name, permission, shorten, told, within_reach};

/// Routes anybody may ask: each decides for itself.
const PUBLIC: &[&str] = &[
    // health, the document of the API, what browsers and crawlers fetch
    "GET /healthz",
    "GET /readyz",
    "GET /v1/openapi.json",
    "GET /v1/form-config.schema.json",
    "GET /robots.txt",
    // where the `type` of every problem leads
    "GET /help/errors",
    "GET /favicon.ico",
    "GET /assets/{hash}/{*name}",
    "GET /assets/brand/{colour}",
    // signing in, and what leads there
    "GET /sign-in",
    "POST /sign-in",
    "GET /sign-in/code",
    "POST /sign-in/code",
    "GET /forgot",
    "POST /forgot",
    "GET /reset/{token}",
    "POST /reset/{token}",
    "GET /invitations/{token}",
    "POST /invitations/{token}",
    // what @supabase/supabase-js speaks: a token in the request says who is asking
    "POST /auth/v1/token",
    "GET /auth/v1/user",
    "PUT /auth/v1/user",
    "GET /auth/v1/reauthenticate",
    "POST /auth/v1/signup",
    "POST /auth/v1/otp",
    "POST /auth/v1/magiclink",
    "GET /auth/v1/authorize",
    "POST /auth/v1/factors",
    "POST /auth/v1/factors/{id}/challenge",
    "POST /auth/v1/factors/{id}/verify",
    "DELETE /auth/v1/factors/{id}",
    "POST /auth/v1/resend",
    "POST /auth/v1/sso",
    "GET /auth/v1/callback",
    "GET /auth/v1/user/identities/authorize",
    "POST /auth/v1/invite",
    "GET /auth/v1/admin/users",
    "GET /auth/v1/admin/users/{id}",
    "PUT /auth/v1/admin/users/{id}",
    "DELETE /auth/v1/admin/users/{id}",
    "POST /auth/v1/admin/generate_link",
    "POST /auth/v1/admin/users",
    "POST /auth/v1/logout",
    "POST /auth/v1/recover",
    "GET /auth/v1/verify",
    "POST /auth/v1/verify",
    "GET /auth/v1/.well-known/jwks.json",
    "GET /auth/v1/settings",
    "GET /auth/v1/health",
    // what recipients follow and fill in
    "GET /r/{token}",
    "GET /q/{token}",
    "GET /r/{token}/",
    "GET /q/{token}/",
    "GET /R/{token}",
    "GET /Q/{token}",
    "GET /R/{token}/",
    "GET /Q/{token}/",
    "GET /r/{token}/{*rest}",
    "GET /q/{token}/{*rest}",
    "GET /R/{token}/{*rest}",
    "GET /Q/{token}/{*rest}",
    "POST /r/{token}/seen",
    "GET /r/{token}/qr.svg",
    "GET /r/{token}/qr.png",
    "GET /p/{file}",
    "GET /f/{form}",
    "GET /f/{form}/",
    "GET /F/{form}",
    "POST /f/{form}",
    // the provider's callbacks, signed
    "POST /hooks/twilio/sms-status/{message_id}",
];

/// Routes anybody signed in may use: about themselves.
const SIGNED_IN: &[&str] = &[
    "GET /",
    "POST /sign-out",
    "GET /account",
    "POST /account",
    "POST /account/password",
    "POST /account/email",
    "GET /account/email/{token}",
    "POST /account/email/{token}",
    "POST /account/sessions/{id}/revoke",
    "POST /account/sessions/revoke-others",
    "GET /account/second-factor",
    "POST /account/second-factor",
    "POST /account/second-factor/codes",
    "POST /account/second-factor/remove",
    "GET /v1/me",
];

#[tokio::test]
async fn every_route_without_a_permission_is_a_known_one() {
    let walk = Walk::new().await;
    let of = |access: Access| {
        walk.table().iter().filter(move |spec| spec.access == access).map(name).collect::<BTreeSet<_>>()
    };
    let known = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(of(Access::Public), known(PUBLIC));
    assert_eq!(of(Access::SignedIn), known(SIGNED_IN));
}

#[tokio::test]
async fn every_route_is_there_once_with_a_permission_that_exists_and_the_api_is_documented() {
    let walk = Walk::new().await;
    let mut seen = BTreeSet::new();
    for spec in walk.table() {
        let name = name(spec);
        assert!(seen.insert(name.clone()), "{name} is there twice");
        if let Some(permission) = permission(spec) {
            assert!(kernel::permissions::is_known(permission), "{name}: {permission} is not a permission");
        }
        let documented = spec.path.starts_with("/v1/") && spec.access != Access::Public;
        assert_eq!(spec.doc.is_some(), documented, "{name}: Doc");
        let about_a_client = matches!(spec.access, Access::Client(_)) && spec.kind == Kind::Page;
        assert_eq!(spec.path.starts_with("/{client}"), about_a_client, "{name}: whose page it is");
        assert_eq!(spec.kind == Kind::Api, !is_page(spec.path), "{name}: the kind of its answers");
    }
}

/// Programs ask under these; everything else is for people.
fn is_page(path: &str) -> bool {
    let of_programs =
        ["/v1/", "/auth/v1/", "/hooks/", "/assets/", "/healthz", "/readyz", "/robots.txt", "/favicon.ico"];
    !of_programs.iter().any(|prefix| path.starts_with(prefix))
}

#[tokio::test]
async fn nobody_is_told_anything_before_they_say_who_they_are() {
    let walk = Walk::new().await;
    let acme = &walk.test.story.acme;
    for spec in walk.table() {
        let reply = walk.ask(spec, &walk.path(spec, acme), None, acme.id).await;
        let expected = spec.access == Access::Public;
        let asked_in = told(spec, &reply) == Told::WhoAreYou;
        // /auth/v1 asks for its own token by itself
        let by_itself = spec.path.starts_with("/auth/v1");
        assert!(asked_in != expected || by_itself, "{}: {}", name(spec), reply.status);
        // its document is made from the whole table when serving begins
        let without_document = spec.path == "/v1/openapi.json";
        assert!(reply.status.as_u16() < 500 || without_document, "{}: {}", name(spec), reply.text());
    }
}

#[tokio::test]
async fn every_role_is_let_in_by_its_permissions_within_its_reach() {
    let walk = Walk::new().await;
    let acme = walk.test.story.acme.clone();
    let mut wrong = Vec::new();
    // changes come last: what they change, nobody reads afterwards
    for changes in [false, true] {
        for person in walk.test.story.one_in_each_role() {
            let held = held(&walk.admin, person.role).await;
            assert!(!held.is_empty() && (person.role == Role::Admin || held.len() < kernel::permissions::ALL.len()));
            for spec in walk.table().iter().filter(|spec| spec.access != Access::Public) {
                if (spec.method != Method::GET) != changes {
                    continue;
                }
                if changes {
                    walk.restore().await;
                }
                let reply = walk.ask(spec, &walk.path(spec, &acme), Some(person), acme.id).await;
                let (told, expected) = (told(spec, &reply), within_reach(spec, &held));
                let label = format!("{} as {}: {}", name(spec), person.role, reply.status);
                let missing = reply.status == 404
                    && !changes
                    && is_about_real_rows(spec)
                    && !NOT_YET.contains(&name(spec).as_str());
                if told != expected || (expected == Told::LetIn && missing) {
                    wrong.push(format!("{label}: {told:?}, not {expected:?} {}", shorten(&reply)));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test]
async fn pages_take_the_cookie_only_and_the_api_the_token_only() {
    let walk = Walk::new().await;
    let (acme, admin) = (&walk.test.story.acme, &walk.test.story.admin);
    let token = walk.test.app.tokens.sign(&admin.holder(), walk.test.app.clock.now()).unwrap();
    let (mut pages, mut answers) = (0, 0);
    for spec in walk.table().iter().filter(|spec| spec.access != Access::Public || name(spec) == "GET /auth/v1/user") {
        let path = walk.path(spec, acme);
        let ask = match (spec.kind, &spec.method) {
            (Kind::Page, method) if *method != Method::GET => walk.test.post_form(&path, &()),
            (Kind::Page, _) => walk.test.get(&path),
            (Kind::Api, method) => walk.test.api(method.clone(), &path).for_client(acme.id),
        };
        let reply = match spec.kind {
            Kind::Page => {
                pages += 1;
                // somebody who holds a key is as much a stranger to the console
                let key = walk.test.get(&path).bearer(&acme.key).await;
                assert!(spec.method != Method::GET || told(spec, &key) == Told::WhoAreYou, "{} with a key", name(spec));
                ask.bearer(&token).await
            }
            Kind::Api => {
                answers += 1;
                ask.cookie(web::identity::SESSION_COOKIE, &admin.cookie).await
            }
        };
        let refused = told(spec, &reply) == Told::WhoAreYou || (spec.access == Access::Public && reply.status == 401);
        assert!(refused, "{}: {} {}", name(spec), reply.status, shorten(&reply));
    }
    assert!(pages > 50 && answers > 50, "{pages} pages, {answers} answers");
}

#[tokio::test]
async fn no_client_can_take_the_first_word_of_an_address_of_ours() {
    let walk = Walk::new().await;
    let words: BTreeSet<&str> = walk
        .table()
        .iter()
        .filter_map(|spec| spec.path.trim_start_matches('/').split('/').next())
        .filter(|word| !word.is_empty() && !word.starts_with('{'))
        .collect();
    assert!(words.len() > 15, "{words:?}");
    for word in words {
        let slug = kernel::slug::slugify(word);
        assert_ne!(slug, word, "{word} must be in kernel::slug::RESERVED");
    }
}
