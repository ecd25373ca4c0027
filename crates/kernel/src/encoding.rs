//! Which characters a file's bytes stand for: guessed from its bytes, decoded as it streams.

use std::io::{self, Read};

use encoding_rs::{Decoder, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use serde::{Deserialize, Serialize};

/// Bytes looked at for a byte-order mark and for the pattern of UTF-16.
const HEAD: usize = 4096;
/// Bytes read at a time.
const BLOCK: usize = 64 * 1024;

/// The encodings contact files come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// UTF-8, with or without byte-order mark.
    #[default]
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, low byte first.
    #[serde(rename = "utf-16le")]
    Utf16Le,
    /// UTF-16, high byte first.
    #[serde(rename = "utf-16be")]
    Utf16Be,
    /// Windows-1252, which older spreadsheets save.
    #[serde(rename = "windows-1252")]
    Windows1252,
}

impl Encoding {
    /// The name people know.
    pub fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16 (little endian)",
            Self::Utf16Be => "UTF-16 (big endian)",
            Self::Windows1252 => "Windows-1252",
        }
    }

    fn decoder(self) -> Decoder {
        let encoding = match self {
            Self::Utf8 => UTF_8,
            Self::Utf16Le => UTF_16LE,
            Self::Utf16Be => UTF_16BE,
            Self::Windows1252 => WINDOWS_1252,
        };
        encoding.new_decoder_with_bom_removal()
    }
}

/// What a file is that is no text at all, by how it begins, and what to do about it.
pub fn not_text(head: &[u8]) -> Option<&'static str> {
    let begins = |with: &[u8]| head.starts_with(with);
    match () {
        () if begins(b"PK\x03\x04") || begins(b"\xD0\xCF\x11\xE0") => {
            Some("this is a workbook of a spreadsheet, or an archive: save the sheet as CSV, and upload that file")
        }
        () if begins(b"%PDF") => Some("this is a PDF and no table: export the table as CSV"),
        () if begins(b"\x1F\x8B") => Some("this file is compressed: unpack it first"),
        () => None,
    }
}

/// Guesses the encoding of a file from all of its bytes, a piece at a time.
#[derive(Debug, Default)]
pub struct Sniffer {
    head: Vec<u8>,
    tail: Vec<u8>,
    multibyte: u64,
    broken: u64,
}

impl Sniffer {
    /// Looks at the next piece.
    pub fn push(&mut self, piece: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len());
        self.head.extend_from_slice(&piece[..piece.len().min(room)]);
        if self.tail.is_empty() && piece.is_ascii() {
            return;
        }
        let mut bytes = std::mem::take(&mut self.tail);
        bytes.extend_from_slice(piece);
        let mut rest = bytes.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(text) => return self.multibyte += multibyte(text.as_bytes()),
                Err(error) => {
                    let (good, bad) = rest.split_at(error.valid_up_to());
                    self.multibyte += multibyte(good);
                    let Some(length) = error.error_len() else {
                        // a character cut in two by the end of the piece
                        self.tail = bad.to_vec();
                        return;
                    };
                    self.broken += 1;
                    rest = &bad[length..];
                }
            }
        }
    }

    /// The likeliest encoding of what was seen.
    pub fn finish(&self) -> Encoding {
        match self.head.as_slice() {
            [0xEF, 0xBB, 0xBF, ..] => return Encoding::Utf8,
            [0xFF, 0xFE, ..] => return Encoding::Utf16Le,
            [0xFE, 0xFF, ..] => return Encoding::Utf16Be,
            _ => {}
        }
        if let Some(encoding) = self.without_mark() {
            return encoding;
        }
        // A UTF-8 file with a few damaged bytes still is one: its damaged rows are refused, the others read well.
        let damaged = self.broken + u64::from(!self.tail.is_empty());
        if damaged > self.multibyte { Encoding::Windows1252 } else { Encoding::Utf8 }
    }

    /// UTF-16 without a byte-order mark: western text has a zero in every other byte.
    fn without_mark(&self) -> Option<Encoding> {
        let zeros = |from: usize| self.head.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
        let (high, low, half) = (zeros(0), zeros(1), self.head.len() / 4);
        if low > half && high == 0 {
            return Some(Encoding::Utf16Le);
        }
        (high > half && low == 0 && half > 0).then_some(Encoding::Utf16Be)
    }
}

/// Characters of more than one byte, counted by their first.
fn multibyte(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte >= 0xC0).count() as u64
}

/// A file read as UTF-8, whatever it is written in. What cannot be decoded becomes U+FFFD.
pub struct Text<R> {
    source: R,
    decoder: Decoder,
    block: Vec<u8>,
    bytes_read: u64,
    ended: bool,
}

impl<R: Read> Text<R> {
    /// Reads `source` as `encoding`, leaving out a byte-order mark.
    pub fn new(source: R, encoding: Encoding) -> Self {
        Self { source, decoder: encoding.decoder(), block: vec![0; BLOCK], bytes_read: 0, ended: false }
    }

    /// Appends the next block of text to `out`; `false` at the end.
    ///
    /// # Errors
    /// What the source answered.
    pub fn fill(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let length = self.source.read(&mut self.block)?;
        self.ended = length == 0;
        self.bytes_read += length as u64;
        let room = self.decoder.max_utf8_buffer_length(length).unwrap_or(BLOCK * 4);
        let start = out.len();
        out.resize(start + room, 0);
        let (_, _, written, _) = self.decoder.decode_to_utf8(&self.block[..length], &mut out[start..], self.ended);
        out.truncate(start + written);
        Ok(!self.ended || written > 0)
    }

    /// Bytes taken from the source so far.
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read
    }
}

/// The text of a file as bytes of UTF-8, for whoever reads bytes.
pub struct Utf8<R> {
    text: Text<R>,
    ready: Vec<u8>,
    at: usize,
}

impl<R: Read> Utf8<R> {
    /// Reads `source` as `encoding`.
    pub fn new(source: R, encoding: Encoding) -> Self {
        Self { text: Text::new(source, encoding), ready: Vec::new(), at: 0 }
    }
}

impl<R: Read> Read for Utf8<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.at == self.ready.len() {
            self.ready.clear();
            self.at = 0;
            if !self.text.fill(&mut self.ready)? {
                return Ok(0);
            }
        }
        let length = out.len().min(self.ready.len() - self.at);
        out[..length].copy_from_slice(&self.ready[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(pieces: &[&[u8]]) -> Encoding {
        let mut sniffer = Sniffer::default();
        pieces.iter().for_each(|piece| sniffer.push(piece));
        sniffer.finish()
    }

    fn read(bytes: &[u8], encoding: Encoding) -> String {
        let (mut text, mut out) = (Text::new(bytes, encoding), Vec::new());
        while text.fill(&mut out).unwrap() {}
        String::from_utf8(out).unwrap()
    }

    fn utf16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    #[test]
    fn every_encoding_is_told_apart_and_read_with_or_without_its_mark() {
        let text = "name,city\nJosé,Peoria\n";
        let (le, be) = (utf16(text, u16::to_le_bytes), utf16(text, u16::to_be_bytes));
        assert_eq!(guess(&[text.as_bytes()]), Encoding::Utf8);
        assert_eq!(guess(&["\u{feff}a".as_bytes()]), Encoding::Utf8);
        assert_eq!(guess(&[&le]), Encoding::Utf16Le);
        assert_eq!(guess(&[&be]), Encoding::Utf16Be);
        assert_eq!(guess(&[b"name\nJos\xE9\n"]), Encoding::Windows1252);
        assert_eq!(read(&le, Encoding::Utf16Le), text);
        assert_eq!(read(&[&[0xFE, 0xFF], be.as_slice()].concat(), Encoding::Utf16Be), text);
        assert_eq!(read(&["\u{feff}".as_bytes(), text.as_bytes()].concat(), Encoding::Utf8), text);
        assert_eq!(read(b"Jos\xE9 \x80", Encoding::Windows1252), "José €");
    }

    #[test]
    fn a_character_cut_in_two_by_a_piece_is_no_damage() {
        let bytes = "é".repeat(100).into_bytes();
        let pieces: Vec<&[u8]> = bytes.chunks(3).collect();
        assert_eq!(guess(&pieces), Encoding::Utf8);
    }

    #[test]
    fn a_utf_8_file_with_one_damaged_byte_stays_utf_8() {
        assert_eq!(guess(&["Zoë,Müller,Jürgen".as_bytes(), b"\nJos\xE9,x\n", "çà".as_bytes()]), Encoding::Utf8);
        assert!(read(b"Jos\xE9,x", Encoding::Utf8).contains('\u{fffd}'));
    }

    #[test]
    fn what_is_no_text_is_named_and_what_is_text_reads_as_bytes_of_utf_8() {
        assert!(not_text(b"PK\x03\x04...").unwrap().contains("CSV") && not_text(b"%PDF-1.7").is_some());
        assert_eq!(not_text(b"Pkg,code"), None);
        let mut out = String::new();
        Utf8::new(utf16("Jos\u{e9}", u16::to_le_bytes).as_slice(), Encoding::Utf16Le).read_to_string(&mut out).unwrap();
        assert_eq!(out, "José");
    }

    #[test]
    fn nothing_at_all_is_utf_8() {
        assert_eq!(guess(&[]), Encoding::Utf8);
        assert_eq!(read(b"", Encoding::Utf16Le), "");
    }
}
