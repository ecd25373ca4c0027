//! Turns what PostgreSQL says into the one vocabulary of errors.

use kernel::Error;
use tokio_postgres::error::SqlState;

/// The SQLSTATE class of values that are out of range or malformed.
const DATA_EXCEPTION: &str = "22";

/// The error of a statement, by its name: constraint names are kept so that domains can name the field.
pub(crate) fn of_statement(name: &str, error: &tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return if error.is_closed() || is_io(error) {
            Error::Unavailable("the connection to the database was lost".into())
        } else {
            Error::Internal(format!("{name}: {error}: {:?}", std::error::Error::source(error).map(ToString::to_string)))
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
        code if is_passing(code) => Error::Unavailable(format!("the database answered: {}", db.message())),
        _ => Error::Internal(format!("{name}: {} ({})", db.message(), db.code().code())),
    }
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// States in which the same statement may succeed a moment later.
fn is_passing(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::QUERY_CANCELED,
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
    let mut text = format!("the database is out of reach: {error}");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    Error::Unavailable(text)
}

/// The error of getting a connection.
pub(crate) fn of_pool(error: &deadpool_postgres::PoolError) -> Error {
    tracing::warn!(%error, "no database connection");
    Error::Unavailable("the database is out of reach".into())
}
