//! What is read from files as people have them, and what is refused.

use std::io::Cursor;

use chrono::NaiveDate;
use kernel::Result;
use kernel::money::Money;
use proptest::prelude::*;

use super::read::{Line, lines};
use super::rules::{Rules, day};
use super::whole::Whole;
use crate::store::pools::Target;

fn read(text: &str) -> Result<Vec<Line>> {
    lines(Cursor::new(text.as_bytes().to_vec()))?.1.collect()
}

fn rules(code: Option<&str>, pin: Option<&str>) -> Rules {
    let target = Target {
        client_id: None,
        brand_id: uuid::Uuid::nil(),
        brand_name: "Best Buy".into(),
        today: NaiveDate::from_ymd_opt(2026, 3, 2).unwrap(),
        value_amount: Money::from_cents(2500),
        code_pattern: code.map(str::to_owned),
        pin_pattern: pin.map(str::to_owned),
        is_archived: false,
    };
    Rules::new(&target).unwrap()
}

/// Line, column and word of everything wrong with a file.
fn wrong(text: &str, rules: &Rules) -> Vec<(u64, &'static str, &'static str)> {
    let (header, lines) = lines(Cursor::new(text.as_bytes().to_vec())).unwrap();
    let mut whole = Whole::new(header);
    let mut found = Vec::new();
    for line in lines.map(Result::unwrap) {
        whole.look_at(&line, rules);
        found.extend(rules.check(&line));
    }
    found.extend(whole.problems(rules).unwrap());
    found.iter().map(|problem| (problem.line, problem.column, problem.code)).collect()
}

#[test]
fn any_separator_and_header_is_understood_and_blank_lines_do_not_count() {
    let lines = read("\u{feff}Card Code;PIN;Expiration date\r\n ABC-1 ;77;12/2027\r\n;;\r\nABC-2;;\r\n").unwrap();
    assert_eq!(lines.len(), 2);
    assert_eq!((lines[0].code.as_str(), lines[0].pin.as_str(), lines[0].number), ("ABC-1", "77", 2));
    assert_eq!(lines[1].number, 4);
    assert_eq!(day(&lines[0].expiry), NaiveDate::from_ymd_opt(2027, 12, 31));
    assert_eq!(read("pin,cost\n1,2\n").err().unwrap().fields()[0].field, "file");
}

#[test]
fn a_quote_that_is_never_closed_is_told_with_its_line() {
    let rules = rules(None, None);
    let open = "code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001,1111\nHUNT-BBBB-0002,2222\nHUNT-BBBB-0003,3333\n";
    assert_eq!(wrong(open, &rules), [(3, "code", "line_break")]);
    assert_eq!(wrong("code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001,1111", &rules), [(3, "code", "quote")]);
    assert_eq!(wrong("code,pin\nGOOD-0001,1\n\"HUNT-BBBB-0001\n", &rules), [(3, "code", "line_break")]);
    assert_eq!(wrong("code,pin\n\"HUNT-\nBBBB\",1\n", &rules), [(2, "code", "line_break")]);
    assert_eq!(wrong("code,pin\nAAAA-1,\"77\n78\"\n", &rules), [(2, "pin", "line_break")]);
    assert_eq!(wrong("code,note\nAAAA-1,\"two\nlines\"\n", &rules), [], "columns nobody reads are the person's own");
}

#[test]
fn headers_are_those_that_people_have() {
    for header in ["Claim code", "eGift Code", "Voucher", "Card Number", "sep=;\nGift card number;PIN"] {
        assert_eq!(read(&format!("{header}\nABCD-1234;1\n")).unwrap().len(), 1, "{header}");
    }
    let both = read("Card Number,Code,Scratch code,Valid thru\n77,ABCD-1234,9,12/2027\n").unwrap();
    assert_eq!((both[0].code.as_str(), both[0].card_number.as_str(), both[0].pin.as_str()), ("ABCD-1234", "77", "9"));
    assert!(read("code,code\nA,B\n").is_err(), "two columns for one thing");
}

#[test]
fn a_file_is_read_as_programs_save_it() {
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let table = "Code;PIN\r\nABCD-1;0042\r\n\r\nABCD-2;\r\n";
    let files: [(&str, Vec<u8>, u64); 8] = [
        ("UTF-16 with its mark", [&[0xFF, 0xFE], utf16(table).as_slice()].concat(), 2),
        ("UTF-16 without", utf16(table), 2),
        ("Windows-1252", b"Code;PIN;Caf\xE9\r\nABCD-1;0042;\xE9\r\n\r\nABCD-2;;\r\n".to_vec(), 2),
        ("sep=", format!("sep=;\r\n{table}").into_bytes(), 3),
        ("titles", format!("Order 2026-11;\r\n\r\n{table}").into_bytes(), 4),
        ("tabs below a title", b"Cards, as ordered, 2026\nCode\tPIN\nABCD-1\t0042\n\nABCD-2\t\n".to_vec(), 3),
        ("bars", b"Code|PIN\nABCD-1|0042\n\nABCD-2|\n".to_vec(), 2),
        ("no name", b"ABCD-1\n\nABCD-2\n".to_vec(), 1),
    ];
    for (what, file, first) in files {
        let lines: Vec<Line> = lines(Cursor::new(file)).unwrap().1.map(Result::unwrap).collect();
        let read: Vec<_> = lines.iter().map(|line| (line.number, line.code.as_str())).collect();
        assert_eq!(read, [(first, "ABCD-1"), (first + 2, "ABCD-2")], "{what}");
        assert!(what == "no name" || lines[0].pin == "0042", "{what}");
    }
    let damaged = [b"Code,Caf\xC3\xA9\n".as_slice(), b"AB-\xFF1,\n"].concat();
    let lines: Vec<Line> = lines(Cursor::new(damaged)).unwrap().1.map(Result::unwrap).collect();
    assert_eq!(rules(None, None).check(&lines[0])[0].code, "encoding");
    assert!(read("PK\u{3}\u{4}\n").err().unwrap().fields()[0].message.contains("as CSV"));
}

#[test]
fn a_line_is_refused_with_its_column_and_never_with_its_code() {
    let rules = rules(Some("[A-Z]{4}-[0-9]{4}"), Some("[0-9]{4}"));
    let lines = read("code,pin,expiry,cost\nABCD-1234,0000,,\nABCD-12345,,2020-01-01,x\n").unwrap();
    assert!(rules.check(&lines[0]).is_empty());
    let found = rules.check(&lines[1]);
    let columns: Vec<_> = found.iter().map(|problem| (problem.column, problem.code)).collect();
    assert_eq!(columns, [("code", "format"), ("pin", "required"), ("expiry", "expired"), ("cost", "invalid")]);
    assert!(found.iter().all(|problem| !problem.reason.contains("ABCD") && problem.last4 == "2345"));
}

#[test]
fn values_currencies_and_brands_are_compared_with_the_pool() {
    let rules = rules(None, None);
    for good in ["25", "$25.00", "25.00 USD", ""] {
        assert_eq!(wrong(&format!("code;Card value\nAB-1;{good}\n"), &rules), [], "{good}");
    }
    assert_eq!(wrong("code,Amount\nAB-1,10\nAB-2,x\n", &rules), [(2, "value", "mismatch"), (3, "value", "invalid")]);
    assert_eq!(wrong("code,currency\nAB-1,USD\nAB-2,EUR\n", &rules), [(3, "currency", "mismatch")]);
    assert_eq!(wrong("code,brand\nAB-1,BestBuy.com\nAB-2,Target\n", &rules), [(3, "brand", "mismatch")]);
    assert!(read("code,Amount (EUR)\nAB-1,25\n").is_err());
    for column in ["Current Balance", "Card balance", "Denom", "Retail Value", "Worth", "Nominal", "Total"] {
        let file = format!("code,{column}\nAB-1,10\n");
        assert_eq!(wrong(&file, &rules), [(2, "value", "mismatch")], "{column}");
    }
    assert_eq!(wrong("code,ccy,Issuer\nAB-1,CAD,Target\n", &rules).len(), 2);
}

#[test]
fn a_card_that_the_file_calls_used_or_over_is_refused_and_columns_that_say_nothing_are_named() {
    let rules = rules(None, None);
    for (column, cell) in [
        ("Status", "Redeemed"),
        ("Card status", "not active"),
        ("Used", "yes"),
        ("Redeemed", "3/2/2026"),
        ("Active", "no"),
        ("Expired", "TRUE"),
        ("Void", "x"),
    ] {
        assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [(2, "status", "used")], "{column}");
    }
    for (column, cell) in [
        ("Status", "active"),
        ("Status", "unused"),
        ("Status", "Not used"),
        ("Used", "not yet"),
        ("Used", "no"),
        ("Redeemed", ""),
        ("Active", "yes"),
        ("Expired", "0"),
    ] {
        assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [], "{column} {cell}");
    }
    for (column, cell) in [
        ("Best before", "2020-01-31"),
        ("Use by", "1/31/2020"),
        ("End Date", "2020-01-31"),
        ("Expiry (MM/YY)", "01/20"),
    ] {
        assert_eq!(wrong(&format!("code,{column}\nAB-1,{cell}\n"), &rules), [(2, "expiry", "expired")], "{column}");
    }
    assert_eq!(read("code,CVV\nAB-1,123\n").unwrap()[0].pin, "123");
    let (header, _) = lines(Cursor::new(b"code,Note, ,Order No\nAB-1,x,y,z\n".to_vec())).unwrap();
    assert_eq!(Whole::new(header).ignored(), ["Note", "Order No"]);
}

#[test]
fn lost_zeros_are_told_by_the_brands_length_and_rounded_numbers_by_the_file() {
    let sixteen = rules(Some("[0-9]{16}"), Some("[0-9]{4}"));
    assert_eq!(
        wrong("code,pin\n12345678901234,42\n=\"0012345678901234\",=\"0042\"\n", &sixteen),
        [(2, "code", "zeros_lost"), (2, "pin", "zeros_lost")]
    );
    let any = rules(None, None);
    assert_eq!(wrong("code\n6006491234567890\n6006491234567800\n", &any).len(), 2);
    assert_eq!(wrong("code\n6006491234567890\n6006491234567801\n", &any), []);
    assert_eq!(wrong("code\n'6006491234567890\n'6006491234567800\n", &any), [], "marked digits are all there");
}

#[test]
fn days_are_read_as_people_write_them() {
    let expected = NaiveDate::from_ymd_opt(2027, 2, 28);
    for text in ["2027-02-28", "2/28/2027", "02/28/27", "2/2027"] {
        assert_eq!(day(text), expected, "{text}");
    }
    for text in ["", "soon", "2027-02-30", "13/2027"] {
        assert_eq!(day(text), None, "{text}");
    }
}

proptest! {
    #[test]
    fn no_file_panics(bytes: Vec<u8>) {
        if let Ok((_, lines)) = lines(Cursor::new(bytes)) {
            for line in lines {
                let _ = line.map(|line| rules(None, None).check(&line));
            }
        }
    }
}

/// Whether a file is refused as a whole, or for a line.
fn is_refused(text: &str, rules: &Rules) -> bool {
    let Ok((header, lines)) = lines(Cursor::new(text.as_bytes().to_vec())) else { return true };
    let mut whole = Whole::new(header);
    let wrong = lines.map(Result::unwrap).fold(0, |wrong, line| {
        whole.look_at(&line, rules);
        wrong + rules.check(&line).len()
    });
    wrong > 0 || whole.problems(rules).map_or(true, |problems| !problems.is_empty())
}

#[test]
fn a_quote_swallows_no_card_in_whatever_column_it_opens() {
    let rules = rules(None, None);
    // every column, one or two rows further on, closed at a cell's end, in its middle or never
    let columns = ["code", "pin", "note", "shop"];
    for width in 2..=columns.len() {
        for open in 0..width {
            for close in (0..width).map(Some).chain([None]) {
                for further in 1..=2 {
                    let mut file = columns[..width].join(",") + "\n";
                    for row in 0..4 {
                        let mut cells: Vec<String> = (0..width).map(|at| format!("K{row}X{at}-00{row}{at}")).collect();
                        if row == 1 {
                            cells[open].insert(0, '"');
                        }
                        for (at, cell) in cells.iter_mut().enumerate() {
                            if row == 1 + further && close == Some(at) {
                                cell.push('"');
                            }
                        }
                        file += &(cells.join(",") + "\n");
                    }
                    assert!(is_refused(&file, &rules), "{file}");
                }
            }
        }
    }
    assert_eq!(wrong("code,note\nAAAA-1,\"hello\nAAAA-2,world\n", &rules), [(2, "row", "quote")]);
    assert_eq!(wrong("code,note\nAAAA-1,x\nAAAA-2,\"hello", &rules), [(3, "row", "quote")]);
    for whole in ["\"two\n\nlines\"", "\"say \"\"hi\"\"\nto Ann\"", "12\" disc", "\"\""] {
        assert_eq!(wrong(&format!("code,pin,note\nAAAA-1,1,{whole}\n"), &rules), [], "{whole}");
    }
}

#[test]
fn a_row_has_as_many_cells_as_there_are_names() {
    let rules = rules(None, None);
    for (file, word) in [
        ("code\n6,00649E+15\n", "too_many_cells"),
        ("code,pin\nX1,11,22\n", "too_many_cells"),
        ("code,pin,value\nX1,25\n", "too_few_cells"),
        ("Code,PIN\nX1,1\nCode,PIN\nX2,2\n", "names"),
        ("Code,PIN\nX1,1\nPIN,Code\nX2,2\n", "names"),
        ("code,note\nX1,\n2 cards,\n", "total"),
    ] {
        assert!(wrong(file, &rules).iter().any(|(.., told)| *told == word), "{file}");
    }
    for file in ["code,pin,\nX1,1\n", "code,pin\nX1\n", "code,pin\nX1,1,,\n", "code,note\nX1,voucher\n"] {
        assert_eq!(wrong(file, &rules), [], "{file}");
    }
    assert_eq!(wrong(&("ABCD-1\n".repeat(12) + "ABCD-2,77\n"), &rules), [(13, "row", "too_many_cells")]);
    let wide = format!("code{}\nX1\n", ",note".repeat(500));
    assert!(read(&wide).err().unwrap().fields()[0].message.contains("500"));
}

#[test]
fn a_column_that_numbers_its_rows_is_not_one_of_codes() {
    let rules = rules(None, None);
    for header in ["Number,Gift Card", "Number,Card #", "Serial Number,Voucher #", "No.,Code"] {
        let lines = read(&format!("{header}\n101,ABCD-1234\n")).unwrap();
        assert_eq!(lines[0].code, "ABCD-1234", "{header}");
    }
    assert_eq!(read("Card Number,Gift Card,PIN\n6006491234567890,Target $25,1\n").unwrap()[0].code, "6006491234567890");
    assert_eq!(read("Gift Card\n\nCode,PIN\nABCD-1234,1\n").unwrap()[0].code, "ABCD-1234", "a title");
    assert_eq!(read("Card,PIN\nABCD-1234,1\nABCD-1235,2\n").unwrap().len(), 2);
    assert_eq!(wrong("Number,PIN\n101,1\n", &rules), [(2, "code", "row_number")]);
    assert!(is_refused("Serial,Reward\n600000001,AB12CD34\n600000002,AB12CD35\n", &rules));
    assert_eq!(wrong("Serial,Order\n600000001,AB12CD34\n600000002,AB12CD34\n", &rules), [], "one order");
}

#[test]
fn a_column_that_speaks_of_a_card_is_read_or_asked_about() {
    let rules = rules(None, None);
    for (column, cell) in [
        ("Gift Amount", "10"),
        ("Value in USD", "10"),
        ("Card Face Value", "10"),
        ("Gift Card Balance", "0"),
        ("Value Currency", "CAD"),
        ("Load value (each)", "10"),
        ("Left", "$0.00"),
        ("PIN Code (4 digit)", "0042"),
        ("RewardPin", "0042"),
        ("Card Expiry", "1/1/2020"),
        ("Expire Date", "1/1/2020"),
        ("Date of Expiry", "1/1/2020"),
        ("Expiration Date & Time", "1/1/2020"),
        ("Expires (local)", "1/1/2020"),
        ("Good before", "1/1/2027"),
        ("Gift Card Brand", "Target"),
    ] {
        assert!(is_refused(&format!("code,{column}\nABCD-1234,{cell}\n"), &rules), "{column}");
    }
    for column in ["Pin No.", "CSC", "Verification Code", "Passcode", "Access Number"] {
        assert_eq!(read(&format!("card number,{column}\n6006491234567890,0042\n")).unwrap()[0].pin, "0042", "{column}");
    }
    for (column, cell) in [
        ("Shipping", "fast"),
        ("Opinion", "good"),
        ("Date sent", "1/2/2026"),
        ("Balance URL", "https://shop.example"),
        ("Qty", "1"),
        ("Face", "$25.00"),
    ] {
        assert!(!is_refused(&format!("code,{column}\nABCD-1234,{cell}\n"), &rules), "{column}");
    }
}

#[test]
fn zeros_that_a_spreadsheet_dropped_are_told_without_a_brands_pattern() {
    let any = rules(None, None);
    assert_eq!(wrong("code,pin\nAB-1,0042\nAB-2,42\nAB-3,1234\n", &any), [(3, "pin", "zeros_lost")]);
    let long = "code\n0098345678901234\n98345678901235\n98345678901236\n";
    assert_eq!(wrong(long, &any), [(3, "code", "zeros_lost"), (4, "code", "zeros_lost")]);
    let none_left = "code\n6098345678901234\n6098345678901235\n983456789012367\n";
    assert_eq!(wrong(none_left, &any), [(4, "code", "zeros_lost")]);
    for whole in
        ["code,pin\nAB-1,0042\nAB-2,'42\n", "code,pin\nAB-1,042\nAB-2,1234\n", "code,pin\nAB-1,123\nAB-2,1234\n"]
    {
        assert_eq!(wrong(whole, &any), [], "{whole}");
    }
    assert_eq!(wrong("code,pin\nAB-1,0042\nAB-2,42\n", &rules(None, Some("[0-9]{2,4}"))), [], "the brand says so");
}
