//! The statements of the merge, in the order they run.

use database::statement;

statement! {
    /// Makes the transaction's own `import_rows`.
    pub(super) STAGE, app, "select app.stage_import_rows()";

    /// Copies rows into it.
    pub(super) COPY_ROWS, app, "
        copy import_rows (
            client_id, line_number, contact_id, member_id, dedupe_key, second_key, check_code, customer_code,
            first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key, tags)
        from stdin binary";

    /// Finds contacts by e-mail; of a household the oldest.
    pub(super) MATCH_BY_EMAIL, app, "
        update import_rows r
        set known = true,
            contact_id = (
              select (array_agg(c.id order by c.id))[1]
              from (select id from contacts where client_id = $1 and email = r.dedupe_key limit 20) c)
        where r.dedupe_key is not null
          and (select count(*) from (select from contacts where client_id = $1 and email = r.dedupe_key limit 1) c) > 0";

    /// Finds contacts by either of their numbers, the row's first number first; of a household the oldest.
    pub(super) MATCH_BY_PHONE, app, "
        update import_rows r
        set known = true,
            contact_id = coalesce(
              (select (array_agg(c.id order by c.id))[1]
               from (select id from contacts
                     where client_id = $1 and (phone = r.dedupe_key or mobile_phone = r.dedupe_key)
                     limit 20) c),
              (select (array_agg(c.id order by c.id))[1]
               from (select id from contacts
                     where client_id = $1 and (phone = r.second_key or mobile_phone = r.second_key)
                     limit 20) c))
        where r.dedupe_key is not null
          and (select count(*)
               from (select from contacts
                     where client_id = $1
                       and (phone in (r.dedupe_key, r.second_key) or mobile_phone in (r.dedupe_key, r.second_key))
                     limit 1) c) > 0";

    /// The names of the contacts that were found by an address, where they are written otherwise than the rows'.
    pub(super) OTHER_NAMES, app, "
        select r.line_number, r.dedupe_key, r.second_key, r.check_code, r.first_name, r.last_name,
          c.first_name as known_first, c.last_name as known_last
        from import_rows r
        join contacts c on c.client_id = r.client_id and c.id = r.contact_id
        where r.client_id = $1
          and r.known
          and (r.first_name is not null or r.last_name is not null)
          and (lower(r.first_name), lower(r.last_name)) is distinct from (lower(c.first_name), lower(c.last_name))";

    /// All who share an e-mail or a phone, a household of each at most.
    pub(super) SHARING, app, "
        select a.address, c.id, c.first_name, c.last_name
        from unnest($2::text[]) a (address)
        cross join lateral (
          select id, first_name, last_name
          from contacts
          where client_id = $1
            and (email = a.address or phone = a.address or mobile_phone = a.address)
          limit 20) c
        order by c.id";

    /// Gives rows to those who share the address and have the name, or to nobody yet.
    pub(super) GIVE_TO, app, "
        update import_rows r
        set known = n.found,
            contact_id = n.contact_id,
            customer_code = case when n.found or r.check_code then r.customer_code else n.customer_code end,
            check_code = r.check_code or not n.found
        from unnest($2::bigint[], $3::bool[], $4::uuid[], $5::text[]) n (line_number, found, contact_id, customer_code)
        where r.client_id = $1
          and r.line_number = n.line_number";

    /// Finds contacts by name and address; of several the oldest.
    pub(super) MATCH_BY_NAME_ADDRESS, app, "
        update import_rows r
        set known = true,
            contact_id = (
              select (array_agg(c.id order by c.id))[1] from contacts c
              where c.client_id = $1 and c.match_key = r.dedupe_key)
        where r.dedupe_key is not null
          and (select count(*) from contacts c where c.client_id = $1 and c.match_key = r.dedupe_key) > 0";

    /// Finds contacts by code, where the code was not made by chance.
    pub(super) MATCH_BY_CODE, app, "
        update import_rows r
        set known = true,
            contact_id = (select c.id from contacts c where c.client_id = $1 and c.customer_code = r.customer_code)
        where r.check_code
          and not r.known
          and (select c.id from contacts c where c.client_id = $1 and c.customer_code = r.customer_code) is not null";

    /// Who has the e-mail of a row whose code nobody has.
    pub(super) WITH_EMAIL, app, "
        select r.line_number, r.customer_code, r.email, r.first_name, r.last_name,
          c.id, c.customer_code as known_code, c.first_name as known_first, c.last_name as known_last
        from import_rows r
        cross join lateral (
          select id, customer_code, first_name, last_name
          from contacts
          where client_id = $1
            and email = r.email
          limit 20) c
        where r.client_id = $1
          and not r.known
          and r.email is not null
        order by r.line_number, c.id";

    /// Gives rows to contacts.
    pub(super) GIVE, app, "
        update import_rows r
        set known = true, contact_id = n.contact_id
        from unnest($2::bigint[], $3::uuid[]) n (line_number, contact_id)
        where r.client_id = $1
          and r.line_number = n.line_number";

    /// Gives contacts the codes their client has for them.
    pub(super) TAKE_CODES, app, "
        update contacts c
        set customer_code = n.customer_code, updated_at = $4
        from unnest($2::uuid[], $3::text[]) n (id, customer_code)
        where c.client_id = $1
          and c.id = n.id";

    /// How many rows are about contacts that are already there.
    pub(super) COUNT_KNOWN, app, "select count(*) from import_rows where client_id = $1 and known";

    /// Whether strangers have made contacts of the client that nobody has confirmed.
    pub(super) MADE_BY_STRANGERS, app, "
        select exists (
          select
          from contacts
          where client_id = $1
            and unconfirmed <> '{}')";

    /// Whom the no's of a chunk reach: the contacts of its rows, and whoever has the e-mail, the number or the name and
    /// address of one. The no's of refused rows come beside, those of the others stand in `import_rows`.
    pub(super) REACHED, app, "
        select r.line_number, r.refused, r.first_name, r.last_name, r.do_not_contact, r.email_opt_out, r.sms_opt_out,
          o.id, o.is_known, o.is_same, o.first_name as known_first, o.last_name as known_last,
          o.do_not_contact as known_do_not_contact, o.email_opt_out as known_email_opt_out, o.sms_opt_out as known_sms_opt_out
        from (
          select line_number, false as refused, case when known then contact_id end as contact_id, first_name, last_name,
            email, phone, mobile_phone, match_key, coalesce(do_not_contact, false) as do_not_contact,
            coalesce(email_opt_out, false) as email_opt_out, coalesce(sms_opt_out, false) as sms_opt_out
          from import_rows
          where client_id = $1
            and (do_not_contact or email_opt_out or sms_opt_out)
          union all
          select line_number, true, null, first_name, last_name,
            email, phone, mobile_phone, match_key, do_not_contact, email_opt_out, sms_opt_out
          from unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::bool[],
              $10::bool[], $11::bool[])
            n (line_number, first_name, last_name, email, phone, mobile_phone, match_key, do_not_contact, email_opt_out,
              sms_opt_out)
        ) r
        cross join lateral (
          select id, true as is_known, true as is_same, first_name, last_name, do_not_contact, email_opt_out, sms_opt_out
          from contacts
          where client_id = $1
            and id = r.contact_id
          union all
          (select id, false, true, first_name, last_name, do_not_contact, email_opt_out, sms_opt_out
           from contacts
           where client_id = $1
             and match_key = r.match_key
           limit 20)
          union all
          (select id, false, false, first_name, last_name, do_not_contact, email_opt_out, sms_opt_out
           from contacts
           where client_id = $1
             and email = r.email
           limit 20)
          union all
          (select id, false, false, first_name, last_name, do_not_contact, email_opt_out, sms_opt_out
           from contacts
           where client_id = $1
             and (phone in (r.phone, r.mobile_phone) or mobile_phone in (r.phone, r.mobile_phone))
           limit 20)
        ) o
        where r.refused
          or (r.do_not_contact and not o.do_not_contact)
          or (r.email_opt_out and not o.email_opt_out)
          or (r.sms_opt_out and not o.sms_opt_out)";

    /// Stops contacts.
    pub(super) STOP, app, "
        update contacts c
        set do_not_contact = c.do_not_contact or n.do_not_contact, email_opt_out = c.email_opt_out or n.email_opt_out,
            sms_opt_out = c.sms_opt_out or n.sms_opt_out, updated_at = $6
        from unnest($2::uuid[], $3::bool[], $4::bool[], $5::bool[]) n (id, do_not_contact, email_opt_out, sms_opt_out)
        where c.client_id = $1
          and c.id = n.id";

    /// The no's of contacts that were there before.
    pub(super) CONSENTS_OF_KNOWN, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_by_user_id, recorded_at)
        select gen_random_uuid(), $1, n.contact_id, n.channel, false, 'import', $2, $3, $4
        from unnest($5::uuid[], $6::text[]) n (contact_id, channel)";

    /// Keeps no's by address where nobody has it yet.
    pub(super) SUPPRESS, app, "
        insert into suppressed_addresses (id, client_id, channel, address, reason, created_at)
        select gen_random_uuid(), $1, n.channel, n.address, 'opted_out', $2
        from unnest($3::text[], $4::text[]) n (channel, address)
        order by n.channel, n.address
        on conflict (client_id, channel, address) do nothing";

    /// Creates the contacts that are not known. Fails when somebody else took a code meanwhile.
    pub(super) INSERT_NEW, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key,
            created_by_user_id, created_at, updated_at)
        select
            contact_id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, coalesce(country, 'US'), lead_source, notes,
            coalesce(do_not_contact, false), coalesce(email_opt_out, false), coalesce(sms_opt_out, false),
            coalesce(lifecycle_stage, 'lead'), coalesce(lead_score, 0), custom_fields, match_key,
            $2, $3, $3
        from import_rows
        where client_id = $1
          and not known";

    /// The same for a second try: a code somebody else took leaves its row out. Half as fast again, so not the first.
    pub(super) INSERT_NEW_CAREFULLY, app, "
        insert into contacts (
            id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, country, lead_source, notes,
            do_not_contact, email_opt_out, sms_opt_out, lifecycle_stage, lead_score, custom_fields, match_key,
            created_by_user_id, created_at, updated_at)
        select
            contact_id, client_id, customer_code, first_name, last_name, email, phone, mobile_phone, company, job_title,
            address, address2, city, state, zip, coalesce(country, 'US'), lead_source, notes,
            coalesce(do_not_contact, false), coalesce(email_opt_out, false), coalesce(sms_opt_out, false),
            coalesce(lifecycle_stage, 'lead'), coalesce(lead_score, 0), custom_fields, match_key,
            $2, $3, $3
        from import_rows
        where client_id = $1
          and not known
        on conflict (customer_code, client_id) do nothing";

    /// The no's that come with new contacts.
    pub(super) CONSENTS_OF_NEW, app, "
        insert into contact_consents (id, client_id, contact_id, channel, granted, source, wording, recorded_by_user_id, recorded_at)
        select gen_random_uuid(), r.client_id, r.contact_id, f.channel, false, 'import', $2, $3, $4
        from import_rows r
        cross join lateral (values
          ('all', r.do_not_contact), ('email', r.email_opt_out), ('sms', r.sms_opt_out)) f (channel, said_no)
        where r.client_id = $1
          and not r.known
          and f.said_no";

    /// Finds, by their codes, the rows that were left out because somebody else took their code.
    pub(super) MATCH_LEFT_OUT, app, "
        update import_rows r
        set known = true, contact_id = c.id
        from contacts c
        where r.client_id = $1
          and not r.known
          and c.client_id = r.client_id
          and c.customer_code = r.customer_code
          and c.id <> r.contact_id";

    /// Known contacts with a second line of address, for whom the file has another first line and no second.
    pub(super) OTHER_STREETS, app, "
        select r.line_number, o.address as old_street, r.address as new_street
        from import_rows r
        join contacts o on o.client_id = r.client_id and o.id = r.contact_id
        where r.client_id = $1
          and r.known
          and r.address <> o.address
          and r.address2 is null
          and o.address2 is not null";

    /// Rows that take the second line away.
    pub(super) TAKE_UNITS_AWAY, app, "
        update import_rows
        set address2 = ''
        where client_id = $1
          and line_number = any ($2)";

    /// Updates known contacts, or ($3 false) only those that nobody but a stranger has told of: only what the file says
    /// overwrites, and what is the same already is not touched; no's are [`STOP`]'s. An address that only a stranger gave stays
    /// if the file says it, too.
    pub(super) UPDATE_KNOWN, app, "
        update contacts c
        set first_name = n.first_name, last_name = n.last_name, email = n.email, phone = n.phone,
            mobile_phone = n.mobile_phone, company = n.company, job_title = n.job_title, address = n.address,
            address2 = n.address2, city = n.city, state = n.state, zip = n.zip, country = n.country,
            lead_source = n.lead_source, notes = n.notes, lifecycle_stage = n.lifecycle_stage,
            lead_score = n.lead_score, custom_fields = n.custom_fields, unconfirmed = n.unconfirmed, updated_at = $2
        from (
          select distinct on (o.id)
            o.id,
            coalesce(r.first_name, o.first_name) as first_name,
            coalesce(r.last_name, o.last_name) as last_name,
            coalesce(r.email, case when o.email = any (o.unconfirmed) then null else o.email end) as email,
            coalesce(r.phone, case when o.phone = any (o.unconfirmed) then null else o.phone end) as phone,
            coalesce(
              r.mobile_phone, case when o.mobile_phone = any (o.unconfirmed) then null else o.mobile_phone end) as mobile_phone,
            coalesce(r.company, o.company) as company,
            coalesce(r.job_title, o.job_title) as job_title,
            coalesce(r.address, o.address) as address,
            case r.address2 when '' then null else coalesce(r.address2, o.address2) end as address2,
            coalesce(r.city, o.city) as city,
            coalesce(r.state, o.state) as state,
            coalesce(r.zip, o.zip) as zip,
            coalesce(r.country, o.country) as country,
            coalesce(r.lead_source, o.lead_source) as lead_source,
            coalesce(r.notes, o.notes) as notes,
            coalesce(r.lifecycle_stage, o.lifecycle_stage) as lifecycle_stage,
            coalesce(r.lead_score, o.lead_score) as lead_score,
            o.custom_fields || r.custom_fields as custom_fields,
            case when o.unconfirmed = '{}' then o.unconfirmed else array(
              select given
              from unnest(o.unconfirmed) given
              where given <> all (array_remove(array[r.email, r.phone, r.mobile_phone], null))) end as unconfirmed
          from import_rows r
          join contacts o on o.client_id = r.client_id and o.id = r.contact_id
          where r.client_id = $1
            and r.known
            and ($3 or (
              array_remove(array[o.email, o.phone, o.mobile_phone], null) <@ o.unconfirmed
              and num_nonnulls(o.email, o.phone, o.mobile_phone) > 0))
          order by o.id, r.line_number desc
        ) n
        where c.client_id = $1
          and c.id = n.id
          and (c.first_name, c.last_name, c.email, c.phone, c.mobile_phone, c.company, c.job_title, c.address, c.address2,
               c.city, c.state, c.zip, c.country, c.lead_source, c.notes, c.lifecycle_stage, c.lead_score, c.custom_fields, c.unconfirmed)
            is distinct from
              (n.first_name, n.last_name, n.email, n.phone, n.mobile_phone, n.company, n.job_title, n.address, n.address2,
               n.city, n.state, n.zip, n.country, n.lead_source, n.notes, n.lifecycle_stage, n.lead_score, n.custom_fields, n.unconfirmed)
        returning c.id, c.first_name, c.last_name, c.address, c.address2, c.city, c.state, c.zip, c.country, c.match_key";

    /// Gives contacts their new match keys.
    pub(super) UPDATE_MATCH_KEYS, app, "
        update contacts c
        set match_key = k.match_key
        from unnest($2::uuid[], $3::text[]) k (id, match_key)
        where c.client_id = $1
          and c.id = k.id";

    /// Puts the new contacts of the chunk on the list.
    pub(super) INSERT_NEW_MEMBERS, app, "
        insert into contact_list_members (id, client_id, list_id, contact_id, added_by_user_id, added_at)
        select member_id, client_id, $2, contact_id, $3, $4
        from import_rows
        where client_id = $1
          and not known";

    /// Puts the known contacts of the chunk on the list, where they are not on it yet.
    pub(super) INSERT_KNOWN_MEMBERS, app, "
        insert into contact_list_members (id, client_id, list_id, contact_id, added_by_user_id, added_at)
        select member_id, client_id, $2, contact_id, $3, $4
        from import_rows
        where client_id = $1
          and known
        order by contact_id
        on conflict (list_id, contact_id) do nothing";

    /// Attaches the tags of the chunk to those known contacts that nobody but a stranger has told of.
    pub(super) INSERT_TAGS_OF_STRANGERS, app, "
        insert into contact_tags (id, client_id, contact_id, tag, created_by_user_id, created_at)
        select gen_random_uuid(), r.client_id, r.contact_id, t.tag, $2, $3
        from import_rows r
        join contacts o on o.client_id = r.client_id and o.id = r.contact_id
        cross join lateral unnest(r.tags) t (tag)
        where r.client_id = $1
          and r.known
          and array_remove(array[o.email, o.phone, o.mobile_phone], null) <@ o.unconfirmed
          and num_nonnulls(o.email, o.phone, o.mobile_phone) > 0
        on conflict (contact_id, tag) do nothing";

    /// Attaches the tags of the chunk, to known contacts only if those are updated.
    pub(super) INSERT_TAGS, app, "
        insert into contact_tags (id, client_id, contact_id, tag, created_by_user_id, created_at)
        select gen_random_uuid(), r.client_id, r.contact_id, t.tag, $2, $3
        from import_rows r
        cross join lateral unnest(r.tags) t (tag)
        where r.client_id = $1
          and ($4 or not r.known)
        on conflict (contact_id, tag) do nothing";
}
