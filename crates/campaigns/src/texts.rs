//! What the check list says of texts and links: parts of a card that a text leaves out, and visits that earn nothing.

use content::merge::Template;

use crate::checklist::{CheckItem, Level};
use crate::store::campaigns::Campaign;
use crate::store::conditions::Condition;
use crate::store::stock::PoolStock;

/// What deserves a second look.
pub fn remarks(campaign: &Campaign, conditions: &[Condition], stock: &[PoolStock]) -> Vec<CheckItem> {
    let mut items = Vec::new();
    for condition in conditions {
        let pool = stock.iter().find(|pool| Some(pool.pool_id) == condition.gift_card_pool_id);
        for (field, kind, text) in [
            ("sms_template", "text message", condition.sms_template.as_deref()),
            ("email_template", "e-mail", condition.email_template.as_deref()),
        ] {
            let left_out = pool.zip(text).map(|(pool, text)| left_out(pool, text)).unwrap_or_default();
            if !left_out.is_empty() {
                let parts = left_out.join(" and ");
                let text = format!("the {kind} leaves out the {parts}, which its cards have: ACE adds it at the end.");
                items.push(warning(condition, field, &text));
            }
        }
        if campaign.lp_mode == "redirect" && ["purl_visit", "qr_scan"].contains(&condition.trigger_type.as_str()) {
            let text = "nobody meets it: links lead to your own page, where ACE cannot see that a person came.";
            items.push(warning(condition, "trigger_type", text));
        }
    }
    items
}

fn warning(condition: &Condition, field: &str, text: &str) -> CheckItem {
    let n = condition.condition_number;
    CheckItem {
        level: Level::Warning,
        code: None,
        field: format!("conditions/{}/{field}", n - 1),
        text: format!("{n}. {}: {text}", condition.condition_name),
        step: "conditions",
        pool_id: None,
    }
}

/// The parts that the pool's cards have and the text does not name.
fn left_out(pool: &PoolStock, text: &str) -> Vec<&'static str> {
    let Ok(template) = Template::parse(text) else { return Vec::new() };
    let names = |tag: &str| template.tags().any(|name| name == tag || name == "card");
    let parts = [
        (true, "code", "code"),
        (pool.with_pin, "pin", "PIN"),
        (pool.with_number, "card_number", "card number"),
        (pool.with_expiry, "expiration_date", "expiry date"),
    ];
    parts.into_iter().filter(|(has, tag, _)| *has && !names(tag)).map(|(.., name)| name).collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn pool() -> PoolStock {
        PoolStock {
            condition_number: 1,
            pool_id: Uuid::nil(),
            pool_name: "A".into(),
            free_cards: 9,
            rewards: 1,
            archived: false,
            brand_name: "B".into(),
            brand_active: true,
            with_pin: true,
            with_number: false,
            with_expiry: true,
        }
    }

    #[test]
    fn a_text_that_leaves_out_a_part_of_its_cards_is_told_and_the_whole_card_leaves_out_none() {
        assert_eq!(left_out(&pool(), "Here: {{code}}"), ["PIN", "expiry date"]);
        assert_eq!(left_out(&pool(), "Here: {{code}} {{pin|}} until {{expiration_date|ever}}"), [""; 0]);
        assert_eq!(left_out(&pool(), "Here: {{card}}"), [""; 0]);
        assert_eq!(left_out(&PoolStock { with_pin: false, with_expiry: false, ..pool() }, "Here: {{code}}"), [""; 0]);
        assert_eq!(left_out(&pool(), "Thank you"), ["code", "PIN", "expiry date"]);
    }

    /// Every Rust source and page of the product, before its tests.
    fn sources(dir: &std::path::Path, found: &mut Vec<(String, String)>) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() && !name.ends_with("/tests") {
                sources(&path, found);
            } else if name.ends_with(".rs") || name.ends_with(".html") {
                let text = std::fs::read_to_string(&path).unwrap();
                let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((name, text));
            }
        }
    }

    #[test]
    fn every_text_the_product_offers_carries_every_part_of_the_card() {
        let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut found = Vec::new();
        sources(crates, &mut found);
        let offering = found.iter().filter(|(_, text)| text.contains("{{card}}")).count();
        assert!(offering >= 3, "the wizard, the demo, the examples of the API: {offering}");
        for (name, text) in found {
            let partly = ["{{code}}", "{{pin}}", "{{pin|}}"].into_iter().find(|tag| text.contains(tag));
            assert_eq!(partly, None, "{name}: a text with a part of the card in place of {{{{card}}}}");
        }
    }
}
