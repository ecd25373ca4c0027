//! Which tags exist where. Unknown ones are refused when a text is saved, never found out when it is sent.

use kernel::FieldError;

use super::Template;

/// The tags a kind of text may use.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    names: &'static [&'static str],
    custom_fields: bool,
}

/// The most tags of a text, repeated ones counted.
const MAX_TAGS: usize = 100;

/// Tags about the person, in every kind of text.
const PERSON: &[&str] =
    &["first_name", "last_name", "email", "phone", "company", "address", "address2", "city", "state", "zip", "country"];

/// SMS and e-mail texts of a reward. `card` is the whole card: code, PIN, number and last day, as far as it has them.
pub const MESSAGE: Allowed = Allowed {
    names: &[
        "amount",
        "brand",
        "card",
        "code",
        "pin",
        "card_number",
        "redemption_url",
        "expiration_date",
        "campaign",
        "support_phone",
    ],
    custom_fields: true,
};

/// Landing pages. Amount and brand are those of the reward for the form; when it expires nobody knows before there is
/// a card, so that its default shows.
pub const LANDING_PAGE: Allowed = Allowed {
    names: &[
        "amount",
        "brand",
        "expiration_date",
        "campaign",
        "redemption_code",
        "redemption_url",
        "support_phone",
        "form",
    ],
    custom_fields: true,
};

impl Allowed {
    /// Whether `name` exists in this kind of text.
    pub fn contains(&self, name: &str) -> bool {
        self.names.contains(&name)
            || PERSON.contains(&name)
            || (self.custom_fields && name.strip_prefix("custom_fields.").is_some_and(|key| !key.is_empty()))
    }

    /// Every name, for the editor's list.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        PERSON.iter().chain(self.names).copied()
    }
}

/// What is wrong with the tags of `text`, as errors of `field`.
pub fn check(field: &str, text: &str, allowed: Allowed) -> Vec<FieldError> {
    let error = |code, message| FieldError { field: field.to_owned(), code, message };
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(malformed) => {
            return vec![error("malformed_tag", format!("{} (at character {})", malformed.message, malformed.at + 1))];
        }
    };
    let count = template.tags().count();
    if count > MAX_TAGS {
        return vec![error("too_many", format!("{count} merge tags; {MAX_TAGS} are allowed"))];
    }
    if template.tags().filter(|name| *name == "form").count() > 1 {
        return vec![error("repeated", "{{form}} can stand in a page once".to_owned())];
    }
    let mut unknown: Vec<&str> = template.tags().filter(|name| !allowed.contains(name)).collect();
    unknown.sort_unstable();
    unknown.dedup();
    let named = |name: &str| format!("{{{{{}}}}} is not a merge tag here", name.chars().take(60).collect::<String>());
    unknown.into_iter().map(|name| error("unknown_tag", named(name))).collect()
}

/// What is wrong with the tags of cleaned HTML. A default that holds markup is refused: where it is left out, elements
/// and attributes would end elsewhere than where the cleaning saw them end.
pub fn check_html(field: &str, html: &str, allowed: Allowed) -> Vec<FieldError> {
    let mut errors = check(field, html, allowed);
    if let Ok(template) = Template::parse(html) {
        let with_markup = template.defaults().filter(|(_, default)| default.contains(['<', '>']));
        errors.extend(with_markup.map(|(name, _)| FieldError {
            field: field.to_owned(),
            code: "malformed_tag",
            message: format!("the default of {{{{{name}}}}} can only be text"),
        }));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_tags_are_named_and_known_ones_pass() {
        let errors = check("sms_template", "{{first_name|there}} {{code}} {{frist_name}}", MESSAGE);
        assert_eq!(errors.len(), 1);
        assert!(errors[0].message.contains("{{frist_name}}"));
        assert!(check("html", "{{custom_fields.roof_age}} {{form}}", LANDING_PAGE).is_empty());
        assert_eq!(check("html", "{{code}}", LANDING_PAGE).len(), 1, "a card code never stands on a landing page");
        assert!(check("html", "{{amount}} {{brand}} {{expiration_date|soon}}", LANDING_PAGE).is_empty());
    }

    #[test]
    fn a_form_stands_once_and_tags_have_a_number() {
        let codes = |html: &str| check("html", html, LANDING_PAGE).iter().map(|e| e.code).collect::<Vec<_>>();
        assert_eq!(codes("{{form}}{{ form | x }}"), ["repeated"]);
        assert_eq!(codes(&"{{city}}".repeat(MAX_TAGS)), [""; 0]);
        assert_eq!(codes(&"{{city}}".repeat(MAX_TAGS + 1)), ["too_many"]);
        assert_eq!(codes(&"{{a}}{{b}}".repeat(20)), ["unknown_tag", "unknown_tag"], "each is named once");
    }

    #[test]
    fn a_default_with_markup_is_refused_in_html() {
        let errors = |html| check_html("html", html, LANDING_PAGE).len();
        assert_eq!(errors(r#"<p title="{{city|here &amp; &lt;there&gt;}}">{{city|"here"}}</p>"#), 0);
        assert_eq!(errors("{{city|<b>here</b>}}"), 1);
        assert_eq!(errors(r#"<p title="{{city|">}} x <b title=" onclick=x() ">y</b></p>"#), 1);
    }
}
