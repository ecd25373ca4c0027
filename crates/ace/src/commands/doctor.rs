//! `ace doctor`: recounts every invariant.

use anyhow::Result;
use database::Statement;
use kernel::{Actor, System};
use serde_json::json;

use crate::assemble::Ace;
use crate::output::Output;

/// One rule that must hold: its sentence, and the statement that counts the rows that break it.
pub type Invariant = (&'static str, &'static Statement);

/// Every room's invariants.
pub fn invariants() -> Vec<Invariant> {
    [
        audience::INVARIANTS,
        rewards::INVARIANTS,
        campaigns::INVARIANTS,
        engage::INVARIANTS,
        calls::INVARIANTS,
        messaging::INVARIANTS,
        jobs::INVARIANTS,
    ]
    .concat()
}

database::statement! {
    /// A recount may read every row there is; what answers people may not take as long.
    WITHOUT_HURRY, app, "select set_config('statement_timeout', '0', true)"
}

/// Looks whether the database can do its work, and recounts; returns whether everything holds. What cannot be recounted
/// does not hold, and the others are recounted all the same.
///
/// # Errors
/// When the database cannot be asked at all.
pub async fn run(ace: &Ace, output: Output) -> Result<bool> {
    let operator = Actor::system(System::Operator);
    let mut broken = Vec::new();
    let mut checked = 0;
    let mut unknown = Vec::new();
    // one that is read-only or full can be recounted all the same
    let unready = ace.app.db.ping().await.err();
    for (rule, statement) in invariants() {
        checked += 1;
        match recount(ace, &operator, statement).await {
            Ok(0) => {}
            Ok(rows) => broken.push((rule, rows)),
            Err(error) => unknown.push((rule, error.to_string())),
        }
    }
    if let Some(error) = unready.as_ref().filter(|_| unknown.len() == checked) {
        return Err(error.clone().into());
    }
    let not_ready = unready.iter().map(|error| format!("not ready: {error}"));
    let lines = broken.iter().map(|(rule, rows)| format!("broken: {rule} ({})", web::view::count(rows, "row")));
    let lines: Vec<String> = not_ready
        .chain(lines)
        .chain(unknown.iter().map(|(rule, error)| format!("not recounted: {rule} ({error})")))
        .collect();
    let text = if lines.is_empty() { format!("{checked} invariants hold") } else { lines.join("\n") };
    let list: Vec<_> = broken.iter().map(|(rule, rows)| json!({ "rule": rule, "rows": rows })).collect();
    let failed: Vec<_> = unknown.iter().map(|(rule, error)| json!({ "rule": rule, "error": error })).collect();
    let unready = unready.map(|error| error.to_string());
    output.result(&text, &json!({ "checked": checked, "not_ready": unready, "broken": list, "not_recounted": failed }));
    Ok(lines.is_empty())
}

async fn recount(ace: &Ace, operator: &Actor, statement: &Statement) -> kernel::Result<i64> {
    let scope = ace.app.scope(operator);
    let tx = scope.transaction().await?;
    tx.execute(&WITHOUT_HURRY, &[]).await?;
    tx.query_scalar(statement, &[]).await
}
