//! Named SQL. Every statement of ACE is a constant beside the struct it fills, and registered here, so that
//! one test can walk them all: syntax, types, grants, and the policy in the plan.

use kernel::{Actor, System, Who};

/// Which database role runs a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(non_camel_case_types, reason = "written in lower case inside `statement!`")]
pub enum RunsAs {
    /// People, API keys, the operator, background work for one client: `ace_app`, held by row-level security.
    app,
    /// Strangers who follow a link or look at a form: `ace_public`, held by its grants.
    public,
    /// Signing in: `ace_signin`, held by its grants.
    signin,
    /// The queue, and background work about no one client: `ace_worker`, held by its grants.
    worker,
}

impl RunsAs {
    /// The role's name in the database.
    pub const fn role(self) -> &'static str {
        match self {
            Self::app => "ace_app",
            Self::public => "ace_public",
            Self::signin => "ace_signin",
            Self::worker => "ace_worker",
        }
    }

    /// The role in which an actor's statements run.
    pub const fn of(actor: &Actor) -> Self {
        match actor.who {
            Who::User(_) | Who::Key(_) | Who::System(System::Operator | System::Client(_)) => Self::app,
            Who::System(System::PublicLink) => Self::public,
            Who::System(System::Auth) => Self::signin,
            Who::System(System::Worker) => Self::worker,
        }
    }
}

/// One SQL statement with its name.
#[derive(Debug)]
pub struct Statement {
    /// Module path and constant name, for errors and tests.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
    /// The role or roles that run it.
    pub runs_as: &'static [RunsAs],
}

impl Statement {
    /// What a statement says of itself is what its role is granted: while testing, no other role runs it.
    pub(crate) fn expect_role_of(&self, actor: &Actor) {
        let role = RunsAs::of(actor);
        debug_assert!(self.runs_as.contains(&role), "{} says nothing of {} and runs as it", self.name, role.role());
    }
}

#[doc(hidden)]
pub struct Registered(pub &'static Statement);

inventory::collect!(Registered);

/// Every statement of the crates linked into this program.
pub fn statements() -> impl Iterator<Item = &'static Statement> {
    inventory::iter::<Registered>.into_iter().map(|registered| registered.0)
}

/// Declares and registers a statement: `statement! { /// What it answers.\n pub FIND_CONTACT, app, "select …" }`; several roles are told as
/// `app | worker`.
#[macro_export]
macro_rules! statement {
    ($($(#[$meta:meta])* $visibility:vis $name:ident, $($role:ident)|+, $sql:expr);+ $(;)?) => {$(
        $(#[$meta])*
        $visibility static $name: $crate::Statement = $crate::Statement {
            name: concat!(module_path!(), "::", stringify!($name)),
            sql: $sql,
            runs_as: &[$($crate::RunsAs::$role),+],
        };
        $crate::inventory::submit! { $crate::Registered(&$name) }
    )+};
}
