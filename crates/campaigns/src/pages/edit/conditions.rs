//! The fourth step: conditions and what they earn, one block of inputs each, arranged by buttons that send the form.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use content::merge::MESSAGE;
use kernel::Problems;
use messaging::segments;
use serde::{Deserialize, Serialize};
use web::view::{Choice, FieldErrors, arranged, count, slug_id};
use web::{Result, render_with};

use super::fields::{parse, text};
use super::{Parts, StepForm};
use crate::actions::draft::{CampaignInput, ConditionInput, MAX_CONDITIONS, TRIGGERS};

/// What a new reward says until somebody writes better words.
const FIRST_SMS: &str = "Hi {{first_name|there}}, thank you. Here is your {{amount}} {{brand}} gift card: {{card}}";

/// What the step sends: the repeated names are columns, one entry per condition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ConditionsForm {
    cards_per_reward: String,
    #[serde(skip_serializing)]
    act: String,
    condition_name: Vec<String>,
    trigger_type: Vec<String>,
    crm_event_name: Vec<String>,
    time_delay_hours: Vec<String>,
    form_id: Vec<String>,
    gift_card_pool_id: Vec<String>,
    reward_description: Vec<String>,
    delivery_channel: Vec<String>,
    sms_template: Vec<String>,
    email_subject: Vec<String>,
    email_template: Vec<String>,
}

/// One condition's inputs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ConditionRow {
    index: usize,
    condition_name: String,
    trigger_type: String,
    crm_event_name: String,
    time_delay_hours: String,
    form_id: String,
    gift_card_pool_id: String,
    reward_description: String,
    delivery_channel: String,
    sms_template: String,
    email_subject: String,
    email_template: String,
}

#[derive(Template)]
#[template(path = "campaigns/edit_conditions.html")]
struct ConditionsPage {
    parts: Parts,
    shell: web::Shell,
    form: ConditionsForm,
    rows: Vec<ConditionRow>,
    triggers: Vec<Choice>,
    channels: Vec<Choice>,
    tags: Vec<String>,
    full: bool,
    focus: Option<(&'static str, usize)>,
}

impl ConditionsPage {
    /// Whether the person goes on here: at the condition they added or moved, or that stands where one was taken away.
    fn is_focus(&self, row: &ConditionRow, act: &str) -> bool {
        self.focus.is_some_and(|(done, index)| done == act && index == row.index)
    }

    /// Whether they go on at the end, after taking the last one away.
    fn is_focus_last(&self) -> bool {
        self.rows.is_empty() && self.focus.is_some_and(|(done, _)| done == "remove")
    }
}

impl StepForm for ConditionsForm {
    const STEP: &'static str = "conditions";

    fn of(input: &CampaignInput) -> Self {
        let cards = input.cards_per_reward.map(|cards| cards.to_string());
        let mut form = Self { cards_per_reward: cards.unwrap_or_default(), ..Self::default() };
        input.conditions.iter().for_each(|condition| form.push(&ConditionRow::of(condition)));
        form
    }

    fn apply(&self, input: &mut CampaignInput) -> kernel::Result<()> {
        let mut problems = Problems::new();
        let wanted = "enter a number of cards, or nothing for one each";
        input.cards_per_reward = parse(&mut problems, "cards_per_reward", &self.cards_per_reward, wanted);
        input.conditions = self.rows().iter().map(|row| row.input(&mut problems)).collect();
        problems.finish()
    }

    fn rearrange(&mut self) -> bool {
        let mut rows = self.rows();
        let (act, index) = self.act.split_once(':').unwrap_or((&self.act, "0"));
        let index: usize = index.parse().unwrap_or(usize::MAX);
        match act {
            "add" if rows.len() < MAX_CONDITIONS => rows.push(ConditionRow::first()),
            "remove" if index < rows.len() => drop(rows.remove(index)),
            "up" if index > 0 && index < rows.len() => rows.swap(index - 1, index),
            "down" if index.checked_add(1).is_some_and(|next| next < rows.len()) => rows.swap(index, index + 1),
            "add" | "remove" | "up" | "down" => {}
            _ => return false,
        }
        self.columns().into_iter().for_each(Vec::clear);
        rows.iter().for_each(|row| self.push(row));
        true
    }

    fn draw(self, status: StatusCode, parts: Parts) -> Result<Response> {
        let rows = self.rows();
        let page = ConditionsPage {
            shell: parts.shell.clone(),
            parts,
            full: rows.len() >= MAX_CONDITIONS,
            focus: arranged(&self.act, rows.len()),
            rows,
            form: self,
            triggers: TRIGGERS.iter().map(|(word, label)| Choice::new(word, *label)).collect(),
            channels: [("choice", "As the recipient or the agent chooses"), ("sms", "SMS"), ("email", "E-mail")]
                .map(|(word, label)| Choice::new(word, label))
                .to_vec(),
            tags: MESSAGE.names().map(|name| format!("{{{{{name}}}}}")).collect(),
        };
        render_with(status, &page)
    }
}

impl ConditionsForm {
    fn rows(&self) -> Vec<ConditionRow> {
        let at = |column: &[String], index: usize| column.get(index).cloned().unwrap_or_default();
        // one too many is enough to be told so
        (0..self.trigger_type.len().min(MAX_CONDITIONS + 1))
            .map(|index| ConditionRow {
                index,
                condition_name: at(&self.condition_name, index),
                trigger_type: at(&self.trigger_type, index),
                crm_event_name: at(&self.crm_event_name, index),
                time_delay_hours: at(&self.time_delay_hours, index),
                form_id: at(&self.form_id, index),
                gift_card_pool_id: at(&self.gift_card_pool_id, index),
                reward_description: at(&self.reward_description, index),
                delivery_channel: at(&self.delivery_channel, index),
                sms_template: at(&self.sms_template, index),
                email_subject: at(&self.email_subject, index),
                email_template: at(&self.email_template, index),
            })
            .collect()
    }

    fn columns(&mut self) -> [&mut Vec<String>; 11] {
        [
            &mut self.condition_name,
            &mut self.trigger_type,
            &mut self.crm_event_name,
            &mut self.time_delay_hours,
            &mut self.form_id,
            &mut self.gift_card_pool_id,
            &mut self.reward_description,
            &mut self.delivery_channel,
            &mut self.sms_template,
            &mut self.email_subject,
            &mut self.email_template,
        ]
    }

    fn push(&mut self, row: &ConditionRow) {
        let values = [
            &row.condition_name,
            &row.trigger_type,
            &row.crm_event_name,
            &row.time_delay_hours,
            &row.form_id,
            &row.gift_card_pool_id,
            &row.reward_description,
            &row.delivery_channel,
            &row.sms_template,
            &row.email_subject,
            &row.email_template,
        ];
        for (column, value) in self.columns().into_iter().zip(values) {
            column.push(value.clone());
        }
    }
}

impl ConditionRow {
    fn first() -> Self {
        Self {
            trigger_type: "form_submit".into(),
            delivery_channel: "choice".into(),
            sms_template: FIRST_SMS.into(),
            ..Self::default()
        }
    }

    fn of(condition: &ConditionInput) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let earns = condition.gift_card_pool_id.is_some();
        Self {
            index: 0,
            condition_name: condition.condition_name.clone(),
            trigger_type: condition.trigger_type.clone(),
            crm_event_name: text(&condition.crm_event_name),
            time_delay_hours: condition.time_delay_hours.map(|hours| hours.to_string()).unwrap_or_default(),
            form_id: condition.form_id.map(|id| id.to_string()).unwrap_or_default(),
            gift_card_pool_id: condition.gift_card_pool_id.map(|id| id.to_string()).unwrap_or_default(),
            reward_description: text(&condition.reward_description),
            delivery_channel: condition.delivery_channel.clone().unwrap_or_else(|| "choice".into()),
            sms_template: if earns { text(&condition.sms_template) } else { FIRST_SMS.into() },
            email_subject: text(&condition.email_subject),
            email_template: text(&condition.email_template),
        }
    }

    fn input(&self, problems: &mut Problems) -> ConditionInput {
        let path = |field: &str| format!("conditions/{}/{field}", self.index);
        ConditionInput {
            condition_name: self.condition_name.clone(),
            trigger_type: self.trigger_type.clone(),
            crm_event_name: text(&self.crm_event_name),
            time_delay_hours: parse(
                problems,
                &path("time_delay_hours"),
                &self.time_delay_hours,
                "enter a number of hours",
            ),
            form_id: parse(problems, &path("form_id"), &self.form_id, "choose one of the forms"),
            gift_card_pool_id: parse(
                problems,
                &path("gift_card_pool_id"),
                &self.gift_card_pool_id,
                "choose one of the pools",
            ),
            reward_description: text(&self.reward_description),
            delivery_channel: text(&self.delivery_channel),
            sms_template: text(&self.sms_template),
            email_subject: text(&self.email_subject),
            email_template: text(&self.email_template),
        }
    }

    /// What people call it in headings and on buttons.
    fn title(&self) -> String {
        let trigger =
            TRIGGERS.iter().find(|(word, _)| *word == self.trigger_type).map_or("Condition", |(_, label)| label);
        let name = self.condition_name.trim();
        format!("{}. {}", self.index + 1, if name.is_empty() { trigger } else { name })
    }

    /// The id of the control that an error of `field` leads to.
    fn id(&self, field: &str) -> String {
        slug_id(&format!("conditions/{}/{field}", self.index))
    }

    fn error<'e>(&self, errors: &'e FieldErrors, field: &str) -> Option<&'e str> {
        errors.of(&format!("conditions/{}/{field}", self.index))
    }

    /// What somebody else saved meanwhile in this field, where it differs.
    fn theirs<'e>(&self, errors: &'e FieldErrors, field: &str) -> Option<&'e str> {
        errors.theirs(&format!("{field}/{}", self.index))
    }

    /// The same, by the label of what they chose.
    fn theirs_of<'e>(&self, errors: &'e FieldErrors, field: &str, offered: &'e [Choice]) -> Option<&'e str> {
        let said = self.theirs(errors, field)?;
        Some(offered.iter().find(|choice| choice.value == said).map_or(said, |choice| choice.label.as_str()))
    }

    fn email_open(&self, errors: &FieldErrors) -> bool {
        let wrong = ["email_subject", "email_template"]
            .iter()
            .any(|field| self.error(errors, field).is_some() || self.theirs(errors, field).is_some());
        wrong || !self.email_template.is_empty() || self.delivery_channel == "email"
    }

    /// The size of the SMS as saved, for those without JavaScript.
    fn measured(&self) -> String {
        let size = segments::count(&self.sms_template);
        let (units, segments) = (count(size.units, "character"), count(size.segments, "segment"));
        format!("{units}, {segments} before the tags are filled in.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> CampaignInput {
        let condition = |trigger: &str, hours| ConditionInput {
            condition_name: trigger.to_uppercase(),
            trigger_type: trigger.into(),
            time_delay_hours: hours,
            gift_card_pool_id: Some(uuid::Uuid::nil()),
            delivery_channel: Some("sms".into()),
            sms_template: Some("Hi\n{{code}}".into()),
            ..ConditionInput::default()
        };
        let conditions = vec![condition("form_submit", None), condition("time_delay", Some(48))];
        CampaignInput { name: "Spring".into(), cards_per_reward: Some(100), conditions, ..CampaignInput::default() }
    }

    fn names(form: &ConditionsForm) -> Vec<String> {
        form.rows().into_iter().map(|row| row.condition_name).collect()
    }

    #[test]
    fn conditions_survive_the_editor_unchanged() {
        let mut back = CampaignInput { name: "Spring".into(), ..CampaignInput::default() };
        ConditionsForm::of(&draft()).apply(&mut back).unwrap();
        assert_eq!(format!("{back:?}"), format!("{:?}", draft()));
    }

    #[test]
    fn conditions_are_added_moved_and_removed_up_to_ten_and_anything_else_saves() {
        let mut form = ConditionsForm::of(&draft());
        form.act = "up:1".into();
        assert!(form.rearrange());
        assert_eq!(names(&form), ["TIME_DELAY", "FORM_SUBMIT"]);
        form.act = "down:18446744073709551615".into();
        assert!(form.rearrange(), "an index out of range does nothing");
        form.act = "remove:0".into();
        assert!(form.rearrange());
        form.act = "add".into();
        (0..20).for_each(|_| assert!(form.rearrange()));
        assert_eq!(form.rows().len(), MAX_CONDITIONS);
        form.act = "save".into();
        assert!(!form.rearrange());
    }

    #[test]
    fn hours_that_are_no_number_are_named_at_their_condition() {
        let mut form = ConditionsForm::of(&draft());
        form.time_delay_hours[1] = "soon".into();
        let error = form.apply(&mut CampaignInput::default()).unwrap_err();
        assert_eq!(error.fields()[0].field, "conditions/1/time_delay_hours");
    }
}
