//! The frame around every console page: top bar, side bar, page head. Pages only add their content.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::Caller;
use crate::flash::Flash;
use crate::nav::{self, NavGroup};
use crate::time::{Moment, When};
use crate::view::Badge;
use crate::{assets, view};

/// The frame of one page, as its template's field `shell`.
#[derive(Debug, Clone)]
pub struct Shell {
    /// The page's title: in the browser's tab and as its heading.
    pub title: String,
    /// The signed-in person; absent on bare pages.
    pub user: Option<ShellUser>,
    /// The client the page is about, or that the person was at last.
    pub client: Option<ClientLink>,
    /// The clients to switch between.
    pub clients: Vec<ClientLink>,
    /// The side bar.
    pub nav: Vec<NavGroup>,
    /// What the last act has to say.
    pub flash: Option<Flash>,
    /// The path of the request.
    pub path: String,
    /// The way up: the pages this one lies under.
    pub crumbs: Vec<(String, String)>,
    /// The number of things on the page, beside the heading.
    pub count: Option<i64>,
    /// The status of the thing on the page, beside the heading.
    pub badge: Option<Badge>,
    /// One line under the heading.
    pub lede: String,
    /// How many things at the client need a person, on the bell.
    pub needs: i64,
    /// Where the person begins at a client: the last word of its address.
    pub landing: &'static str,
    /// Whether the page has charts and needs their island.
    pub charts: bool,
    zone: String,
}

/// The person, as the top bar shows them.
#[derive(Debug, Clone)]
pub struct ShellUser {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Two letters.
    pub initials: String,
}

/// A client in the switcher.
#[derive(Debug, Clone)]
pub struct ClientLink {
    /// Its word in URLs.
    pub slug: String,
    /// Its name.
    pub name: String,
}

impl Shell {
    /// The frame of a console page.
    pub fn new(caller: &Caller, title: impl Into<String>) -> Self {
        let link = |client: &crate::ClientRef| ClientLink { slug: client.slug.clone(), name: client.name.clone() };
        let client = caller.client.as_ref().or(caller.beside.as_ref());
        let slug = client.map(|client| client.slug.as_str());
        Self {
            user: caller.user.as_ref().map(|user| ShellUser::new(&user.full_name, &user.email)),
            client: client.map(link),
            clients: caller.clients.iter().map(link).collect(),
            nav: nav::groups(slug, &caller.path, |key| caller.may(key)),
            flash: caller.flash.clone(),
            needs: caller.needs,
            landing: caller.landing(),
            path: caller.path.clone(),
            zone: caller.time_zone().to_owned(),
            ..Self::bare(title)
        }
    }

    /// The frame of a page without navigation: signing in, an invitation, an error for a stranger.
    pub fn bare(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            user: None,
            client: None,
            clients: Vec::new(),
            nav: Vec::new(),
            flash: None,
            path: String::new(),
            crumbs: Vec::new(),
            count: None,
            badge: None,
            lede: String::new(),
            needs: 0,
            landing: "home",
            charts: false,
            zone: "UTC".into(),
        }
    }

    /// Shows a message on this very page.
    #[must_use]
    pub fn flash(mut self, text: impl Into<String>) -> Self {
        self.flash = Some(Flash::done(text));
        self
    }

    /// A page this one lies under, from the top.
    #[must_use]
    pub fn crumb(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.crumbs.push((label.into(), href.into()));
        self
    }

    /// The number of things on the page.
    #[must_use]
    pub fn count(mut self, count: i64) -> Self {
        self.count = Some(count);
        self
    }

    /// The status of the thing on the page, a word of the data model.
    #[must_use]
    pub fn status(mut self, status: impl std::fmt::Display) -> Self {
        self.badge = Some(Badge::of(status));
        self
    }

    /// One line under the heading.
    #[must_use]
    pub fn lede(mut self, lede: impl Into<String>) -> Self {
        self.lede = lede.into();
        self
    }

    /// The page has charts.
    #[must_use]
    pub fn with_charts(mut self) -> Self {
        self.charts = true;
        self
    }

    fn is_client(&self, link: &ClientLink) -> bool {
        self.client.as_ref().is_some_and(|client| client.slug == link.slug)
    }

    /// Where the palette asks: at the client, or among all of them.
    pub fn search(&self) -> String {
        if self.client.is_some() { self.at("search") } else { "/search".into() }
    }

    /// A path of the client the page is about: `shell.at("contacts")` → `/acme/contacts`.
    pub fn at(&self, path: &str) -> String {
        let slug = self.client.as_ref().map_or("", |client| client.slug.as_str());
        format!("/{slug}/{}", path.trim_start_matches('/')).replace("//", "/")
    }

    /// A moment with its minute, in the person's zone.
    pub fn when(&self, at: impl Moment) -> When<'_> {
        When::minute(&at, &self.zone)
    }

    /// Only the day of a moment, in the person's zone.
    pub fn day(&self, at: impl Moment) -> When<'_> {
        When::day(&at, &self.zone)
    }

    /// How long ago a moment was.
    pub fn ago(&self, at: impl Moment) -> When<'_> {
        When::ago(&at, &self.zone)
    }

    /// What stands in the document's head.
    pub fn head(&self) -> Head<'_> {
        Head { shell: self }
    }

    /// Top bar and side bar.
    pub fn bars(&self) -> Bars<'_> {
        Bars { shell: self }
    }

    /// Crumbs, heading, count, badge and lede.
    pub fn heading(&self) -> Heading<'_> {
        Heading { shell: self }
    }

    /// The dialogs every page shares: shortcuts, confirmation, and the live region.
    pub fn dialogs(&self) -> Dialogs<'_> {
        Dialogs { shell: self }
    }
}

impl ShellUser {
    fn new(name: &str, email: &str) -> Self {
        let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let initials: String = words.filter_map(|word| word.chars().next()).take(2).collect();
        Self { name: name.into(), email: email.into(), initials: initials.to_uppercase() }
    }
}

/// The document's head.
#[derive(Template)]
#[template(path = "parts/head.html")]
pub struct Head<'a> {
    shell: &'a Shell,
}

/// Top bar and side bar.
#[derive(Template)]
#[template(path = "parts/bars.html")]
pub struct Bars<'a> {
    shell: &'a Shell,
}

/// The page's heading.
#[derive(Template)]
#[template(path = "parts/heading.html")]
pub struct Heading<'a> {
    shell: &'a Shell,
}

/// The dialogs every page shares.
#[derive(Template)]
#[template(path = "parts/dialogs.html")]
pub struct Dialogs<'a> {
    shell: &'a Shell,
}

impl HtmlSafe for Head<'_> {}
impl HtmlSafe for Bars<'_> {}
impl HtmlSafe for Heading<'_> {}
impl HtmlSafe for Dialogs<'_> {}

/// The frame of a page for recipients: the client's brand, not ours.
#[derive(Debug, Clone)]
pub struct RecipientShell {
    /// The page's title.
    pub title: String,
    /// The client's name.
    pub brand: String,
    /// Where its logo is, if it has one.
    pub logo: Option<String>,
    /// The style sheet of its colour.
    pub colour_css: Option<String>,
}

impl RecipientShell {
    /// A page of `brand`, in its colour (such as `#0f766e`) when it has one.
    pub fn new(title: impl Into<String>, brand: impl Into<String>, colour: Option<&str>) -> Self {
        let colour_css = colour.and_then(assets::brand_url);
        Self { title: title.into(), brand: brand.into(), logo: None, colour_css }
    }

    /// With the brand's logo.
    #[must_use]
    pub fn logo(mut self, url: Option<String>) -> Self {
        self.logo = url;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_are_two_letters_of_the_name() {
        assert_eq!(ShellUser::new("Dana O'Neil-Fox", "d@example.com").initials, "DO");
        assert_eq!(ShellUser::new("", "d@example.com").initials, "");
    }
}
