//! Figures, each beside its limit.

use std::fmt;

/// What a figure is held against.
#[derive(Debug, Clone)]
pub enum Against {
    /// The limit of the same machine in the same run, and the share of it that is wanted.
    Limit {
        /// What it is.
        what: &'static str,
        /// How much.
        value: f64,
        /// The share wanted; absent where none was agreed.
        aim: Option<f64>,
    },
    /// It shall stay below this.
    Most(f64),
    /// Nothing; it is told for its own sake.
    Nothing,
}

/// One line.
#[derive(Debug, Clone)]
pub struct Figure {
    /// What was measured.
    pub what: &'static str,
    /// How much came out.
    pub value: f64,
    /// Of what.
    pub unit: &'static str,
    /// What it is held against.
    pub against: Against,
}

impl Figure {
    /// Whether the aim was reached, where there is one.
    pub fn holds(&self) -> Option<bool> {
        match self.against {
            Against::Limit { value, aim: Some(aim), .. } => Some(self.value >= aim * value),
            Against::Most(most) => Some(self.value < most),
            Against::Limit { aim: None, .. } | Against::Nothing => None,
        }
    }
}

/// The heading of the lines.
pub fn heading() -> String {
    format!("{:<28} {:>12} {:<8} {:<46} {:>7} {:>7}", "", "measured", "", "held against", "ratio", "aim")
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (limit, ratio, aim) = match &self.against {
            Against::Limit { what, value, aim } => {
                let aim = aim.map_or_else(|| "–".to_owned(), |aim| format!("≥ {aim:.1}"));
                (format!("{} {what}", number(*value)), format!("{:.2}", self.value / value.max(f64::EPSILON)), aim)
            }
            Against::Most(most) => (String::new(), "–".to_owned(), format!("< {most:.0}")),
            Against::Nothing => (String::new(), "–".to_owned(), "–".to_owned()),
        };
        let verdict = match self.holds() {
            Some(true) => "reached",
            Some(false) => "missed",
            None => "",
        };
        let value = number(self.value);
        write!(f, "{:<28} {value:>12} {:<8} {limit:<46} {ratio:>7} {aim:>7} {verdict}", self.what, self.unit)
    }
}

/// A number as people read it: thousands apart, small ones with one digit after the point.
fn number(value: f64) -> String {
    if value < 100.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_its_aim_was_reached() {
        let against = |value, aim| Against::Limit { what: "pgbench", value, aim };
        let figure = |value, against| Figure { what: "visits", value, unit: "/s", against };
        assert_eq!(figure(1500.0, against(1000.0, Some(1.5))).holds(), Some(true));
        assert_eq!(figure(1499.0, against(1000.0, Some(1.5))).holds(), Some(false));
        assert_eq!(figure(1.0, against(1000.0, None)).holds(), None);
        assert_eq!(figure(151.0, Against::Most(150.0)).holds(), Some(false));
        let line = figure(20_123.0, against(13_400.0, Some(1.5))).to_string();
        assert!(line.contains("20,123") && line.contains("13,400 pgbench") && line.contains("1.50"), "{line}");
    }
}
