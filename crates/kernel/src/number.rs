//! How many digits a number keeps.

/// The most significant digits that every number of this length keeps when it is stored as a 64-bit float.
pub const MOST_DIGITS: usize = 15;

/// How many digits of a number say something: `0.0150` has two, `1500` four, `-1.50e3` two.
pub fn significant_digits(number: &str) -> usize {
    let digits = number.split(['e', 'E']).next().unwrap_or_default().trim_start_matches(['-', '+', '0', '.']);
    let digits = digits.replace('.', "");
    if number.contains('.') { digits.trim_end_matches('0').len() } else { digits.len() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_in_front_and_behind_the_point_say_nothing() {
        for (text, digits) in [
            ("0", 0),
            ("1500", 4),
            ("+7", 1),
            ("-1.50", 2),
            ("0.0150", 2),
            ("1.5e30", 2),
            ("99999999999999999999", 20),
            ("0.1234567890123456789", 19),
        ] {
            assert_eq!(significant_digits(text), digits, "{text}");
        }
    }
}
