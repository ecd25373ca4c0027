//! The living style page: every component in every state, written to `target/styleguide/` to be looked at.
//! `e2e` holds the same pages against axe; here they only have to render.
#![cfg(test)]

use std::path::PathBuf;

use askama::Template;
use chrono::{DateTime, TimeZone, Utc};
use web::Shell;
use web::shell::{ClientLink, RecipientShell, ShellUser};
use web::view::{Chart, FieldErrors, Filters, Pager, Stat, StepState, Steps, Tabs};

struct Row {
    id: usize,
    name: &'static str,
    email: &'static str,
    code: String,
    phone: &'static str,
    stage: &'static str,
    score: i64,
    at: Option<DateTime<Utc>>,
}

#[derive(Template)]
#[template(path = "style/list.html")]
struct List {
    shell: Shell,
    filters: Filters,
    rows: Vec<Row>,
    pager: Pager,
}

#[derive(Template)]
#[template(path = "style/empty.html")]
struct Empty {
    shell: Shell,
}

#[derive(Template)]
#[template(path = "style/detail.html")]
struct Detail {
    shell: Shell,
    tabs: Tabs,
    stats: Vec<Stat>,
    chart: Chart,
    rows: Vec<Row>,
    at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "style/form.html")]
struct FormPage {
    shell: Shell,
    steps: Steps,
    errors: FieldErrors,
    statuses: Vec<&'static str>,
}

#[derive(Template)]
#[template(path = "style/board.html")]
struct Board {
    shell: Shell,
    stats: Vec<Stat>,
    lines: Chart,
    funnel: Chart,
    bars: Chart,
    at: DateTime<Utc>,
}

#[derive(Template)]
#[template(path = "style/desk.html")]
struct Desk {
    shell: Shell,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "style/sign-in.html")]
struct Bare {
    shell: Shell,
    errors: FieldErrors,
}

#[derive(Template)]
#[template(path = "style/reward.html")]
struct Recipient {
    shell: RecipientShell,
    errors: FieldErrors,
}

fn noon() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 2, 12, 0, 0).unwrap()
}

fn shell(title: &str, path: &str) -> Shell {
    let client = |slug: &str, name: &str| ClientLink { slug: slug.into(), name: name.into() };
    let mut shell = Shell::bare(title);
    shell.user =
        Some(ShellUser { name: "Priya Raman".into(), email: "priya@lighthouse.example".into(), initials: "PR".into() });
    shell.client = Some(client("acme-roofing", "Acme Roofing"));
    shell.clients = vec![
        client("acme-roofing", "Acme Roofing"),
        client("bright-dental", "Bright Dental"),
        client("cedar", "Cedar & Sons"),
    ];
    shell.path = path.into();
    shell.nav = web::nav::groups(Some("acme-roofing"), path, |_| true);
    shell
}

fn rows() -> Vec<Row> {
    let people = [
        ("Maria Lopez", "maria.lopez@example.com", "+16145550123", "customer"),
        ("Chen Wei", "chen.wei@example.com", "+16145550144", "lead"),
        ("Dana O'Neil-Featherstonehaugh", "dana@example.com", "+16145550145", "mql"),
        ("Sam <script>", "sam@example.com", "+442079460958", "churned"),
    ];
    let row =
        |(index, (name, email, phone, stage)): (usize, (&'static str, &'static str, &'static str, &'static str))| Row {
            id: index + 1,
            name,
            email,
            code: format!("C-{:05}", 10_423 + index * 97),
            phone,
            stage,
            score: [1_240, 75, 8, 0][index % 4],
            at: (index % 5 != 3).then(noon),
        };
    people.into_iter().cycle().take(14).enumerate().map(row).collect()
}

fn errors() -> FieldErrors {
    let mut problems = kernel::Problems::new();
    problems.add("email", "invalid", "This is not an e-mail address. Write it like maria@example.com.");
    problems.add("list", "required", "Choose a list with at least one mailable contact.");
    problems.add("terms", "required", "Look at the proof and tick the box.");
    problems.add("phone", "invalid", "This is not a phone number.");
    FieldErrors::from_error(problems.finish().unwrap_err()).unwrap()
}

fn stats() -> Vec<Stat> {
    vec![
        Stat::count("Mailed", 12_480).href("#mailed").note("in 3 campaigns"),
        Stat::count("Visited", 1_904).href("#visited").against(1_904, 1_620),
        Stat::count("Submitted", 611).href("#submitted").against(611, 702),
        Stat::count("Rewarded", 588).href("#rewarded").against(588, 588),
        Stat::new("Cost per reward", web::view::money("31.4")).note("cards and mail"),
    ]
}

fn lines() -> Chart {
    let days = (1..=28).map(|day| format!("Feb {day}"));
    let wave = |shift: i64| (0..28).map(move |day: i64| 40 + ((day * 7 + shift) % 23) * 4 + day * 3);
    Chart::lines("Visits per day", "Day", "Visits")
        .labels(days)
        .series("QR scans", wave(3))
        .series("Typed links", wave(11).map(|n| n / 3))
}

fn write(name: &str, page: &impl Template) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target/styleguide");
    std::fs::create_dir_all(&folder).unwrap();
    let html = page.render().unwrap();
    assert!(!html.contains(" style=\"") && !html.contains("onclick"), "{name} has inline style or script");
    assert!(!html.contains("<script>"), "{name}: something was not escaped");
    std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
}

#[test]
fn lists_render_with_rows_without_any_and_filtered_to_nothing() {
    let filters = Filters::new("/acme-roofing/contacts", [("q", "ma"), ("stage", "lead"), ("sort", "name")])
        .search("Search name, e-mail, phone, code")
        .choice("stage", "Stage", ["lead", "mql", "customer"])
        .choice("tag", "Tag", ["vip", "roof-2019"]);
    let title = shell("Contacts", "/acme-roofing/contacts").count(12_480).flash("Contact saved");
    let pager = Pager::new(&filters, 14, Some("cursor")).total(12_480);
    write("list", &List { shell: title.clone(), filters: filters.clone(), rows: rows(), pager: pager.clone() });
    write("nothing", &List { shell: title, filters, rows: Vec::new(), pager });
    write("empty", &Empty { shell: shell("Contacts", "/acme-roofing/contacts") });
}

#[test]
fn details_boards_and_the_desk_render() {
    let path = "/acme-roofing/campaigns/spring-2026";
    let tabs = Tabs::at(path)
        .tab("Overview", path)
        .counted("Recipients", format!("{path}/recipients"), 1_204)
        .tab("Proof", format!("{path}/proof"));
    let head = shell("Spring 2026", path)
        .crumb("Campaigns", "/acme-roofing/campaigns")
        .status("in_production")
        .lede("Free roof inspection, $25 Home Depot card for a booked call.")
        .with_charts();
    write("detail", &Detail { shell: head, tabs, stats: stats(), chart: lines(), rows: rows(), at: noon() });
    let funnel = Chart::rows("Funnel", "Step", "People")
        .labels(["Mailed", "Visited", "Submitted", "Rewarded"])
        .series("People", [12_480, 1_904, 611, 588]);
    let bars = Chart::bars("Rewards per week", "Week", "Rewards")
        .labels(["W6", "W7", "W8", "W9"])
        .series("SMS", [90, 120, 160, 141])
        .series("E-mail", [20, 18, 25, 14])
        .stacked();
    let home = shell("Home", "/acme-roofing/home").with_charts();
    write("board", &Board { shell: home, stats: stats(), lines: lines(), funnel, bars, at: noon() });
    write("desk", &Desk { shell: shell("Desk", "/acme-roofing/desk"), errors: FieldErrors::none() });
}

#[test]
fn forms_render_with_their_errors_and_what_was_typed() {
    let base = "/acme-roofing/campaigns/spring-2026/edit";
    let steps = Steps::at(format!("{base}/message"))
        .step("Audience", format!("{base}/audience"), StepState::Done)
        .step("Mail piece", format!("{base}/piece"), StepState::Done)
        .step("Message", format!("{base}/message"), StepState::Problem)
        .step("Rewards", format!("{base}/rewards"), StepState::Open)
        .step("Check", format!("{base}/check"), StepState::Open);
    let statuses = vec!["draft", "ready", "in_production", "mailed", "active", "completed", "pending", "failed", "sms"];
    let page = FormPage {
        shell: shell("Spring 2026", base).crumb("Campaigns", "/c").status("draft"),
        steps,
        errors: errors(),
        statuses,
    };
    assert!(page.render().unwrap().contains("value=\"maria@\""), "what was typed is kept");
    write("form", &page);
    write(
        "sign-in",
        &Bare {
            shell: Shell::bare("Sign in").lede("To ACE, your mail and rewards desk."),
            errors: FieldErrors::none(),
        },
    );
    write(
        "recipient",
        &Recipient { shell: RecipientShell::new("Your card", "Acme Roofing", Some("#0f766e")), errors: errors() },
    );
}
