//! Telling people from programs: known bots, link previews and prefetching browsers are served like everybody, but
//! what they do is counted apart.

use axum::http::{HeaderMap, Method, header};

/// Parts of the user agents of programs, in lower case. Apps that fetch a preview say "bot" as well; those that open pages
/// in a browser of their own name themselves, and there somebody looks.
const PROGRAMS: [&str; 30] = [
    "bot",
    "crawl",
    "spider",
    "slurp",
    "preview",
    "facebookexternalhit",
    "facebookcatalog",
    "slack-imgproxy",
    "skypeuri",
    "embedly",
    "vkshare",
    "quora link",
    "outbrain",
    "w3c_validator",
    "lighthouse",
    "pingdom",
    "uptime",
    "monitor",
    "curl/",
    "wget/",
    "python-",
    "go-http-client",
    "java/",
    "okhttp",
    "libwww",
    "httpclient",
    "scrapy",
    "headlessfetch",
    "barracuda",
    "proofpoint",
];

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

fn is_program(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    // a brand of phones
    let agent = agent.to_ascii_lowercase().replace("cubot", "");
    agent.starts_with("whatsapp/") || PROGRAMS.iter().any(|part| agent.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn bots_previews_prefetches_and_head_are_machines_and_browsers_are_not() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "WhatsApp/2.23.20.0",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "TelegramBot (like TwitterBot)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "curl/8.5.0",
        ] {
            assert!(is_machine(&Method::GET, &with("user-agent", agent)), "{agent}");
        }
        for agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/131.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [Pinterest/iOS]",
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile Safari/537.36",
        ] {
            assert!(!is_machine(&Method::GET, &with("user-agent", agent)), "{agent}");
        }
        assert!(is_machine(&Method::GET, &with("sec-purpose", "prefetch;prerender")));
        assert!(is_machine(&Method::GET, &with("x-moz", "Prefetch")));
        assert!(is_machine(&Method::HEAD, &HeaderMap::new()));
        assert!(!is_machine(&Method::GET, &HeaderMap::new()));
    }
}
