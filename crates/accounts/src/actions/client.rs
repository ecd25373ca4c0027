//! Clients: the businesses that mail.

use database::Audited;
use kernel::version::Expected;
use kernel::{Actor, Error, Problems, Result, phone, slug, zone};
use serde_json::{Value, json};
use uuid::Uuid;
use web::App;
use web::view::Choice;

use super::organization::checked_name;
use crate::store::organization::{self as store, Client, Organization};

/// The words of the enum, in the order of the data model.
pub const INDUSTRIES: [&str; 16] = [
    "roofing",
    "rei",
    "auto_service",
    "auto_dealership",
    "dental",
    "healthcare",
    "legal",
    "real_estate",
    "restaurant",
    "retail",
    "fitness",
    "home_services",
    "financial",
    "insurance",
    "nonprofit",
    "other",
];

/// An industry in words people use.
pub fn industry_label(word: &str) -> String {
    if word == "rei" { "Real estate investing".to_owned() } else { Choice::word(word).label }
}

/// The industries to choose from.
pub fn industries() -> Vec<Choice> {
    INDUSTRIES.iter().map(|word| Choice::new(word, industry_label(word))).collect()
}

/// What a new client is.
#[derive(Debug, Clone)]
pub struct NewClient<'a> {
    /// Its organization.
    pub org_id: Uuid,
    /// Its name.
    pub name: &'a str,
    /// Its trade, a word of `INDUSTRIES`.
    pub industry: &'a str,
    /// Its website.
    pub website_url: Option<&'a str>,
    /// Its IANA time zone.
    pub time_zone: &'a str,
}

/// What can be changed of one; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct ClientChange<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Its trade.
    pub industry: Option<&'a str>,
    /// Its logo; empty takes it away.
    pub logo_url: Option<&'a str>,
    /// Its website; empty takes it away.
    pub website_url: Option<&'a str>,
    /// The number recipients may call, as typed; empty takes it away.
    pub support_phone: Option<&'a str>,
    /// Its IANA time zone.
    pub time_zone: Option<&'a str>,
    /// Its main colour, `#rrggbb`; empty takes it away.
    pub primary_color: Option<&'a str>,
    /// Its second colour.
    pub secondary_color: Option<&'a str>,
    /// The version the change was made on.
    pub expected: Expected,
}

/// Creates a client.
///
/// # Errors
/// Names the field; `NotFound` when the organization is out of reach; `Conflict` when it is a direct one that has its
/// client already.
pub async fn create_client(app: &App, actor: &Actor, new: &NewClient<'_>) -> Result<Client> {
    let mut problems = Problems::new();
    let name = checked_name(&mut problems, new.name);
    check_industry(&mut problems, new.industry);
    check_zone(&mut problems, new.time_zone);
    let website = checked_url(&mut problems, "website_url", new.website_url.unwrap_or_default());
    problems.finish()?;
    let scope = app.db.scope(actor);
    let base = slug::slugify(name);
    for n in 1..=50 {
        let tx = scope.transaction().await?;
        let org: Organization = tx.query_one(&store::FIND_ORGANIZATION, &[&new.org_id]).await?;
        if org.kind == "direct" && org.clients > 0 {
            return Err(Error::conflict("direct_has_one_client", "A direct organization has one client: itself."));
        }
        let (id, slug) = (kernel::new_id(), slug::numbered(&base, n));
        let params: database::Params<'_> =
            &[&id, &new.org_id, &name, &slug, &new.industry, &website, &new.time_zone, &tx.now()];
        match tx.execute(&store::INSERT_CLIENT, params).await {
            Err(Error::Constraint(rule)) if rule == "clients_slug_key" => continue,
            other => other?,
        };
        let after = Some(json!({ "name": name, "slug": slug, "industry": new.industry }));
        tx.audit("client.created", "clients", Some(id), Audited { client_id: Some(id), before: None, after }).await?;
        let created = tx.query_one(&store::FIND_CLIENT, &[&id]).await?;
        tx.commit().await?;
        return Ok(created);
    }
    Err(Error::invalid("name", "there are many clients of this name; add something to tell it apart"))
}

/// Changes a client; one that stays as it was keeps its version.
///
/// # Errors
/// `NotFound` when it is out of reach; names the field; `Conflict` when it is archived, or somebody else changed it
/// meanwhile.
pub async fn update_client(app: &App, actor: &Actor, id: Uuid, change: &ClientChange<'_>) -> Result<Client> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    tx.expect(&store::LOCK_CLIENT, &[&id], &change.expected).await?;
    let before: Client = tx.query_one(&store::FIND_CLIENT, &[&id]).await?;
    if before.archived_at.is_some() {
        let text = "This client was archived: bring it back before changing anything.";
        return Err(Error::conflict("client_archived", text));
    }
    let after = applied(&before, change)?;
    if shown(&before) == shown(&after) {
        return Ok(before);
    }
    let params: database::Params<'_> = &[
        &id,
        &after.name,
        &after.industry,
        &after.logo_url,
        &after.website_url,
        &after.support_phone,
        &after.time_zone,
        &after.brand_colors_json,
        &tx.now(),
    ];
    tx.execute(&store::UPDATE_CLIENT, params).await?;
    let what = Audited { client_id: Some(id), before: Some(shown(&before)), after: Some(shown(&after)) };
    tx.audit("client.updated", "clients", Some(id), what).await?;
    let updated = tx.query_one(&store::FIND_CLIENT, &[&id]).await?;
    tx.commit().await?;
    Ok(updated)
}

/// Puts a client away, or takes it out again. Nothing of it is deleted.
///
/// # Errors
/// `NotFound` when it is out of reach.
pub async fn archive_client(app: &App, actor: &Actor, id: Uuid, archived: bool) -> Result<()> {
    let scope = app.db.scope(actor);
    let tx = scope.transaction().await?;
    let at = archived.then(|| tx.now());
    if tx.execute(&store::ARCHIVE_CLIENT, &[&id, &at, &tx.now()]).await? == 0 {
        return Err(Error::NotFound);
    }
    let action = if archived { "client.archived" } else { "client.restored" };
    tx.audit(action, "clients", Some(id), Audited { client_id: Some(id), ..Audited::default() }).await?;
    tx.commit().await
}

fn applied(before: &Client, change: &ClientChange<'_>) -> Result<Client> {
    let mut problems = Problems::new();
    let mut after = before.clone();
    if let Some(name) = change.name {
        after.name = checked_name(&mut problems, name).to_owned();
    }
    if let Some(industry) = change.industry {
        check_industry(&mut problems, industry);
        after.industry = industry.to_owned();
    }
    if let Some(zone) = change.time_zone {
        check_zone(&mut problems, zone);
        after.time_zone = zone.to_owned();
    }
    if let Some(url) = change.logo_url {
        after.logo_url = checked_url(&mut problems, "logo_url", url);
    }
    if let Some(url) = change.website_url {
        after.website_url = checked_url(&mut problems, "website_url", url);
    }
    if let Some(typed) = change.support_phone.map(str::trim) {
        after.support_phone = phone::normalise(typed, "US");
        if !typed.is_empty() && after.support_phone.is_none() {
            problems.invalid("support_phone", phone::WANTED);
        }
    }
    for (key, colour) in [("primary", change.primary_color), ("secondary", change.secondary_color)] {
        if let Some(colour) = colour {
            set_colour(&mut problems, &mut after.brand_colors_json, (key, colour.trim()));
        }
    }
    problems.finish()?;
    Ok(after)
}

fn set_colour(problems: &mut Problems, colours: &mut Value, (key, colour): (&str, &str)) {
    let is_colour =
        colour.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    match colours.as_object_mut() {
        Some(colours) if colour.is_empty() => drop(colours.remove(key)),
        Some(colours) if is_colour => drop(colours.insert(key.to_owned(), json!(colour.to_lowercase()))),
        _ => drop(problems.invalid(format!("{key}_color"), "enter a colour such as #0f766e")),
    }
}

fn check_industry(problems: &mut Problems, industry: &str) {
    if !INDUSTRIES.contains(&industry) {
        problems.invalid("industry", "choose an industry");
    }
}

fn check_zone(problems: &mut Problems, name: &str) {
    if zone::find(name).is_none() {
        problems.invalid("time_zone", no_such_zone(name));
    }
}

/// What to do about a time zone that nobody knows.
pub(super) fn no_such_zone(name: &str) -> String {
    format!(
        "choose a time zone: type Eastern, Central, Mountain or Pacific, or a city that has one, such as Chicago. There is \
         none called “{}”",
        name.trim()
    )
}

/// An address of the web: others could run scripts where it becomes a link.
fn checked_url(problems: &mut Problems, field: &str, url: &str) -> Option<String> {
    let url = url.trim();
    if url.is_empty() {
        return None;
    }
    let has_host = ["https://", "http://"]
        .iter()
        .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.starts_with('/')));
    let of_the_web = |parsed: &url::Url| {
        let own_words = parsed.username().is_empty() && parsed.password().is_none();
        has_host && parsed.has_host() && own_words
    };
    // what a parser would mend is not taken: other parsers mend otherwise
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !r#""<>\^`{|}"#.contains(c);
    if url.len() > 2000 || !url.chars().all(plain) || !url::Url::parse(url).is_ok_and(|parsed| of_the_web(&parsed)) {
        problems.invalid(field, "enter an address of the web, such as https://www.example.com");
    }
    Some(url.to_owned())
}

fn shown(client: &Client) -> Value {
    json!({
        "name": client.name,
        "industry": client.industry,
        "logo_url": client.logo_url,
        "website_url": client.website_url,
        "support_phone": client.support_phone,
        "time_zone": client.time_zone,
        "brand_colors": client.brand_colors_json,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_website_is_an_address_of_the_web_as_every_parser_reads_it() {
        let taken = |url: &str| {
            let mut problems = Problems::new();
            checked_url(&mut problems, "website_url", url);
            problems.is_empty()
        };
        for url in ["", "https://www.example.com", "http://a.example:8080/x?y=1#z", "https://münchen.example/ä"] {
            assert!(taken(url), "{url}");
        }
        for url in [
            "www.example.com",
            "javascript:alert(1)",
            "ftp://a.example",
            "https://",
            "https:///x",
            "https:a.example",
            r#"https://a"><script>"#,
            "https://a.example/a b",
            "https://a.example/\r\nx",
            "https://user:password@a.example",
            "https://a.example\\@evil.example",
            "https://a.example:99999",
        ] {
            assert!(!taken(url), "{url:?}");
        }
    }
}
