//! Columns in which strangers' files say no: each becomes a stop, or is asked about. None is read over.

use super::*;

/// What the column is taken for with these cells below it: a field, `ask` and the channel, or nothing.
fn taken(header: &str, cells: &[&str]) -> String {
    let headers = ["First name".to_owned(), "Last name".to_owned(), header.to_owned()];
    let own = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>();
    let samples = [vec!["Ada".to_owned(); cells.len()], vec!["Lee".to_owned(); cells.len()], own(cells)];
    let found = suggest(&headers, &samples, Unmapped::CustomFields);
    let column = &found.columns[2];
    match (column.ask, &column.target) {
        (Some(Ask::Consent(channel)), _) => format!("ask {channel:?}"),
        (_, Target::Field(field)) => field.word().to_owned(),
        _ => String::new(),
    }
}

#[test]
fn a_wish_with_a_negation_beside_it_is_a_refusal_of_its_channel() {
    for (header, cells, wanted) in [
        ("Consent withdrawn", &["", "2024-05-01"][..], "do_not_contact"),
        ("email_consent_revoked", &["true", "false"], "email_opt_out"),
        ("Not opted in", &["true", "false"], "email_opt_out"),
        ("SMS opt-in declined", &["Yes", "No"], "sms_opt_out"),
        ("No consent", &["Y", "N"], "do_not_contact"),
        ("Consent withdrawn date", &["5/1/2024"], "do_not_contact"),
        ("Email permission denied", &["1", "0"], "email_opt_out"),
        ("Marketing consent refused", &["Yes", ""], "do_not_contact"),
        ("Non abonné", &["Oui", "Non"], "email_opt_out"),
        ("Do not allow Mails", &["Allow", "Do Not Allow"], "do_not_contact"),
        ("Do not allow Bulk Emails", &["Allow", "Do Not Allow"], "email_opt_out"),
        ("Do not allow Bulk Emails", &["Yes", "No"], "email_opt_out"),
    ] {
        assert_eq!(taken(header, cells), wanted, "{header}");
    }
    for header in
        ["Newsletter cancelled", "Subscription ended", "Marketing refused", "Consent expires", "Not unsubscribed"]
    {
        assert!(taken(header, &["2024-05-01", "2024-06-01"]).starts_with("ask"), "{header}");
    }
    for header in ["Opt-in (yes/no)", "Subscribed Y/N", "Email consent: yes or no"] {
        assert_eq!(taken(header, &["Yes", "No"]), "email_opt_in", "{header}");
    }
}

#[test]
fn a_no_in_any_language_stops_or_is_asked_about() {
    for (header, cells, wanted) in [
        ("Email allowed", &["No", "Yes"][..], "email_opt_in"),
        ("Contact allowed", &["No", "Yes"], "may_contact"),
        ("Can we email you?", &["No", "Yes"], "email_opt_in"),
        ("Texting OK?", &["No", "Yes"], "sms_opt_in"),
        ("Wants mail", &["No", "Yes"], "may_contact"),
        ("Text Messages", &["No", "Yes"], "ask Sms"),
        ("No Solicitation", &["Y", ""], "do_not_contact"),
        ("Do_Not_Postal_Mail__c", &["TRUE", "FALSE"], "do_not_contact"),
        ("Deceased", &["Y", ""], "do_not_contact"),
        ("Bulk Email", &["Allow", "Do Not Allow"], "ask Email"),
        ("E-mail", &["Allow", "Do Not Allow"], "ask Email"),
        ("Phone Calls", &["Allow", "Do Not Allow"], "ask Sms"),
        ("Bulk", &["Allow", "Do Not Allow"], "ask All"),
        ("SMS", &["Y", "N"], "ask Sms"),
        ("Has email consent", &["Y", "N"], "email_opt_in"),
        ("Valid email permission", &["Y", "N"], "email_opt_in"),
        ("TxtMsgOk", &["Yes", "No"], "sms_opt_in"),
        ("Marketing contact status", &["Marketing contact", "Non-marketing contact"], "email_opt_in"),
        ("Newsletter plan", &["Unsubscribed", "Gold"], "ask Email"),
        ("Mobile", &["1", "0"], "ask Sms"),
        ("Phone", &["=\"Yes\"", "No"], "ask Sms"),
        ("Désabonnement", &["2024-05-01", ""], "email_opt_out"),
        ("Accepte les emails", &["Non", "Oui"], "email_opt_in"),
        ("Acepta publicidad", &["No", "Sí"], "may_contact"),
        ("No enviar", &["Sí", ""], "do_not_contact"),
        ("Baja", &["Sí", "No"], "email_opt_out"),
        ("Kontaktsperre", &["ja", "nein"], "do_not_contact"),
        ("Disiscritto", &["VERO", "FALSO"], "email_opt_out"),
        ("Non contattare", &["Sì", "No"], "do_not_contact"),
        ("Descadastrado", &["Sim", "Não"], "email_opt_out"),
        ("Afgemeld", &["Ja", "Nee"], "email_opt_out"),
        ("Do not ever send post to", &["Ja", "Nee"], "do_not_contact"),
        ("Do not merge contact", &["Yes", "No"], "ask All"),
    ] {
        assert_eq!(taken(header, cells), wanted, "{header}");
    }
}

#[test]
fn names_without_blanks_or_capitals_say_no_like_any_other() {
    for (header, cells, wanted) in [
        ("HASOPTEDOUTOFEMAIL", &["true", "false"][..], "email_opt_out"),
        ("hasoptedoutofemail", &["true", "false"], "email_opt_out"),
        ("donotbulkemail", &["Yes", "No"], "email_opt_out"),
        ("donotpostalmail", &["1", "0"], "do_not_contact"),
        ("donotphone", &["Yes", "No"], "sms_opt_out"),
        ("donotsms", &["Yes", "No"], "sms_opt_out"),
        ("NOMAIL", &["Y", "N"], "do_not_contact"),
        ("DONOTMAILFLAG", &["Y", "N"], "do_not_contact"),
        ("EMAILOPTOUT", &["1", "0"], "email_opt_out"),
        ("SMSOPTOUT", &["1", "0"], "sms_opt_out"),
        ("emailoptin", &["1", "0"], "email_opt_in"),
        ("acceptsmarketing", &["yes", "no"], "email_opt_in"),
        ("unsubscribedfromallemail", &["1", "0"], "email_opt_out"),
        ("emailunsubscribed", &["Yes", "No"], "email_opt_out"),
        ("isunsubscribed", &["Yes", "No"], "email_opt_out"),
        ("dncflag", &["Y", "N"], "do_not_contact"),
        ("OKTOMAIL", &["Y", "N"], "may_contact"),
    ] {
        let found = taken(header, cells);
        assert!(found == wanted || found.starts_with("ask"), "{header}: {found}");
    }
}

#[test]
fn a_wish_beside_a_word_nobody_knows_is_asked_about_and_a_withdrawal_in_any_language_is_none() {
    for (header, cells) in [
        ("Revoca consenso", &["No", "Sì"]),
        ("Revoca del consenso", &["No", "Sì"]),
        ("Retrait du consentement", &["non", "oui"]),
        ("Widerspruch Einwilligung", &["ja", "nein"]),
    ] {
        assert!(["do_not_contact", "email_opt_out"].contains(&taken(header, cells).as_str()), "{header}");
    }
    for header in ["Consenso xyzzy", "Xyzzy consent", "Einwilligung zurückgenommen"] {
        assert!(taken(header, &["Yes", "No"]).starts_with("ask"), "{header}");
    }
}

#[test]
fn yes_and_no_under_the_name_of_a_detail_are_no_detail() {
    for header in [
        "TCPA consent on file",
        "Consent on file",
        "SMS consent on file",
        "Consent form",
        "Subscribed on website",
        "Agreed to terms on",
        "Consent method",
    ] {
        assert_ne!(taken(header, &["Yes", "No"]), "", "{header}");
    }
    for (header, cells) in [
        ("Consent method", ["Web form", "Phone"]),
        ("Consent date", ["2024-05-01", ""]),
        ("Consent form", ["F-12", "F-13"]),
    ] {
        assert_eq!(taken(header, &cells), "", "{header}");
    }
}

#[test]
fn refusals_of_one_word_and_of_one_country_are_known() {
    for (header, cells) in [
        ("DND", ["true", "false"]),
        ("No Correspondence", ["Y", "N"]),
        ("Correspondence", ["Y", "N"]),
        ("Postcards", ["Y", "N"]),
        ("Wants Postcards", ["Y", "N"]),
        ("Mailings", ["All", "None"]),
        ("Exclude", ["Y", "N"]),
        ("Remove", ["Y", "N"]),
        ("Undeliverable", ["Y", "N"]),
        ("Right to be forgotten", ["Y", "N"]),
        ("Erasure request", ["Y", "N"]),
        ("Is Junk", ["Y", "N"]),
        ("Ne pas démarcher", ["oui", "non"]),
        ("Ne plus contacter", ["oui", "non"]),
        ("Refus courrier", ["oui", "non"]),
        ("Bloctel", ["oui", "non"]),
        ("NPAI", ["x", ""]),
        ("Acepta comunicaciones", ["No", "Sí"]),
        ("Lista Robinson", ["Sí", "No"]),
        ("Zustimmung", ["nein", "ja"]),
        ("Keine Post", ["ja", "nein"]),
        ("Zgoda marketingowa", ["nie", "tak"]),
        ("Afmeldt", ["ja", "nej"]),
        ("Avregistrerad", ["ja", "nej"]),
    ] {
        assert_ne!(taken(header, &cells), "", "{header}");
    }
}

#[test]
fn names_and_cells_of_one_word_that_refuse_are_taken_or_asked_about() {
    for header in [
        "Withdrawn",
        "Refused",
        "Declined",
        "Revoked",
        "Removed",
        "Removed from list",
        "Left the list",
        "Quit",
        "Complaint",
        "Marked as spam",
        "Reported spam",
        "Spam",
        "Blocked",
        "Banned",
        "Contactable",
        "Textable",
        "Notifications",
        "Confirmed",
        "STOP",
        "Do Not Sell",
        "ShouldForget",
    ] {
        for cells in [&["Yes", "No"][..], &["1", "0"], &["TRUE", "FALSE"]] {
            assert_ne!(taken(header, cells), "", "{header} {cells:?}");
        }
    }
    assert_eq!(taken("Abonniert", &["nein", "ja"]), "email_opt_in");
    for (header, cells) in [
        ("Text status", ["STOP", "ok"]),
        ("Segment", ["Unsubscribes", "Gold"]),
        ("Group", ["Opt Outs", "Gold"]),
        ("Mail Preference", ["No mail", "Weekly"]),
    ] {
        assert_ne!(taken(header, &cells), "", "{header}");
    }
    use crate::import::Field;
    for (cell, field) in [
        ("DO NOT CONTACT", Field::DoNotContact),
        ("do not mail", Field::DoNotContact),
        ("Unsubscribed", Field::EmailOptOut),
        ("do not email", Field::EmailOptOut),
        ("do not text", Field::SmsOptOut),
        ("STOP", Field::DoNotContact),
    ] {
        assert_eq!(refusal::of(cell).map(|refusal| refusal.stops), Some(field), "{cell}");
    }
}

#[test]
fn the_words_of_every_language_are_read_in_both_polarities() {
    use super::consent::{Says, says};
    use crate::import::field::Field;
    for yes in ["Ja", "Sì", "Sí", "VERO", "Sim", "Oui", "Y", "2024-05-01", "Do Not Allow"] {
        assert_eq!(says(Field::DoNotContact, yes), Says::No, "{yes}");
    }
    for no in ["Nee", "Não", "FALSO", "Nein", "Non", "N", "Allow", "nej", "nie"] {
        assert_eq!(says(Field::DoNotContact, no), Says::Yes, "{no}");
    }
    for no in ["Nee", "Não", "FALSO", "Nein", "Non", "N", "Do Not Allow", "Withdrawn"] {
        assert_eq!(says(Field::MayContact, no), Says::No, "{no}");
    }
}

#[test]
fn what_is_about_something_else_stays_what_it_was() {
    for (header, cells) in [
        ("Text message", &["Your roof is ready", "Call us"][..]),
        ("Last contact", &["2024-05-01", "2024-06-01"]),
        ("Consent IP", &["10.0.0.1", "10.0.0.2"]),
        ("Do Not Service", &["Yes", "No"]),
        ("(Do Not Modify) Contact", &["5f1c0d3e-1111-4222-8333-944455556666", "6f1c0d3e-1111-4222-8333-944455556666"]),
        ("Homeowner?", &["Yes", "No"]),
        ("Do not allow Faxes", &["Allow", "Do Not Allow"]),
        ("Pets", &["1", "0"]),
        ("Email verified", &["TRUE", "FALSE"]),
        ("Phone verified?", &["Yes", "No"]),
        ("Is primary contact", &["Y", "N"]),
        ("Has email", &["1", "0"]),
        ("Contacted", &["Yes", "No"]),
        ("Phone system", &["Yes", "No"]),
        ("Marketing campaign", &["Spring", "Fall"]),
        ("Subscriber ID", &["S-100", "S-101"]),
        ("Subscription plan", &["Gold", "Silver"]),
    ] {
        let found = taken(header, cells);
        assert!(found.is_empty() || found == "full_name", "{header}: {found}");
    }
}
