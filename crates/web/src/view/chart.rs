//! A chart with the table behind it. The island draws it; without JavaScript the table is shown.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

/// A chart of lines or bars.
#[derive(Debug, Clone, Template, Serialize)]
#[template(path = "parts/chart.html")]
pub struct Chart {
    kind: &'static str,
    #[serde(skip)]
    title: String,
    /// Of its parts in the page, by which newer values find their place.
    #[serde(skip)]
    id: String,
    x: String,
    y: String,
    labels: Vec<String>,
    series: Vec<Series>,
    stacked: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Series {
    name: String,
    values: Vec<f64>,
}

impl HtmlSafe for Chart {}

impl Chart {
    /// Lines over time; `x` and `y` name the axes.
    pub fn lines(title: &str, x: &str, y: &str) -> Self {
        Self::new("line", title, x, y)
    }

    /// Bars; `x` and `y` name the axes.
    pub fn bars(title: &str, x: &str, y: &str) -> Self {
        Self::new("bar", title, x, y)
    }

    /// Bars that lie down, for names that are long: a funnel, a ranking.
    pub fn rows(title: &str, x: &str, y: &str) -> Self {
        Self::new("row", title, x, y)
    }

    fn new(kind: &'static str, title: &str, x: &str, y: &str) -> Self {
        Self {
            kind,
            title: title.into(),
            id: format!("chart-{}", kernel::slug::slugify(title)),
            x: x.into(),
            y: y.into(),
            labels: Vec::new(),
            series: Vec::new(),
            stacked: false,
        }
    }

    /// What stands along the axis.
    #[must_use]
    pub fn labels<T: ToString>(mut self, labels: impl IntoIterator<Item = T>) -> Self {
        self.labels = labels.into_iter().map(|label| label.to_string()).collect();
        self
    }

    /// One series, a value for each label.
    #[must_use]
    pub fn series(mut self, name: &str, values: impl IntoIterator<Item = i64>) -> Self {
        let values = values.into_iter().map(|value| value as f64).collect();
        self.series.push(Series { name: name.into(), values });
        self
    }

    /// Bars on top of each other.
    #[must_use]
    pub fn stacked(mut self) -> Self {
        self.stacked = true;
        self
    }

    /// Only the values, for a chart of the same title that is in the page already: htmx puts them in their place, and
    /// the drawing and an open table stay as they are.
    pub fn fresh(&self) -> FreshChart<'_> {
        FreshChart { chart: self }
    }

    /// The data for the island; `<` never appears, so it cannot end the script element.
    fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default().replace('<', "\\u003c")
    }

    fn cell(&self, series: &Series, index: &usize) -> String {
        series.values.get(*index).map(super::number).unwrap_or_default()
    }
}

/// The newer values of a chart.
#[derive(Debug, Template)]
#[template(path = "parts/chart_fresh.html")]
pub struct FreshChart<'a> {
    chart: &'a Chart,
}

impl HtmlSafe for FreshChart<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_behind_the_chart_has_every_value_and_names_cannot_break_out() {
        let chart = Chart::lines("Visits", "Day", "Visits").labels(["</script>", "2 Mar"]).series("QR", [1200, 7]);
        let html = chart.to_string();
        assert!(html.contains("1,200"), "{html}");
        assert!(!html.contains("</script>\""), "{html}");
    }

    #[test]
    fn newer_values_name_the_parts_of_the_page_they_replace() {
        let chart = Chart::lines("Over time", "Day", "Visits").labels(["2 Mar"]).series("QR", [7]);
        let (whole, fresh) = (chart.to_string(), chart.fresh().to_string());
        for id in ["id=\"chart-over-time-data\"", "id=\"chart-over-time-rows\""] {
            assert!(whole.contains(id) && fresh.contains(&format!("{id} hx-swap-oob=\"true\"")), "{whole}{fresh}");
        }
    }
}
