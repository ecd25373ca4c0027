//! A running application without a port: the real router, a database of its own, a clock that stands still.

use axum::Router;
use axum::http::Method;
use kernel::keyring::Keyring;
use kernel::settings::Settings;
use kernel::{Actor, Clock, System};
use serde::Serialize;
use tower::ServiceExt;
use web::{App, RouteSpec, Routes};

use crate::request::{Ask, Reply};
use crate::{Story, TestDatabase};

/// The application under test, with the story of [`crate::story`] in its database.
pub struct TestApp {
    /// What handlers get.
    pub app: App,
    /// The named people and businesses.
    pub story: Story,
    /// The database, for looking past every policy: `test.database.admin().await`.
    pub database: TestDatabase,
    router: Router,
    table: Vec<RouteSpec>,
}

impl TestApp {
    /// The application with the routes that `routes` makes: `TestApp::new(accounts::routes).await`. Rate limits are off.
    ///
    /// # Panics
    /// When there is no test database to be had.
    pub async fn new(routes: impl FnOnce(&App) -> Routes) -> Self {
        Self::with(|_| {}, routes).await
    }

    /// The same with other settings.
    ///
    /// # Panics
    /// When there is no test database to be had.
    pub async fn with(set: impl FnOnce(&mut Settings), routes: impl FnOnce(&App) -> Routes) -> Self {
        // what went wrong inside stands beside the failed assertion; a second test of the process finds it set up
        let log =
            tracing_subscriber::fmt().with_test_writer().with_max_level(tracing_subscriber::filter::LevelFilter::WARN);
        log.without_time().try_init().ok();
        let database = TestDatabase::new().await;
        let story = Story::tell(&database).await;
        let mut settings = Settings::for_tests();
        settings.limits.api_per_minute = 0;
        settings.limits.public_per_minute = 0;
        set(&mut settings);
        let app = match App::new(database.database(), settings, Keyring::for_tests()) {
            Ok(app) => app,
            Err(error) => panic!("no application: {error}"),
        };
        let routes = routes(&app);
        let table = routes.table().to_vec();
        let router = web::stack(routes.into_router(), &app);
        Self { app, story, database, router, table }
    }

    /// The clock, to be moved by the test.
    pub fn clock(&self) -> &Clock {
        &self.app.clock
    }

    /// The command line's actor, who may do everything.
    pub fn operator(&self) -> Actor {
        Actor::system(System::Operator)
    }

    /// The route table, for tests that walk it.
    pub fn table(&self) -> &[RouteSpec] {
        &self.table
    }

    /// Asks for a page.
    pub fn get(&self, path: &str) -> Ask<'_> {
        Ask::new(self, Method::GET, path)
    }

    /// Sends a form, as a browser on our own pages does.
    pub fn post_form(&self, path: &str, fields: &impl Serialize) -> Ask<'_> {
        Ask::new(self, Method::POST, path).form(fields)
    }

    /// Sends a form that changes something, with the version that the page `from` has.
    pub async fn edit(&self, who: &crate::Person, (from, to): (&str, &str), fields: &impl Serialize) -> Reply {
        let version = self.get(from).as_user(who).await.version();
        self.post_form(to, fields).and("version", &version).as_user(who).await
    }

    /// Sends a form as a browser does from another site.
    pub fn forged_post(&self, path: &str, fields: &impl Serialize) -> Ask<'_> {
        Ask::new(self, Method::POST, path).forged_form(fields)
    }

    /// Asks the API without a body.
    pub fn api(&self, method: Method, path: &str) -> Ask<'_> {
        Ask::new(self, method, path).program()
    }

    /// Asks the API with a JSON body.
    pub fn api_json(&self, method: Method, path: &str, body: &impl Serialize) -> Ask<'_> {
        self.api(method, path).json(body)
    }

    pub(crate) async fn answer(&self, request: axum::extract::Request) -> Reply {
        match self.router.clone().oneshot(request).await {
            Ok(response) => Reply::read(response).await,
            Err(never) => match never {},
        }
    }
}
