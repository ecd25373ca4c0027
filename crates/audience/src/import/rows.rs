//! The rows of a delimited file, one at a time and in constant memory. Never fails on what is in the file: a row that
//! cannot be read is handed out as broken, with its line, and reading goes on after it.

use std::io::{self, Read};

use csv_core::ReadRecordResult;

use super::quotes;
use kernel::encoding::{Encoding, Text};

/// The longest row; more is a quote that was never closed, or no table at all.
const LONGEST: usize = 256 * 1024;
/// Bytes that are read over again, because a row swallowed its successors, before the file is given up: what bounds the
/// work on a hostile one. Thousands of rows with an open quote fit in, or hundreds that each run to [`LONGEST`].
const REREAD: usize = 64 * 1024 * 1024;

/// How a file is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// What its bytes stand for.
    pub encoding: Encoding,
    /// What separates its cells.
    pub delimiter: u8,
    /// How many cells a row has; zero while that is not known yet.
    pub columns: usize,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The line it begins on, counted from 1 as editors do.
    pub line: u64,
    /// As it stands in the file, without the line end.
    pub raw: &'a str,
    text: &'a str,
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    /// The number of cells.
    pub fn width(&self) -> usize {
        self.ends.len()
    }

    /// One cell; empty where the row is shorter.
    pub fn cell(&self, index: usize) -> &'a str {
        let Some(end) = self.ends.get(index) else { return "" };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..*end).unwrap_or_default()
    }

    /// All cells.
    pub fn cells(&self) -> impl Iterator<Item = &'a str> + '_ {
        (0..self.width()).map(|index| self.cell(index))
    }

    /// Whether the row fits a table of `columns`: cells may be missing at its end, where spreadsheets leave out empty ones,
    /// and further cells may be there when they are empty.
    pub fn fits(&self, columns: usize) -> bool {
        !self.is_scant(columns) && (columns..self.width()).all(|index| self.cell(index).trim().is_empty())
    }

    /// Whether hardly a quarter of the cells are there: a note below the table, unless it says whom it is about.
    pub fn is_scant(&self, columns: usize) -> bool {
        self.width() * 4 < columns || (self.width() == 1 && columns > 2)
    }
}

/// What comes next in a file.
#[derive(Debug)]
pub enum Item<'a> {
    /// A row.
    Row(Row<'a>),
    /// A line that cannot be read as a row.
    Broken {
        /// The line.
        line: u64,
        /// As it stands in the file.
        raw: &'a str,
        /// Why.
        reason: &'static str,
    },
    /// From this line on the file cannot be told apart into rows. Nothing comes after it.
    Hopeless {
        /// The line.
        line: u64,
        /// Why.
        reason: &'static str,
    },
}

/// Reads rows.
pub struct Rows<R> {
    text: Text<R>,
    layout: Layout,
    parser: csv_core::Reader,
    window: Vec<u8>,
    at: usize,
    line: u64,
    after_return: bool,
    cells: Vec<u8>,
    ends: Vec<usize>,
    reread: usize,
}

/// One record as the parser saw it.
struct Record {
    length: usize,
    text: usize,
    ends: usize,
}

enum Parsed {
    Record(Record),
    TooLong { length: usize },
    End,
}

impl<R: Read> Rows<R> {
    /// The rows of `source`, its first line included.
    pub fn new(source: R, layout: Layout) -> Self {
        Self {
            text: Text::new(source, layout.encoding),
            layout,
            parser: parser(layout.delimiter),
            window: Vec::new(),
            at: 0,
            line: 1,
            after_return: false,
            cells: vec![0; 1024],
            ends: vec![0; 64],
            reread: 0,
        }
    }

    /// From here on rows have this many cells.
    pub fn expect_columns(&mut self, columns: usize) {
        self.layout.columns = columns;
    }

    /// Bytes of the file taken so far.
    pub fn bytes_read(&self) -> u64 {
        self.text.bytes_read()
    }

    /// The line the next row begins on; `None` at the end.
    ///
    /// # Errors
    /// Only what the source of the bytes answers.
    pub fn next_line(&mut self) -> io::Result<Option<u64>> {
        Ok(self.skip_line_ends()?.then_some(self.line))
    }

    /// The next row; `None` at the end.
    ///
    /// # Errors
    /// Only what the source of the bytes answers.
    pub fn next(&mut self) -> io::Result<Option<Item<'_>>> {
        if self.reread > REREAD || !self.skip_line_ends()? {
            return Ok(None);
        }
        let record = match self.parse()? {
            Parsed::End => return Ok(None),
            Parsed::TooLong { length } => {
                return self.broken(length, "longer than 256 kB: a quote may not be closed").map(Some);
            }
            Parsed::Record(record) => record,
        };
        if self.has_swallowed(&record)? {
            return self.broken(record.length, "a quote is opened and not closed").map(Some);
        }
        let (start, line) = (self.at, self.line);
        self.advance(record.length);
        let row = row_of(
            &self.window[start..start + record.length],
            &self.cells[..record.text],
            &self.ends[..record.ends],
            line,
        );
        Ok(Some(Item::Row(row)))
    }

    /// A row over several lines must be whole: one that is short has run into its successors by an open quote. One that is
    /// whole has too, where lines within a cell are rows themselves, or where the file ends before the quote does.
    fn has_swallowed(&mut self, record: &Record) -> io::Result<bool> {
        if self.layout.columns == 0 {
            return Ok(false);
        }
        let raw = self.window[self.at..self.at + record.length].trim_ascii_end();
        let over_lines = raw.iter().any(ends_line);
        if !over_lines && !raw.contains(&b'"') {
            return Ok(false);
        }
        let (closed, delimiter) = (quotes::are_closed(raw, self.layout.delimiter), self.layout.delimiter);
        if over_lines {
            let whole = record.ends >= self.layout.columns && self.row(record).fits(self.layout.columns);
            // properly closed quotes may hold anything; not whom the table is about, though
            let holds_rows =
                quotes::row_lines(raw, delimiter, self.layout.columns).any(|line| !closed || line.contains(&b'@'));
            if !whole || holds_rows {
                return Ok(true);
            }
        }
        let opened = !closed && quotes::are_opened(raw, delimiter);
        Ok(opened && self.is_last(record)?)
    }

    /// Whether nothing comes after a record.
    fn is_last(&mut self, record: &Record) -> io::Result<bool> {
        Ok(self.at + record.length >= self.window.len() && !self.look_ahead()?)
    }

    /// Takes more from the source, keeping the record the reader stands on.
    fn look_ahead(&mut self) -> io::Result<bool> {
        let length = self.window.len();
        while self.text.fill(&mut self.window)? {
            if self.window.len() > length {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn row(&self, record: &Record) -> Row<'_> {
        let raw = &self.window[self.at..self.at + record.length];
        row_of(raw, &self.cells[..record.text], &self.ends[..record.ends], self.line)
    }

    /// Empty lines are no rows. `false` when nothing is left.
    fn skip_line_ends(&mut self) -> io::Result<bool> {
        loop {
            while let Some(byte) = self.window.get(self.at) {
                if !ends_line(byte) {
                    return Ok(true);
                }
                self.advance(1);
            }
            if !self.refill()? {
                return Ok(false);
            }
        }
    }

    /// Drops what was read and takes more from the source.
    fn refill(&mut self) -> io::Result<bool> {
        self.window.drain(..self.at);
        self.at = 0;
        let length = self.window.len();
        // A block may end within a character and give no text yet; an empty window would mean the end to the parser.
        while self.text.fill(&mut self.window)? {
            if self.window.len() > length {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn parse(&mut self) -> io::Result<Parsed> {
        let mut record = Record { length: 0, text: 0, ends: 0 };
        let mut ended = false;
        loop {
            // The window may move when it is refilled, and `at` with it; lengths stay.
            let input = &self.window[self.at + record.length..];
            let (result, read, text, ends) =
                self.parser.read_record(input, &mut self.cells[record.text..], &mut self.ends[record.ends..]);
            record.length += read;
            record.text += text;
            record.ends += ends;
            match result {
                ReadRecordResult::Record => return Ok(Parsed::Record(record)),
                ReadRecordResult::End => return Ok(Parsed::End),
                ReadRecordResult::OutputFull => self.cells.resize(self.cells.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(self.ends.len() * 2, 0),
                ReadRecordResult::InputEmpty if record.length > LONGEST => {
                    return Ok(Parsed::TooLong { length: record.length });
                }
                ReadRecordResult::InputEmpty if ended => return Ok(Parsed::End),
                ReadRecordResult::InputEmpty => ended = !self.refill()?,
            }
        }
    }

    /// Gives up the line the reader stands on and goes on with the next one, `parsed` bytes after it for nothing.
    fn broken(&mut self, parsed: usize, reason: &'static str) -> io::Result<Item<'_>> {
        self.parser = parser(self.layout.delimiter);
        let length = self.window[self.at..].iter().position(ends_line);
        let (start, line) = (self.at, self.line);
        let rest = self.window.len() - self.at;
        let Some(length) = (match length {
            None if rest <= LONGEST && !self.look_ahead()? => Some(rest),
            length => length,
        }) else {
            self.skip_to_line_end()?;
            return Ok(Item::Broken { line, raw: "", reason });
        };
        self.reread += parsed.saturating_sub(length);
        if self.reread > REREAD {
            return Ok(Item::Hopeless { line, reason: "too many quotes are opened and not closed" });
        }
        self.advance((length + 1).min(rest));
        let raw = lossless(&self.window[start..start + length]);
        Ok(Item::Broken { line, raw, reason })
    }

    fn skip_to_line_end(&mut self) -> io::Result<()> {
        loop {
            self.at = self.window.len();
            if !self.refill()? {
                return Ok(());
            }
            if let Some(length) = self.window.iter().position(ends_line) {
                self.advance(length + 1);
                return Ok(());
            }
        }
    }

    /// Moves on, counting `\n`, `\r` and `\r\n` as one line end each.
    fn advance(&mut self, length: usize) {
        for byte in &self.window[self.at..self.at + length] {
            let new_line = *byte == b'\r' || (*byte == b'\n' && !self.after_return);
            self.line += u64::from(new_line);
            self.after_return = *byte == b'\r';
        }
        self.at += length;
    }
}

fn ends_line(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn parser(delimiter: u8) -> csv_core::Reader {
    csv_core::ReaderBuilder::new().delimiter(delimiter).build()
}

fn row_of<'a>(raw: &'a [u8], text: &'a [u8], ends: &'a [usize], line: u64) -> Row<'a> {
    Row { line, raw: lossless(raw).trim_end_matches(['\r', '\n']), text: lossless(text), ends }
}

/// The decoder only hands out UTF-8, and rows are cut at ASCII bytes.
fn lossless(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::import::table::guess_delimiter;

    fn all(text: &str, columns: usize) -> Vec<String> {
        let layout = Layout { encoding: Encoding::Utf8, delimiter: b',', columns };
        let mut rows = Rows::new(text.as_bytes(), layout);
        let mut seen = Vec::new();
        while let Some(item) = rows.next().unwrap() {
            seen.push(match item {
                Item::Row(row) => format!("{}: {}", row.line, row.cells().collect::<Vec<_>>().join("|")),
                Item::Broken { line, raw, .. } => format!("{line}! {raw}"),
                Item::Hopeless { line, .. } => format!("{line}!!"),
            });
        }
        seen
    }

    #[test]
    fn quotes_delimiters_and_line_ends_inside_a_cell_belong_to_it_and_lines_are_counted_as_editors_do() {
        let text = "name,address\r\n\"Lee, Ada\",\"12 Main St\r\nApt 4\"\r\n\r\nBo,\"say \"\"hi\"\"\"";
        assert_eq!(all(text, 2), ["1: name|address", "2: Lee, Ada|12 Main St\r\nApt 4", "5: Bo|say \"hi\""]);
    }

    #[test]
    fn a_quote_that_is_never_closed_costs_its_own_line_only() {
        let text = "a,b,c\n1,\"two,3\n4,5,6\n7,8,9\n";
        let rows = ["1: a|b|c", "2! 1,\"two,3", "3: 4|5|6", "4: 7|8|9"];
        assert_eq!(all(text, 3), rows);
        assert_eq!(all(&text.replace('\n', "\r"), 3), rows);
        let many = format!("a,b,c\n{}", "1,\"two\n4,5,6\n".repeat(5000));
        assert_eq!(all(&many, 3).iter().filter(|row| row.ends_with(": 4|5|6")).count(), 5000);
    }

    #[test]
    fn a_file_of_open_quotes_is_given_up_with_a_reason_before_it_costs_its_length_squared() {
        let text = format!("a,b\n{}", "a\",\"b\n".repeat(400_000));
        let seen = all(&text, 2);
        assert_eq!(seen[1], "2! a\",\"b");
        assert!(seen[seen.len() - 1].ends_with("!!") && seen.len() < 1000, "{}", seen.len());
    }

    #[test]
    fn a_line_without_end_is_given_up_in_constant_memory() {
        let text = format!("a,b\n1,\"{}\n3,4\n", "x".repeat(LONGEST * 8));
        let layout = Layout { encoding: Encoding::Utf8, delimiter: b',', columns: 2 };
        let mut rows = Rows::new(text.as_bytes(), layout);
        let mut lines = Vec::new();
        while let Some(item) = rows.next().unwrap() {
            lines.push(matches!(item, Item::Row(_)));
        }
        assert_eq!(lines, [true, false, true]);
        assert!(rows.window.capacity() < LONGEST * 4, "{}", rows.window.capacity());
    }

    #[test]
    fn a_quote_that_swallows_whole_rows_is_found_in_the_last_column_too() {
        let text = "a,b,c\n1,2,\"x\n4,5,6\n7,8,9\n";
        let rows = ["1: a|b|c", "2! 1,2,\"x", "3: 4|5|6", "4: 7|8|9"];
        assert_eq!(all(text, 3), rows);
        // closed by the next row's quote, or by one that is nowhere a cell's end
        assert_eq!(all("a,b,c\n1,2,\"x\n4,5,\"y\"\n7,8,9\n", 3), ["1: a|b|c", "2! 1,2,\"x", "3: 4|5|y", "4: 7|8|9"]);
        assert_eq!(all("a,b\n1,\"x\n4,5\n", 2), ["1: a|b", "2! 1,\"x", "3: 4|5"]);
        assert_eq!(all("a,b\n1,2\n4,\"x", 2), ["1: a|b", "2: 1|2", "3! 4,\"x"]);
        assert_eq!(all("a,b\n1,\"x\nnote\n", 2), ["1: a|b", "2! 1,\"x", "3: note"]);
    }

    #[test]
    fn line_breaks_that_belong_to_a_cell_stay_in_it() {
        let text = "a,b,c\n1,\"12 Oak St\nColumbus, OH 43215\nUS\",3\n4,5\" pipe,6\n7,8,\"9\nx\"\n";
        assert_eq!(
            all(text, 3),
            ["1: a|b|c", "2: 1|12 Oak St\nColumbus, OH 43215\nUS|3", "5: 4|5\" pipe|6", "6: 7|8|9\nx"]
        );
        assert_eq!(all("a,b\n1,\"x\ny,z\"\n", 2), ["1: a|b", "2: 1|x\ny,z"]);
        assert_eq!(all("a,b\n1,5\"", 2), ["1: a|b", "2: 1|5\""]);
    }

    #[test]
    fn a_short_row_fits_when_a_quarter_of_it_is_there_and_a_long_one_when_the_rest_is_empty() {
        let fits = |text: &str| {
            let mut rows = Rows::new(text.as_bytes(), Layout { encoding: Encoding::Utf8, delimiter: b',', columns: 0 });
            match rows.next().unwrap().unwrap() {
                Item::Row(row) => row.fits(8),
                _ => false,
            }
        };
        assert!(fits("1,2") && fits("1,2,3,4,5,6,7,8,,  "));
        assert!(!fits("1") && !fits("1,2,3,4,5,6,7,8,9"));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_lines_only_go_forward(bytes in proptest::collection::vec(any::<u8>(), 0..2000), columns in 0_usize..6) {
            for encoding in [Encoding::Utf8, Encoding::Utf16Le, Encoding::Utf16Be, Encoding::Windows1252] {
                let delimiter = guess_delimiter(&bytes, encoding);
                let mut rows = Rows::new(bytes.as_slice(), Layout { encoding, delimiter, columns });
                let mut last = 0;
                while let Some(item) = rows.next().unwrap() {
                    let line = match item {
                        Item::Row(row) => { row.cells().count(); row.line }
                        Item::Broken { line, .. } | Item::Hopeless { line, .. } => line,
                    };
                    prop_assert!(line > last);
                    last = line;
                }
            }
        }

        #[test]
        fn what_a_writer_wrote_is_read_back(table in proptest::collection::vec(proptest::collection::vec("[a-z,\"\r\n;é ]{1,8}", 3), 1..20)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            for row in &table {
                writer.write_record(row).unwrap();
            }
            let bytes = writer.into_inner().unwrap();
            let mut rows = Rows::new(bytes.as_slice(), Layout { encoding: Encoding::Utf8, delimiter: b',', columns: 3 });
            let mut read = Vec::new();
            while let Some(Item::Row(row)) = rows.next().unwrap() {
                read.push(row.cells().map(str::to_owned).collect::<Vec<_>>());
            }
            prop_assert_eq!(read, table);
        }
    }
}
