//! One search over what people look for, each kind for those who may open it.

use database::{FromRow, Scope};
use kernel::Result;
use uuid::Uuid;
use web::Caller;

/// Something found.
#[derive(Debug, Clone, FromRow)]
pub struct Found {
    /// Its [`Kind`]'s word.
    pub kind: String,
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub label: String,
    /// What else helps to tell it.
    pub detail: String,
    /// The word in its URL, where that is not the id.
    pub slug: Option<String>,
}

/// A kind of thing that can be found.
pub struct Kind {
    /// Its word in the statement.
    pub word: &'static str,
    /// The heading above its results.
    pub heading: &'static str,
    /// Its icon.
    pub icon: &'static str,
    /// Who may open it.
    pub permission: &'static str,
    /// Where it is at a client; the word in its URL follows.
    pub path: &'static str,
}

/// Every kind that is found at a client, in the order of the results. Callers are for those who see no contacts.
#[rustfmt::skip]
pub const KINDS: [Kind; 10] = [
    Kind { word: "recipient", heading: "By code", icon: "ticket", permission: "campaigns.view", path: "recipients" },
    Kind { word: "contact", heading: "Contacts", icon: "user", permission: "contacts.view", path: "contacts" },
    Kind { word: "caller", heading: "Callers", icon: "headset", permission: "calls.handle", path: "desk" },
    Kind { word: "campaign", heading: "Campaigns", icon: "megaphone", permission: "campaigns.view", path: "campaigns" },
    Kind { word: "list", heading: "Lists", icon: "list-checks", permission: "lists.view", path: "lists" },
    Kind { word: "piece", heading: "Mail pieces", icon: "mail", permission: "templates.view", path: "templates" },
    Kind { word: "page", heading: "Landing pages", icon: "layout-template", permission: "landing_pages.view", path: "landing-pages" },
    Kind { word: "form", heading: "Forms", icon: "text-cursor-input", permission: "forms.view", path: "forms" },
    Kind { word: "card", heading: "Gift cards", icon: "gift", permission: "gift_cards.view", path: "cards" },
    Kind { word: "cards", heading: "Pools of cards", icon: "gift", permission: "gift_cards.view", path: "pools" },
];

impl Kind {
    /// The kind with a word.
    pub fn of(word: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.word == word)
    }

    fn is_open_to(&self, caller: &Caller) -> bool {
        caller.may(self.permission) && (self.word != "caller" || !caller.may("contacts.view"))
    }
}

database::statement! {
    /// What a text may mean at the client $1, a few of each kind in $2: every word of $3 is in its name, $4 are the digits
    /// of a phone number, $5 is a redemption code, $6 is the whole text: what is called just so comes first, then what
    /// begins so; $7 is the end of a card's code. Of contacts the latest 300 that fit are put in this order. Names are
    /// compared folded.
    SEARCH, app, "
        with words as materialized (
            select array_agg(app.fold(w)) as folded, app.fold($6) as whole
            from unnest($3::text[]) w)
        (select 'recipient' as kind, r.id, coalesce(nullif(btrim(concat(r.first_name, ' ', r.last_name)), ''), 'No name') as label,
            c.name as detail, null as slug
         from recipients r
         join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
         where 'recipient' = any ($2)
           and r.client_id = $1
           and r.redemption_code = $5
         limit 5)
        union all
        (select 'contact', n.id,
            coalesce(nullif(btrim(concat(n.first_name, ' ', n.last_name)), ''), n.company, n.email, n.customer_code),
            coalesce(case when $4::text is not null then coalesce(n.phone, n.mobile_phone) end, n.email, n.phone, n.mobile_phone, n.customer_code),
            null
         from (
            select p.id, p.first_name, p.last_name, p.company, p.email, p.customer_code, p.phone, p.mobile_phone
            from contacts p
            where 'contact' = any ($2)
              and p.client_id = $1
              and (app.fold(concat_ws(' ', p.first_name, p.last_name, p.company, p.email, p.customer_code)) like all ((select folded from words)::text[])
                or p.phone like $4
                or p.mobile_phone like $4)
            order by p.id desc
            limit 300) n
         cross join lateral (
            select min(case when app.fold(part) = w.whole then 0 when starts_with(app.fold(part), w.whole) then 1 else 2 end) as place
            from words w, unnest(array[concat_ws(' ', n.first_name, n.last_name), n.last_name, n.company, n.email, n.customer_code]) part) ranked
         order by ranked.place, n.id desc
         limit 6)
        union all
        (select 'caller', r.id, coalesce(nullif(btrim(concat(r.first_name, ' ', r.last_name)), ''), 'No name'), c.name, null
         from recipients r
         join campaigns c on c.client_id = r.client_id and c.id = r.campaign_id
         where 'caller' = any ($2)
           and r.client_id = $1
           and (app.fold(concat_ws(' ', r.first_name, r.last_name, r.email)) like all ((select folded from words)::text[])
             or r.phone like $4)
         order by c.status in ('mailed', 'active') desc, r.id desc
         limit 6)
        union all
        (select 'campaign', c.id, c.name, c.status::text, c.slug
         from campaigns c
         where 'campaign' = any ($2)
           and c.client_id = $1
           and c.archived_at is null
           and app.fold(c.name) like all ((select folded from words)::text[])
         order by case when app.fold(c.name) = (select whole from words) then 0 when starts_with(app.fold(c.name), (select whole from words)) then 1 else 2 end, c.id desc
         limit 5)
        union all
        (select 'list', l.id, l.name, case when l.contact_count = 1 then '1 contact' else l.contact_count || ' contacts' end, null
         from contact_lists l
         where 'list' = any ($2)
           and l.client_id = $1
           and app.fold(l.name) like all ((select folded from words)::text[])
         order by case when app.fold(l.name) = (select whole from words) then 0 when starts_with(app.fold(l.name), (select whole from words)) then 1 else 2 end, l.id desc
         limit 5)
        union all
        (select 'piece', t.id, t.name, '', null
         from templates t
         where 'piece' = any ($2)
           and t.client_id = $1
           and t.archived_at is null
           and app.fold(t.name) like all ((select folded from words)::text[])
         order by case when app.fold(t.name) = (select whole from words) then 0 when starts_with(app.fold(t.name), (select whole from words)) then 1 else 2 end, t.id desc
         limit 5)
        union all
        (select 'page', g.id, g.name, case when g.is_published then 'Published' else 'Draft' end, null
         from landing_pages g
         where 'page' = any ($2)
           and g.client_id = $1
           and g.archived_at is null
           and app.fold(g.name) like all ((select folded from words)::text[])
         order by case when app.fold(g.name) = (select whole from words) then 0 when starts_with(app.fold(g.name), (select whole from words)) then 1 else 2 end, g.id desc
         limit 5)
        union all
        (select 'form', f.id, f.name, case when f.is_active then 'Open' else 'Closed' end, null
         from ace_forms f
         where 'form' = any ($2)
           and f.client_id = $1
           and f.archived_at is null
           and app.fold(f.name) like all ((select folded from words)::text[])
         order by case when app.fold(f.name) = (select whole from words) then 0 when starts_with(app.fold(f.name), (select whole from words)) then 1 else 2 end, f.id desc
         limit 5)
        union all
        (select 'card', g.id, '•••• ' || g.code_last4, concat_ws(' · ', b.brand_name, s.pool_name), null
         from gift_cards g
         join gift_card_pools s on s.client_id = g.client_id and s.id = g.pool_id
         join gift_card_brands b on b.id = s.brand_id
         where 'card' = any ($2)
           and g.client_id = $1
           and g.code_last4 = $7
            and g.code_last4 <> ''
         order by g.claimed_at desc nulls last, g.id desc
         limit 5)
        union all
        (select 'cards', s.id, s.pool_name, s.available_cards || ' available', null
         from gift_card_pools s
         join gift_card_brands b on b.id = s.brand_id
         where 'cards' = any ($2)
           and s.client_id = $1
           and s.archived_at is null
           and app.fold(concat_ws(' ', s.pool_name, b.brand_name)) like all ((select folded from words)::text[])
         order by case when app.fold(s.pool_name) = (select whole from words) then 0 when starts_with(app.fold(s.pool_name), (select whole from words)) then 1 else 2 end, s.id desc
         limit 5)";
    /// Clients within reach whose name has every word of $1; $2 is the whole text.
    CLIENTS, app, "
        with words as materialized (
            select array_agg(app.fold(w)) as folded, app.fold($2) as whole
            from unnest($1::text[]) w)
        select 'client' as kind, c.id, c.name as label, '' as detail, c.slug
        from clients c
        where c.archived_at is null
          and app.fold(c.name) like all ((select folded from words)::text[])
        order by case when app.fold(c.name) = (select whole from words) then 0 when starts_with(app.fold(c.name), (select whole from words)) then 1 else 2 end, c.name, c.id
        limit 6"
}

/// What `text` may mean: clients within reach and, at the caller's client if the page is about one, what they may open.
///
/// # Errors
/// What the database answered.
pub async fn search(scope: &Scope<'_>, caller: &Caller, text: &str) -> Result<Vec<Found>> {
    let words: Vec<String> = text.split_whitespace().take(8).map(database::containing).collect();
    let whole = text.trim();
    let mut found = Vec::new();
    if let Some(client) = &caller.client {
        let kinds: Vec<&str> = KINDS.iter().filter(|kind| kind.is_open_to(caller)).map(|kind| kind.word).collect();
        let code = kernel::codes::RedemptionCode::parse(text).ok().map(|code| code.as_str().to_owned());
        let end = card_end(text);
        found = scope.query(&SEARCH, &[&client.id, &kinds, &words, &digits(text), &code, &whole, &end]).await?;
    }
    found.extend(scope.query::<Found>(&CLIENTS, &[&words, &whole]).await?);
    Ok(found)
}

/// The digits of a part of a phone number, as they are looked for: `614 555` or `(614) 555-0101`.
fn digits(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_phone = digits.len() >= 3 && text.chars().all(|c| c.is_ascii_digit() || " +()-./".contains(c));
    is_phone.then(|| format!("%{digits}%"))
}

/// The last four of a card's code as pages show them: `•••• 6778`, or `6778` alone. Whole codes are found nowhere.
fn card_end(text: &str) -> Option<String> {
    let bare = text.trim();
    let end = bare.trim_start_matches(['•', '*', '·', '.', '…', ' ']);
    let marked = end.len() < bare.len();
    let four = end.chars().count() == 4 && end.chars().all(|c| c.is_ascii_alphanumeric());
    // a word of four letters is a name unless it is marked
    (four && (marked || end.chars().any(|c| c.is_ascii_digit()))).then(|| end.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_card_is_four_signs_and_no_word() {
        for text in ["6778", " •••• 6778", "****6778", "…6778"] {
            assert_eq!(card_end(text).as_deref(), Some("6778"), "{text}");
        }
        assert_eq!(card_end("•••• ABCD").as_deref(), Some("ABCD"));
        for text in ["zoey", "67789", "677", "12 34", "6006491234566778", "Zoë1"] {
            assert_eq!(card_end(text), None, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_phone_number_is_its_digits_and_a_name_or_a_house_number_is_none() {
        for text in ["614 555", "(614) 555", "614-555", "614.555", "+614555"] {
            assert_eq!(digits(text).as_deref(), Some("%614555%"), "{text}");
        }
        for text in ["61", "614 Main", "maria", "--"] {
            assert_eq!(digits(text), None, "{text}");
        }
    }

    #[test]
    fn every_kind_asks_for_a_permission_that_exists() {
        assert!(KINDS.iter().all(|kind| kernel::permissions::is_known(kind.permission)));
    }
}
