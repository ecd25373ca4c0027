//! Opening what is printed on one recipient's piece. Whoever has the link or the code can have the recipient's card, so
//! everything else shows them masked, and opening them leaves an audit row.

use database::Audited;
use kernel::codes::RedemptionCode;
use kernel::version::Expected;
use kernel::{Actor, Result};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use web::App;

use crate::store::{life, recipients};

/// What stands for a link that is not opened.
const HIDDEN: &str = "••••••••••";

/// What is printed on a recipient's piece.
#[derive(Clone, Serialize, ToSchema)]
#[schema(as = RecipientCodes)]
pub struct Codes {
    /// With dashes.
    pub redemption_code: String,
    /// Their page.
    pub link: String,
    /// What stands behind the QR; `{link}/qr.svg` draws it.
    pub qr_link: String,
}

/// What is opened is not for logs.
impl std::fmt::Debug for Codes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codes").finish_non_exhaustive()
    }
}

impl Codes {
    /// In clear: for the answer to [`open`] and for the printer's file.
    pub fn of(app: &App, redemption_code: &str, purl_token: &str) -> Self {
        let code = RedemptionCode::parse(redemption_code).map(|code| code.to_string());
        Self {
            redemption_code: code.unwrap_or_else(|_| redemption_code.to_owned()),
            link: app.link(&format!("/r/{purl_token}")),
            qr_link: app.link(&format!("/q/{purl_token}")),
        }
    }

    /// As everybody else sees them: the end of the code, and nothing of the link.
    pub fn masked(app: &App, redemption_code: &str) -> Self {
        Self {
            redemption_code: RedemptionCode::masked(redemption_code),
            link: app.link(&format!("/r/{HIDDEN}")),
            qr_link: app.link(&format!("/q/{HIDDEN}")),
        }
    }
}

/// Opens a recipient's code and link, for holders of `campaigns.codes`.
///
/// # Errors
/// `NotFound`, or a conflict when the campaign was archived or it is not the expected version any more.
pub async fn open(
    app: &App,
    actor: &Actor,
    (client_id, recipient_id): (Uuid, Uuid),
    expected: &Expected,
) -> Result<Codes> {
    let tx = app.scope(actor).transaction().await?;
    let recipient = recipients::expect(&tx, client_id, recipient_id, expected).await?;
    life::expect_living(&tx, client_id, recipient.campaign_id).await?;
    let what = Audited { client_id: Some(client_id), ..Audited::default() };
    tx.audit("recipient.codes_opened", "recipients", Some(recipient_id), what).await?;
    tx.commit().await?;
    Ok(Codes::of(app, &recipient.redemption_code, &recipient.purl_token))
}
