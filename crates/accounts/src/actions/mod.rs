//! What people do here, whoever asks: the console, the REST API, the command line, the demo. Each takes the actor and
//! leaves its audit row in its own transaction.

mod accept;
mod api_key;
mod client;
mod create_user;
mod invite;
mod logo;
mod organization;
mod password;
mod permission;
mod profile;
mod recover;
mod second_factor;
mod session;
mod sign_in;
mod team;
mod tries;

pub use accept::{Joining, accept_invitation, find_offer, mail_link};
pub use api_key::{CreatedKey, NewApiKey, create_key, create_own_key, list_keys, revoke_key};
pub use client::{ClientChange, NewClient, archive_client, create_client, industries, industry_label, update_client};
pub use create_user::{NewUser, create_user, set_password};
pub use invite::{Invited, NewInvite, invite, revoke_invitation};
pub use logo::{MOST_BYTES as MOST_LOGO_BYTES, keep as keep_logo};
pub use organization::{NewOrganization, OrganizationChange, PriceChange, create_organization, update_organization};
pub use password::{PasswordChange, Proof, ask_for_code, change_password, set_own_password};
pub use permission::set_grants;
pub use profile::{
    EmailChange, ProfileChange, change_email, change_own_email, confirm_email, set_metadata, update_profile,
};
pub use recover::{ask_for_reset, reset_password, reset_session, send_reset};
pub use second_factor::{
    Enrolment, NewFactor, begin_enrolment, confirm_enrolment, remove_second_factor, renew_recovery_codes,
    reset_second_factor, reset_second_factor_of,
};
pub use session::{
    Opened, Tokens, begin_console, begin_tokens, refresh, revoke_session, sign_out, sign_out_all, sign_out_others,
};
pub use sign_in::{Step, check_code, check_password, code_step, wrong_credentials};
pub use team::{TheirKeys, change_role, deactivate, reactivate, remove_from_client};
