//! What strangers said of a contact in forms: kept and shown, and on file only once somebody who knows says the same.

use chrono::{DateTime, Utc};
use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

/// An e-mail address or a phone that a form gave for a contact and that is not on file for them.
#[derive(Debug, Clone, FromRow)]
pub struct Unconfirmed {
    /// The e-mail address.
    pub email: Option<String>,
    /// The phone, E.164.
    pub phone: Option<String>,
    /// The form.
    pub form_name: String,
    /// When.
    pub submitted_at: DateTime<Utc>,
}

impl Unconfirmed {
    /// Both, as people read them.
    pub fn text(&self) -> String {
        let phone = self.phone.as_deref().map(kernel::phone::display);
        [self.email.clone(), phone].into_iter().flatten().collect::<Vec<_>>().join(", ")
    }
}

database::statement! {
    /// The latest of a contact, as far as nobody has entered or imported it since.
    OF_CONTACT, app, "
        select given.email, given.phone, f.name as form_name, s.submitted_at
        from ace_form_submissions s
        join ace_forms f on f.client_id = s.client_id and f.id = s.form_id
        join contacts c on c.client_id = s.client_id and c.id = s.contact_id
        cross join lateral (
            select app.on_file(c.unconfirmed, c.email, c.phone, c.mobile_phone) as on_file) known
        cross join lateral (
            select case when s.unconfirmed ->> 'email' <> all (known.on_file) then s.unconfirmed ->> 'email' end as email,
                case when s.unconfirmed ->> 'phone' <> all (known.on_file) then s.unconfirmed ->> 'phone' end as phone) given
        where s.client_id = $1
          and s.contact_id = $2
          and s.unconfirmed is not null
          and num_nonnulls(given.email, given.phone) > 0
        order by s.submitted_at desc, s.id desc
        limit 5"
}

/// The latest that forms gave for a contact.
///
/// # Errors
/// What the database answered.
pub async fn of_contact(scope: &Scope<'_>, client_id: Uuid, contact_id: Uuid) -> Result<Vec<Unconfirmed>> {
    scope.query(&OF_CONTACT, &[&client_id, &contact_id]).await
}
