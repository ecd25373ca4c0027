//! What stands around every page: navigation, search and bell stay on errors, under help and the account.

use axum::http::Method;
use testkit::TestApp;
use web::{App, Caller, Routes};

use crate::support::start;

const FRAME: [&str; 4] = ["id=\"sidebar\"", "id=\"palette\"", "class=\"menu me\"", "bell-menu"];

fn has_frame(page: &str) -> bool {
    FRAME.iter().all(|part| page.contains(part))
}

#[tokio::test]
async fn an_address_that_is_none_keeps_the_frame_of_whoever_is_signed_in() {
    let test = start().await;
    for path in ["/nothing/at/all", "/acme-roofing/nothing", "/corner-auto/settings", "/no-such-client/settings"] {
        let page = test.get(path).as_user(&test.story.acme_owner).await.expect_status(404).text();
        assert!(has_frame(&page) && page.contains("Acme Roofing"), "{path}: {page}");
        assert!(!page.contains("Corner Auto"), "{path}: {page}");
    }
    let stranger = test.get("/nothing/at/all").await.expect_status(404).text();
    assert!(FRAME.iter().all(|part| !stranger.contains(part)), "{stranger}");
    let forged = test.get("/nothing/at/all").cookie(web::identity::SESSION_COOKIE, "forged").await.expect_status(404);
    assert!(!forged.text().contains("id=\"palette\""));
}

#[tokio::test]
async fn what_a_role_may_not_is_said_once_in_words_and_keeps_the_frame() {
    let test = start().await;
    let page = test.get("/acme-roofing/team").as_user(&test.story.acme_agent).await.expect_status(403).text();
    assert!(has_frame(&page), "{page}");
    assert_eq!(page.matches("See people and their roles").count(), 1, "{page}");
    assert!(!page.contains("users.view") && page.contains("manages your team"), "{page}");
    for path in ["/admin/permissions", "/admin/audit"] {
        let page = test.get(path).as_user(&test.story.acme_owner).await.expect_status(403).text();
        assert!(has_frame(&page) && page.contains("href=\"/acme-roofing/home\""), "{path}: {page}");
    }
    let page = test.get("/admin/permissions").as_user(&test.story.acme_owner).await.text();
    assert!(page.contains("Change what roles may do") && page.contains("one of its administrators"), "{page}");
}

#[tokio::test]
async fn the_account_keeps_the_client_somebody_was_at_and_no_other() {
    let test = start().await;
    let agency = &test.story.agency_owner;
    let seen = test.get("/bright-dental/settings").as_user(agency).await.expect_status(200);
    assert_eq!(seen.cookie("ace_client").as_deref(), Some("bright-dental"));
    let account = |slug: &'static str| test.get("/account").as_user(agency).cookie("ace_client", slug);
    let page = account("bright-dental").await.expect_status(200).text();
    assert!(has_frame(&page) && page.contains("href=\"/bright-dental/settings\""), "{page}");
    for slug in ["corner-auto", "no-such-client", "%00", "admin"] {
        let page = account(slug).await.expect_status(200).text();
        assert!(!page.contains("bell-menu") && !page.contains("Corner Auto"), "{slug}: {page}");
    }
    let refused = test.get("/corner-auto/settings").as_user(agency).await.expect_status(404);
    assert_eq!(refused.cookie("ace_client"), None);
    let only = test.get("/account").as_user(&test.story.acme_owner).await.expect_status(200).text();
    assert!(has_frame(&only) && only.contains("href=\"/acme-roofing/home\""), "{only}");
}

#[tokio::test]
async fn a_panic_keeps_the_frame_and_the_client_too() {
    async fn broken(_: Caller) -> web::Result<()> {
        Err(kernel::Error::internal("broken"))?
    }
    let routes = |app: &App| Routes::new(app).page(Method::GET, "/{client}/broken", "dashboard.view", broken);
    let test = TestApp::new(routes).await;
    let page = test.get("/acme-roofing/broken").as_user(&test.story.acme_owner).await.expect_status(500).text();
    assert!(has_frame(&page) && page.contains("Acme Roofing"), "{page}");
}
