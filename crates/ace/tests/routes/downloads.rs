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
        _ if spec.method == Method::POST => walk.test.post_form(&path, &[("", ""); 0]),
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
    // what the console sends as a file it sends for a button, for a link could be written by anybody
    let sent = |spec: &&RouteSpec| spec.path == "/{client}/contacts/export" || spec.method == Method::GET;
    for spec in walk.table().iter().filter(sent) {
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
    for file in
        ["GET /v1/contacts/export", "POST /{client}/contacts/export", "GET /r/{token}/qr.svg", "GET /r/{token}/qr.png"]
    {
        for coding in ["gzip", "br"] {
            assert!(files.contains(&format!("{file} with {coding}")), "{file} is no file: {files:#?}");
        }
    }
    let by_link: Vec<_> = files.iter().filter(|file| file.starts_with("GET /{client}/")).collect();
    assert!(by_link.is_empty(), "another page can have these fetched in somebody's name: {by_link:#?}");
}

/// The cells of a CSV file, line by line.
fn cells(file: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell, mut quoted) = (Vec::new(), Vec::new(), String::new(), false);
    let mut chars = file.trim_start_matches('\u{feff}').chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\n' if !quoted => {
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            c => cell.push(c),
        }
    }
    assert!(!quoted && cell.is_empty() && line.is_empty(), "a file ends with its last line");
    lines
}

/// What a person can have as their name or street, and a spreadsheet would run or split.
const WICKED: [&str; 5] = ["=1+1", "＝1", ";=1", "say \"=hi\"", "two\n=lines"];

#[tokio::test]
async fn no_file_that_is_told_runs_in_a_spreadsheet_or_comes_apart() {
    let walk = Walk::new().await;
    let acme = walk.test.story.acme.id;
    let sql = "update contacts set first_name = $2, last_name = $3, company = $4, address = $5, notes = $6 where client_id = $1";
    let [a, b, c, d, e] = WICKED;
    walk.admin.execute(sql, &[&acme, &a, &b, &c, &d, &e]).await.unwrap();
    let mut told = Vec::new();
    let sends = ["export", "mail-file", "refused", "remarks"];
    let files = walk.table().iter().filter(|spec| sends.iter().any(|last| spec.path.ends_with(last)));
    for spec in files {
        let path = path(&walk, spec).await;
        let who = &walk.test.story.admin;
        let reply = match (spec.kind, &spec.method) {
            (Kind::Api, method) => walk.test.api(method.clone(), &path).for_client(acme).as_user(who).await,
            (Kind::Page, _) => walk.test.post_form(&path, &[("", ""); 0]).as_user(who).await,
        };
        if reply.status != 200 || !reply.header("content-type").starts_with("text/csv") {
            continue;
        }
        let lines = cells(&reply.text());
        let columns = lines[0].len();
        for line in &lines {
            assert_eq!(line.len(), columns, "{}: {line:?}", name(spec));
            for cell in line {
                assert_eq!(kernel::cells::neutralise(&kernel::cells::restore(cell)), *cell, "{}: {cell:?}", name(spec));
            }
        }
        if WICKED.iter().all(|wicked| lines.iter().flatten().any(|cell| kernel::cells::restore(cell) == *wicked)) {
            told.push(name(spec));
        }
    }
    // the mail file's lines are looked at in crates/campaigns/tests/it/codes.rs
    for file in ["GET /v1/contacts/export", "POST /{client}/contacts/export"] {
        assert!(told.iter().any(|one| one == file), "{file} tells the names: {told:?}");
    }
}
