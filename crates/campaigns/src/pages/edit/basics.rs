//! The first three steps: to whom, what is printed, where links lead.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use kernel::Problems;
use serde::{Deserialize, Serialize};
use web::{Result, render_with};

use super::fields::{parse, text};
use super::{Parts, StepForm};
use crate::actions::draft::CampaignInput;

/// The audience.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct AudienceForm {
    name: String,
    contact_list_id: String,
}

#[derive(Template)]
#[template(path = "campaigns/edit_audience.html")]
struct AudiencePage {
    parts: Parts,
    shell: web::Shell,
    form: AudienceForm,
}

impl StepForm for AudienceForm {
    const STEP: &'static str = "audience";

    fn of(input: &CampaignInput) -> Self {
        Self { name: input.name.clone(), contact_list_id: shown(input.contact_list_id) }
    }

    fn apply(&self, input: &mut CampaignInput) -> kernel::Result<()> {
        let mut problems = Problems::new();
        input.name = self.name.clone();
        input.contact_list_id =
            parse(&mut problems, "contact_list_id", &self.contact_list_id, "choose one of the lists");
        problems.finish()
    }

    fn draw(self, status: StatusCode, parts: Parts) -> Result<Response> {
        render_with(status, &AudiencePage { shell: parts.shell.clone(), parts, form: self })
    }
}

/// The mail piece.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DesignForm {
    no_mail_piece: bool,
    size: String,
    postage: String,
    template_id: String,
    mail_date: String,
}

#[derive(Template)]
#[template(path = "campaigns/edit_design.html")]
struct DesignPage {
    parts: Parts,
    shell: web::Shell,
    form: DesignForm,
    sizes: [(&'static str, &'static str); 4],
    postages: [(&'static str, &'static str); 2],
}

impl StepForm for DesignForm {
    const STEP: &'static str = "design";

    fn of(input: &CampaignInput) -> Self {
        Self {
            no_mail_piece: input.no_mail_piece,
            size: input.size.clone().unwrap_or_default(),
            postage: input.postage.clone().unwrap_or_default(),
            template_id: shown(input.template_id),
            mail_date: shown(input.mail_date),
        }
    }

    fn apply(&self, input: &mut CampaignInput) -> kernel::Result<()> {
        let mut problems = Problems::new();
        input.no_mail_piece = self.no_mail_piece;
        // The size of a piece is the piece's own: `update` takes it from there.
        input.size = if self.no_mail_piece { text(&self.size) } else { None };
        input.postage = text(&self.postage);
        input.template_id = parse(&mut problems, "template_id", &self.template_id, "choose one of the mail pieces");
        input.mail_date = text(&self.mail_date).and_then(|text| kernel::zone::parse_day(&text));
        if input.mail_date.is_none() && !self.mail_date.trim().is_empty() {
            problems.invalid("mail_date", "enter a date such as 2026-03-31");
        }
        problems.finish()
    }

    fn draw(self, status: StatusCode, parts: Parts) -> Result<Response> {
        let page = DesignPage {
            shell: parts.shell.clone(),
            parts,
            form: self,
            sizes: [
                ("4x6", "4 × 6 postcard"),
                ("6x9", "6 × 9 postcard"),
                ("6x11", "6 × 11 postcard"),
                ("letter", "Letter"),
            ],
            postages: [("standard", "Standard"), ("first_class", "First class")],
        };
        render_with(status, &page)
    }
}

/// Where links lead.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PageForm {
    lp_mode: String,
    landing_page_id: String,
    form_id: String,
    base_lp_url: String,
    utm_source: String,
    utm_medium: String,
    utm_campaign: String,
}

#[derive(Template)]
#[template(path = "campaigns/edit_page.html")]
struct LinkPage {
    parts: Parts,
    shell: web::Shell,
    form: PageForm,
    modes: [(&'static str, &'static str); 2],
}

impl StepForm for PageForm {
    const STEP: &'static str = "page";

    fn of(input: &CampaignInput) -> Self {
        Self {
            lp_mode: input.lp_mode.clone().unwrap_or_else(|| "bridge".into()),
            landing_page_id: shown(input.landing_page_id),
            form_id: shown(input.form_id),
            base_lp_url: input.base_lp_url.clone().unwrap_or_default(),
            utm_source: input.utm_source.clone().unwrap_or_default(),
            utm_medium: input.utm_medium.clone().unwrap_or_default(),
            utm_campaign: input.utm_campaign.clone().unwrap_or_default(),
        }
    }

    fn apply(&self, input: &mut CampaignInput) -> kernel::Result<()> {
        let mut problems = Problems::new();
        let page = parse(&mut problems, "landing_page_id", &self.landing_page_id, "choose one of the landing pages");
        input.lp_mode = text(&self.lp_mode);
        input.landing_page_id = page;
        input.form_id = parse(&mut problems, "form_id", &self.form_id, "choose one of the forms");
        // out of sight without a web site of their own: what was there stays
        if self.lp_mode == "redirect" {
            input.base_lp_url = text(&self.base_lp_url);
            input.utm_source = text(&self.utm_source);
            input.utm_medium = text(&self.utm_medium);
            input.utm_campaign = text(&self.utm_campaign);
        }
        problems.finish()
    }

    fn draw(self, status: StatusCode, parts: Parts) -> Result<Response> {
        let modes = [("bridge", "A landing page of ours"), ("redirect", "Your own web site")];
        render_with(status, &LinkPage { shell: parts.shell.clone(), parts, form: self, modes })
    }
}

/// A value as it stands in its field.
fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}
