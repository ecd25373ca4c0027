//! Columns that tell of which kind the number beside them is: `Phone 1 - Label` beside `Phone 1 - Value`.

use super::super::field::Field;
use super::knowledge::{role, words};
use super::name;

/// What a label says of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A fax or a pager: nobody is called or texted there.
    NoPhone,
    /// A mobile phone.
    Mobile,
    /// Any other phone.
    Phone,
}

/// What a label says.
pub fn kind(label: &str) -> Kind {
    let label = words(label);
    let has = |name: &str| label.split(' ').any(|word| role(name).iter().any(|known| known == word));
    match () {
        () if has("no_phone") => Kind::NoPhone,
        () if has("mobile") => Kind::Mobile,
        () => Kind::Phone,
    }
}

/// The columns of numbers that have a label, each with the column of it.
pub fn of_numbers(headers: &[String]) -> Vec<(usize, usize)> {
    let names: Vec<String> = headers.iter().map(|header| words(header)).collect();
    let is_number = |header: &str| {
        name::meant(header).is_some_and(|meant| matches!(meant.field, Field::Phone | Field::MobilePhone))
    };
    let label_of = |index: usize| {
        let bare = without(&names[index], &["value", "number", "no"])?;
        let is_label = |other: &usize| without(&names[*other], role("label")).is_some_and(|rest| rest == bare);
        (0..names.len())
            .filter(|other| *other != index && is_labelled(&names[*other]))
            .find(is_label)
            .map(|label| (index, label))
    };
    (0..headers.len()).filter(|index| is_number(&headers[*index])).filter_map(label_of).collect()
}

/// The numbers of a cell that says of each which kind it is, with their labels; `None` for a cell without any.
pub fn within(cell: &str) -> Option<Vec<(&str, &str)>> {
    let labelled = |piece: &str| piece.starts_with(char::is_alphabetic);
    let mut numbers = Vec::new();
    let mut rest = cell.trim();
    while labelled(rest) {
        let (label, behind) = rest.split_once(':')?;
        let end = behind.find(char::is_alphabetic).unwrap_or(behind.len());
        let number = behind[..end].trim().trim_end_matches([',', ';', '/', '|']).trim_end();
        if label.len() > 30 || number.bytes().filter(u8::is_ascii_digit).count() < 7 {
            return None;
        }
        numbers.push((label.trim(), number));
        rest = &behind[end..];
    }
    (rest.is_empty() && !numbers.is_empty()).then_some(numbers)
}

/// Whether a name is a label's.
fn is_labelled(name: &str) -> bool {
    name.split(' ').any(|word| role("label").iter().any(|known| known == word))
}

/// The other words of a name: `phone 1 label`, `phone type 1` and `phone 1 type` leave `phone 1`, as `phone number 1` does.
fn without<T: AsRef<str>>(name: &str, words: &[T]) -> Option<String> {
    let rest: Vec<&str> = name.split(' ').filter(|word| words.iter().all(|known| known.as_ref() != *word)).collect();
    (!rest.is_empty()).then(|| rest.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_find_their_labels_and_labels_say_what_they_are() {
        let headers = [
            "Name",
            "Phone 1 - Label",
            "Phone 1 - Value",
            "Phone Type 2",
            "Phone Number 2",
            "Home Phone",
            "E-mail Type",
        ];
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        assert_eq!(of_numbers(&headers), [(2, 1), (4, 3)]);
        let cell = "Phone:(614) 555-0105  Mobile: (614) 555-0106; Fax:614-555-0107";
        let numbers = [("Phone", "(614) 555-0105"), ("Mobile", "(614) 555-0106"), ("Fax", "614-555-0107")];
        assert_eq!(within(cell), Some(numbers.to_vec()));
        for cell in ["(614) 555-0105", "tel:6145550105 x12", "call: Bob", "Home 614 555 0105", ""] {
            assert_eq!(within(cell), None, "{cell}");
        }
        for (label, wanted) in [
            ("Work Fax", Kind::NoPhone),
            ("homeFax", Kind::NoPhone),
            ("Pager", Kind::NoPhone),
            ("* Mobile", Kind::Mobile),
            ("Cell", Kind::Mobile),
            ("Home", Kind::Phone),
            ("", Kind::Phone),
        ] {
            assert_eq!(kind(label), wanted, "{label}");
        }
    }
}
