//! What a campaign is made of, each part leading to its page.

use kernel::Result;
use web::view::number;
use web::{App, Caller, Shell};

use super::day;
use crate::store::campaigns::Campaign;
use crate::store::choices;

/// A part of a campaign.
pub struct Fact {
    /// What it is.
    pub label: &'static str,
    /// Its name.
    pub value: String,
    /// Its page; empty where there is none for this person.
    pub href: String,
}

impl Fact {
    fn plain(label: &'static str, value: Option<String>) -> Self {
        Self { label, value: value.unwrap_or_else(|| "–".to_owned()), href: String::new() }
    }
}

/// The facts of a campaign.
///
/// # Errors
/// `NotFound`, or what the database answered.
pub async fn of(app: &App, caller: &Caller, campaign: &Campaign) -> Result<Vec<Fact>> {
    let names = choices::names(&caller.scope(app), campaign.client_id, campaign.id).await?;
    let shell = Shell::new(caller, "");
    let linked = |label, permission: &str, place: &str, id: Option<uuid::Uuid>, name: Option<String>| {
        let href = id.filter(|_| caller.may(permission)).map(|id| format!("{}/{id}", shell.at(place)));
        Fact { href: href.unwrap_or_default(), ..Fact::plain(label, name) }
    };
    let piece = if campaign.no_mail_piece {
        Fact::plain("Mail piece", Some("None".to_owned()))
    } else {
        linked("Mail piece", "templates.view", "templates", campaign.template_id, names.template_name)
    };
    let page = match campaign.lp_mode.as_str() {
        "redirect" => Fact {
            href: campaign.base_lp_url.clone().unwrap_or_default(),
            ..Fact::plain("Links lead to", campaign.base_lp_url.clone())
        },
        _ => linked(
            "Links lead to",
            "landing_pages.view",
            "landing-pages",
            campaign.landing_page_id,
            names.landing_page_name,
        ),
    };
    let mut facts = vec![
        linked("Contact list", "lists.view", "lists", campaign.contact_list_id, names.list_name),
        piece,
        Fact::plain("Size", campaign.size.as_deref().map(web::view::piece_size)),
        Fact::plain("Postage", campaign.postage.as_deref().map(|word| web::view::Badge::of(word).text)),
        Fact::plain("Mail date", campaign.mail_date.map(day)),
        page,
        linked("Form", "forms.view", "forms", names.form_id, names.form_name),
    ];
    if let Some(credits) =
        campaign.estimated("credits").filter(|credits| *credits > 0 && campaign.launched_at.is_some())
    {
        facts.push(Fact::plain("Credits at most", Some(number(credits))));
    }
    Ok(facts)
}
