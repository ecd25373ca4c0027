//! Cells of exported files. A spreadsheet runs a cell that starts with `=`, `+`, `-`, `@`, tab or carriage return as a
//! formula, in their full-width and small forms too, and where it splits a file is up to whoever opens it: behind a
//! semicolon, a tab, a bar or a line break inside a cell another cell may begin. Every export writes its lines through
//! [`line()`], so that nobody's data becomes a program, with whatever separator the file is read.

use std::borrow::Cow;

/// The characters a spreadsheet takes for the start of a formula; Asian input methods write the full-width and small ones.
const STARTS: [char; 14] = ['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠', '﹦', '﹢', '﹣', '﹫'];
/// What separates cells somewhere: a cell that holds one of these is quoted, wherever the file is opened.
const SEPARATORS: [char; 7] = [',', ';', '\t', '|', '"', '\r', '\n'];
/// Behind which of them another cell begins when the file is read with that separator, for all the quotes around ours: a
/// quote in the middle of what is then a cell means nothing. Commas inside our cells never split.
const SPLITS: [char; 5] = [';', '\t', '|', '\r', '\n'];

/// The cell with an apostrophe in front of whatever a spreadsheet could run, at its beginning or where it would be split;
/// any other as it is.
pub fn neutralise(cell: &str) -> Cow<'_, str> {
    // an apostrophe in front of one is doubled, so that `restore` can tell it from ours
    let bare = cell.trim_start_matches('\'');
    let is_marked = bare.len() < cell.len() && is_number(bare);
    let marked = if is_formula(bare) || is_marked { Cow::Owned(format!("'{cell}")) } else { Cow::Borrowed(cell) };
    if !begins_within(&marked) {
        return marked;
    }
    let mut guarded = String::with_capacity(marked.len() + 8);
    for (at, c) in marked.char_indices() {
        guarded.push(c);
        if SPLITS.contains(&c) && begins_formula(marked[at + c.len_utf8()..].trim_start_matches('\'')) {
            guarded.push('\'');
        }
    }
    Cow::Owned(guarded)
}

/// Undoes [`neutralise`], so that an export can be imported again without growing apostrophes; and takes off what other
/// programs put around a value to keep its digits: `="43215"`, `'02139`.
pub fn restore(cell: &str) -> Cow<'_, str> {
    let inside = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    if let Some(inside) = inside.filter(|inside| !inside.contains('"')) {
        return Cow::Borrowed(inside);
    }
    match without_guards(cell) {
        Cow::Borrowed(cell) => Cow::Borrowed(unmarked(cell)),
        Cow::Owned(cell) => Cow::Owned(unmarked(&cell).to_owned()),
    }
}

/// Without the apostrophe in front that is ours.
fn unmarked(cell: &str) -> &str {
    let is_ours = |rest: &&str| {
        let bare = rest.trim_start_matches('\'');
        is_formula(bare) || is_number(bare)
    };
    cell.strip_prefix('\'').filter(is_ours).unwrap_or(cell)
}

/// Without the apostrophes behind separators that are ours.
fn without_guards(cell: &str) -> Cow<'_, str> {
    if !begins_within(cell) {
        return Cow::Borrowed(cell);
    }
    let mut bare = String::with_capacity(cell.len());
    let mut rest = cell;
    while let Some(at) = rest.find(SPLITS) {
        // every one of them is one byte long
        let (before, after) = rest.split_at(at + 1);
        bare.push_str(before);
        let guarded = after.strip_prefix('\'').filter(|after| begins_formula(after.trim_start_matches('\'')));
        rest = guarded.unwrap_or(after);
    }
    bare.push_str(rest);
    Cow::Owned(bare)
}

/// Whether a formula, guarded or not, begins behind a separator inside the cell.
fn begins_within(cell: &str) -> bool {
    cell.match_indices(SPLITS).any(|(at, split)| begins_formula(cell[at + split.len()..].trim_start_matches('\'')))
}

/// What begins like a number and is no word: `02139`, `0012-AB`, but not the `90s`.
fn is_number(cell: &str) -> bool {
    cell.starts_with(|c: char| c.is_ascii_digit())
        && !cell.contains('\'')
        && !cell.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with('s')
}

/// Whether a cell is what a report writes at the beginning of its last line: a sum, and nobody's name or code.
pub fn is_total(cell: &str) -> bool {
    const SUMS: [&str; 14] = [
        "total",
        "totals",
        "subtotal",
        "subtotals",
        "sum",
        "count",
        "average",
        "gesamt",
        "summe",
        "gesamtsumme",
        "totaux",
        "totale",
        "suma",
        "somme",
    ];
    const BESIDE: [&str; 25] = [
        "grand",
        "sub",
        "overall",
        "record",
        "records",
        "row",
        "rows",
        "card",
        "cards",
        "of",
        "number",
        "amount",
        "value",
        "general",
        "général",
        "customers",
        "contacts",
        "people",
        "members",
        "entries",
        "clients",
        "patients",
        "accounts",
        "items",
        "for",
    ];
    let lower = cell.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let is_number = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let mut sums = 0;
    let all = words.all(|word| {
        let sum = SUMS.contains(&word);
        sums += usize::from(sum);
        sum || BESIDE.contains(&word) || is_number(word)
    });
    all && sums > 0
}

/// One line of a CSV file: every cell neutralised, and quoted where any spreadsheet would split it.
pub fn line<C: AsRef<str>>(cells: impl IntoIterator<Item = C>) -> String {
    let mut line = String::new();
    for (index, cell) in cells.into_iter().enumerate() {
        if index > 0 {
            line.push(',');
        }
        let cell = neutralise(cell.as_ref());
        if cell.contains(SEPARATORS) || cell.starts_with(' ') || cell.ends_with(' ') {
            line.push('"');
            line.push_str(&cell.replace('"', "\"\""));
            line.push('"');
        } else {
            line.push_str(&cell);
        }
    }
    line.push('\n');
    line
}

/// Whether a cell starts a formula, or would where it is split at the separators in front of it.
fn is_formula(cell: &str) -> bool {
    let ahead = |c| is_unseen(c) || SEPARATORS.contains(&c);
    cell.starts_with(STARTS) || begins_formula(cell) || cell.trim_start_matches(ahead).starts_with(STARTS)
}

/// Whether a formula starts behind what nobody sees, a quote or a comma, but before the next place where a cell begins.
fn begins_formula(rest: &str) -> bool {
    rest.trim_start_matches(|c| (is_unseen(c) || c == '"' || c == ',') && !SPLITS.contains(&c)).starts_with(STARTS)
}

/// What takes no room, or only a blank's: a spreadsheet or its import may take it away.
fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_become_text_and_text_stays_as_it_is() {
        for cell in [
            "=1+1",
            "+16145550123",
            "-5",
            "@SUM(A1)",
            "＝1+1",
            "＠SUM(A1)",
            " =1",
            "\u{200b}=1",
            "\u{feff}=1",
            "\u{2060}\u{ad}+1",
            "\u{3164}@A1",
            "\u{e0020}-1",
            "\u{1}=1",
            "﹦1",
            "﹢1",
            "﹣1",
            "﹫A1",
        ] {
            assert_eq!(neutralise(cell), format!("'{cell}"));
        }
        for (cell, neutral) in [
            ("\t=1", "'\t'=1"),
            ("\r=1", "'\r'=1"),
            (";=1", "';'=1"),
            ("\n|-1", "'\n|'-1"),
            ("a;=1+1;b", "a;'=1+1;b"),
            ("a; \u{200b}\"+1", "a;' \u{200b}\"+1"),
            ("a;'=1", "a;''=1"),
            ("a|b\n@c", "a|b\n'@c"),
            ("a;\tb", "a;'\tb"),
            ("é;=1", "é;'=1"),
        ] {
            assert_eq!(neutralise(cell), neutral);
            assert_eq!(restore(neutral), cell);
        }
        for cell in ["", "Ada", "a=b", "'quoted'", "5-3", "; note", "ﬁne", "a,=b", "a;b'=c", "12 Oak St\nApt 5-B"] {
            assert_eq!(neutralise(cell), cell);
        }
    }

    #[test]
    fn what_spreadsheets_put_around_a_value_is_taken_off_and_a_name_keeps_its_apostrophe() {
        for (cell, value) in [
            ("=\"43215\"", "43215"),
            ("=\"Cat\"", "Cat"),
            ("=\"\"", ""),
            ("'02139", "02139"),
            ("'+16145550123", "+16145550123"),
            ("'t Hart", "'t Hart"),
            ("'90s rock", "'90s rock"),
            ("'quoted'", "'quoted'"),
            ("=\"a\"&\"b\"", "=\"a\"&\"b\""),
        ] {
            assert_eq!(restore(cell), value, "{cell}");
        }
    }

    #[test]
    fn a_line_of_sums_is_told_from_somebody() {
        for cell in [
            "TOTAL",
            "Grand Total (12)",
            "total:",
            "Sub-Total",
            "Record count",
            "Gesamt",
            "Total général",
            "Total records: 42",
        ] {
            assert!(is_total(cell), "{cell}");
        }
        for cell in ["Total Care Dental", "Count Basie", "Sumner", "", "42", "of"] {
            assert!(!is_total(cell), "{cell}");
        }
    }

    #[test]
    fn a_cell_that_another_separator_would_split_is_quoted() {
        assert_eq!(
            line(["a", "b;=1", "c\td", "e|f", "say \"hi\""]),
            "a,\"b;'=1\",\"c\td\",\"e|f\",\"say \"\"hi\"\"\"\n"
        );
        assert_eq!(line(Vec::<String>::new()), "\n");
    }

    /// How a spreadsheet reads one file with one separator: a quote opens a cell only at its beginning, or behind blanks, and what follows a
    /// closing one still belongs to the cell.
    fn read(file: &str, separator: char) -> Vec<String> {
        let (mut cells, mut cell, mut quoted, mut chars) = (Vec::new(), String::new(), false, file.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '"' if quoted && chars.peek() == Some(&'"') => cell.extend(chars.next()),
                '"' if quoted => quoted = false,
                '"' if cell.trim().is_empty() => quoted = true,
                c if !quoted && (c == separator || c == '\n' || c == '\r') => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        cells
    }

    /// As the careless read it: no quote means anything.
    fn split(file: &str, separator: char) -> Vec<String> {
        file.split([separator, '\n', '\r']).map(|cell| cell.trim_matches('"').to_owned()).collect()
    }

    fn runs(cell: &str) -> bool {
        cell.trim_start_matches(is_unseen).starts_with(STARTS) || cell.starts_with(STARTS)
    }

    const WICKED: &str = "[=+@＝﹣\t\r\n';,| a0s\"\u{200b}\u{feff}\u{2060}-]{0,8}";

    proptest! {
        #[test]
        fn no_neutralised_cell_starts_a_formula_and_all_can_be_restored(cell in WICKED) {
            let safe = neutralise(&cell).into_owned();
            prop_assert!(!is_formula(&safe));
            prop_assert_eq!(restore(&safe), cell);
        }

        #[test]
        fn no_cell_of_a_file_starts_a_formula_with_whatever_separator_it_is_read(
            rows in proptest::collection::vec(proptest::collection::vec(WICKED, 1..4), 1..3)
        ) {
            let file: String = rows.iter().map(line).collect();
            for separator in [';', '\t', '|', ','] {
                for cell in read(&file, separator) {
                    prop_assert!(!runs(&cell), "{:?} with {:?} gives {:?}", file, separator, cell);
                }
            }
            for separator in [';', '\t', '|'] {
                for cell in split(&file, separator) {
                    prop_assert!(!runs(&cell), "{:?} split at {:?} gives {:?}", file, separator, cell);
                }
            }
        }
    }
}
