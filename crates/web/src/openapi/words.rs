//! What a field means and which words it can hold, where many types share it. A field's own docstring comes first; a test
//! holds the word lists against the database.

use serde_json::{Map, Value, json};

/// What a field means, by its name; `Type.field` comes first.
#[rustfmt::skip]
const MEANINGS: &[(&str, &str)] = &[
    ("id", "Its id."),
    ("created_at", "When it was made."),
    ("updated_at", "When it last changed."),
    ("Brand.is_active", "Whether new pools can have it."),
    ("CampaignCondition.is_active", "Whether it counts."),
    ("Form.is_active", "Whether strangers can fill it in."),
    ("TrackedNumber.is_active", "Whether calls to it are taken."),
    ("Call.campaign_id", "The campaign of the recipient."),
    ("GiftCard.campaign_id", "The campaign it was handed out in."),
    ("Message.campaign_id", "The campaign it belongs to."),
    ("TrackedNumber.campaign_id", "The campaign whose pieces show it."),
    ("campaign_id", "The campaign's id."),
    ("Call.recipient_id", "Who called."),
    ("GiftCard.recipient_id", "Who has it."),
    ("recipient_id", "The recipient's id."),
    ("contact_id", "The contact's id."),
    ("Message.gift_card_id", "The card it brings."),
    ("gift_card_id", "The card it earned."),
    ("gift_card_pool_id", "Where the reward comes from; null when nothing is earned."),
    ("Call.notes", "What was said."),
    ("Call.disposition", "How it ended; null while it goes on."),
    ("agent_user_id", "Who took the call."),
    ("call_duration_seconds", "How long it took, in seconds."),
    ("call_ended_at", "When it ended."),
    ("call_started_at", "When it began."),
    ("call_status", "How the line stands, in the provider's words."),
    ("caller_phone", "From which number."),
    ("Call.conditions_met", "How many conditions were met in it."),
    ("identity_checked", "What the caller knew."),
    ("match_status", "Whether the caller was found among the recipients."),
    ("recipient_name", "The recipient's name."),
    ("base_lp_url", "Where `redirect` leads."),
    ("cards_per_reward", "Cards to promise for each reward; null: one for every recipient."),
    ("completed_at", "When it was completed."),
    ("contact_list_id", "To whom."),
    ("CampaignCondition.form_id", "For `form_submit`: only this form counts."),
    ("LandingPage.form_id", "The form that `{{form}}` becomes."),
    ("form_id", "The form's id."),
    ("landing_page_id", "What recipients see."),
    ("launched_at", "When it was launched."),
    ("lp_mode", "`bridge` shows the landing page, `redirect` leads on."),
    ("mail_date", "The day the pieces are mailed."),
    ("mailed_at", "When the pieces went out."),
    ("no_mail_piece", "Printed elsewhere or not at all."),
    ("postage", "How fast the post is."),
    ("size", "The piece's size, in inches."),
    ("template_id", "What is printed."),
    ("utm_campaign", "Added to `base_lp_url`."),
    ("utm_medium", "Added to `base_lp_url`."),
    ("utm_source", "Added to `base_lp_url`."),
    ("CampaignCondition.brand_name", "The card's brand."),
    ("brand_name", "The brand's name."),
    ("brand_logo_url", "Where its logo is."),
    ("default_value", "What a card is mostly worth, in dollars."),
    ("needs_pin", "Whether its cards have a PIN."),
    ("redemption_url", "Where people redeem."),
    ("support_phone", "Whom people ask."),
    ("brand_id", "The brand's id."),
    ("condition_name", "What people call it."),
    ("condition_number", "The condition's place, from 1."),
    ("crm_event_name", "For `crm_event`: its name."),
    ("delivery_channel", "How the reward is sent; `choice` leaves it to the recipient."),
    ("email_subject", "The e-mail's subject."),
    ("email_template", "The e-mail's text."),
    ("sms_template", "The SMS text."),
    ("pool_name", "The pool's name."),
    ("reward_description", "What people read about the reward."),
    ("time_delay_hours", "For `time_delay`: hours after the condition before."),
    ("trigger_type", "What meets it."),
    ("changed_at", "When."),
    ("CampaignStep.reason", "Why."),
    ("to_status", "The status after."),
    ("met_at", "When it was met; null while it is not."),
    ("delivery_status", "How far the reward is; null where there is none."),
    ("call_id", "The call it belongs to."),
    ("Confirmation.condition", "Where the recipient now stands with it."),
    ("CreditEntry.amount", "Credits; negative where they were spent."),
    ("balance_after", "Credits left after it."),
    ("CreditEntry.note", "What was noted."),
    ("CreditEntry.reason", "Why."),
    ("form_config", "Fields, settings, reveal."),
    ("Form.description", "What it is for."),
    ("total_submissions", "How often it was sent."),
    ("total_views", "How often it was shown."),
    ("submitted_at", "When it was sent."),
    ("balance_note", "What somebody noted when it was used."),
    ("claimed_at", "When it was taken for somebody."),
    ("delivered_at", "When it arrived."),
    ("delivery_address", "Where it went."),
    ("delivery_method", "How it went."),
    ("expires_at", "The last day it can be used."),
    ("pool_id", "The pool's id."),
    ("redeemed_at", "When it was used."),
    ("replaced_by_id", "The card that was issued instead."),
    ("revoked_at", "When it was retired."),
    ("value_amount", "What a card is worth, in dollars."),
    ("GiftCard.status", "How far it is."),
    ("Recipient.status", "What the post says."),
    ("RecipientAtDesk.status", "What the post says."),
    ("Message.status", "How far it is."),
    ("css", "Its style."),
    ("html", "The page; `{{form}}` is where the form stands."),
    ("is_published", "Whether strangers see it."),
    ("published_at", "When it was published."),
    ("published_version_id", "The version that strangers see."),
    ("finished_at", "When it ended."),
    ("started_at", "When it began."),
    ("attempts", "How often it was tried."),
    ("channel", "How it goes."),
    ("error", "Why it failed."),
    ("error_code", "The provider's code of why it failed."),
    ("failed_at", "When it failed."),
    ("purpose", "What for."),
    ("sent_at", "When it left."),
    ("to", "The number or address."),
    ("archived_at", "Since when it is put away."),
    ("available_cards", "Cards that can be handed out."),
    ("delivered_cards", "Cards that arrived."),
    ("reserved_cards", "Cards that are promised to campaigns."),
    ("total_cards", "Cards that were ever put in."),
    ("Pool.level", "How full it is."),
    ("address", "Street address."),
    ("address2", "Unit or suite."),
    ("city", "City."),
    ("state", "State."),
    ("zip", "ZIP code."),
    ("custom_fields", "What else is known."),
    ("email", "E-mail address."),
    ("phone", "Phone."),
    ("first_name", "First name."),
    ("last_name", "Last name."),
    ("last_visited_at", "When the link was last opened."),
    ("total_visits", "How often the link was opened."),
    ("campaign_name", "The campaign's name."),
    ("campaign_status", "Where the campaign stands."),
    ("conditions", "Where the recipient stands with each condition."),
    ("redemption_code", "The code on the piece."),
    ("conditions_met", "The conditions they have met."),
    ("recipient", "The recipient."),
    ("back", "The text beside the address block on the back."),
    ("front", "The front's text."),
    ("category", "A word to sort by."),
    ("forward_to_number", "Where calls go."),
    ("friendly_name", "What people call it."),
    ("held_until", "Until when it stays out of other campaigns."),
    ("phone_number", "The number."),
    ("name", "Its name."),
];

/// Closed lists of words: the name as a schema, what it is, and the words.
#[rustfmt::skip]
const LISTS: &[(&str, &str, &[&str])] = &[
    ("ActorKind", "Who acted.", &["user", "key", "operator", "client", "public_link", "worker", "auth"]),
    ("CallDisposition", "How a call ended.", &["qualified", "not_qualified", "callback", "wrong_number", "no_answer", "voicemail", "escalated", "do_not_call"]),
    ("CallMatch", "Whether the caller was found among the recipients.", &["matched", "unmatched"]),
    ("CallStatus", "How the line stands, in the provider's words.", &["initiated", "ringing", "in-progress", "completed", "busy", "no-answer", "failed"]),
    ("CallerKind", "What is calling.", &["user", "key"]),
    ("CampaignStatus", "Where a campaign stands.", &["draft", "ready", "in_production", "mailed", "active", "completed"]),
    ("CampaignStepTo", "Where a step can lead.", &["draft", "in_production", "mailed", "completed"]),
    ("CardStatus", "How far a card is.", &["available", "claimed", "delivered", "redeemed", "expired"]),
    ("CardStyle", "How the card looks.", &["plain", "ticket", "filled"]),
    ("ClientRole", "A role within a client.", &["company_owner", "developer", "call_center"]),
    ("CreditReason", "Why credits moved.", &["grant", "transfer", "piece", "reward", "refund", "correction"]),
    ("Dedupe", "What makes two contacts the same.", &["email", "customer_code", "phone", "name_address"]),
    ("DeliveryChannel", "How a reward is sent.", &["sms", "email", "choice"]),
    ("DeliveryStatus", "How far a reward is.", &["pending", "sent", "delivered", "failed"]),
    ("EventType", "What happened.", &["purl_visit", "qr_scan", "form_view", "form_submit", "call", "mail_in_transit", "mail_delivered", "mail_returned", "condition_met", "gift_card_claimed", "gift_card_delivered", "gift_card_redeem", "sms_sent", "sms_delivered", "sms_reply", "email_sent", "crm_event"]),
    ("ExportFormat", "The kind of file.", &["csv", "json"]),
    ("IdentityCheck", "What the caller knew.", &["name", "address", "phone"]),
    ("ImportQuestion", "The option that answers a question about a file.", &["map", "header", "allow_repeats"]),
    ("ImportStatus", "Where an import stands.", &["uploaded", "mapping", "running", "finished", "cancelled", "failed"]),
    ("Industry", "A trade.", &["roofing", "rei", "auto_service", "auto_dealership", "dental", "healthcare", "legal", "real_estate", "restaurant", "retail", "fitness", "home_services", "financial", "insurance", "nonprofit", "other"]),
    ("InvitationStatus", "Where an invitation stands.", &["pending", "accepted", "expired", "revoked"]),
    ("KeyMode", "What a key is for.", &["live", "test"]),
    ("LandingPageMode", "`bridge` shows the landing page, `redirect` leads on.", &["bridge", "redirect"]),
    ("LaunchState", "Where a launch stands.", &["running", "finished", "failed"]),
    ("LifecycleStage", "How far a contact is.", &["lead", "mql", "sql", "opportunity", "customer", "evangelist"]),
    ("ListType", "What makes the members of a list.", &["static", "dynamic"]),
    ("MailSize", "The size of a mail piece, in inches.", &["4x6", "6x9", "6x11", "letter"]),
    ("MessageChannel", "How a message goes.", &["sms", "email"]),
    ("MessagePurpose", "What a message is for.", &["reward", "reply", "invite", "marketing", "notice", "test"]),
    ("MessageStatus", "How far a message is.", &["pending", "sent", "delivered", "failed", "held"]),
    ("OnDuplicate", "What happens to a contact that is already there.", &["skip", "update", "create"]),
    ("OrganizationType", "What kind of organization.", &["internal", "agency", "direct"]),
    ("Postage", "How fast the post is.", &["standard", "first_class"]),
    ("RecipientStatus", "What the post says of a piece.", &["active", "delivered", "bounced"]),
    ("RevealAnimation", "How a card appears.", &["fade", "slide", "flip", "confetti", "none"]),
    ("Role", "A role.", &["admin", "tech_support", "agency_owner", "company_owner", "developer", "call_center"]),
    ("ShowIfOperator", "How an answer is compared.", &["equals", "not_equals", "contains", "is_empty", "is_not_empty"]),
    ("SkipReason", "Why a contact was left out.", &["do_not_contact", "no_address", "undeliverable_address", "duplicate"]),
    ("SuppressionReason", "Why a number or address must not be written to.", &["stop", "bounce", "complaint", "manual", "opted_out"]),
    ("Trigger", "What meets a condition.", &["form_submit", "call", "purl_visit", "qr_scan", "mail_delivered", "time_delay", "crm_event"]),
    ("Unmapped", "What happens to columns that no field fits.", &["custom_fields", "skip"]),
    ("WizardStep", "The step of the wizard.", &["audience", "design", "page", "conditions", "review"]),
];

/// Which list a field takes its words from, by its name; `Type.field` comes first.
#[rustfmt::skip]
const FIELDS: &[(&str, &str)] = &[
    ("ApiKey.mode", "KeyMode"),
    ("CreatedKeyOut.mode", "KeyMode"),
    ("Campaign.status", "CampaignStatus"),
    ("CampaignStep.from_status", "CampaignStatus"),
    ("CampaignStep.to_status", "CampaignStatus"),
    ("CampaignStepInput.to", "CampaignStepTo"),
    ("CheckItem.step", "WizardStep"),
    ("ConfirmationInput.channel", "MessageChannel"),
    ("CreditEntry.reason", "CreditReason"),
    ("FormReveal.animation", "RevealAnimation"),
    ("FormReveal.card_style", "CardStyle"),
    ("GiftCard.status", "CardStatus"),
    ("Import.status", "ImportStatus"),
    ("Invitation.role", "Role"),
    ("Invitation.status", "InvitationStatus"),
    ("InviteBody.role", "ClientRole"),
    ("InvitedOut.role", "Role"),
    ("InvitedOut.status", "InvitationStatus"),
    ("Launch.state", "LaunchState"),
    ("Me.kind", "CallerKind"),
    ("Me.roles", "Role"),
    ("Member.roles", "Role"),
    ("Message.channel", "MessageChannel"),
    ("Message.purpose", "MessagePurpose"),
    ("Message.reward_status", "DeliveryStatus"),
    ("Message.status", "MessageStatus"),
    ("NewOrganizationBody.type", "OrganizationType"),
    ("Organization.type", "OrganizationType"),
    ("Question.option", "ImportQuestion"),
    ("Recipient.status", "RecipientStatus"),
    ("RecipientAtDesk.status", "RecipientStatus"),
    ("RoleBody.role", "ClientRole"),
    ("ShowIf.operator", "ShowIfOperator"),
    ("SkippedContact.reason", "SkipReason"),
    ("LiftInput.channel", "MessageChannel"),
    ("Suppressed.reason", "SuppressionReason"),
    ("actor_kind", "ActorKind"),
    ("call_status", "CallStatus"),
    ("campaign_status", "CampaignStatus"),
    ("delivery_channel", "DeliveryChannel"),
    ("delivery_method", "MessageChannel"),
    ("delivery_status", "DeliveryStatus"),
    ("disposition", "CallDisposition"),
    ("event_type", "EventType"),
    ("identity_checked", "IdentityCheck"),
    ("industry", "Industry"),
    ("lifecycle_stage", "LifecycleStage"),
    ("list_type", "ListType"),
    ("lp_mode", "LandingPageMode"),
    ("match_status", "CallMatch"),
    ("postage", "Postage"),
    ("size", "MailSize"),
    ("template_size", "MailSize"),
    ("trigger_type", "Trigger"),
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

/// The words of a list by its name.
pub(crate) fn list(name: &str) -> Option<&'static [&'static str]> {
    LISTS.iter().find(|(known, _, _)| *known == name).map(|(_, _, words)| *words)
}

/// The lists as schemas of their own.
pub(super) fn components() -> Map<String, Value> {
    let schema = |meaning: &str, words: &[&str]| json!({ "type": "string", "description": meaning, "enum": words });
    LISTS.iter().map(|(name, meaning, words)| ((*name).to_owned(), schema(meaning, words))).collect()
}

/// Adds to the schema of a field what is known of it by its name.
pub(super) fn add(name: &str, field: &str, of: &mut Value) {
    // what a reference says of the field stands inside where it can be null as well
    let mut shapes = of["oneOf"].as_array().into_iter().flatten();
    let inner = shapes.find_map(|shape| shape["description"].as_str()).map(str::to_owned);
    if let Some(inner) = inner {
        of["description"] = json!(inner);
    }
    if of["description"].as_str().is_none_or(str::is_empty)
        && let Some(meaning) = found(MEANINGS, name, field)
    {
        of["description"] = json!(meaning);
    }
    let Some(list) = found(FIELDS, name, field) else { return };
    let reference = json!({ "$ref": format!("#/components/schemas/{list}") });
    if kinds(of).any(|kind| kind == "array") {
        of["items"] = reference;
        return;
    }
    let (description, default) = (of["description"].clone(), of.get("default").cloned());
    let nullable = kinds(of).any(|kind| kind == "null");
    *of = if nullable { json!({ "oneOf": [{ "type": "null" }, reference] }) } else { reference };
    if !description.is_null() {
        of["description"] = description;
    }
    if let Some(default) = default {
        of["default"] = default;
    }
}

fn kinds(of: &Value) -> impl Iterator<Item = &str> {
    let list = of["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    of["type"].as_str().into_iter().chain(list)
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
