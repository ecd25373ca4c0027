//! What stands in the log: whoever was refused is found by their id, and nobody's token stands there at any level.
#![cfg(test)]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use testkit::TestApp;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use web::{App, Method, Routes};

/// Stands for every token there is.
const TOKEN: &str = "TKN7Q2M4D9XKA";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn log_at(level: &str) -> Lines {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || writer.clone());
    tracing_subscriber::registry().with(layer.with_filter(ace::logging::filter(level).unwrap())).init();
    lines
}

fn every_route(app: &App) -> Routes {
    let drivers = providers::Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock).unwrap();
    ace::assemble::routes(app, &drivers, &events::VisitWriter::start(&app.db))
}

#[tokio::test]
async fn no_token_of_an_address_is_logged_at_any_level() {
    let lines = log_at("trace,tower_http=trace,tower_http::csrf=trace");
    let test = TestApp::new(every_route).await;
    let mut walked = 0;
    for spec in test.table() {
        let mut path = String::new();
        for (number, part) in spec.path.split('/').enumerate() {
            path.push_str(if number > 0 { "/" } else { "" });
            path.push_str(if part.starts_with('{') { TOKEN } else { part });
        }
        let path = format!("{path}?token={TOKEN}&next=/reset/{TOKEN}");
        walked += 1;
        test.api(spec.method.clone(), &path).bearer(TOKEN).await;
        if spec.method == Method::POST {
            test.forged_post(&path, &[("token", TOKEN)]).cookie("ace_session", TOKEN).await;
            test.post_form(&path, &[("password", TOKEN)]).await;
        }
    }
    test.get(&format!("/nowhere/{TOKEN}")).await;
    let text = lines.text();
    assert!(walked > 200 && text.contains("DEBUG"), "there must be lines for this test to mean anything: {walked}");
    let told: Vec<&str> = text.lines().filter(|line| line.contains(TOKEN)).take(5).collect();
    assert_eq!(told, Vec::<&str>::new());
}

#[tokio::test]
async fn whoever_was_refused_is_found_by_the_id_they_were_given_at_the_usual_level() {
    let lines = log_at("info");
    let test = TestApp::new(every_route).await;
    let refused = [
        test.get("/nowhere/at/all").await,
        test.api(Method::GET, "/v1/contacts").await,
        test.api(Method::GET, "/v1/contacts?limit=x").bearer(&test.story.acme.key).await,
        test.forged_post("/sign-in", &[("email", "a@b.example")]).await,
        test.api(Method::GET, &format!("/v1/contacts/{}", kernel::new_id())).bearer(&test.story.acme.key).await,
    ];
    for reply in refused {
        assert!((400..500).contains(&reply.status.as_u16()), "{reply:?}");
        let id = reply.header("x-request-id");
        assert!(id.len() == 36 && lines.text().contains(id), "{}: no line with {id:?}", reply.status);
    }
}

/// The line of a refusal says why, whoever drew the answer: a program's, a page's, or Supabase's clients'.
#[tokio::test]
async fn every_refusal_is_logged_with_its_code() {
    let lines = log_at("info");
    let test = TestApp::new(every_route).await;
    let owner = &test.story.acme_owner;
    let token = serde_json::json!({ "email": owner.email, "password": "not this one" });
    for reply in [
        test.api_json(Method::POST, "/auth/v1/token?grant_type=password", &token).await,
        test.api_json(Method::POST, "/auth/v1/token?grant_type=pkce", &token).await,
        test.api(Method::GET, "/auth/v1/user").await,
        test.api(Method::GET, "/auth/v1").await,
        test.post_form("/sign-in", &[("email", "nobody@example.com"), ("password", "x")]).await,
        test.post_form("/acme-roofing/contacts", &[("email", "at home")]).as_user(owner).await,
        test.get("/acme-roofing/nowhere").as_user(owner).await,
        test.get("/assets/none/nothing.css").await,
        test.post_form("/hooks/twilio/sms-status/x", &()).await,
    ] {
        assert!((400..500).contains(&reply.status.as_u16()), "{reply:?}");
    }
    let text = lines.text();
    let refused: Vec<&str> = text.lines().filter(|line| line.contains(" refused ")).collect();
    assert!(refused.len() >= 9, "{text}");
    let silent: Vec<&&str> = refused.iter().filter(|line| line.contains("code=\"\"")).collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

/// A line has its sentence under `message`: a field of that name would stand there twice.
#[test]
fn no_field_of_a_log_line_has_the_name_of_its_sentence() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (mut waiting, mut seen, mut wrong) = (vec![crates], 0, Vec::new());
    while let Some(folder) = waiting.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            if path.extension().is_none_or(|kind| kind != "rs") {
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            for call in source.split("tracing::").skip(1) {
                let Some((name, rest)) = call.split_once("!(") else { continue };
                if !["trace", "debug", "info", "warn", "error", "event", "span", "info_span"].contains(&name) {
                    continue;
                }
                seen += 1;
                // what comes before the sentence
                let fields = rest.split('"').next().unwrap_or_default();
                let named = |field: &str| {
                    field.trim().trim_start_matches(['%', '?']).split('=').next().map(str::trim) == Some("message")
                };
                if fields.split(',').any(named) {
                    wrong.push(format!("{}: {fields}", path.display()));
                }
            }
        }
    }
    assert!(seen > 30 && wrong.is_empty(), "{seen} lines looked at: {wrong:#?}");
}

/// Start, failure and panic alike: whoever reads the log as JSON can read every line of it.
#[test]
fn where_the_log_is_json_every_line_is() {
    let directory = std::env::temp_dir().join(format!("ace-log-{}", kernel::new_id()));
    let run = |arguments: &[&str], more: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ace"));
        command
            .args(arguments)
            .env_clear()
            .envs(std::env::vars().filter(|(name, _)| !name.starts_with("ACE_") && name != "DATABASE_URL"));
        command.env("ACE_DATA_DIR", &directory).env("ACE_LOG__FORMAT", "json").envs(more.iter().copied());
        let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
        assert!(!output.status.success(), "{arguments:?} must fail");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        for line in text.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok_and(|line| line["level"].is_string()),
                "{line}"
            );
        }
        text
    };
    let lost = run(&["doctor"], &[]);
    assert!(lost.contains("there is no ACE in"), "{lost}");
    let out_of_reach = [("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none")];
    assert!(run(&["serve"], &out_of_reach).contains("out of reach"));
    assert!(run(&["serve"], &[("ACE_LIMITS__API_PER_MINUTE", "many")]).contains("api_per_minute"));
    assert!(!directory.exists(), "a command that fails leaves nothing behind");
}
