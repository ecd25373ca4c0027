//! `ace openapi`: the OpenAPI document of this program, without a database.

use database::{ActorKey, ConnectOptions, Database};
use events::VisitWriter;
use kernel::Clock;
use kernel::keyring::Keyring;
use kernel::settings::Loaded;
use providers::Drivers;
use web::App;

use crate::assemble;
use crate::output::Output;

/// Never connected to: the document is made from the route table alone.
const NOWHERE: &str = "postgresql://nobody@localhost/nowhere";

/// Prints the document.
///
/// # Errors
/// When the settings are unusable, or two types have one name in the document.
pub fn run(loaded: Loaded, output: Output) -> anyhow::Result<bool> {
    providers::http::install_tls();
    let keyring = Keyring::generate();
    let db = Database::new(&ConnectOptions::one_url(NOWHERE, 1, ActorKey::of(&keyring))?, Clock::system())?;
    let app = App::new(db, loaded.settings, keyring)?;
    let drivers = Drivers::from_settings(&app.settings, &app.db, &app.keyring, &app.clock)?;
    let routes = assemble::routes(&app, &drivers, &VisitWriter::start(&app.db));
    let document = web::openapi::document(routes.table(), &app.settings.server.public_url)?;
    output.result(&serde_json::to_string_pretty(&document)?, &document);
    Ok(true)
}
