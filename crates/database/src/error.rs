//! Turns what PostgreSQL says into the one vocabulary of errors.

use kernel::Error;
use tokio_postgres::error::{DbError, SqlState};

/// The SQLSTATE class of values that are out of range or malformed.
const DATA_EXCEPTION: &str = "22";

/// The error of a statement, by its name: constraint names are kept so that domains can name the field.
pub(crate) fn of_statement(name: &str, error: &tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return if error.is_closed() || is_io(error) {
            Error::Unavailable("the connection to the database was lost".into())
        } else {
            Error::Internal(format!("{name}: {}", with_causes(error)))
        };
    };
    let constraint = || Error::Constraint(db.constraint().unwrap_or(name).to_owned());
    match db.code() {
        code if *code == SqlState::UNIQUE_VIOLATION
            || *code == SqlState::FOREIGN_KEY_VIOLATION
            || *code == SqlState::CHECK_VIOLATION
            || *code == SqlState::EXCLUSION_VIOLATION =>
        {
            constraint()
        }
        // A row of another tenant: to the actor it does not exist.
        code if *code == SqlState::INSUFFICIENT_PRIVILEGE && db.message().contains("row-level security") => {
            Error::NotFound
        }
        // `raise exception` in one of our functions: the text is written for people.
        code if *code == SqlState::RAISE_EXCEPTION => Error::conflict("refused", db.message()),
        // A value that no column of its type can hold, such as a NUL in a text or a day after the end of days. Our own
        // statements are checked by a test, so it came with the request; a division by zero is ours all the same.
        code if code.code().starts_with(DATA_EXCEPTION) && *code != SqlState::DIVISION_BY_ZERO => {
            tracing::warn!(statement = name, code = code.code(), "a value the database cannot hold");
            Error::invalid("", "holds a value that cannot be stored")
        }
        code if is_passing(code) => Error::Unavailable(format!("the database answered: {}", said(db))),
        _ => Error::Internal(format!("{name}: {} ({})", said(db), db.code().code())),
    }
}

/// The server's message with its hint. Not its detail: there a statement's values may be quoted.
fn said(db: &DbError) -> String {
    db.hint().map_or_else(|| db.message().to_owned(), |hint| format!("{} ({hint})", db.message()))
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// States in which the same statement may succeed a moment later. A database is read-only while another one takes over.
fn is_passing(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::QUERY_CANCELED,
        SqlState::DISK_FULL,
        SqlState::IO_ERROR,
        SqlState::READ_ONLY_SQL_TRANSACTION,
        SqlState::OUT_OF_MEMORY,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
    ]
    .contains(code)
}

/// The error of making a connection, with its causes: the driver's own text leaves out why a handshake failed.
pub(crate) fn of_connecting(error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(format!("the database is out of reach: {}", with_causes(error)))
}

/// An error with everything behind it in one line. What the driver says by itself is only "db error": the server's
/// message, its detail and its hint are the cause of that.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        cause = inner.source();
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}
