//! What commands print: text for people, or exactly one JSON object on stdout.

use kernel::Clock;
use kernel::settings::LogFormat;
use serde_json::{Value, json};

/// Where a command's result goes.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON object instead of text.
    pub json: bool,
    /// The form of everything else: where log lines are JSON, every line of stderr is.
    pub log: LogFormat,
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
    pub fn progress(self, line: &str) {
        self.say("INFO", line);
    }

    /// Why a command ends without having done it all, on stderr.
    pub fn complaint(self, line: &str) {
        self.say("ERROR", line);
    }

    /// In the form of a log line where those are JSON, whatever is logged otherwise.
    #[expect(clippy::print_stderr, reason = "this is the one place that prints progress")]
    fn say(self, level: &str, line: &str) {
        match self.log {
            LogFormat::Text => eprintln!("{line}"),
            LogFormat::Json => {
                let timestamp = Clock::system().now();
                eprintln!(
                    "{}",
                    json!({ "timestamp": timestamp, "level": level, "fields": { "message": line }, "target": "ace" })
                );
            }
        }
    }
}
