//! The closed list of event types (behaviour.md, section 9).

use std::fmt;

/// Declares the types with their words, so that the two lists cannot drift apart.
macro_rules! event_types {
    ($($(#[$meta:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// What kind of thing happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType { $($(#[$meta])* $name),+ }

        impl EventType {
            /// Every type.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word in `events.event_type`.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }
        }
    };
}

event_types! {
    /// The link was typed or followed.
    PurlVisit = "purl_visit",
    /// The QR was scanned.
    QrScan = "qr_scan",
    /// A form was shown.
    FormView = "form_view",
    /// A form was submitted.
    FormSubmit = "form_submit",
    /// A call was handled.
    Call = "call",
    /// The post has the piece.
    MailInTransit = "mail_in_transit",
    /// The piece was delivered.
    MailDelivered = "mail_delivered",
    /// The piece came back.
    MailReturned = "mail_returned",
    /// A condition was met.
    ConditionMet = "condition_met",
    /// A card was claimed.
    GiftCardClaimed = "gift_card_claimed",
    /// A card reached the recipient.
    GiftCardDelivered = "gift_card_delivered",
    /// A card was used.
    GiftCardRedeem = "gift_card_redeem",
    /// An SMS left.
    SmsSent = "sms_sent",
    /// An SMS arrived.
    SmsDelivered = "sms_delivered",
    /// Somebody answered an SMS.
    SmsReply = "sms_reply",
    /// An e-mail left.
    EmailSent = "email_sent",
    /// A CRM said something happened.
    CrmEvent = "crm_event",
}

impl EventType {
    /// What people read of it, and the icon beside it: the same on every page.
    pub fn told(self) -> (&'static str, &'static str) {
        match self {
            Self::PurlVisit => ("Visited the link", "globe"),
            Self::QrScan => ("Scanned the QR", "qr-code"),
            Self::FormView => ("Looked at the form", "eye"),
            Self::FormSubmit => ("Submitted the form", "file-text"),
            Self::Call => ("Called", "phone-incoming"),
            Self::MailInTransit => ("Piece on its way", "truck"),
            Self::MailDelivered => ("Piece delivered", "mail-check"),
            Self::MailReturned => ("Piece came back", "undo-2"),
            Self::ConditionMet => ("Met a condition", "circle-check"),
            Self::GiftCardClaimed => ("Earned a gift card", "gift"),
            Self::GiftCardDelivered => ("Gift card arrived", "badge-check"),
            Self::GiftCardRedeem => ("Used the gift card", "store"),
            Self::SmsSent => ("SMS sent", "message-square"),
            Self::SmsDelivered => ("SMS arrived", "smartphone"),
            Self::SmsReply => ("Answered an SMS", "message-square"),
            Self::EmailSent => ("E-mail sent", "mail"),
            Self::CrmEvent => ("CRM event", "webhook"),
        }
    }

    /// The type with this word, if it is one of ours.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_type_and_others_to_none() {
        for kind in EventType::ALL {
            assert_eq!(EventType::of(kind.word()), Some(*kind));
        }
        assert_eq!(EventType::of("telepathy"), None);
    }

    #[test]
    fn every_type_has_words_of_its_own() {
        let spoken: std::collections::HashSet<&str> = EventType::ALL.iter().map(|kind| kind.told().0).collect();
        assert_eq!(spoken.len(), EventType::ALL.len());
    }
}
