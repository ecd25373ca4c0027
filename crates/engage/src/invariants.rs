//! What must hold of links and forms at every commit; `ace doctor` recounts it.

use database::Statement;

database::statement! {
    /// Recipients whose counter is not the number of their visits that people made; not those older than the events
    /// that are kept.
    VISITS, app, "
        select count(*)
        from recipients r
        left join (
            select e.recipient_id, count(*) as visits
            from events e
            where e.event_type in ('purl_visit', 'qr_scan')
              and e.event_data ->> 'bot' is null
            group by e.recipient_id) as counted on counted.recipient_id = r.id
        where r.total_visits <> coalesce(counted.visits, 0)
          and r.created_at >= (
            select min(to_date(right(p.relname, 7), 'YYYY_MM'))
            from pg_inherits i
            join pg_class p on p.oid = i.inhrelid
            where i.inhparent = 'events'::regclass
              and p.relname ~ '^events_[0-9]{4}_[0-9]{2}$')";
    /// Forms whose counter is not the number of their submissions.
    SUBMISSIONS, app, "
        select count(*)
        from ace_forms f
        left join (
            select s.form_id, count(*) as submissions
            from ace_form_submissions s
            group by s.form_id) as counted on counted.form_id = f.id
        where f.total_submissions <> coalesce(counted.submissions, 0)";
    /// Submissions of recipients that were due a reward and have no met condition.
    WITHOUT_CONDITION, app, "
        select count(*)
        from ace_form_submissions s
        join campaigns c on c.client_id = s.client_id and c.id = s.campaign_id
        join campaign_conditions cc on cc.client_id = s.client_id and cc.campaign_id = s.campaign_id
        where s.recipient_id is not null
          and cc.trigger_type = 'form_submit'
          and cc.is_active
          and coalesce(cc.form_id, s.form_id) = s.form_id
          and s.submitted_at < coalesce(c.completed_at, 'infinity'::timestamptz)
          and not exists (
            select
            from call_conditions_met m
            where m.recipient_id = s.recipient_id
              and m.condition_number = cc.condition_number
              and m.client_id = s.client_id)"
}

/// Each rule with the statement that counts the rows that break it.
pub static INVARIANTS: &[(&str, &Statement)] = &[
    ("every recipient's visits are counted", &VISITS),
    ("every form's submissions are counted", &SUBMISSIONS),
    ("every submission that was due a reward met its condition", &WITHOUT_CONDITION),
];
