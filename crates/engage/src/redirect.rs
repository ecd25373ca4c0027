//! Where a `redirect` campaign's link leads: the client's own page, with utm_* and the token behind it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a query value.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The address, with what is set among `pairs` added to its query; a fragment stays at the end.
pub fn target(base: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let (base, fragment) = base.split_once('#').map_or((base, None), |(base, fragment)| (base, Some(fragment)));
    let mut target = base.to_owned();
    let mut sign = if base.contains('?') { '&' } else { '?' };
    for (name, value) in pairs {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        target.push(sign);
        target.push_str(name);
        target.push('=');
        target.extend(utf8_percent_encode(value, PLAIN));
        sign = '&';
    }
    if let Some(fragment) = fragment {
        target.push('#');
        target.push_str(fragment);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_joins_the_query_escaped_and_a_fragment_stays_last() {
        let pairs = [("utm_source", Some("mail & more")), ("utm_medium", None), ("token", Some("7K2M9QRX4T"))];
        assert_eq!(
            target("https://a.example/x", &pairs),
            "https://a.example/x?utm_source=mail%20%26%20more&token=7K2M9QRX4T"
        );
        assert_eq!(target("https://a.example/?a=1#b", &pairs[2..]), "https://a.example/?a=1&token=7K2M9QRX4T#b");
    }
}
