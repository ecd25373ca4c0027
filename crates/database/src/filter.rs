//! Statements whose conditions vary: text written by us, values always bound.

use kernel::Actor;
use tokio_postgres::types::ToSql;

use crate::RunsAs;

/// A `like` pattern that finds `text` anywhere; what is special in patterns is meant literally.
pub fn containing(text: &str) -> String {
    format!("%{}%", text.trim().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// A statement that grows clause by clause: `Filter::new("contacts list", "select … from contacts where client_id = ")`.
///
/// The text is `&'static str` on purpose: what a person typed can only ever become a bound value.
pub struct Filter<'a> {
    name: &'static str,
    sql: String,
    params: Vec<&'a (dyn ToSql + Sync)>,
}

impl<'a> Filter<'a> {
    /// Begins with `sql`, without a value yet.
    pub fn new(name: &'static str, sql: &'static str) -> Self {
        Self { name, sql: sql.to_owned(), params: Vec::new() }
    }

    /// Appends text.
    #[must_use]
    pub fn push(mut self, sql: &'static str) -> Self {
        self.sql.push(' ');
        self.sql.push_str(sql);
        self
    }

    /// Appends text and, after it, a bound value.
    #[must_use]
    pub fn bind(mut self, sql: &'static str, value: &'a (dyn ToSql + Sync)) -> Self {
        self.params.push(value);
        self.sql.push(' ');
        self.sql.push_str(sql);
        self.sql.push_str(&format!(" ${}", self.params.len()));
        self
    }

    /// Appends text and a bound value when there is one.
    #[must_use]
    pub fn bind_some<V: ToSql + Sync>(self, sql: &'static str, value: Option<&'a V>) -> Self {
        match value {
            Some(value) => self.bind(sql, value),
            None => self,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// The text and its values, for those whom it is written for: people and what is done for one client.
    pub(crate) fn parts_for(&self, actor: &Actor) -> (&str, Vec<&'a (dyn ToSql + Sync)>) {
        debug_assert!(RunsAs::of(actor) == RunsAs::app, "{} runs as another role than ace_app", self.name);
        self.parts()
    }

    fn parts(&self) -> (&str, Vec<&'a (dyn ToSql + Sync)>) {
        (&self.sql, self.params.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_patterns_is_looked_for() {
        assert_eq!(containing(" 50%_off\\ "), "%50\\%\\_off\\\\%");
    }

    #[test]
    fn values_are_bound_in_order_and_absent_ones_leave_no_trace() {
        let (status, name) = ("active".to_owned(), None::<String>);
        let filter = Filter::new("test", "select id from contacts where client_id =")
            .push("app.one()")
            .bind("and status =", &status)
            .bind_some("and name =", name.as_ref())
            .bind("limit", &5_i64);
        let (sql, params) = filter.parts();
        assert_eq!(sql, "select id from contacts where client_id = app.one() and status = $1 limit $2");
        assert_eq!(params.len(), 2);
    }
}
