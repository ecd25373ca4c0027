//! The command line: what can be typed, with examples at every level.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use uuid::Uuid;

/// Direct mail that sees what recipients do and rewards them.
#[derive(Debug, Parser)]
#[command(name = "ace", version, propagate_version = true, arg_required_else_help = true)]
#[command(
    after_help = "Examples:\n  ace serve                         start ACE on http://127.0.0.1:8080\n  ace demo                          fill it with a living example and print the logins\n  ace import contacts people.csv --client 0190…   import a contact file\n  ace doctor                        recount everything that must hold\n\nSettings come from /etc/ace/ace.toml, the environment (ACE_SECTION__KEY) and DATABASE_URL; see `ace config`."
)]
pub struct Cli {
    /// Print one JSON object on stdout instead of text; progress and errors go to stderr.
    #[arg(long, global = true)]
    pub json: bool,
    /// Read settings from this file instead of /etc/ace/ace.toml.
    #[arg(long, global = true, value_name = "FILE", env = "ACE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Keep PostgreSQL's data and the keys here.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the console, the API, the public pages and the workers.
    #[command(
        after_help = "Examples:\n  ace serve\n  ace serve --listen 0.0.0.0:80\n  ace serve --role worker           only background work, beside other `ace serve --role web`\n  DATABASE_URL=postgresql://… ace serve"
    )]
    Serve(ServeArgs),
    /// Bring the database to this program's version and stop.
    #[command(after_help = "Examples:\n  ace migrate\n  DATABASE_URL=postgresql://… ace migrate --json")]
    Migrate,
    /// Fill an empty ACE with a living example; a second run changes nothing.
    #[command(after_help = "Examples:\n  ace demo\n  ace demo --json")]
    Demo,
    /// Import contacts or gift cards from a CSV file.
    #[command(
        subcommand,
        arg_required_else_help = true,
        after_help = "Examples:\n  ace import contacts people.csv --client 0190… --list Spring\n  ace import cards codes.csv --pool 0190…"
    )]
    Import(ImportCommand),
    /// Create people who sign in.
    #[command(
        subcommand,
        arg_required_else_help = true,
        after_help = "Examples:\n  echo 'a long passphrase' | ace user create --email ada@example.com --role admin --password-stdin"
    )]
    User(UserCommand),
    /// Create, list and revoke a client's API keys.
    #[command(
        subcommand,
        arg_required_else_help = true,
        after_help = "Examples:\n  ace keys create --client 0190… --name Zapier --scope contacts.view\n  ace keys list --client 0190…\n  ace keys revoke --client 0190… 0190…"
    )]
    Keys(KeysCommand),
    /// Recount every invariant; exit status 1 and one line for each that is broken.
    #[command(after_help = "Examples:\n  ace doctor\n  ace doctor --json")]
    Doctor,
    /// Print every setting, its value and where it came from; secrets masked.
    #[command(after_help = "Examples:\n  ace config\n  ACE_SERVER__LISTEN=0.0.0.0:80 ace config --json")]
    Config,
    /// Print the OpenAPI document of the REST API; needs no database.
    #[command(after_help = "Examples:\n  ace openapi > openapi.json\n  ace openapi --json")]
    Openapi,
}

/// `ace serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The address to listen on.
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// Which part to run.
    #[arg(long, value_enum)]
    pub role: Option<ServeRole>,
    /// Load the demo first when the database is empty.
    #[arg(long)]
    pub demo: bool,
}

/// Which part of ACE a process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ServeRole {
    /// Web and workers in one process.
    All,
    /// Only what answers requests.
    Web,
    /// Only background work.
    Worker,
}

/// `ace import`.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Import a contact CSV into a client.
    #[command(
        after_help = "Examples:\n  ace import contacts people.csv --client 0190…\n  ace import contacts people.csv --client 0190… --list \"Spring 2026\" --map \"Cell=mobile_phone\" --map \"Ref=customer_code\"\n  ace import contacts people.csv --client 0190… --dedupe email --on-duplicate update"
    )]
    Contacts(ImportContactsArgs),
    /// Upload gift card codes (columns code, pin, number, expiry, cost) into a pool.
    #[command(after_help = "Examples:\n  ace import cards codes.csv --pool 0190…")]
    Cards(ImportCardsArgs),
}

/// `ace import contacts`.
#[derive(Debug, Args)]
pub struct ImportContactsArgs {
    /// The file; any delimiter, UTF-8, UTF-16 or Windows-1252.
    pub file: PathBuf,
    /// The client that owns the contacts: its id or its slug.
    #[arg(long)]
    pub client: String,
    /// Name of the static list the contacts go to; the file's name when absent.
    #[arg(long)]
    pub list: Option<String>,
    /// Which field a column holds, such as `Cell=mobile_phone`, `#3=skip` for the third or `Roof=custom_fields.roof`; repeat
    /// for more, and `*=email_opt_out` for everybody of a file of people who refused. Other columns are matched by their headers.
    #[arg(long = "map", value_name = "COLUMN=field")]
    pub mapping: Vec<String>,
    /// What happens to columns that no field fits.
    #[arg(long, value_enum, default_value = "custom_fields")]
    pub unmapped: Unmapped,
    /// What makes two contacts the same; the best of what the file holds when absent.
    #[arg(long, value_enum)]
    pub dedupe: Option<Dedupe>,
    /// What to do with a contact that is already there.
    #[arg(long, value_enum, default_value = "update")]
    pub on_duplicate: OnDuplicate,
    /// Whether the first row holds the names of the columns; guessed when absent, and asked for when it is unclear.
    #[arg(long, value_enum)]
    pub header: Option<YesNo>,
    /// The line the table begins on, below titles; guessed when absent.
    #[arg(long)]
    pub first_line: Option<u64>,
    /// Import although most rows repeat an earlier one.
    #[arg(long)]
    pub allow_repeats: bool,
}

/// Yes or no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum YesNo {
    /// Yes.
    Yes,
    /// No.
    No,
}

/// What happens to columns that no field fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Unmapped {
    /// They become custom fields.
    CustomFields,
    /// They are left out.
    Skip,
}

/// What makes two contacts the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub enum Dedupe {
    /// The e-mail address.
    Email,
    /// The customer code.
    CustomerCode,
    /// The phone number, landline or mobile.
    Phone,
    /// Name and normalised address.
    NameAddress,
}

/// What to do with a contact that is already there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OnDuplicate {
    /// Leave it as it is.
    Skip,
    /// Overwrite with the file's non-empty values.
    Update,
    /// Create another one.
    Create,
}

/// `ace import cards`.
#[derive(Debug, Args)]
pub struct ImportCardsArgs {
    /// The file; the first line names the columns.
    pub file: PathBuf,
    /// The pool the cards go to.
    #[arg(long)]
    pub pool: Uuid,
}

/// `ace user`.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Create a user who can sign in.
    #[command(
        after_help = "Examples:\n  ace user create --email ada@example.com --role admin            asks for the password\n  echo 'a long passphrase' | ace user create --email bo@acme.example --role company_owner --client 0190… --password-stdin"
    )]
    Create(UserCreateArgs),
    /// Take away the second factor of somebody who lost phone and recovery codes.
    #[command(after_help = "Examples:\n  ace user reset-second-factor --email ada@example.com")]
    ResetSecondFactor(UserResetArgs),
}

/// `ace user reset-second-factor`.
#[derive(Debug, Args)]
pub struct UserResetArgs {
    /// The address they sign in with.
    #[arg(long)]
    pub email: String,
}

/// `ace user create`.
#[derive(Debug, Args)]
pub struct UserCreateArgs {
    /// The address they sign in with.
    #[arg(long)]
    pub email: String,
    /// admin, tech_support, agency_owner, company_owner, developer or call_center.
    #[arg(long)]
    pub role: String,
    /// The organization they belong to: its id or its slug.
    #[arg(long)]
    pub org: Option<String>,
    /// The client they work for: its id or its slug.
    #[arg(long)]
    pub client: Option<String>,
    /// Their name.
    #[arg(long)]
    pub name: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long)]
    pub password_stdin: bool,
}

/// `ace keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Create a key; it is shown once.
    #[command(
        after_help = "Examples:\n  ace keys create --client 0190… --name Zapier --scope contacts.view\n  ace keys create --client 0190… --name Reports --scope campaigns.view --scope campaigns.analytics --test"
    )]
    Create(KeysCreateArgs),
    /// List a client's keys, masked.
    #[command(after_help = "Examples:\n  ace keys list --client 0190…")]
    List(KeysListArgs),
    /// Revoke a key at once.
    #[command(after_help = "Examples:\n  ace keys revoke --client 0190… 0190…")]
    Revoke(KeysRevokeArgs),
}

/// `ace keys create`.
#[derive(Debug, Args)]
pub struct KeysCreateArgs {
    /// The client the key belongs to: its id or its slug.
    #[arg(long)]
    pub client: String,
    /// What it is for.
    #[arg(long, default_value = "command line")]
    pub name: String,
    /// A permission the key holds; repeat for more.
    #[arg(long = "scope", value_name = "PERMISSION", required = true)]
    pub scopes: Vec<String>,
    /// A key named `ace_test_…`; it does the same real work.
    #[arg(long)]
    pub test: bool,
}

/// `ace keys list`.
#[derive(Debug, Args)]
pub struct KeysListArgs {
    /// The client the keys belong to: its id or its slug.
    #[arg(long)]
    pub client: String,
}

/// `ace keys revoke`.
#[derive(Debug, Args)]
pub struct KeysRevokeArgs {
    /// The client the key belongs to: its id or its slug.
    #[arg(long)]
    pub client: String,
    /// The key's id, as `ace keys list` prints it.
    pub key: Uuid,
}
