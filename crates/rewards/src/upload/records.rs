//! The rows of a card file, whatever program saved it: its encoding, what separates its cells, and where each row begins.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Chain, Cursor, Read};

use csv::{ReaderBuilder, StringRecord};
use kernel::encoding::{Sniffer, Utf8, not_text};
use kernel::{Error, Result};

use super::MOST_BYTES;

/// Bytes by which the encoding is told.
const HEAD: u64 = 64 * 1024;
/// Rows among which that of the names is looked for.
pub(super) const TITLES: usize = 12;

/// The file as UTF-8: how it begins, and the rest.
type Source<R> = Utf8<Chain<Cursor<Vec<u8>>, R>>;

/// A row of the file.
pub(super) struct Row {
    /// The line it begins on.
    pub(super) number: u64,
    pub(super) cells: StringRecord,
    /// Whether a quote in it is open when the file ends.
    pub(super) is_open: bool,
}

/// The rows of a file.
pub(super) struct Records<R> {
    csv: csv::Reader<Quotes<BufReader<Limited<Source<R>>>>>,
    /// What separates the cells.
    pub(super) separator: char,
    /// Lines that only named the separator.
    above: u64,
}

impl<R: Read> Records<R> {
    /// The next row; `None` at the end.
    pub(super) fn next(&mut self) -> Option<Result<Row>> {
        let mut record = StringRecord::new();
        match self.csv.read_record(&mut record) {
            Ok(false) => None,
            Ok(true) => {
                let begin = record.position().map_or(0, csv::Position::line) + self.above;
                // the parser stands before the empty lines that it skips
                let quotes = self.csv.get_mut();
                let empty = quotes.reader.get_mut().empty_from(begin);
                Some(Ok(Row { number: begin + empty, cells: record, is_open: quotes.is_open_at_end() }))
            }
            Err(error) => Some(Err(if error.is_io_error() { too_large() } else { not_utf8() })),
        }
    }

    /// Reads a file in whatever encoding spreadsheets save.
    ///
    /// # Errors
    /// Names `file` when it is no text, or too large.
    pub(super) fn open(reader: R) -> Result<Self> {
        let mut reader = BufReader::with_capacity(64 * 1024, Limited::new(as_utf8(reader)?));
        let (delimiter, above) = delimiter(&mut reader)?;
        // cells are trimmed when they are read: a line break in one must be seen first
        let quotes = Quotes { reader, delimiter, place: Place::Beginning, ended: false };
        let csv = ReaderBuilder::new().delimiter(delimiter).flexible(true).has_headers(false).from_reader(quotes);
        Ok(Self { csv, separator: char::from(delimiter), above })
    }
}

/// A reader that knows whether the file ends inside a quote, which the parser does not tell.
struct Quotes<R> {
    reader: R,
    delimiter: u8,
    place: Place,
    ended: bool,
}

/// Where in a cell a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Beginning,
    Bare,
    Quoted,
    /// Behind a quote inside a quoted cell: it closes the cell, or stands for a quote with the next one.
    Behind,
}

impl<R> Quotes<R> {
    /// Only the last row can be read when the end has been seen: any other ends before it.
    fn is_open_at_end(&self) -> bool {
        self.ended && self.place == Place::Quoted
    }
}

impl<R: Read> Read for Quotes<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let bytes = self.reader.read(buffer)?;
        self.ended = bytes == 0;
        for byte in &buffer[..bytes] {
            self.place = match (self.place, *byte) {
                (Place::Quoted, b'"') => Place::Behind,
                (Place::Quoted, _) | (Place::Beginning | Place::Behind, b'"') => Place::Quoted,
                (_, byte) if byte == self.delimiter || byte == b'\n' => Place::Beginning,
                _ => Place::Bare,
            };
        }
        Ok(bytes)
    }
}

/// The file as UTF-8, in the encoding its beginning speaks for. Codes are plain letters and digits: what comes later can
/// only be damage.
fn as_utf8<R: Read>(mut reader: R) -> Result<Source<R>> {
    let mut head = Vec::with_capacity(HEAD as usize);
    reader.by_ref().take(HEAD).read_to_end(&mut head).map_err(|_| too_large())?;
    if let Some(what) = not_text(&head) {
        return Err(Error::invalid("file", what));
    }
    let mut sniffer = Sniffer::default();
    sniffer.push(&head);
    Ok(Utf8::new(Cursor::new(head).chain(reader), sniffer.finish()))
}

/// A reader that fails where the file is too long (half a file must never look like a whole one), and that ends every
/// line with a line feed alone: the parser counts a carriage return and a line feed as ends of two different lines.
struct Limited<R> {
    reader: R,
    left: u64,
    after_return: bool,
    line: u64,
    is_empty: bool,
    /// Empty lines the parser has not come to yet: the first of a run, and how many.
    empty: VecDeque<(u64, u64)>,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            let bytes = self.reader.read(buffer)?;
            let left = self.left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX));
            self.left = left.ok_or_else(|| std::io::Error::other("too large"))?;
            let kept = self.line_feeds_only(&mut buffer[..bytes]);
            // nothing kept of something read is not the end
            if kept > 0 || bytes == 0 {
                return Ok(kept);
            }
        }
    }
}

impl<R> Limited<R> {
    fn new(reader: R) -> Self {
        Self { reader, left: MOST_BYTES, after_return: false, line: 1, is_empty: true, empty: VecDeque::new() }
    }

    /// How many empty lines there are from one on.
    fn empty_from(&mut self, line: u64) -> u64 {
        while self.empty.front().is_some_and(|(first, _)| *first < line) {
            self.empty.pop_front();
        }
        self.empty.front().filter(|(first, _)| *first == line).map_or(0, |(_, lines)| *lines)
    }

    fn count(&mut self, byte: u8) {
        if byte != b'\n' {
            self.is_empty = false;
            return;
        }
        if std::mem::replace(&mut self.is_empty, true) {
            match self.empty.back_mut().filter(|(first, lines)| first + lines == self.line) {
                Some((_, lines)) => *lines += 1,
                None => self.empty.push_back((self.line, 1)),
            }
        }
        self.line += 1;
    }

    fn line_feeds_only(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for at in 0..bytes.len() {
            let byte = bytes[at];
            if byte != b'\n' || !self.after_return {
                bytes[kept] = if byte == b'\r' { b'\n' } else { byte };
                self.count(bytes[kept]);
                kept += 1;
            }
            self.after_return = byte == b'\r';
        }
        kept
    }
}

fn too_large() -> Error {
    Error::invalid("file", format!("cannot be read to its end, or is larger than {} MB", MOST_BYTES / 1_000_000))
}

fn not_utf8() -> Error {
    Error::invalid("file", "save the file as CSV in UTF-8")
}

/// The separator that stands in most of the first lines, and how many lines were about it alone.
fn delimiter(reader: &mut impl BufRead) -> Result<(u8, u64)> {
    const SEPARATORS: [u8; 4] = [b'|', b'\t', b';', b','];
    let begin = reader.fill_buf().map_err(|_| too_large())?;
    let lines = begin.split(|byte| *byte == b'\n').take(TITLES);
    // the line by which a spreadsheet is told the separator is none of the file's
    let first = begin.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let told = first.strip_prefix(b"sep=").and_then(|rest| rest.first().copied());
    if let Some(separator) = told.filter(|byte| SEPARATORS.contains(byte)) {
        let length = (first.len() + 1).min(begin.len());
        reader.consume(length);
        return Ok((separator, 1));
    }
    // a title above the table may hold more commas than any line of it, but there are fewer titles
    let most = |separator: &u8| {
        let often = lines.clone().map(|line| line.iter().filter(|byte| **byte == *separator).count());
        (often.clone().filter(|count| *count > 0).count(), often.max().unwrap_or_default())
    };
    Ok((SEPARATORS.into_iter().max_by_key(|separator| most(separator)).unwrap_or(b','), 0))
}
