//! How people write names, yes and no, stages and tags.

/// First and last name: `Ada Lee`, `Lee, Ada`, `Smith, John, Jr.`, `Ada & Bo Lee Jr.`, `Maria de la Cruz`.
pub fn split_name(name: &str) -> (String, String) {
    let parts: Vec<&str> = name.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_suffixes = |part: &str| part.split_whitespace().all(is_suffix);
    // behind a comma a suffix belongs to the last name; "Jr" alone is a name like any other
    let kept = parts.iter().enumerate().filter(|(index, part)| *index == 0 || !is_suffixes(part));
    let kept: Vec<&str> = kept.map(|(_, part)| *part).collect();
    let suffixes: Vec<&str> = parts.iter().skip(1).copied().filter(|part| is_suffixes(part)).collect();
    let with_suffixes = |last: &str| [&[last], suffixes.as_slice()].concat().join(" ").trim().to_owned();
    if let [last, first @ ..] = kept.as_slice()
        && !first.is_empty()
    {
        // "HALL, BO JR": the suffix stands behind everything
        let first = first.join(" ");
        return match first.rsplit_once(' ').filter(|(_, word)| is_suffix(word)) {
            Some((first, suffix)) => (first.to_owned(), format!("{} {suffix}", with_suffixes(last))),
            None => (first, with_suffixes(last)),
        };
    }
    let (first, last) = split_words(kept.first().copied().unwrap_or_default());
    if last.is_empty() && suffixes.is_empty() { (first, last) } else { (first, with_suffixes(&last)) }
}

/// A name in the order it is spoken: the last word is the last name, with what belongs before and behind it.
fn split_words(name: &str) -> (String, String) {
    const BEFORE: [&str; 22] = [
        "de", "del", "de'", "della", "di", "da", "das", "dos", "do", "du", "des", "van", "von", "der", "den", "ter",
        "la", "las", "los", "bin", "ibn", "st.",
    ];
    let words: Vec<&str> = name.split_whitespace().collect();
    let suffixes = words.iter().rev().take_while(|word| is_suffix(word)).count();
    let mut last = words.len().saturating_sub(suffixes + 1);
    while last > 1 && BEFORE.contains(&words[last - 1].to_lowercase().as_str()) {
        last -= 1;
    }
    if last == 0 {
        return (words.join(" "), String::new());
    }
    // "LEE ADA M", "HALL BO & IDA": lists of owners begin with the last name, and nobody ends in an initial
    let is_initial = words[words.len() - 1].trim_end_matches('.').chars().count() == 1;
    let ends_in_two = words.len() == 4 && matches!(words[2], "&" | "and" | "AND");
    if (words.len() > 2 && is_initial) || ends_in_two {
        return (words[1..].join(" "), words[0].to_owned());
    }
    (words[..last].join(" "), words[last..].join(" "))
}

fn is_suffix(word: &str) -> bool {
    let word = word.trim().replace('.', "").to_lowercase();
    matches!(
        word.as_str(),
        "jr" | "sr"
            | "junior"
            | "senior"
            | "ii"
            | "iii"
            | "iv"
            | "md"
            | "phd"
            | "esq"
            | "dds"
            | "dmd"
            | "cpa"
            | "rn"
            | "dvm"
    )
}

/// Whether a name is a company's: `Acme Holdings, LLC`, `Johnson & Sons, Inc.`
pub fn is_company(name: &str) -> bool {
    const FORMS: [&str; 19] = [
        "llc",
        "llp",
        "lllp",
        "pllc",
        "inc",
        "incorporated",
        "corp",
        "corporation",
        "ltd",
        "limited",
        "plc",
        "company",
        "gmbh",
        "sarl",
        "sas",
        "srl",
        "bv",
        "nv",
        "pty",
    ];
    let plain = name.to_lowercase().replace(['.', ','], " ");
    let words: Vec<&str> = plain.split_whitespace().collect();
    let dotted = name.to_lowercase().replace(['.', ' '], "");
    let form = words.len() > 1 && words.last().is_some_and(|word| FORMS.contains(word));
    let short_form = words.len() > 1 && [",pc", ",co", "&co"].iter().any(|form| dotted.ends_with(form));
    let spelt = ["l l c", "p c", "s a", "l l p", "e v", "s p a"]
        .iter()
        .any(|form| plain.trim_end().ends_with(&format!(" {form}")));
    let family = ["& sons", "and sons", "& daughters", "& co", "& company", "& associates", "and associates"];
    let plain = words.join(" ");
    form || short_form || spelt || family.iter().any(|end| plain.ends_with(end) || plain.contains(&format!("{end} ")))
}

/// The lifecycle stage of the data model.
pub fn stage(word: &str) -> Option<&'static str> {
    match word.to_lowercase().replace(['_', '-'], " ").as_str() {
        "lead" | "prospect" | "new" => Some("lead"),
        "mql" | "marketing qualified lead" | "marketing qualified" => Some("mql"),
        "sql" | "sales qualified lead" | "sales qualified" => Some("sql"),
        "opportunity" | "deal" => Some("opportunity"),
        "customer" | "client" => Some("customer"),
        "evangelist" | "advocate" => Some("evangelist"),
        _ => None,
    }
}

/// Tags apart by commas, semicolons, bars or Google's `:::`, each once.
pub fn tags(cell: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    let cell = cell.replace(":::", ";");
    for tag in cell.split([',', ';', '|']).map(|tag| tag.trim().trim_start_matches("* ")).filter(|tag| !tag.is_empty())
    {
        let tag: String = tag.chars().take(100).collect();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

/// A number without the `.0` that programs add which count with it: `43215.0`.
pub fn whole(cell: &str) -> &str {
    let is_number = |digits: &&str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    cell.strip_suffix(".0").filter(is_number).unwrap_or(cell)
}

/// A value short enough to be looked at.
pub fn shown(value: &str) -> String {
    match value.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_as_people_write_them() {
        let split = |name| {
            let (first, last) = split_name(name);
            format!("{first}|{last}")
        };
        assert_eq!(split("Ada Lee"), "Ada|Lee");
        assert_eq!(split("Lee, Ada M."), "Ada M.|Lee");
        assert_eq!(split("Ada & Bo Lee"), "Ada & Bo|Lee");
        assert_eq!(split("Ada Lee, Jr."), "Ada|Lee Jr.");
        assert_eq!(split("Cher"), "Cher|");
        assert_eq!(split("Jr"), "Jr|");
        assert_eq!(split("Smith, John, Jr."), "John|Smith Jr.");
        assert_eq!(split("Smith Jr., John"), "John|Smith Jr.");
        assert_eq!(split("MARIA DE LA CRUZ"), "MARIA|DE LA CRUZ");
        assert_eq!(split("Ludwig van Beethoven"), "Ludwig|van Beethoven");
        assert_eq!(split("Lee, Ada, MD, PhD"), "Ada|Lee MD PhD");
        assert_eq!(split("HALL, BO JR"), "BO|HALL JR");
        assert_eq!(split("LEE ADA M"), "ADA M|LEE");
        assert_eq!(split("HALL BO & IDA"), "BO & IDA|HALL");
        assert_eq!(split("John & Mary Doe"), "John & Mary|Doe");
        assert_eq!(split("Cher B"), "Cher|B");
        assert_eq!(split("Van Morrison"), "Van|Morrison");
        assert_eq!((split(""), split(",")), ("|".into(), "|".into()));
    }

    #[test]
    fn companies_are_told_from_people() {
        for name in [
            "Acme Holdings, LLC",
            "Johnson & Sons, Inc.",
            "Acme L.L.C.",
            "Roof Corp",
            "Müller GmbH",
            "Smith & Co.",
            "Lee Dental, P.C.",
            "Cruz and Sons Roofing",
            "Acme Company",
        ] {
            assert!(is_company(name), "{name}");
        }
        for name in ["Mason, Ruth", "Cher", "Smith, John, Jr.", "MARIA DE LA CRUZ", "Ada & Bo Lee", "Inc", "Wayne Co"] {
            assert!(!is_company(name), "{name}");
        }
    }

    #[test]
    fn tags_and_stages_are_read_as_programs_write_them() {
        assert_eq!(tags("* myContacts ::: Church"), ["myContacts", "Church"]);
        assert_eq!(tags("roof; Roof, roof|vip"), ["roof", "Roof", "vip"]);
        assert_eq!((stage("Customer"), stage("hot")), (Some("customer"), None));
    }
}
