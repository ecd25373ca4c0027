//! Telling people from programs: known bots, link previews and prefetching browsers are served like everybody, but
//! what they do is counted apart.

use std::sync::LazyLock;

use axum::http::{HeaderMap, Method, header};
use regex::Regex;

/// Patterns of a list that others keep; `scripts/refresh-bots.mjs` writes it anew.
const LIST: &str = include_str!("bots/isbot.txt");

/// Parts of user agents that the list lacks: programs that look through mail and documents, in lower case.
const PROGRAMS: [&str; 17] = [
    "ms-office",
    "msoffice",
    "microsoft office",
    "microsoft outlook",
    "thunderbird",
    "barracuda",
    "proofpoint",
    "mimecast",
    "safelinks",
    "uptime",
    "imgproxy",
    "electron/",
    "line-poker",
    "gtmetrix",
    "messages",
    "preview",
    "unfurl",
];

/// Every browser names one of these engines; a program that does not even pretend names none.
const ENGINES: [&str; 6] = ["applewebkit/", "gecko/", "trident/", "presto/", "safari/", "firefox/"];

/// Headers by which browsers say that they fetch a page nobody asked for yet.
const PURPOSES: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Whether a request comes from a program rather than from somebody who wants to see the page.
pub fn is_machine(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::HEAD || is_ahead_of_time(headers) || is_program(headers)
}

fn is_ahead_of_time(headers: &HeaderMap) -> bool {
    let ahead = |name: &&str| {
        let value = headers.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        ["prefetch", "prerender", "preview"].iter().any(|purpose| value.contains(purpose))
    };
    PURPOSES.iter().any(ahead)
}

/// Who names no program at all, or no browser, is none.
fn is_program(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let lower = agent.to_ascii_lowercase();
    !ENGINES.iter().any(|engine| lower.contains(engine))
        || PROGRAMS.iter().any(|part| lower.contains(part))
        || list().contains(agent)
}

/// The patterns of the list: nearly all of them as one automaton, and the few that look around one by one.
struct List {
    plain: Option<Regex>,
    looking: Vec<fancy_regex::Regex>,
}

impl List {
    fn read(text: &str) -> Self {
        let patterns = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        let (plain, looking): (Vec<&str>, Vec<&str>) = patterns.partition(|pattern| Regex::new(pattern).is_ok());
        let plain: Vec<String> = plain.into_iter().map(|pattern| format!("(?:{pattern})")).collect();
        let looking = looking.into_iter().filter_map(|pattern| fancy_regex::Regex::new(&format!("(?i){pattern}")).ok());
        Self { plain: Regex::new(&format!("(?i){}", plain.join("|"))).ok(), looking: looking.collect() }
    }

    fn contains(&self, agent: &str) -> bool {
        self.plain.as_ref().is_some_and(|plain| plain.is_match(agent))
            || self.looking.iter().any(|pattern| pattern.is_match(agent).unwrap_or_default())
    }
}

fn list() -> &'static List {
    static READ: LazyLock<List> = LazyLock::new(|| List::read(LIST));
    &READ
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    fn agents(file: &str) -> impl Iterator<Item = &str> {
        file.lines().filter(|line| !line.starts_with('#'))
    }

    #[test]
    fn every_pattern_of_the_list_is_read() {
        let patterns = LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count();
        let read = List::read(LIST);
        let plain = read.plain.unwrap().as_str().matches("(?:").count();
        assert!(patterns > 150 && plain + read.looking.len() >= patterns, "{plain} + {}", read.looking.len());
        assert!(read.looking.len() < 12, "each of them is slow: {}", read.looking.len());
    }

    #[test]
    fn programs_are_machines_whatever_they_call_themselves() {
        for agent in agents(include_str!("bots/machines.txt")) {
            assert!(is_machine(&Method::GET, &with("user-agent", agent)), "{agent}");
        }
        assert!(is_machine(&Method::GET, &HeaderMap::new()), "without a name");
    }

    #[test]
    fn browsers_are_people_also_those_inside_of_apps() {
        for agent in agents(include_str!("bots/people.txt")) {
            assert!(!is_machine(&Method::GET, &with("user-agent", agent)), "{agent}");
        }
    }

    #[test]
    fn what_is_fetched_ahead_of_time_or_only_asked_about_is_no_visit() {
        let phone = agents(include_str!("bots/people.txt")).next().unwrap();
        let also = |name: &'static str, value: &str| {
            let mut headers = with("user-agent", phone);
            headers.extend(with(name, value));
            is_machine(&Method::GET, &headers)
        };
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-purpose", "preview"),
            ("x-moz", "Prefetch"),
        ] {
            assert!(also(name, value), "{name}: {value}");
        }
        assert!(!also("accept-language", "en"));
        assert!(is_machine(&Method::HEAD, &with("user-agent", phone)));
    }
}
