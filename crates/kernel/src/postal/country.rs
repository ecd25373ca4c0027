//! Countries by ISO 3166-1: two letters from two letters, three letters or a name.

use super::{DEFAULT_COUNTRY, words};

/// Every two-letter code.
const CODES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ \
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR \
    GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP \
    KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT \
    MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW \
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US \
    UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Names and three-letter codes met in contact lists.
const NAMES: [(&str, &[&str]); 36] = [
    ("US", &["usa", "united states", "united states of america", "america", "estados unidos"]),
    ("CA", &["can", "canada"]),
    ("MX", &["mex", "mexico", "méxico"]),
    ("GB", &["gbr", "uk", "united kingdom", "great britain", "england", "scotland", "wales", "northern ireland"]),
    ("IE", &["irl", "ireland"]),
    ("DE", &["deu", "ger", "germany", "deutschland"]),
    ("FR", &["fra", "france"]),
    ("ES", &["esp", "spain", "españa"]),
    ("IT", &["ita", "italy", "italia"]),
    ("PT", &["prt", "portugal"]),
    ("NL", &["nld", "netherlands", "the netherlands", "holland"]),
    ("BE", &["bel", "belgium"]),
    ("CH", &["che", "switzerland"]),
    ("AT", &["aut", "austria"]),
    ("DK", &["dnk", "denmark"]),
    ("SE", &["swe", "sweden"]),
    ("NO", &["nor", "norway"]),
    ("FI", &["fin", "finland"]),
    ("PL", &["pol", "poland"]),
    ("CZ", &["cze", "czechia", "czech republic"]),
    ("GR", &["grc", "greece"]),
    ("TR", &["tur", "turkey", "türkiye"]),
    ("UA", &["ukr", "ukraine"]),
    ("IL", &["isr", "israel"]),
    ("AE", &["are", "uae", "united arab emirates"]),
    ("IN", &["ind", "india"]),
    ("CN", &["chn", "china"]),
    ("JP", &["jpn", "japan"]),
    ("KR", &["kor", "south korea", "korea"]),
    ("SG", &["sgp", "singapore"]),
    ("PH", &["phl", "philippines"]),
    ("AU", &["aus", "australia"]),
    ("NZ", &["nzl", "new zealand"]),
    ("BR", &["bra", "brazil", "brasil"]),
    ("AR", &["arg", "argentina"]),
    ("ZA", &["zaf", "south africa"]),
];

/// A country's two letters; an empty field counts as the United States.
pub fn normalise_country(input: &str) -> Option<String> {
    let trimmed = input.trim();
    // nearly every row of an import is one of these two
    if trimmed.is_empty() || trimmed == DEFAULT_COUNTRY {
        return Some(DEFAULT_COUNTRY.to_owned());
    }
    let words = words(trimmed);
    let letters = words.replace(' ', "");
    let named = NAMES.iter().find(|(_, names)| names.contains(&words.as_str()) || names.contains(&letters.as_str()));
    named
        .map(|(code, _)| *code)
        .or_else(|| CODES.split_whitespace().find(|code| code.eq_ignore_ascii_case(&letters)))
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_known_by_letters_and_by_name_and_nothing_means_home() {
        for (given, code) in [
            ("", "US"),
            ("us", "US"),
            ("U.S.A.", "US"),
            ("United  States", "US"),
            ("canada", "CA"),
            ("UK", "GB"),
            ("li", "LI"),
        ] {
            assert_eq!(normalise_country(given).as_deref(), Some(code), "{given}");
        }
        for given in ["Atlantis", "XX", "-", "USAA"] {
            assert_eq!(normalise_country(given), None, "{given}");
        }
    }

    #[test]
    fn every_name_leads_to_a_code_that_exists() {
        let codes: Vec<&str> = CODES.split_whitespace().collect();
        assert_eq!(codes.len(), 249);
        assert!(NAMES.iter().all(|(code, _)| codes.contains(code)));
    }
}
