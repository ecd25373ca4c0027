//! What a field means and which words it can hold, where many types share it. A field's own docstring comes first; a test
//! holds the word lists against the database.

use serde_json::{Value, json};

/// What a field means, by its name; `Type.field` comes first.
#[rustfmt::skip]
const MEANINGS: &[(&str, &str)] = &[
    ("id", "Its id."),
    ("created_at", "When it was made."),
    ("updated_at", "When it last changed."),
];

/// The words that a field can hold: `Type.field`, and the list.
#[rustfmt::skip]
const LISTS: &[(&str, &[&str])] = &[
    ("Campaign.status", CAMPAIGN_STATUS),
    ("RecipientAtDesk.campaign_status", CAMPAIGN_STATUS),
    ("CampaignStep.from_status", CAMPAIGN_STATUS),
    ("CampaignStep.to_status", CAMPAIGN_STATUS),
    ("CampaignStepInput.to", &["draft", "in_production", "mailed", "completed"]),
    ("size", SIZE),
    ("template_size", SIZE),
    ("postage", &["standard", "first_class"]),
    ("lp_mode", &["bridge", "redirect"]),
    ("trigger_type", &["form_submit", "call", "purl_visit", "qr_scan", "mail_delivered", "time_delay", "crm_event"]),
    ("delivery_channel", &["sms", "email", "choice"]),
    ("Launch.state", &["running", "finished", "failed"]),
    ("Recipient.status", &["active", "delivered", "bounced"]),
    ("RecipientAtDesk.status", &["active", "delivered", "bounced"]),
    ("SkippedContact.reason", &["do_not_contact", "no_address", "undeliverable_address", "duplicate"]),
    ("delivery_status", &["pending", "sent", "delivered", "failed"]),
    ("disposition", DISPOSITION),
    ("match_status", &["matched", "unmatched"]),
    ("call_status", &["initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed"]),
    ("identity_checked", &["name", "address", "phone"]),
    ("ConfirmationInput.channel", &["sms", "email"]),
    ("Message.channel", &["sms", "email"]),
    ("delivery_method", &["sms", "email"]),
    ("GiftCard.status", &["available", "claimed", "delivered", "redeemed", "expired"]),
    ("CreditEntry.reason", &["grant", "transfer", "piece", "reward", "refund", "correction"]),
    ("lifecycle_stage", &["lead", "mql", "sql", "opportunity", "customer", "evangelist"]),
    ("list_type", &["static", "dynamic"]),
    ("Import.status", &["uploaded", "mapping", "running", "finished", "cancelled", "failed"]),
    ("Message.status", &["pending", "sent", "delivered", "failed", "held"]),
    ("Message.purpose", &["reward", "reply", "invite", "marketing", "notice", "test"]),
    ("ApiKey.mode", &["live", "test"]),
    ("Invitation.status", &["pending", "accepted", "expired", "revoked"]),
    ("Invitation.role", ROLES),
    ("Member.roles", ROLES),
    ("Me.roles", ROLES),
    ("RoleBody.role", &["company_owner", "developer", "call_center"]),
    ("InviteBody.role", &["company_owner", "developer", "call_center"]),
    ("Me.kind", &["user", "key"]),
    ("Organization.type", &["internal", "agency", "direct"]),
    ("NewOrganizationBody.type", &["internal", "agency", "direct"]),
    ("industry", INDUSTRY),
    ("actor_kind", &["user", "key", "operator", "client", "public_link", "worker", "auth"]),
    ("FormReveal.animation", &["fade", "slide", "flip", "confetti", "none"]),
    ("FormReveal.card_style", &["plain", "ticket", "filled"]),
    ("ShowIf.operator", &["equals", "not_equals", "contains", "is_empty", "is_not_empty"]),
    ("CheckItem.step", &["audience", "design", "page", "conditions", "review"]),
    ("event_type", &["purl_visit", "qr_scan", "form_view", "form_submit", "call", "mail_in_transit", "mail_delivered", "mail_returned", "condition_met", "gift_card_claimed", "gift_card_delivered", "gift_card_redeem", "sms_sent", "sms_delivered", "sms_reply", "email_sent", "crm_event"]),
    ("Export.format", &["csv", "json"]),
    ("Dedupe", &["email", "customer_code", "phone", "name_address"]),
    ("OnDuplicate", &["skip", "update", "create"]),
    ("Unmapped", &["custom_fields", "skip"]),
];

const CAMPAIGN_STATUS: &[&str] = &["draft", "ready", "in_production", "mailed", "active", "completed"];
const SIZE: &[&str] = &["4x6", "6x9", "6x11", "letter"];
const ROLES: &[&str] = &["admin", "tech_support", "agency_owner", "company_owner", "developer", "call_center"];
const DISPOSITION: &[&str] =
    &["qualified", "not_qualified", "callback", "wrong_number", "no_answer", "voicemail", "escalated", "do_not_call"];
#[rustfmt::skip]
const INDUSTRY: &[&str] = &[
    "roofing", "rei", "auto_service", "auto_dealership", "dental", "healthcare", "legal", "real_estate", "restaurant",
    "retail", "fitness", "home_services", "financial", "insurance", "nonprofit", "other",
];

/// What is under each first word of a path.
#[rustfmt::skip]
const TAGS: &[(&str, &str)] = &[
    ("api-keys", "Keys of a client's programs."),
    ("audit", "Who did what, when."),
    ("brands", "Brands of gift cards."),
    ("calls", "Calls of recipients to the client's agents."),
    ("campaigns", "Campaigns: their draft, launch, life and figures."),
    ("cards", "Gift cards, their codes masked."),
    ("clients", "Businesses whose mail goes out."),
    ("contacts", "People and where to reach them."),
    ("credits", "What pieces and rewards are paid with."),
    ("events", "What recipients did."),
    ("form-config.schema.json", "The JSON Schema of forms."),
    ("forms", "Forms that strangers fill in."),
    ("imports", "Files of contacts."),
    ("invitations", "People who were asked to join."),
    ("landing-pages", "Pages that recipients see."),
    ("lists", "Groups of contacts."),
    ("me", "Who is calling."),
    ("messages", "Texts and e-mails that were sent or wait."),
    ("numbers", "Phone numbers whose calls are tracked."),
    ("organizations", "Agencies and companies that clients belong to."),
    ("pools", "Stocks of gift cards of one brand and value."),
    ("recipients", "One person of one campaign, as printed."),
    ("templates", "What is printed on a mail piece."),
    ("users", "People who sign in."),
];

/// The words of a list by its name, `Type.field` or `field`.
pub(crate) fn list(name: &str) -> Option<&'static [&'static str]> {
    LISTS.iter().find(|(known, _)| *known == name).map(|(_, words)| *words)
}

/// Adds to the schema of a field what is known of it by its name.
pub(super) fn add(name: &str, field: &str, of: &mut Value) {
    if of["description"].as_str().is_none_or(str::is_empty)
        && let Some(meaning) = found(MEANINGS, name, field)
    {
        of["description"] = json!(meaning);
    }
    let Some(words) = found(LISTS, name, field) else { return };
    let list = if of["type"] == "array" { &mut of["items"] } else { of };
    let nullable = list["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
    let null = nullable.then_some(Value::Null);
    list["enum"] = words.iter().map(|word| json!(word)).chain(null).collect();
}

/// What a type is, where its own docstring does not say.
pub(super) fn of_type(name: &str) -> String {
    format!("{name}.")
}

/// What is under a tag.
pub(super) fn of_tag(tag: &str) -> &'static str {
    TAGS.iter().find(|(known, _)| *known == tag).map_or("", |(_, meaning)| meaning)
}

fn found<T: Copy>(table: &[(&str, T)], name: &str, field: &str) -> Option<T> {
    let whole = format!("{name}.{field}");
    let of = |wanted: &str| table.iter().find(|(known, _)| *known == wanted).map(|(_, value)| *value);
    of(&whole).or_else(|| of(field))
}
