//! Quotes that are not closed, and the rows they swallow.

/// Whether every quote of a row stands where it may: it opens where a cell begins, closes where one ends, is doubled in
/// between. One inside an unquoted cell is a sign like any other, as in `5" pipe`.
pub fn are_closed(raw: &[u8], delimiter: u8) -> bool {
    let ends_cell = |at: usize| raw.get(at).is_none_or(|byte| *byte == delimiter || ends_line(byte));
    let (mut at, mut quoted, mut begins) = (0, false, true);
    while let Some(byte) = raw.get(at) {
        match (*byte, quoted) {
            (b'"', false) if begins => quoted = true,
            (b'"', true) if raw.get(at + 1) == Some(&b'"') => at += 1,
            (b'"', true) if ends_cell(at + 1) => quoted = false,
            (b'"', true) => return false,
            _ => {}
        }
        begins = !quoted && *byte == delimiter;
        at += 1;
    }
    !quoted
}

/// Whether a quote stands where a cell begins.
pub fn are_opened(raw: &[u8], delimiter: u8) -> bool {
    let begins = |at: usize| at.checked_sub(1).is_none_or(|before| raw[before] == delimiter || ends_line(&raw[before]));
    raw.iter().enumerate().any(|(at, byte)| *byte == b'"' && begins(at))
}

/// The lines within a row that have as many cells as the table, written as programs write rows: without blanks behind the
/// delimiter, which prose and addresses have.
pub fn row_lines(raw: &[u8], delimiter: u8, columns: usize) -> impl Iterator<Item = &[u8]> {
    let is_row = move |line: &&[u8]| {
        let cells = line.split(|byte| *byte == delimiter);
        columns > 1 && cells.clone().count() == columns && cells.skip(1).all(|cell| !cell.starts_with(b" "))
    };
    raw.split(ends_line).skip(1).filter(is_row)
}

fn ends_line(byte: &u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closed_quotes_are_told_from_open_ones() {
        for raw in ["a,b", "\"a\",b", "a,\"b\nc\"", "a,\"say \"\"hi\"\"\"", "5\" pipe,x", "\"\",\"\""] {
            assert!(are_closed(raw.as_bytes(), b','), "{raw}");
        }
        for raw in ["\"a,b", "a,\"b\nc", "1,\"x\n4,\"y\"", "\"a\"b,c"] {
            assert!(!are_closed(raw.as_bytes(), b','), "{raw}");
        }
        assert!(are_opened(b"a,\"b", b',') && !are_opened(b"a,5\"", b','));
    }

    #[test]
    fn lines_that_look_like_rows_are_told_from_prose() {
        let rows = |raw: &str| row_lines(raw.as_bytes(), b',', 3).count();
        assert_eq!(rows("1,2,\"x\na@b.co,Ada,Lee\nb@b.co,Bo,Hall"), 2);
        assert_eq!(rows("1,\"12 Oak St\nColumbus, OH, 43215\nUS\",3"), 0);
    }
}
