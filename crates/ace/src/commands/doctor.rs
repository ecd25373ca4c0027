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

/// Recounts; returns whether everything holds.
///
/// # Errors
/// When the database cannot be asked.
pub async fn run(ace: &Ace, output: Output) -> Result<bool> {
    let operator = Actor::system(System::Operator);
    let mut broken = Vec::new();
    let mut checked = 0;
    for (rule, statement) in invariants() {
        let rows: i64 = ace.app.scope(&operator).query_scalar(statement, &[]).await?;
        checked += 1;
        if rows > 0 {
            broken.push((rule, rows));
        }
    }
    let lines: Vec<String> = broken.iter().map(|(rule, rows)| format!("broken: {rule} ({rows} rows)")).collect();
    let text = if broken.is_empty() { format!("{checked} invariants hold") } else { lines.join("\n") };
    let list: Vec<_> = broken.iter().map(|(rule, rows)| json!({ "rule": rule, "rows": rows })).collect();
    output.result(&text, &json!({ "checked": checked, "broken": list }));
    Ok(broken.is_empty())
}
