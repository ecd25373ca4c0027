//! Street lines for comparison, after the postal service's Publication 28: suffixes, directions and units in their
//! standard abbreviation, so that `12 North Main Street, Apartment 5` and `12 N MAIN ST #5` are one address.

use super::words;

/// A street line in lower case with every word in its standard abbreviation.
///
/// For comparing, not for printing: every word is abbreviated wherever it stands, and all kinds of units become
/// `#`, because people write the same door as apartment, unit or number.
pub fn normalise_street(line: &str) -> String {
    let spaced = line.replace('#', " unit ");
    let mut street = String::with_capacity(spaced.len());
    for word in words(&spaced).split(' ').filter(|word| !word.is_empty()) {
        let word = abbreviate(word);
        if word == "#" && street.ends_with('#') {
            continue;
        }
        if !street.is_empty() {
            street.push(' ');
        }
        street.push_str(word);
    }
    street
}

/// The standard abbreviation of one lower-case word; the word itself when it has none.
fn abbreviate(word: &str) -> &str {
    direction(word).or_else(|| unit(word)).or_else(|| ordinal(word)).or_else(|| suffix(word)).unwrap_or(word)
}

fn direction(word: &str) -> Option<&'static str> {
    Some(match word {
        "north" => "n",
        "south" => "s",
        "east" => "e",
        "west" => "w",
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        _ => return None,
    })
}

fn unit(word: &str) -> Option<&'static str> {
    Some(match word {
        "apartment" | "apt" | "unit" | "suite" | "ste" | "room" | "rm" | "number" | "no" => "#",
        "building" => "bldg",
        "floor" => "fl",
        "department" => "dept",
        "lot" => "lot",
        "trailer" => "trlr",
        "penthouse" => "ph",
        "basement" => "bsmt",
        _ => return None,
    })
}

fn ordinal(word: &str) -> Option<&'static str> {
    Some(match word {
        "first" => "1st",
        "second" => "2nd",
        "third" => "3rd",
        "fourth" => "4th",
        "fifth" => "5th",
        "sixth" => "6th",
        "seventh" => "7th",
        "eighth" => "8th",
        "ninth" => "9th",
        "tenth" => "10th",
        _ => return None,
    })
}

fn suffix(word: &str) -> Option<&'static str> {
    SUFFIXES.iter().find(|(_, variants)| variants.contains(&word)).map(|(standard, _)| *standard)
}

/// Standard abbreviation and what else is written for it (Publication 28, appendix C1, the common ones).
const SUFFIXES: [(&str, &[&str]); 58] = [
    ("st", &["street", "str", "strt", "saint"]),
    ("ave", &["avenue", "av", "aven", "avenu", "avn", "avnue"]),
    ("rd", &["road"]),
    ("dr", &["drive", "driv", "drv"]),
    ("ln", &["lane"]),
    ("ct", &["court"]),
    ("cts", &["courts"]),
    ("blvd", &["boulevard", "boul", "boulv"]),
    ("cir", &["circle", "circ", "circl", "crcl", "crcle"]),
    ("pl", &["place"]),
    ("way", &["wy"]),
    ("ter", &["terrace", "terr"]),
    ("trl", &["trail", "trails", "trls"]),
    ("pkwy", &["parkway", "parkwy", "pkway", "pky"]),
    ("hwy", &["highway", "highwy", "hiway", "hiwy", "hway"]),
    ("sq", &["square", "sqr", "sqre", "squ"]),
    ("plz", &["plaza", "plza"]),
    ("aly", &["alley", "allee", "ally"]),
    ("loop", &["loops"]),
    ("cres", &["crescent", "crsent", "crsnt"]),
    ("xing", &["crossing", "crssng"]),
    ("cv", &["cove"]),
    ("crk", &["creek"]),
    ("est", &["estate"]),
    ("ests", &["estates"]),
    ("expy", &["expressway", "exp", "expr", "express", "expw"]),
    ("ext", &["extension", "extn", "extnsn"]),
    ("fwy", &["freeway", "freewy", "frway", "frwy"]),
    ("gdn", &["garden", "gardn", "grden", "grdn"]),
    ("gdns", &["gardens", "grdns"]),
    ("gln", &["glen"]),
    ("grn", &["green"]),
    ("grv", &["grove", "grov"]),
    ("hbr", &["harbor", "harb", "harbr"]),
    ("hts", &["heights", "ht"]),
    ("hl", &["hill"]),
    ("hls", &["hills"]),
    ("holw", &["hollow", "hllw", "hollows"]),
    ("is", &["island", "islnd"]),
    ("jct", &["junction", "jction", "jctn", "junctn"]),
    ("lk", &["lake"]),
    ("ldg", &["landing", "lndg", "lndng"]),
    ("mdw", &["meadow"]),
    ("mdws", &["meadows", "medows"]),
    ("ml", &["mill"]),
    ("mt", &["mount", "mnt"]),
    ("mtn", &["mountain", "mntain", "mntn", "mountin", "mtin"]),
    ("pt", &["point"]),
    ("rdg", &["ridge", "rdge"]),
    ("riv", &["river", "rvr", "rivr"]),
    ("spg", &["spring", "spng", "sprng"]),
    ("spgs", &["springs", "spngs", "sprngs"]),
    ("sta", &["station", "statn", "stn"]),
    ("tpke", &["turnpike", "trnpk", "turnpk"]),
    ("vly", &["valley", "vally", "vlly"]),
    ("vw", &["view"]),
    ("vlg", &["village", "vill", "villag", "villg"]),
    ("rte", &["route"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_street_written_in_many_ways_is_one_line() {
        for line in
            ["12 North Main Street, Apartment 5", "12 N. MAIN ST #5", "12 N Main St. Unit # 5", "12  n main str Ste. 5"]
        {
            assert_eq!(normalise_street(line), "12 n main st # 5", "{line}");
        }
        assert_eq!(normalise_street("450 Fifth Avenue"), "450 5th ave");
        assert_eq!(normalise_street("P.O. Box 7"), "po box 7");
        assert_eq!(normalise_street(""), "");
    }

    #[test]
    fn streets_that_differ_stay_different() {
        assert_ne!(normalise_street("12 Main St"), normalise_street("12 Main Ave"));
        assert_ne!(normalise_street("12 N Main St"), normalise_street("12 S Main St"));
        assert_ne!(normalise_street("12 Main St # 5"), normalise_street("12 Main St # 6"));
    }

    #[test]
    fn no_standard_abbreviation_is_abbreviated_further_and_none_appears_twice() {
        let mut seen = std::collections::HashSet::new();
        for (standard, variants) in SUFFIXES {
            assert_eq!(abbreviate(standard), standard);
            assert!(seen.insert(standard) && variants.iter().all(|variant| seen.insert(variant)), "{standard}");
        }
    }
}
