//! Lists of contacts: searched, filtered, sorted, page by page.

use chrono::{DateTime, Utc};
use database::{Filter, FromRow, Scope};
use kernel::Result;
use uuid::Uuid;

use crate::contacts::Contact;

/// A row of a list of contacts.
#[derive(Debug, Clone, FromRow)]
pub struct ContactRow {
    /// The contact's id.
    pub id: Uuid,
    /// The client's own code.
    pub customer_code: String,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// E-mail address.
    pub email: Option<String>,
    /// Phone, or mobile phone where there is no other.
    pub phone: Option<String>,
    /// City.
    pub city: Option<String>,
    /// State.
    pub state: Option<String>,
    /// Lifecycle stage.
    pub lifecycle_stage: String,
    /// Stops everything.
    pub do_not_contact: bool,
    /// When the contact was added.
    pub created_at: DateTime<Utc>,
}

impl ContactRow {
    /// First and last name; company, e-mail or code where there is none.
    pub fn name(&self) -> String {
        let others = [self.company.as_deref(), self.email.as_deref()];
        crate::contacts::display_name(
            self.first_name.as_deref(),
            self.last_name.as_deref(),
            &others,
            &self.customer_code,
        )
    }
}

impl ContactRow {
    /// City and state.
    pub fn place(&self) -> String {
        web::view::address(&[self.city.as_deref().unwrap_or_default(), self.state.as_deref().unwrap_or_default()])
    }
}

/// Which contacts are wanted.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Part of a name, e-mail, phone or code.
    pub search: Option<String>,
    /// Only these.
    pub ids: Option<Vec<Uuid>>,
    /// Only members of this list.
    pub list_id: Option<Uuid>,
    /// Only this lifecycle stage.
    pub stage: Option<String>,
    /// Only those with this do-not-contact flag.
    pub suppressed: Option<bool>,
    /// The order.
    pub order: Order,
}

/// The orders of a list of contacts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
    /// By last and first name.
    Name,
    /// By last and first name, backwards.
    NameBackwards,
}

/// The sort values of a contact: its name where names are the order, and its id.
pub type Cursor = (String, Uuid);

/// The cursor of a row.
pub fn cursor(row: &ContactRow) -> Cursor {
    (sort_name(row.last_name.as_deref(), row.first_name.as_deref()), row.id)
}

fn sort_name(last: Option<&str>, first: Option<&str>) -> String {
    format!("{} {}", last.unwrap_or_default(), first.unwrap_or_default())
}

/// What a search binds: the text anywhere, and the digits of a phone number where there are some.
struct Search {
    like: String,
    digits: Option<String>,
}

impl Search {
    fn of(wanted: &Wanted) -> Option<Self> {
        let text = wanted.search.as_deref()?.trim();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        let is_phone = digits.len() >= 4 && text.chars().all(|c| c.is_ascii_digit() || " +()-.".contains(c));
        (!text.is_empty())
            .then(|| Self { like: database::containing(text), digits: is_phone.then(|| format!("%{digits}%")) })
    }
}

/// A page of contacts, up to `limit + 1`.
///
/// # Errors
/// What the database answered.
pub async fn list(
    scope: &Scope<'_>,
    client_id: Uuid,
    wanted: &Wanted,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<ContactRow>> {
    let (search, limit) = (Search::of(wanted), limit + 1);
    let filter = Filter::new(
        "contacts list",
        "
        select c.id, c.customer_code, c.first_name, c.last_name, c.company, c.email,
          coalesce(c.phone, c.mobile_phone) as phone, c.city, c.state,
          c.lifecycle_stage, c.do_not_contact, c.created_at
        from contacts c",
    );
    let filter = narrowed(filter, &client_id, wanted, search.as_ref());
    let filter = ordered(filter, wanted.order, after).bind("limit", &limit);
    scope.query_filter(&filter).await
}

/// A page of whole contacts, newest first, up to `limit + 1`.
///
/// # Errors
/// What the database answered.
pub async fn list_whole(
    scope: &Scope<'_>,
    client_id: Uuid,
    wanted: &Wanted,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<Vec<Contact>> {
    let (search, limit) = (Search::of(wanted), limit + 1);
    let filter = Filter::new("whole contacts list", "
        select c.id, c.customer_code, c.first_name, c.last_name, c.email, c.phone, c.mobile_phone, c.company, c.job_title,
          c.address, c.address2, c.city, c.state, c.zip, c.country, c.lifecycle_stage, c.lead_score, c.engagement_score,
          c.lead_source, c.do_not_contact, c.email_opt_out, c.sms_opt_out,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = c.client_id and s.channel = 'sms' and s.address = coalesce(c.mobile_phone, c.phone)) as sms_suppressed,
          (select jsonb_build_object('reason', s.reason, 'since', s.created_at)
           from suppressed_addresses s
           where s.client_id = c.client_id and s.channel = 'email' and s.address = c.email) as email_suppressed,
          c.custom_fields, c.notes, c.last_activity_date,
          c.created_at, c.updated_at
        from contacts c");
    let filter = narrowed(filter, &client_id, wanted, search.as_ref());
    let filter = ordered(filter, wanted.order, after).bind("limit", &limit);
    scope.query_filter(&filter).await
}

/// A name of a custom field.
#[derive(FromRow)]
struct Key {
    key: String,
}

/// The names of the wanted contacts' custom fields, up to `limit`.
///
/// # Errors
/// What the database answered.
pub async fn custom_keys(scope: &Scope<'_>, client_id: Uuid, wanted: &Wanted, limit: i64) -> Result<Vec<String>> {
    let search = Search::of(wanted);
    let filter = Filter::new(
        "custom fields of contacts",
        "select distinct k.key from contacts c cross join lateral jsonb_object_keys(c.custom_fields) k (key)",
    );
    let filter = narrowed(filter, &client_id, wanted, search.as_ref()).bind("order by k.key limit", &limit);
    let keys: Vec<Key> = scope.query_filter(&filter).await?;
    Ok(keys.into_iter().map(|key| key.key).collect())
}

/// How many contacts are wanted.
///
/// # Errors
/// What the database answered.
pub async fn count(scope: &Scope<'_>, client_id: Uuid, wanted: &Wanted) -> Result<i64> {
    let search = Search::of(wanted);
    let filter =
        narrowed(Filter::new("contacts count", "select count(*) from contacts c"), &client_id, wanted, search.as_ref());
    scope.query_filter_scalar(&filter).await
}

fn narrowed<'a>(filter: Filter<'a>, client_id: &'a Uuid, wanted: &'a Wanted, search: Option<&'a Search>) -> Filter<'a> {
    let mut filter = filter
        .bind("where c.client_id =", client_id)
        .bind_some("and c.lifecycle_stage =", wanted.stage.as_ref())
        .bind_some("and c.do_not_contact =", wanted.suppressed.as_ref());
    if let Some(ids) = &wanted.ids {
        filter = filter.bind("and c.id = any (", ids).push(")");
    }
    if let Some(list_id) = &wanted.list_id {
        filter = filter
            .bind("and exists (select from contact_list_members m where m.contact_id = c.id and m.list_id =", list_id)
            .push(")");
    }
    let Some(search) = search else { return filter };
    filter = filter
        .bind("and (app.fold(concat_ws(' ', c.first_name, c.last_name, c.company)) like app.fold(", &search.like)
        .bind(") or c.email ilike", &search.like)
        .bind("or c.customer_code ilike", &search.like);
    if let Some(digits) = &search.digits {
        filter = filter.bind("or c.phone like", digits).bind("or c.mobile_phone like", digits);
    }
    filter.push(")")
}

fn ordered<'a>(filter: Filter<'a>, order: Order, after: Option<&'a Cursor>) -> Filter<'a> {
    const NAME: &str = "and (concat_ws(' ', coalesce(c.last_name, ''), coalesce(c.first_name, '')), c.id) > (";
    const NAME_BACKWARDS: &str =
        "and (concat_ws(' ', coalesce(c.last_name, ''), coalesce(c.first_name, '')), c.id) < (";
    let filter = match (after, order) {
        (None, _) => filter,
        (Some((_, id)), Order::Newest) => filter.bind("and c.id <", id),
        (Some((_, id)), Order::Oldest) => filter.bind("and c.id >", id),
        (Some((name, id)), Order::Name) => filter.bind(NAME, name).bind(",", id).push(")"),
        (Some((name, id)), Order::NameBackwards) => filter.bind(NAME_BACKWARDS, name).bind(",", id).push(")"),
    };
    match order {
        Order::Newest => filter.push("order by c.id desc"),
        Order::Oldest => filter.push("order by c.id"),
        Order::Name => {
            filter.push("order by concat_ws(' ', coalesce(c.last_name, ''), coalesce(c.first_name, '')), c.id")
        }
        Order::NameBackwards => filter
            .push("order by concat_ws(' ', coalesce(c.last_name, ''), coalesce(c.first_name, '')) desc, c.id desc"),
    }
}
