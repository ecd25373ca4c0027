-- Who may do what to accounts and memberships: the second lock where the application is the only one so far.

-- When a secret was made ------------------------------------------------------------------------------------------

alter table auth.users add column totp_made_at timestamptz;

comment on column auth.users.totp_made_at is
  'When totp_secret_sealed was made: one that stays unconfirmed is replaced after a quarter of an hour.';


-- A lost second factor --------------------------------------------------------------------------------------------
-- In the name of whoever asks, so that the audit row is theirs; ace_app itself has no right to anybody's secrets.

create function app.reset_second_factor(p_user_id uuid, p_at timestamptz)
returns boolean
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  if not app.write_all() then
    return false;
  end if;

  update auth.users
  set totp_secret_sealed = null,
      totp_made_at = null,
      totp_confirmed_at = null,
      totp_last_step = null,
      updated_at = p_at
  where id = p_user_id
    and totp_confirmed_at is not null;

  if not found then
    return false;
  end if;

  delete from auth.recovery_codes
  where user_id = p_user_id;

  update auth.sessions
  set revoked_at = p_at
  where user_id = p_user_id
    and revoked_at is null;

  return true;
end
$$;

comment on function app.reset_second_factor(uuid, timestamptz) is
  'Takes the second factor of somebody who lost it away and ends their sessions: for admins and the command line. '
  'False where there is none, or the actor is neither.';


-- Memberships -----------------------------------------------------------------------------------------------------

create function app.removable_user_ids()
returns uuid[]
language plpgsql
stable
parallel safe
security definer
set search_path = public, pg_temp
as $$
declare
  v_client_ids uuid[] := app.client_ids();
  v_roles app_role[] := app.grantable_roles();
begin
  if cardinality(v_roles) = 0 then
    return '{}';
  end if;
  return array(
    select m.user_id
    from client_users m
    where m.client_id = any (v_client_ids)
      and not exists (
        select from user_roles r where r.user_id = m.user_id and r.role <> all (v_roles)
      )
  );
end
$$;

comment on function app.removable_user_ids() is
  'People of the actor''s clients who hold nothing the actor could not have granted. Unlike those of managed_user_ids() '
  'they may belong to others as well: taking somebody out of one''s own client changes nothing for those.';


create function app.actor_kind()
returns text
language sql
stable
parallel safe
return case
  when app.setting_uuid('app.user_id') is not null then 'user'
  when app.setting_uuid('app.key_id') is not null then 'key'
  when app.setting_uuid('app.client_id') is not null then 'client'
  when app.is_operator() then 'operator'
end;

comment on function app.actor_kind() is 'What audit_log.actor_kind says of whoever asks as ace_app; null where nobody does.';


grant create on schema app to ace_system;
alter function app.reset_second_factor(uuid, timestamptz) owner to ace_system;
alter function app.removable_user_ids() owner to ace_system;
revoke create on schema app from ace_system;

grant execute on function app.reset_second_factor(uuid, timestamptz), app.removable_user_ids(), app.actor_kind() to ace_app;


-- People join by invitation, which ace_system accepts, or are made by an admin. Whoever could put a stranger into the
-- own client would read the stranger's address from then on.
drop policy reached on client_users;

create policy added_by_admin on client_users
  for insert to ace_app
  with check ((select app.write_all()));

create policy removed_by_manager on client_users
  for delete to ace_app
  using (
    (select app.write_all())
    or (
      client_id = any ((select app.client_ids())::uuid[])
      and user_id = any ((select app.removable_user_ids())::uuid[])
    )
  );

drop policy managed on org_members;

create policy changed_by_admin on org_members
  to ace_app
  using ((select app.write_all()))
  with check ((select app.write_all()));

-- An invitation is worth what its inviter may give, so it is written in one's own name; only its end is written later.
drop policy reached on invitations;

create policy made_in_own_name on invitations
  for insert to ace_app
  with check (
    invited_by is not distinct from (select app.actor_user_id())
    and (
      (select app.write_all())
      or client_id = any ((select app.client_ids())::uuid[])
      or org_id = any ((select app.managed_org_ids())::uuid[])
    )
    and role = any ((select app.grantable_roles())::app_role[])
  );

create policy ended_by_manager on invitations
  for update to ace_app
  using (
    (select app.write_all())
    or client_id = any ((select app.client_ids())::uuid[])
    or org_id = any ((select app.managed_org_ids())::uuid[])
  )
  with check (role = any ((select app.grantable_roles())::app_role[]));

revoke update on invitations from ace_app;
grant update (status) on invitations to ace_app;


-- The record ------------------------------------------------------------------------------------------------------

drop policy written_in_own_name on audit_log;

create policy written_in_own_name on audit_log
  for insert to ace_app
  with check (
    actor_kind = (select app.actor_kind())
    and actor_user_id is not distinct from (select app.actor_user_id())
    and actor_key_id is not distinct from (select app.setting_uuid('app.key_id'))
    and (
      (select app.read_all())
      or (
        (client_id is null or client_id = any ((select app.client_ids())::uuid[]))
        and (org_id is null or org_id = any ((select app.org_ids())::uuid[]))
      )
    )
  );


-- The queue -------------------------------------------------------------------------------------------------------

drop policy enqueued_within_reach on jobs;

-- Work for all is the worker's to begin. The one piece of it that people begin is the mail to whom they invite.
create policy enqueued_within_reach on jobs
  for insert to ace_app
  with check (
    state = 'ready'
    and case
      when client_id is null
      then kind = 'messages.system_mail' and cardinality((select app.grantable_roles())) > 0
      else (select app.read_all()) or client_id = any ((select app.client_ids())::uuid[])
    end
  );


-- Mail of ACE itself ----------------------------------------------------------------------------------------------
-- It holds links that let people in: in the sandbox's inbox it is the admins' to read, and not tech_support's.

alter policy tenant_select on sandbox_messages
  using (
    (select app.write_all())
    or client_id = any ((select app.client_ids())::uuid[])
    or ((select app.read_all()) and client_id is not null)
  );

-- The worker writes it, from the job.
drop policy written_by_anybody on system_messages;
revoke insert on system_messages from ace_app;


-- What ace_system holds and nothing uses --------------------------------------------------------------------------
-- A test compares what is held with what is asked for (crates/ace/tests/statements.rs).

revoke delete on auth.users, auth.refresh_tokens from ace_system; -- rows go by cascade, which asks nobody
revoke insert, update on contacts from ace_system;
revoke all on contact_list_members, contact_tags, contact_consents, call_sessions, ace_form_submissions from ace_system;
revoke insert, delete on suppressed_addresses from ace_system;
revoke delete on sandbox_messages from ace_system;
revoke select on templates, tracked_phone_numbers from ace_system;
