//! Who must not be written to. Asked when a message is wanted and again at the moment it leaves.

use database::{FromRow, Transaction};
use kernel::Result;
use uuid::Uuid;

use crate::message::Channel;

database::statement! {
    /// What the contact of the message, and every other contact with this address, said.
    CONSENT, both, "
        select
          coalesce(bool_or(c.do_not_contact), false) as do_not_contact,
          coalesce(bool_or(case $3::text when 'sms' then c.sms_opt_out else c.email_opt_out end), false) as opted_out,
          exists (
            select
            from suppressed_addresses s
            where s.client_id = $1
              and s.channel = $3
              and s.address = $4
          ) as suppressed
        from (
          select do_not_contact, sms_opt_out, email_opt_out
          from contacts
          where client_id = $1
            and id = $2::uuid
          union all
          select do_not_contact, sms_opt_out, email_opt_out
          from contacts
          where client_id = $1
            and $3 = 'sms'
            and phone = $4
          union all
          select do_not_contact, sms_opt_out, email_opt_out
          from contacts
          where client_id = $1
            and $3 = 'sms'
            and mobile_phone = $4
          union all
          select do_not_contact, sms_opt_out, email_opt_out
          from contacts
          where client_id = $1
            and $3 = 'email'
            and email = $4
        ) c"
}

#[derive(Debug, FromRow)]
struct Consent {
    do_not_contact: bool,
    opted_out: bool,
    suppressed: bool,
}

/// Why somebody must not be written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// They want no contact at all.
    DoNotContact,
    /// They opted out of this channel.
    OptedOut,
    /// The address itself is suppressed, whoever has it.
    Suppressed,
}

impl Refusal {
    /// The stable word kept as `messages.last_error_code`.
    pub const CODE: &'static str = "opted_out";

    /// A sentence for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::DoNotContact => "the person does not want to be contacted",
            Self::OptedOut => "the person opted out of this channel",
            Self::Suppressed => "this number or address opted out or bounced",
        }
    }
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy)]
pub struct Addressee<'a> {
    /// Whose message it is.
    pub client_id: Uuid,
    /// The contact, when it is known.
    pub contact_id: Option<Uuid>,
    /// The way the message goes.
    pub channel: Channel,
    /// The number or address.
    pub address: &'a str,
}

/// Why the addressee must not be written to; `None` when they may.
///
/// # Errors
/// What the database answered.
pub async fn refusal(tx: &Transaction, to: &Addressee<'_>) -> Result<Option<Refusal>> {
    let params: database::Params<'_> = &[&to.client_id, &to.contact_id, &to.channel.as_str(), &to.address];
    Ok(judge(&tx.query_one::<Consent>(&CONSENT, params).await?))
}

fn judge(consent: &Consent) -> Option<Refusal> {
    match consent {
        Consent { do_not_contact: true, .. } => Some(Refusal::DoNotContact),
        Consent { opted_out: true, .. } => Some(Refusal::OptedOut),
        Consent { suppressed: true, .. } => Some(Refusal::Suppressed),
        _ => None,
    }
}
