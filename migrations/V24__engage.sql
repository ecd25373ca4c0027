-- What recipients touch: opening their codes is a permission, a form's unconfirmed answers are kept apart, and addresses
-- given with a form are marked and bounded.

-- Links and redemption codes are money: reading a recipient does not show them any more.
insert into role_permissions (id, role, permission_key)
select gen_random_uuid(), r.role::app_role, 'campaigns.codes'
from unnest('{admin, agency_owner, company_owner}'::text[]) as r (role)
on conflict do nothing;


alter table ace_form_submissions
  add column unconfirmed jsonb;

comment on column ace_form_submissions.unconfirmed is
  'E-mail and phone that a stranger gave for a contact who is known: {"email": …, "phone": …}. Shown, never used to reach anybody.';

create index ace_form_submissions_unconfirmed_idx on ace_form_submissions (contact_id, submitted_at desc)
  where unconfirmed is not null;


alter table call_conditions_met
  add column given_address boolean not null default false,
  add column last_shown_at timestamptz;

comment on column call_conditions_met.given_address is
  'The reward goes to an address that was given with a form or on the phone and was not on file.';

comment on column call_conditions_met.last_shown_at is
  'When its card was last shown on the recipient''s page: at the submission, or when the link was opened again.';

grant update (given_address) on call_conditions_met to ace_system;

-- How many rewards went to an address within a day.
create index call_conditions_met_delivery_address_idx on call_conditions_met (client_id, delivery_address, met_at)
  where delivery_address is not null;
