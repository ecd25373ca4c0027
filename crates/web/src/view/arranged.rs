//! Blocks of a form that are added, moved and taken away by buttons which send the whole form.

/// Where the person goes on after an arranging button: what was done, and the block it was done to, or that now stands
/// where one was taken away. One that cannot be moved further is held by its other button.
pub fn arranged(act: &str, rows: usize) -> Option<(&'static str, usize)> {
    let (act, index) = act.split_once(':').unwrap_or((act, "0"));
    let index: usize = if act == "add" { 0 } else { index.parse().ok()? };
    match act {
        "add" => Some(("add", rows.checked_sub(1)?)),
        "up" if index <= 1 => Some(("down", 0)),
        "up" => Some(("up", index - 1)),
        "down" if index.checked_add(2)? >= rows => Some(("up", rows.checked_sub(1)?)),
        "down" => Some(("down", index + 1)),
        // the one that moved up into its place, or else the last
        "remove" => Some(("remove", index.min(rows.saturating_sub(1)))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_person_goes_on_at_what_they_added_or_moved() {
        assert_eq!(arranged("add", 3), Some(("add", 2)));
        assert_eq!(arranged("up:2", 3), Some(("up", 1)));
        assert_eq!(arranged("up:1", 3), Some(("down", 0)), "the first goes no further up");
        assert_eq!(arranged("down:0", 3), Some(("down", 1)));
        assert_eq!(arranged("down:1", 3), Some(("up", 2)), "the last goes no further down");
        assert_eq!(arranged("remove:1", 2), Some(("remove", 1)));
        assert_eq!(arranged("remove:2", 2), Some(("remove", 1)), "the last was taken away");
        assert_eq!(arranged("remove:0", 0), Some(("remove", 0)), "none is left");
        assert_eq!(arranged("down:18446744073709551615", 2), None);
        assert_eq!(arranged("save", 3), None);
    }
}
