//! An address as others may see it: enough for its owner, too little for anybody else.

/// `+16145550123` → `•••• 0123`, `ada@example.com` → `a•••@example.com`.
pub fn address(address: &str) -> String {
    if let Some((name, host)) = address.split_once('@') {
        let first: String = name.chars().take(1).collect();
        return format!("{first}•••@{host}");
    }
    kernel::phone::mask(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_number_and_the_first_letter_of_a_name_are_shown() {
        assert_eq!(address("+16145550123"), "•••• 0123");
        assert_eq!(address("ada@example.com"), "a•••@example.com");
        assert_eq!(address(""), "•••• ");
    }
}
