//! Finding the person on the phone.

use campaigns::store::campaigns::{self as campaigns_store, Campaign};
use campaigns::store::conditions::{self, Condition, MetRow};
use campaigns::store::recipients::{self, Recipient};
use campaigns::store::search::{self, Search};
use kernel::codes::{CodeError, RedemptionCode};
use kernel::{Actor, Error, Result};
use uuid::Uuid;
use web::App;

use crate::store::calls::{self, CampaignName};

/// The most people a search shows: more is no help to somebody on the phone.
const FOUND: i64 = 20;

/// A recipient with what the desk shows of the campaign.
#[derive(Debug, Clone)]
pub struct Known {
    /// The recipient.
    pub recipient: Recipient,
    /// The campaign.
    pub campaign: Campaign,
    /// Its conditions, each with what this recipient did about it.
    pub conditions: Vec<Standing>,
}

/// Where a recipient stands with one condition.
#[derive(Debug, Clone)]
pub struct Standing {
    /// The condition.
    pub condition: Condition,
    /// When and with what result it was met; absent while it is open.
    pub met: Option<MetRow>,
    /// Whether an agent may confirm it now.
    pub confirmable: bool,
}

/// By redemption code, in whatever case and spacing it was read aloud.
///
/// # Errors
/// Names `code`: malformed and a wrong check character are told apart without the database, `not_found` means that
/// no recipient of this client has it.
pub async fn by_code(app: &App, actor: &Actor, client_id: Uuid, typed: &str) -> Result<Recipient> {
    let code = RedemptionCode::parse(typed).map_err(refused)?;
    match recipients::find_by_code(&app.scope(actor), client_id, code.as_str()).await {
        Err(Error::NotFound) => Err(problem("not_found", "nobody has this code: ask the caller to read it again")),
        found => found,
    }
}

/// By phone number, e-mail address or part of a name: those of running campaigns first, and the newest of them.
///
/// # Errors
/// What the database answered.
pub async fn search(
    app: &App,
    actor: &Actor,
    client_id: Uuid,
    text: &str,
) -> Result<Vec<(Option<CampaignName>, Recipient)>> {
    let scope = app.scope(actor);
    let wanted = Search { text: Some(text), live_first: true, ..Default::default() };
    // the search adds one, to tell whether there are more
    let found = search::search(&scope, client_id, wanted, FOUND - 1).await?;
    let ids: Vec<Uuid> = found.iter().map(|recipient| recipient.campaign_id).collect();
    let campaigns = calls::campaign_names(&scope, client_id, &ids).await?;
    let campaign = |recipient: &Recipient| campaigns.iter().find(|c| c.id == recipient.campaign_id).cloned();
    Ok(found.into_iter().map(|one| (campaign(&one), one)).collect())
}

/// A recipient with campaign and conditions.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn known(app: &App, actor: &Actor, client_id: Uuid, recipient_id: Uuid) -> Result<Known> {
    let recipient = recipients::find(&app.scope(actor), client_id, recipient_id).await?;
    of_recipient(app, actor, recipient).await
}

/// The campaign and conditions of a recipient who was found.
///
/// # Errors
/// What the database answered.
pub async fn of_recipient(app: &App, actor: &Actor, recipient: Recipient) -> Result<Known> {
    let scope = app.scope(actor);
    let (client_id, campaign_id) = (recipient.client_id, recipient.campaign_id);
    let campaign = campaigns_store::find(&scope, client_id, campaign_id).await?;
    let all = conditions::list(&scope, client_id, campaign_id).await?;
    let mut met = conditions::met_by(&scope, client_id, recipient.id).await?;
    let live = is_live(&campaign);
    let standing = |condition: Condition| {
        let place = met.iter().position(|row| row.condition_number == condition.condition_number);
        let met = place.map(|place| met.swap_remove(place));
        let confirmable = live && met.is_none() && condition.is_active && condition.trigger_type == "call";
        Standing { condition, met, confirmable }
    };
    let conditions = all.into_iter().map(standing).collect();
    Ok(Known { recipient, campaign, conditions })
}

/// Whether conditions count: the pieces are in the mail and the campaign is not over.
pub fn is_live(campaign: &Campaign) -> bool {
    matches!(campaign.status.as_str(), "mailed" | "active")
}

fn refused(error: CodeError) -> Error {
    match error {
        CodeError::Malformed => problem("malformed", "a code has 12 letters and digits, such as 7K2M-9QRX-4TVB"),
        CodeError::CheckCharacter => problem(
            "check_character",
            "one character is wrong: no code reads like this. Ask the caller to read it again",
        ),
    }
}

fn problem(code: &'static str, message: &str) -> Error {
    Error::Invalid(vec![kernel::FieldError { field: "code".into(), code, message: message.into() }])
}
