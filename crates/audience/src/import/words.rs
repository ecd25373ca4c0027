//! How people write names, yes and no, stages and tags.

/// First and last name: `Ada Lee`, `Lee, Ada`, `Ada & Bo Lee Jr.`
pub fn split_name(name: &str) -> (String, String) {
    if let Some((last, first)) = name.split_once(',')
        && !is_suffix(first)
    {
        return (first.trim().to_owned(), last.trim().to_owned());
    }
    let name = name.replace(',', " ");
    let words: Vec<&str> = name.split_whitespace().collect();
    let suffixes = words.iter().rev().take_while(|word| is_suffix(word)).count();
    let last = words.len().saturating_sub(suffixes + 1);
    if last == 0 {
        return (words.join(" "), String::new());
    }
    (words[..last].join(" "), words[last..].join(" "))
}

fn is_suffix(word: &str) -> bool {
    let word = word.trim().trim_end_matches('.').to_ascii_lowercase();
    matches!(word.as_str(), "jr" | "sr" | "ii" | "iii" | "iv" | "md" | "phd" | "esq")
}

/// Yes or no, where it is clear which.
pub fn yes_no(word: &str) -> Option<bool> {
    match word.to_lowercase().as_str() {
        "yes" | "y" | "true" | "t" | "1" | "x" | "on" | "✓" | "opted out" | "unsubscribed" => Some(true),
        "no" | "n" | "false" | "f" | "0" | "-" | "off" | "none" | "subscribed" => Some(false),
        _ => None,
    }
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

/// Tags apart by commas, semicolons or bars, each once.
pub fn tags(cell: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in cell.split([',', ';', '|']).map(str::trim).filter(|tag| !tag.is_empty()) {
        let tag: String = tag.chars().take(100).collect();
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
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
    }

    #[test]
    fn what_is_neither_yes_nor_no_is_not_guessed() {
        assert_eq!((yes_no("TRUE"), yes_no("0"), yes_no("maybe")), (Some(true), Some(false), None));
        assert_eq!(tags("roof; Roof, roof|vip"), ["roof", "Roof", "vip"]);
        assert_eq!((stage("Customer"), stage("hot")), (Some("customer"), None));
    }
}
