//! Examples are made from the schemas, so that there is one for every body and none that its schema refuses. What a
//! field may look like is told by its name, or better by `#[schema(example = …)]` beside it.

use serde_json::{Map, Value, json};

/// How deep an example goes: schemas may refer to themselves.
const DEEPEST: usize = 8;

/// Fields that are told of and not taken yet.
const NOT_OFFERED: &[&str] = &["filter_rules"];

/// What texts look like, by the name of the field; `Type.field` comes first.
const TEXTS: &[(&str, &str)] = &[
    ("Campaign.status", "active"),
    ("GiftCard.status", "delivered"),
    ("Launch.state", "finished"),
    ("Import.state", "finished"),
    ("Import.status", "finished"),
    ("Recipient.status", "active"),
    ("RecipientAtDesk.status", "active"),
    ("RecipientAtDesk.campaign_status", "active"),
    ("Message.status", "delivered"),
    ("NewOrganizationBody.type", "agency"),
    ("Organization.type", "agency"),
    ("Pool.level", "good"),
    ("CampaignStepInput.to", "in_production"),
    ("CampaignStep.to_status", "in_production"),
    ("CampaignStep.from_status", "ready"),
    ("Contact.state", "OH"),
    ("ContactInput.state", "OH"),
    ("OpenCard.code", "RD25-7F3K-92QX"),
    ("NewKeyBody.expires_at", "2099-12-31T23:59:59Z"),
    ("GrantInput.from", "corner-auto"),
    ("amount", "2500"),
    ("brand_logo_url", "https://roofdepot.example/logo.png"),
    ("balance_note", "$10.00 left"),
    ("forward_to_number", "+16145550143"),
    ("friendly_name", "Spring postcards"),
    ("phone_number", "+16145550142"),
    ("campaign_id", "0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47"),
    ("crm_event_name", "deal_won"),
    ("lead_source", "referral"),
    ("address", "12 Elm Street"),
    ("address2", "Suite 4"),
    ("brand_colors_json", "{}"),
    ("brand_name", "Roof Depot"),
    ("browser", "Mozilla/5.0"),
    ("base_lp_url", "https://acme.example/spring"),
    ("brand_id", "0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47"),
    ("call_status", "completed"),
    ("caller_phone", "+16145550123"),
    ("campaign_name", "Spring storm check"),
    ("campaign_status", "active"),
    ("category", "storm"),
    ("channel", "sms"),
    ("city", "Columbus"),
    ("code", "RD25-7F3K-92QX"),
    ("code_last4", "92QX"),
    ("code_pattern", "RD25-[0-9A-Z]{4}-[0-9A-Z]{4}"),
    ("company", "Acme Roofing"),
    ("condition_name", "Answered the call"),
    ("country", "US"),
    ("css", "main { max-width: 40rem }"),
    ("customer_code", "C-10042"),
    ("default_value", "25.00"),
    ("delivery_address", "+16145550123"),
    ("delivery_channel", "sms"),
    ("delivery_method", "sms"),
    ("delivery_status", "delivered"),
    ("dedupe", "email"),
    ("description", "Everybody who had a roof inspected last year"),
    ("disposition", "qualified"),
    ("email", "ada@example.com"),
    ("email_subject", "Your gift card, {{first_name}}"),
    ("email_template", "Here it is: {{card}}"),
    ("event_type", "qr_scan"),
    ("expires_at", "2027-12-31T23:59:59Z"),
    ("filename", "customers.csv"),
    ("first_name", "Ada"),
    ("form_id", "0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47"),
    ("front", "{{first_name}}, your roof was in the hail of May 3."),
    ("back", "Call for a free look: (614) 555-0100"),
    ("full_name", "Ada Lovelace"),
    ("html", "<h1>Hello {{first_name}}</h1>{{form}}"),
    ("identity_checked", "name"),
    ("imb_serial", "000000042"),
    ("industry", "roofing"),
    ("job_title", "Owner"),
    ("key", "ace_live_7Qm3…"),
    ("last_name", "Lovelace"),
    ("lifecycle_stage", "customer"),
    ("link", "https://ace.example/r/8kq2mz7t"),
    ("list_type", "static"),
    ("logo_url", "https://acme.example/logo.png"),
    ("lp_mode", "bridge"),
    ("match_status", "matched"),
    ("mobile_phone", "+16145550123"),
    ("name", "Spring storm check"),
    ("note", "Agreed by phone"),
    ("notes", "Wants a visit next week."),
    ("on_duplicate", "skip"),
    ("org_name", "Northside Marketing"),
    ("org_slug", "northside-marketing"),
    ("phone", "+16145550123"),
    ("pin_pattern", "[0-9]{4}"),
    ("pointer", "#/email"),
    ("pool_name", "$25 Roof Depot"),
    ("postage", "first_class"),
    ("primary_color", "#0f766e"),
    ("purpose", "reward"),
    ("qr_link", "https://ace.example/q/8kq2mz7t"),
    ("reason", "The proof is fine"),
    ("redemption_code", "7KQ2-MZ7T"),
    ("redemption_url", "https://roofdepot.example/redeem"),
    ("reward_description", "A $25 gift card"),
    ("role", "developer"),
    ("scopes", "contacts.view"),
    ("secondary_color", "#f59e0b"),
    ("size", "6x9"),
    ("slug", "spring-storm-check"),
    ("sms_template", "Thank you, {{first_name}}! Your card: {{card}}"),
    ("state", "OH"),
    ("status", "active"),
    ("support_phone", "+16145550100"),
    ("text", "Thank you! Your card: RD25-7F3K-92QX"),
    ("time_zone", "America/New_York"),
    ("timezone", "America/New_York"),
    ("to", "+16145550123"),
    ("trigger_type", "call"),
    ("url", "https://ace.example/f/0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47"),
    ("utm_campaign", "spring-storm-check"),
    ("utm_medium", "mail"),
    ("utm_source", "ace"),
    ("value_amount", "25.00"),
    ("website_url", "https://acme.example"),
    ("zip", "43215"),
];

/// An example of what `schema` describes; `schemas` are those it can refer to.
pub(super) fn of(schema: &Value, schemas: &Value) -> Value {
    Maker { schemas }.make(schema, ("", ""), 0)
}

struct Maker<'a> {
    schemas: &'a Value,
}

impl Maker<'_> {
    /// `named` is the type and the field the value stands in.
    fn make(&self, schema: &Value, named: (&str, &str), depth: usize) -> Value {
        if let Some(given) = schema.get("example").or_else(|| schema["examples"].get(0)) {
            return given.clone();
        }
        if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            // a list of words has no fields: the example is of the field that it stands in
            let whose = if self.schemas[name]["enum"].is_array() { named.0 } else { name };
            return self.make(&self.schemas[name], (whose, named.1), depth + 1);
        }
        if let Some(words) = schema["enum"].as_array() {
            let told = text(schema, named);
            return if words.contains(&told) { told } else { words.first().cloned().unwrap_or_default() };
        }
        if let Some(only) = schema.get("const") {
            return only.clone();
        }
        if let Some(one) = ["oneOf", "anyOf"].iter().find_map(|key| schema[*key].as_array()) {
            let something = one.iter().find(|schema| schema["type"] != "null");
            return something.map_or(Value::Null, |schema| self.make(schema, named, depth + 1));
        }
        if let Some(all) = schema["allOf"].as_array() {
            let parts = all.iter().map(|part| self.make(part, named, depth + 1));
            return parts.filter_map(|part| part.as_object().cloned()).flatten().collect::<Map<_, _>>().into();
        }
        match kind(schema) {
            "array" if depth < DEEPEST => json!([self.make(&schema["items"], named, depth + 1)]),
            "array" => json!([]),
            "object" => self.object(schema, named.0, depth),
            "string" => text(schema, named),
            "integer" | "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(25)),
            "boolean" => json!(!named.1.starts_with("do_not") && !named.1.ends_with("_opt_out")),
            _ => json!({}),
        }
    }

    fn object(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let fields = schema["properties"].as_object().into_iter().flatten();
        let required =
            |field: &str| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == field));
        fields
            .filter(|(field, _)| (depth < DEEPEST || required(field)) && !NOT_OFFERED.contains(&field.as_str()))
            .map(|(field, of)| (field.clone(), self.make(of, (name, field), depth + 1)))
            .collect::<Map<_, _>>()
            .into()
    }
}

fn kind(schema: &Value) -> &str {
    let mut kinds = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    schema["type"].as_str().or_else(|| kinds.find(|kind| *kind != "null")).unwrap_or_default()
}

fn text(schema: &Value, (name, field): (&str, &str)) -> Value {
    let formatted = match schema["format"].as_str() {
        Some("uuid") => Some("0197f4e2-8c1a-7b3e-9d50-3a1f6c2b8e47"),
        Some("date-time") => Some("2026-05-04T15:30:00Z"),
        Some("date") => Some("2026-05-04"),
        _ => None,
    };
    let whole = format!("{name}.{field}");
    let known = |wanted: &str| TEXTS.iter().find(|(known, _)| *known == wanted).map(|(_, text)| *text);
    let text = known(&whole).or(formatted).or_else(|| known(field));
    text.map_or_else(|| json!(field.replace('_', " ")), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_follows_its_schema_and_ends_where_schemas_go_round() {
        let schemas = json!({
            "Node": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": { "type": "string", "format": "uuid" },
                    "email": { "type": ["string", "null"] },
                    "next": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Node" }] },
                    "kind": { "type": "string", "enum": ["a", "b"] },
                    "count": { "type": "integer", "example": 7 },
                },
            },
        });
        let example = of(&json!({ "$ref": "#/components/schemas/Node" }), &schemas);
        assert_eq!(
            (&example["email"], &example["kind"], &example["count"]),
            (&json!("ada@example.com"), &json!("a"), &json!(7))
        );
        assert!(example["next"]["next"].is_object() && example.to_string().len() < 4_000);
    }
}
