//! What commands print: text for people, or exactly one JSON object on stdout.

use serde_json::Value;

/// Where a command's result goes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON object instead of text.
    pub json: bool,
}

impl Output {
    /// The result: `text` for people, `value` for programs.
    #[expect(clippy::print_stdout, reason = "this is the one place that prints results")]
    pub fn result(self, text: &str, value: &Value) {
        if self.json {
            println!("{value}");
        } else {
            println!("{text}");
        }
    }

    /// A line of progress, on stderr so that stdout stays parseable.
    #[expect(clippy::print_stderr, reason = "this is the one place that prints progress")]
    pub fn progress(self, line: &str) {
        eprintln!("{line}");
    }
}
