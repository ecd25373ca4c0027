//! What the public pages keep in memory: compiled landing pages by their immutable version, forms for a moment, and
//! views that are not counted yet. All of it is bounded, and nothing of it has to survive.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use content::forms::FormConfig;
use content::store::landing_pages;
use events::VisitWriter;
use kernel::error::CanFail;
use kernel::{Actor, Error, Result, System};
use uuid::Uuid;
use web::App;

use crate::landing::Landing;
use crate::pages::compiled::Compiled;
use crate::store::forms::{self, PublicForm};
use crate::store::rewards::{self, Offer};

/// Landing pages and forms kept at most, each.
const KEPT: usize = 512;
/// So long a changed form or offer may be shown as it was; what is sent is always held against the form as it is.
const FRESH: Duration = Duration::from_secs(2);
/// Views are counted together: a counter a campaign's every visitor waits at would be the slowest thing here.
const VIEWS_EVERY: Duration = Duration::from_secs(1);

/// A form as it is shown.
#[derive(Debug)]
pub struct OpenForm {
    /// The row.
    pub row: PublicForm,
    /// Its config, read.
    pub config: FormConfig,
    /// Drawn for landing pages.
    pub compiled: Option<Compiled>,
}

impl OpenForm {
    fn new(row: PublicForm) -> Result<Self> {
        let config = serde_json::from_value(row.form_config.clone()).map_err(Error::internal)?;
        Ok(Self { row, config, compiled: None })
    }
}

/// What was found, by the id it was looked up by, and when.
type Seen<T> = RwLock<HashMap<Uuid, (Instant, Option<T>)>>;

#[derive(Default)]
struct Kept {
    pages: RwLock<HashMap<Uuid, Arc<Landing>>>,
    forms: Seen<Arc<OpenForm>>,
    offers: Seen<Offer>,
    views: Mutex<HashMap<Uuid, i32>>,
}

/// The state of the public pages; cloning shares it.
#[derive(Clone)]
pub struct Engage {
    /// Records visits.
    pub writer: VisitWriter,
    kept: Arc<Kept>,
}

impl Engage {
    /// Nothing kept yet.
    pub fn new(writer: VisitWriter) -> Self {
        Self { writer, kept: Arc::default() }
    }

    /// A published version, compiled.
    ///
    /// # Errors
    /// What the database answered, or that the version cannot be compiled.
    pub async fn landing(&self, app: &App, version_id: Uuid) -> Result<Option<Arc<Landing>>> {
        if let Some(page) = self.kept.pages.read().unwrap_or_else(PoisonError::into_inner).get(&version_id) {
            return Ok(Some(Arc::clone(page)));
        }
        let actor = Actor::system(System::PublicLink);
        let Some(version) = landing_pages::find_version(&app.scope(&actor), version_id).await? else { return Ok(None) };
        let page = app.work.run("this page", move || Landing::new(&version)).await??;
        let page = Arc::new(page);
        let mut pages = self.kept.pages.write().unwrap_or_else(PoisonError::into_inner);
        make_room(&mut pages);
        pages.insert(version_id, Arc::clone(&page));
        Ok(Some(page))
    }

    /// An open form to be shown, as it was a moment ago.
    ///
    /// # Errors
    /// What the database answered; `Unavailable` when too much else is being drawn.
    pub async fn form_to_show(&self, app: &App, id: Uuid) -> Result<Option<Arc<OpenForm>>> {
        if let Some(form) = fresh(&self.kept.forms, id) {
            return Ok(form);
        }
        let form = match self.form(app, id).await? {
            Some(form) => {
                let compile = move || OpenForm { compiled: Compiled::new(&form), ..form };
                Some(Arc::new(app.work.run("this form", compile).await?))
            }
            None => None,
        };
        keep(&self.kept.forms, id, form.clone());
        Ok(form)
    }

    /// What a campaign's form earns, as it was a moment ago.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn offer(&self, app: &App, client_id: Uuid, campaign_id: Uuid) -> Result<Option<Offer>> {
        if let Some(offer) = fresh(&self.kept.offers, campaign_id) {
            return Ok(offer);
        }
        let actor = Actor::system(System::PublicLink);
        let offer = rewards::offer(&app.scope(&actor), client_id, campaign_id).await?;
        keep(&self.kept.offers, campaign_id, offer.clone());
        Ok(offer)
    }

    /// An open form as it is.
    ///
    /// # Errors
    /// What the database answered.
    pub async fn form(&self, app: &App, id: Uuid) -> Result<Option<OpenForm>> {
        let actor = Actor::system(System::PublicLink);
        forms::find(&app.scope(&actor), id).await?.map(OpenForm::new).transpose()
    }

    /// Counts that a person was shown a form; written within a second, together with everybody else's.
    pub fn count_view(&self, app: &App, form_id: Uuid) {
        let first = {
            let mut views = self.kept.views.lock().unwrap_or_else(PoisonError::into_inner);
            let first = views.is_empty();
            *views.entry(form_id).or_default() += 1;
            first
        };
        if first {
            let (app, kept) = (app.clone(), Arc::clone(&self.kept));
            tokio::spawn(async move {
                tokio::time::sleep(VIEWS_EVERY).await;
                let views = std::mem::take(&mut *kept.views.lock().unwrap_or_else(PoisonError::into_inner));
                write_views(&app, views).await;
            });
        }
    }
}

async fn write_views(app: &App, views: HashMap<Uuid, i32>) {
    let actor = Actor::system(System::PublicLink);
    for (form_id, count) in views {
        let written = forms::add_views(&app.scope(&actor), form_id, count).await;
        written.can_fail("views of a form are a rough figure and nothing hangs on them");
    }
}

/// What was found a moment ago, be it nothing.
fn fresh<T: Clone>(seen: &Seen<T>, id: Uuid) -> Option<Option<T>> {
    let seen = seen.read().unwrap_or_else(PoisonError::into_inner);
    let (read_at, found) = seen.get(&id)?;
    (read_at.elapsed() < FRESH).then(|| found.clone())
}

fn keep<T>(seen: &Seen<T>, id: Uuid, found: Option<T>) {
    let mut seen = seen.write().unwrap_or_else(PoisonError::into_inner);
    make_room(&mut seen);
    seen.insert(id, (Instant::now(), found));
}

/// Forgets anything when full: everything kept can be read again.
fn make_room<V>(kept: &mut HashMap<Uuid, V>) {
    if kept.len() >= KEPT
        && let Some(id) = kept.keys().next().copied()
    {
        kept.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut kept = HashMap::new();
        for n in 0..2_000_u128 {
            make_room(&mut kept);
            kept.insert(Uuid::from_u128(n), n);
        }
        assert_eq!(kept.len(), KEPT);
        assert!(kept.contains_key(&Uuid::from_u128(1_999)));
    }
}
