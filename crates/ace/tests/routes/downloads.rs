//! Everything that can be fetched, through the real stack and compressed, to its end.

use testkit::Reply;
use web::{Access, Kind, Method, RouteSpec};

use crate::walk::{Walk, name};

/// Places that lead on to files whose words are no rows: the link of a recipient, an asset of this build.
async fn path(walk: &Walk, spec: &RouteSpec) -> String {
    let acme = &walk.test.story.acme;
    let path = walk.path(spec, acme);
    if !spec.path.contains("{token}") {
        return path;
    }
    let token =
        walk.admin.query_one("select purl_token from recipients where client_id = $1 limit 1", &[&acme.id]).await;
    spec.path.replace("{token}", token.unwrap().get(0))
}

async fn fetched(walk: &Walk, spec: &RouteSpec, coding: &str) -> Reply {
    let path = path(walk, spec).await;
    let (admin, acme) = (&walk.test.story.admin, walk.test.story.acme.id);
    let ask = match spec.kind {
        Kind::Api => walk.test.api(Method::GET, &path).for_client(acme),
        Kind::Page => walk.test.get(&path),
    };
    let ask = ask.header("accept-encoding", coding);
    if spec.access == Access::Public { ask.await } else { ask.as_user(admin).await }
}

fn is_file(reply: &Reply) -> bool {
    let kind = reply.header("content-type");
    !reply.header("content-disposition").is_empty() || ["text/csv", "image/"].iter().any(|file| kind.starts_with(file))
}

/// A stream that bears being asked only once after its end panics here: compression asks again.
#[tokio::test]
async fn every_address_that_answers_does_so_to_the_end_when_compressed() {
    let walk = Walk::new().await;
    let (mut compressed, mut files) = (0, Vec::new());
    for spec in walk.table().iter().filter(|spec| spec.method == Method::GET) {
        let plain = fetched(&walk, spec, "identity").await;
        for coding in ["gzip", "br"] {
            // reading to the end is part of asking: a body that breaks off panics
            let reply = fetched(&walk, spec, coding).await;
            assert_eq!(reply.status, plain.status, "{} with {coding}", name(spec));
            compressed += usize::from(reply.header("content-encoding") == coding);
            if is_file(&reply) && reply.status == 200 {
                files.push(format!("{} with {coding}", name(spec)));
            }
        }
    }
    assert!(compressed > 100, "{compressed} were compressed");
    for file in ["/v1/contacts/export", "/{client}/contacts/export", "/r/{token}/qr.svg", "/r/{token}/qr.png"] {
        for coding in ["gzip", "br"] {
            assert!(files.contains(&format!("GET {file} with {coding}")), "{file} is no file: {files:#?}");
        }
    }
}
