//! Where the table of a file begins: after a line that names the delimiter, after title lines, with or without names of
//! columns.

use super::headers;
use super::rows::{Item, Layout, Rows};
use kernel::encoding::Encoding;

/// What separates cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows looked at above a table.
const LOOKED_AT: usize = 12;
/// Rows whose cells are looked at to guess what a column holds.
pub const SAMPLE: usize = 2000;

/// How a file begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What separates cells.
    pub delimiter: u8,
    /// The line its first row begins on, the names of its columns included.
    pub first_line: u64,
    /// Whether that row holds names.
    pub has_header: bool,
    /// Whether nobody can tell but a person.
    pub unclear: bool,
    /// The first row.
    pub first: Vec<String>,
    /// Some rows below the names.
    pub rows: Vec<Vec<String>>,
}

/// What a person said about how the file begins.
#[derive(Debug, Clone, Copy, Default)]
pub struct Said {
    /// The line of the first row.
    pub first_line: Option<u64>,
    /// Whether it holds names.
    pub has_header: Option<bool>,
}

/// How a file that begins with `head` is laid out; `None` when there is no row in it.
pub fn find(head: &[u8], encoding: Encoding, said: Said) -> Option<Table> {
    let (named, begin) = named_delimiter(head, encoding);
    let delimiter = named.unwrap_or_else(|| guess_delimiter(head, encoding));
    let top = top(head, Layout { encoding, delimiter, columns: 0 }, said.first_line.unwrap_or(begin));
    let index = if said.first_line.is_some() { 0 } else { titles(&top) };
    let (first_line, first) = top.get(index)?.clone();
    let known = first.iter().filter(|cell| headers::recognises(cell)).count();
    let data = is_data(&first, known, top.get(index + 1).map(|(_, cells)| cells.as_slice()));
    let has_header = said.has_header.unwrap_or(!data);
    let unclear = said.has_header.is_none() && (data || known == 0);
    let layout = Layout { encoding, delimiter, columns: 0 };
    let rows = sample(head, layout, first_line + u64::from(has_header), first.len());
    Some(Table { delimiter, first_line, has_header, unclear, first, rows })
}

/// `sep=;` in the first line, as Excel writes it; and the line after it.
fn named_delimiter(head: &[u8], encoding: Encoding) -> (Option<u8>, u64) {
    let mut rows = Rows::new(&head[..head.len().min(64)], Layout { encoding, delimiter: b'\0', columns: 0 });
    match rows.next() {
        Ok(Some(Item::Row(row))) => {
            let line = row.raw.trim_matches('"').to_ascii_lowercase();
            let mark = line.strip_prefix("sep=").and_then(|rest| rest.bytes().next());
            (mark.filter(|_| line.len() <= 6), if mark.is_some() && line.len() <= 6 { row.line + 1 } else { 1 })
        }
        _ => (None, 1),
    }
}

/// The first rows from a line on, each with its line.
fn top(head: &[u8], layout: Layout, from: u64) -> Vec<(u64, Vec<String>)> {
    let mut rows = Rows::new(head, layout);
    let mut found = Vec::new();
    while let Ok(Some(item)) = rows.next() {
        if let Item::Row(row) = item
            && row.line >= from
        {
            found.push((row.line, row.cells().map(str::to_owned).collect()));
            if found.len() == LOOKED_AT {
                break;
            }
        }
    }
    found
}

/// How many rows above the names of the columns are titles: they have hardly a cell, and names of columns follow.
fn titles(top: &[(u64, Vec<String>)]) -> usize {
    let filled = |cells: &[String]| cells.iter().filter(|cell| !cell.trim().is_empty()).count();
    let known = |cells: &[String]| cells.iter().filter(|cell| headers::recognises(cell)).count();
    let widest = top.iter().map(|(_, cells)| filled(cells)).max().unwrap_or_default();
    let is_title = |cells: &[String]| widest >= 2 && filled(cells) * 2 <= widest && known(cells) < 2;
    if !top.first().is_some_and(|(_, cells)| is_title(cells)) {
        return 0;
    }
    let header = top.iter().position(|(_, cells)| known(cells) >= 2 && filled(cells) * 2 >= widest);
    match header {
        Some(index) if top[..index].iter().all(|(_, cells)| is_title(cells)) => index,
        _ => 0,
    }
}

/// Whether the first row is somebody already. Two names of columns in it say no, whatever else stands there.
fn is_data(first: &[String], known: usize, second: Option<&[String]>) -> bool {
    if known >= 2 {
        return false;
    }
    if headers::is_data(first.iter().map(String::as_str)) {
        return true;
    }
    // a ZIP code, a day, a house number: the same in the next row makes it no name
    let digits = |cell: &str| cell.trim().starts_with(|c: char| c.is_ascii_digit());
    known == 0
        && first.len() > 1
        && second.is_some_and(|second| first.iter().zip(second).any(|(above, below)| digits(above) && digits(below)))
}

fn sample(head: &[u8], layout: Layout, from: u64, columns: usize) -> Vec<Vec<String>> {
    let mut rows = Rows::new(head, layout);
    rows.expect_columns(columns);
    let mut table = Vec::new();
    while let Ok(Some(item)) = rows.next() {
        if let Item::Row(row) = item
            && row.line >= from
            && !row.is_scant(columns)
        {
            table.push(row.cells().map(str::to_owned).collect());
            if table.len() == SAMPLE {
                break;
            }
        }
    }
    // the head of a long file may end within a row
    if table.len() > 1 && table.len() < SAMPLE && head.len() >= super::source::PIECE {
        table.pop();
    }
    table
}

/// The delimiter under which the first rows of `sample` make the most regular table.
pub fn guess_delimiter(sample: &[u8], encoding: Encoding) -> u8 {
    let score = |delimiter: u8| {
        let mut rows = Rows::new(sample, Layout { encoding, delimiter, columns: 0 });
        let mut counts = Vec::new();
        while let Ok(Some(Item::Row(row))) = rows.next() {
            counts.push(row.width());
            if counts.len() == 20 {
                break;
            }
        }
        // titles above a table have fewer cells than most rows
        let how_many = |columns: usize| counts.iter().filter(|count| **count == columns).count();
        let columns = counts.iter().copied().max_by_key(|columns| (how_many(*columns), *columns)).unwrap_or_default();
        if columns < 2 { 0 } else { how_many(columns) * 1000 / counts.len() * columns.min(20) }
    };
    // On a tie the first of the list wins, for which `max_by_key` has to see it last.
    DELIMITERS.into_iter().rev().max_by_key(|delimiter| score(*delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> (u64, bool, bool, char, usize) {
        let found = find(text.as_bytes(), Encoding::Utf8, Said::default()).unwrap();
        (found.first_line, found.has_header, found.unclear, found.delimiter as char, found.rows.len())
    }

    #[test]
    fn the_delimiter_is_the_one_that_makes_a_table() {
        let guess = |text: &str| guess_delimiter(text.as_bytes(), Encoding::Utf8) as char;
        assert_eq!(guess("a,b\n1,2\n"), ',');
        assert_eq!(guess("name;note\nLee;\"a, b, c\"\nBo;x\n"), ';');
        assert_eq!(guess("a\tb, c\n1\t2\n"), '\t');
        assert_eq!(guess("a|b|c\n1|2|3\n"), '|');
        assert_eq!(guess("email\nada@example.com\n"), ',');
        assert_eq!(guess(""), ',');
    }

    #[test]
    fn the_table_begins_after_what_stands_above_it() {
        assert_eq!(table("Email,Name\na@b.co,Ada\n"), (1, true, false, ',', 1));
        assert_eq!(table("sep=;\r\nEmail;Name\r\na@b.co;Ada\r\n"), (2, true, false, ';', 1));
        assert_eq!(table("\"sep=\t\"\nEmail\tName\na@b.co\tAda\n"), (2, true, false, '\t', 1));
        let titled = "Customer Contact List,,,\n\"As of November 27, 2026\",,,\n,,,\nName,Email,City,State\nA,b,c,d\n";
        assert_eq!(table(titled), (4, true, false, ',', 1));
        assert_eq!(table("Our customers\n\nName;Email;City\nAda Lee;a@b.co;Rome\n"), (3, true, false, ';', 1));
    }

    #[test]
    fn a_first_row_that_is_somebody_is_asked_about_and_numbers_in_names_are_no_data() {
        assert_eq!(table("Ruth,Mason,ruth@b.co\nOle,Berg,ole@b.co\n"), (1, false, true, ',', 2));
        assert_eq!(
            table("Ruth,Mason,12 Oak St,Columbus,43215\nOle,Berg,14 Oak St,Columbus,43215\n"),
            (1, false, true, ',', 2)
        );
        assert_eq!(table("Ruth,Mason,Columbus\nOle,Berg,Dayton\n"), (1, true, true, ',', 1));
        assert_eq!(table("Email,2023 Giving,2024\na@b.co,100,200\n"), (1, true, false, ',', 1));
        assert_eq!(table("First Name,Last Name,6145550123\nAda,Lee,1\n"), (1, true, false, ',', 1));
        let said = Said { has_header: Some(true), first_line: Some(2) };
        let found = find(b"x,y\nRuth,Mason\nOle,Berg\n", Encoding::Utf8, said).unwrap();
        assert_eq!((found.first_line, found.has_header, found.unclear, found.rows.len()), (2, true, false, 1));
    }
}
