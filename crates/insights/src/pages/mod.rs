//! Console handlers and their pages.

pub mod alerts;
mod checklist;
pub mod clients;
pub mod figures;
pub mod home;
pub mod jobs;
mod needs;

/// What a feed says of an event, and the icon beside it.
fn words(event_type: &str) -> (&'static str, &'static str) {
    match event_type {
        "purl_visit" => ("Visited the link", "globe"),
        "qr_scan" => ("Scanned the QR", "globe"),
        "form_view" => ("Looked at the form", "eye"),
        "form_submit" => ("Submitted the form", "file-text"),
        "call" => ("Called", "phone"),
        "mail_in_transit" => ("Piece on its way", "mail"),
        "mail_delivered" => ("Piece delivered", "mail"),
        "mail_returned" => ("Piece came back", "mail"),
        "condition_met" => ("Met a condition", "check"),
        "gift_card_claimed" => ("Earned a gift card", "gift"),
        "gift_card_delivered" => ("Gift card arrived", "gift"),
        "gift_card_redeem" => ("Used the gift card", "gift"),
        "sms_sent" => ("SMS sent", "mail"),
        "sms_delivered" => ("SMS arrived", "mail"),
        "sms_reply" => ("Answered an SMS", "mail"),
        "email_sent" => ("E-mail sent", "mail"),
        _ => ("CRM event", "circle-alert"),
    }
}

#[cfg(test)]
mod tests {
    use events::EventType;

    #[test]
    fn every_event_type_has_words_of_its_own() {
        let spoken: std::collections::HashSet<&str> =
            EventType::ALL.iter().map(|kind| super::words(kind.word()).0).collect();
        assert_eq!(spoken.len(), EventType::ALL.len());
    }
}
