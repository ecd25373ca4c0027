//! The way to a first campaign, on the Home of a client that has launched none.

use web::{Caller, Shell};

use crate::store::progress::Progress;

/// A step of the way.
pub struct Step {
    /// Whether it is done.
    pub done: bool,
    /// What there is to do.
    pub title: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What its link says, and where it leads, for those who may take the step.
    pub action: Option<(&'static str, String)>,
    /// Whether it is the first one that is left, and theirs.
    pub next: bool,
}

/// A line of the way: the permission, title, purpose, and the path and words of where it is done.
struct Line(&'static str, &'static str, &'static str, &'static str, &'static str);

const CONTACTS: Line = Line(
    "contacts.import",
    "Contacts",
    "The people you mail. Import a file you have.",
    "imports/new",
    "Import contacts",
);
const CARDS: Line =
    Line("gift_cards.upload", "Cards", "The rewards. A pool of codes to hand out.", "pools/new", "Add cards");
const FORM: Line =
    Line("forms.create", "Form", "What people answer to earn a card. Publish it.", "forms/new", "Make a form");
const PAGE: Line = Line(
    "landing_pages.create",
    "Landing page",
    "What the link and QR on each piece open. Publish it.",
    "landing-pages/new",
    "Make a page",
);
const PIECE: Line = Line(
    "templates.create",
    "Mail piece",
    "The postcard or letter, with a place for the code and the QR.",
    "templates/new",
    "Make a piece",
);
const CAMPAIGN: Line = Line(
    "campaigns.create",
    "Campaign",
    "Puts it all together. The check list says what is missing before you launch.",
    "campaigns/new",
    "Make a campaign",
);

/// The steps, when the client has launched nothing yet and the caller may take one of them.
pub fn steps(caller: &Caller, shell: &Shell, progress: &Progress) -> Option<Vec<Step>> {
    let lines = [
        (CONTACTS, progress.contacts),
        (CARDS, progress.cards),
        (FORM, progress.form),
        (PAGE, progress.page),
        (PIECE, progress.piece),
        (CAMPAIGN, false),
    ];
    if progress.launched || !lines.iter().any(|(line, _)| caller.may(line.0)) {
        return None;
    }
    let mut steps: Vec<Step> = lines.into_iter().map(|(line, done)| step(caller, shell, line, done)).collect();
    if let (Some(slug), Some(last)) = (&progress.campaign, steps.last_mut().filter(|last| last.action.is_some())) {
        last.action = Some(("Finish and launch it", shell.at(&format!("campaigns/{slug}"))));
    }
    // what was begun is finished, not begun again
    let begun = [
        (CARDS, progress.pool, "pools", "Add cards"),
        (FORM, progress.draft_form, "forms", "Open your form"),
        (PAGE, progress.draft_page, "landing-pages", "Publish your page"),
    ];
    for (Line(_, title, ..), id, list, words) in begun {
        let step = steps.iter_mut().find(|step| step.title == title && step.action.is_some());
        match (step, id) {
            (Some(step), Some(id)) => step.action = Some((words, shell.at(&format!("{list}/{id}")))),
            // whoever only uploads makes no pool
            (Some(step), None) if list == "pools" && !caller.may("gift_cards.manage_pools") => {
                step.action = Some((words, shell.at(list)));
            }
            _ => {}
        }
    }
    if let Some(first) = steps.iter_mut().find(|step| !step.done && step.action.is_some()) {
        first.next = true;
    }
    Some(steps)
}

fn step(caller: &Caller, shell: &Shell, Line(permission, title, about, path, words): Line, done: bool) -> Step {
    let action = (!done && caller.may(permission)).then(|| (words, shell.at(path)));
    Step { done, title, about, action, next: false }
}
