//! What the answer to a form says, and the card when the link is opened again.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use content::forms::Reveal;
use kernel::Result as Answer;
use web::shell::RecipientShell;
use web::{App, Result};

use super::{Markup, page};
use crate::actions::reveal::{Card, Shown};
use crate::actions::submit::Outcome;
use crate::policy::Policy;
use crate::state::OpenForm;

#[derive(Template)]
#[template(path = "forms/done.html")]
struct DonePage {
    shell: RecipientShell,
    ground: Option<String>,
    title: String,
    text: String,
    reveal: Reveal,
    cards: Vec<(Card, Option<Markup>)>,
    on_its_way: bool,
    nonce: String,
}

/// Where a page is asked for, and what it may do.
#[derive(Clone, Copy)]
pub struct On<'a> {
    /// The running ACE.
    pub app: &'a App,
    /// Its policy.
    pub policy: Policy<'a>,
}

impl<'a> On<'a> {
    /// One of a form's own pages, which may stand in any site and is sent to itself alone.
    pub fn form(app: &'a App, form: &OpenForm, host: Option<&'a str>) -> Self {
        Self { app, policy: Policy { form: Some(form.row.id), host, framable: true, ..Policy::default() } }
    }

    /// A page under its policy.
    pub fn page(self, status: StatusCode, template: &impl Template) -> Result<Response> {
        page(self.app, self.policy, status, template)
    }
}

/// The answer to a form that was sent.
pub async fn done(on: On<'_>, form: &OpenForm, outcome: Outcome) -> Result<Response> {
    let (settings, reveal) = (&form.config.settings, &form.config.reveal);
    let (shown, title, text) = match outcome {
        Outcome::Rewards(shown) if shown.iter().any(|shown| matches!(shown, Shown::Card(_))) => {
            (shown, reveal.title.clone(), reveal.subtitle.clone())
        }
        Outcome::Rewards(shown) => (shown, "Your reward is on its way".to_owned(), String::new()),
        Outcome::SentBefore(address) => {
            let to = address.map_or_else(String::new, |address| format!(" to {address}"));
            let text = format!(
                "Your reward was sent{to} before. Each recipient gets it once. \
                 To see it again, send the form with the e-mail address or phone number you gave the first time."
            );
            (Vec::new(), "Thank you".to_owned(), text)
        }
        Outcome::Thanks | Outcome::SpentCode => (Vec::new(), "Thank you".to_owned(), settings.success_message.clone()),
    };
    let (shell, ground) = form.frame(&title);
    cards_page(on, (shell, ground), (title, text), (reveal.clone(), shown)).await
}

/// The card once more, for the browser that saw it before.
pub async fn again(on: On<'_>, form: Option<&OpenForm>, plain: RecipientShell, cards: Vec<Shown>) -> Result<Response> {
    let (title, text) = ("Your gift card".to_owned(), "You have seen it before; here it is again.".to_owned());
    let (frame, reveal) = match form {
        Some(form) => (form.frame(&title), form.config.reveal.clone()),
        None => ((plain, None), Reveal::default()),
    };
    cards_page(on, frame, (title, text), (Reveal { animation: "none".into(), ..reveal }, cards)).await
}

/// A form of a campaign that is not in the mail.
pub async fn preview(on: On<'_>, form: &OpenForm) -> Result<Response> {
    let title = "Preview".to_owned();
    let text = "The campaign is not in the mail yet: nothing was stored or sent.".to_owned();
    cards_page(on, form.frame(&title), (title, text), (Reveal::default(), Vec::new())).await
}

async fn cards_page(
    on: On<'_>,
    (shell, ground): (RecipientShell, Option<String>),
    (title, text): (String, String),
    (reveal, shown): (Reveal, Vec<Shown>),
) -> Result<Response> {
    let on_its_way = shown.contains(&Shown::OnItsWay);
    let cards = shown.into_iter().filter_map(|shown| match shown {
        Shown::Card(card) => Some(card),
        Shown::OnItsWay => None,
    });
    let cards = with_qrs(on.app, cards.collect(), reveal.show_qr).await;
    // lets the one script run that copies the code
    let nonce = kernel::random::token();
    let on = On { policy: Policy { script_nonce: (!cards.is_empty()).then_some(&*nonce), ..on.policy }, ..on };
    let page = DonePage { shell, ground, title, text, reveal, cards, on_its_way, nonce: nonce.clone() };
    on.page(StatusCode::OK, &page)
}

/// Draws the QR of each card off the threads that answer everybody. Without one a card is still good: a picture that
/// is late must not keep it from its person.
async fn with_qrs(app: &App, cards: Vec<Card>, wanted: bool) -> Vec<(Card, Option<Markup>)> {
    if !wanted || cards.is_empty() {
        return cards.into_iter().map(|card| (card, None)).collect();
    }
    let codes: Vec<String> = cards.iter().map(|card| card.code.clone()).collect();
    let draw = move || codes.iter().map(|code| crate::qr::svg(code)).collect::<Answer<Vec<_>>>();
    let drawn = app.work.run("this picture", draw).await.and_then(|drawn| drawn);
    let drawn = drawn.unwrap_or_else(|error| {
        tracing::warn!(%error, "a card is shown without its QR");
        Vec::new()
    });
    let pictures = drawn.into_iter().map(|svg| Some(Markup(svg))).chain(std::iter::repeat_with(|| None));
    cards.into_iter().zip(pictures).collect()
}
