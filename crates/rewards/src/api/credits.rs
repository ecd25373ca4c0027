//! `/v1/credits`.

use axum::extract::State;
use chrono::{DateTime, Utc};
use kernel::page::{Page, PageParams};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;
use web::{App, Caller, IfMatch, Made, Query, Result, Tagged};

use crate::actions::credits::{self as actions, GrantInput};
use crate::store::credits as store;

/// Which entries.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
pub struct ListParams {
    /// Only for this reason: grant, transfer, piece, reward, refund, correction.
    pub reason: Option<String>,
    /// How many, 1 to 200; 50 when absent.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// The balance and a page of the ledger behind it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Credits)]
pub struct CreditsOut {
    /// Credits left.
    balance: i32,
    /// Of those, promised to launched campaigns: neither another launch nor a correction can have them.
    promised: i32,
    /// The ledger, the newest first.
    data: Vec<EntryOut>,
    /// Cursor of the next page; absent on the last one.
    next: Option<String>,
}

/// An entry of the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CreditEntry)]
pub struct EntryOut {
    id: Uuid,
    amount: i32,
    reason: String,
    note: Option<String>,
    balance_after: i32,
    created_at: DateTime<Utc>,
}

/// The balance after a grant.
#[derive(Debug, Serialize, ToSchema)]
pub struct Balance {
    /// Credits left.
    balance: i32,
}

impl From<store::Entry> for EntryOut {
    fn from(row: store::Entry) -> Self {
        Self {
            id: row.id,
            amount: row.amount,
            reason: row.reason,
            note: row.note,
            balance_after: row.balance_after,
            created_at: row.created_at,
        }
    }
}

/// `GET /v1/credits`
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Query(params): Query<ListParams>,
) -> Result<Tagged<CreditsOut>> {
    let page = PageParams { limit: params.limit, after: params.after };
    let (scope, client_id, limit) = (caller.scope(&app), caller.client_id()?, page.limit()?);
    // first, so that who reads while something is booked has the older version of the two
    let standing = store::standing(&scope, client_id).await?;
    let rows = store::list(&scope, client_id, params.reason, page.after()?, limit).await?;
    let Page { data, next } = Page::from_rows(rows, limit, |row| (row.created_at, row.id)).map(EntryOut::from);
    let store::Standing { balance, promised, .. } = standing;
    Ok(Tagged { etag: standing.etag()?, body: CreditsOut { balance, promised, data, next } })
}

/// `POST /v1/credits`
pub async fn grant(
    State(app): State<App>,
    caller: Caller,
    IfMatch(expected): IfMatch,
    web::Json(input): web::Json<GrantInput>,
) -> Result<Made<Balance>> {
    let balance = actions::grant(&app, &caller.actor, caller.client_id()?, &input, &expected).await?;
    Ok(Made::plain("/v1/credits".into(), Balance { balance }))
}
