//! Named SQL. Every statement of ACE is a constant beside the struct it fills, and registered here, so that
//! one test can walk them all: syntax, types, grants, and the policy in the plan.

/// Which database role runs a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(non_camel_case_types, reason = "written in lower case inside `statement!`")]
pub enum RunsAs {
    /// People, API keys, the operator, background work for one client: `ace_app`, held by row-level security.
    app,
    /// Public links, workers, signing in: `ace_system`, held by its grants.
    system,
    /// Both of them.
    both,
}

/// One SQL statement with its name.
#[derive(Debug)]
pub struct Statement {
    /// Module path and constant name, for errors and tests.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
    /// The role or roles that run it.
    pub runs_as: RunsAs,
}

#[doc(hidden)]
pub struct Registered(pub &'static Statement);

inventory::collect!(Registered);

/// Every statement of the crates linked into this program.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}

/// Declares and registers a statement: `statement! { /// What it answers.\n pub FIND_CONTACT, app, "select …" }`.
#[macro_export]
macro_rules! statement {
    ($($(#[$meta:meta])* $visibility:vis $name:ident, $role:ident, $sql:expr);+ $(;)?) => {$(
        $(#[$meta])*
        $visibility static $name: $crate::Statement = $crate::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $sql,
            runs_as: $crate::RunsAs::$role,
        };
        $crate::inventory::submit! { $crate::Registered(&$name) }
    )+};
}
