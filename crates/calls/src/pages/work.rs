//! The working half of the desk: one recipient, one call.

use chrono::{DateTime, Utc};
use kernel::codes::RedemptionCode;
use kernel::{Error, new_id};
use rewards::Outcome;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web::view::FieldErrors;
use web::{App, Caller, Result, version_of};

use super::name_of;
use crate::actions::handle::{CallInput, Confirmed, Delivery};
use crate::actions::lookup::{self, Known};
use crate::call::{DISPOSITIONS, IDENTITY};
use crate::store::calls::{self as store, Call, ListFilter};

/// How many earlier calls of the recipient are shown.
const EARLIER: i64 = 5;

/// What the agent typed and ticked.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkForm {
    pub(super) notes: String,
    pub(super) identity_checked: Vec<String>,
    // the rest is not kept with the call, so nobody can have changed it
    #[serde(skip_serializing)]
    pub(super) channel: String,
    #[serde(skip_serializing)]
    pub(super) phone: String,
    #[serde(skip_serializing)]
    pub(super) email: String,
    #[serde(skip_serializing)]
    pub(super) disposition: String,
    #[serde(skip_serializing)]
    confirm: String,
    #[serde(skip_serializing)]
    opened_at: Option<DateTime<Utc>>,
}

impl WorkForm {
    pub(super) fn call(&self, id: Uuid, recipient_id: Uuid) -> CallInput {
        CallInput {
            id,
            recipient_id,
            caller_phone: String::new(),
            opened_at: self.opened_at,
            notes: self.notes.clone(),
            identity_checked: self.identity_checked.clone(),
            disposition: self.disposition.clone(),
        }
    }

    pub(super) fn delivery(&self) -> Delivery {
        Delivery { channel: self.channel.clone(), phone: self.phone.clone(), email: self.email.clone() }
    }

    /// The condition whose button was pressed.
    pub(super) fn confirmed_condition(&self) -> Result<Option<i32>> {
        match self.confirm.as_str() {
            "" => Ok(None),
            number => number.parse().map(Some).map_err(|_| Error::NotFound.into()),
        }
    }
}

/// A recipient and the call with them.
pub(super) struct Work {
    pub(super) known: Known,
    pub(super) name: String,
    pub(super) code: String,
    pub(super) address: String,
    /// Where the form goes; it holds the call's id, so a reload or a second press is the same call.
    pub(super) action: String,
    pub(super) opened_at: String,
    pub(super) call: Option<Call>,
    pub(super) earlier: Vec<Call>,
    pub(super) form: WorkForm,
    pub(super) version: String,
    /// Whether something stands in the form that is kept nowhere else.
    pub(super) unsaved: bool,
    pub(super) errors: FieldErrors,
    pub(super) may_confirm: bool,
    /// A card is on its way: the page looks again by itself.
    pub(super) waiting: bool,
}

impl Work {
    pub(super) async fn load(app: &App, caller: &Caller, recipient_id: Uuid, call_id: Option<Uuid>) -> Result<Self> {
        let (client_id, scope) = (caller.client_id()?, caller.scope(app));
        let known = lookup::known(app, &caller.actor, client_id, recipient_id).await?;
        let wanted = ListFilter { recipient_id: Some(recipient_id), ..ListFilter::default() };
        let mut earlier = store::list(&scope, client_id, &wanted, EARLIER).await?;
        // Only the agent's own call goes on; another agent's is history.
        let own = |call: &Call| Some(call.id) == call_id && call.agent_user_id == caller.user_id();
        let call = earlier.iter().position(own).map(|place| earlier.remove(place));
        let id = match (&call, call_id) {
            (Some(call), _) => call.id,
            (None, Some(id)) if !earlier.iter().any(|call| call.id == id) => id,
            _ => new_id(),
        };
        let started = call.as_ref().and_then(|call| call.call_started_at).unwrap_or_else(|| app.clock.now());
        let slug = &caller.client()?.slug;
        let form = form_of(&known, call.as_ref());
        Ok(Self {
            name: name_of(&known.recipient),
            code: RedemptionCode::masked(&known.recipient.redemption_code),
            address: address(&known),
            action: format!("/{slug}/desk/{recipient_id}?call={id}"),
            opened_at: started.to_rfc3339(),
            version: version_of(&form)?,
            form,
            unsaved: false,
            errors: FieldErrors::none(),
            may_confirm: caller.may("calls.confirm_condition"),
            waiting: is_waiting(&known),
            known,
            call,
            earlier,
        })
    }

    /// The same page with what was typed and why it was refused.
    pub(super) fn again(self, form: WorkForm, (errors, version): (FieldErrors, String)) -> Self {
        Self { form, errors, version, unsaved: true, ..self }
    }

    /// The same page after a save: where the card should go is kept with no call, so it stays in the form.
    pub(super) fn going_on(mut self, sent: WorkForm) -> Self {
        let to = |form: &WorkForm| (form.channel.clone(), form.phone.clone(), form.email.clone());
        self.unsaved = to(&sent) != to(&self.form);
        self.form.channel = sent.channel;
        self.form.phone = sent.phone;
        self.form.email = sent.email;
        self
    }

    pub(super) fn questions(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, bool)> {
        IDENTITY.iter().map(|(word, label, key)| {
            let ticked = self.form.identity_checked.iter().any(|given| given == word);
            (*word, *label, *key, ticked)
        })
    }

    /// The questions that are ticked in what was saved in another window meanwhile.
    pub(super) fn theirs_answered(&self) -> Option<String> {
        let differs =
            (0..IDENTITY.len()).any(|index| self.errors.theirs(&format!("identity_checked/{index}")).is_some());
        let saved = self.errors.theirs("identity_checked").map(str::to_owned);
        saved.or_else(|| differs.then(|| self.call.as_ref().map(Call::answered).unwrap_or_default().join("\n")))
    }

    pub(super) fn dispositions(&self) -> &'static [(&'static str, &'static str, &'static str)] {
        &DISPOSITIONS
    }

    pub(super) fn any_confirmable(&self) -> bool {
        self.may_confirm && self.known.conditions.iter().any(|standing| standing.confirmable)
    }
}

fn form_of(known: &Known, call: Option<&Call>) -> WorkForm {
    let recipient = &known.recipient;
    let phone = recipient.phone.as_deref().map(kernel::phone::display).unwrap_or_default();
    let email = recipient.email.clone().unwrap_or_default();
    WorkForm {
        notes: call.and_then(|call| call.notes.clone()).unwrap_or_default(),
        identity_checked: call.map(Call::answered).unwrap_or_default(),
        phone,
        email,
        ..WorkForm::default()
    }
}

fn address(known: &Known) -> String {
    let r = &known.recipient;
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    let last = format!("{}, {} {}", text(&r.city), text(&r.state), text(&r.zip));
    let last = last.trim_matches([' ', ',']).to_owned();
    let lines = [text(&r.address), text(&r.address2), last];
    lines.into_iter().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(", ")
}

fn is_waiting(known: &Known) -> bool {
    let on_its_way = |status: Option<&str>| matches!(status, Some("pending" | "sent"));
    known.conditions.iter().any(|s| s.met.as_ref().is_some_and(|met| on_its_way(met.delivery_status.as_deref())))
}

/// What the agent is told of a confirmation.
pub(super) fn spoken(done: &Confirmed) -> String {
    let name = &done.condition_name;
    match done.outcome {
        Outcome::Claimed => format!("{name}: confirmed. The card is on its way."),
        Outcome::NoReward => format!("{name}: confirmed"),
        Outcome::PoolEmpty => {
            format!("{name}: confirmed. The pool is empty (GC-003); the card follows when cards arrive.")
        }
        Outcome::NoCredits => {
            format!("{name}: confirmed. Credits are missing (GC-006); the card follows when there are some.")
        }
        Outcome::AddressMissing => {
            format!("{name}: confirmed. The card follows when we know where to send it (GC-012).")
        }
        Outcome::ConsentNeeded => {
            format!("{name}: confirmed. There is no card, because we may not write to this person (GC-009).")
        }
        Outcome::AlreadyMet => format!("{name}: met before (GC-010), so there is no second card."),
        Outcome::NoCondition => format!("{name}: this campaign has no such condition any more (GC-001)"),
    }
}
