-- What an open session may change, whom an invitation's link proves, and when API keys end.

-- Invitations ----------------------------------------------------------------------------------------------------------

alter table invitations
  add column mail_token_hash bytea,
  add constraint invitations_mail_token_hash_key unique (mail_token_hash);

comment on column invitations.token_hash is
  'Of the link its inviter may hand over. It proves nothing: it only leads to a page that mails the other one.';
comment on column invitations.mail_token_hash is
  'Of the link that was mailed last, which proves the address. Null where none was mailed since this column is here.';

grant update (mail_token_hash) on invitations to ace_system;


-- Sessions and people --------------------------------------------------------------------------------------------------

alter table auth.sessions add column reset_until timestamptz;

comment on column auth.sessions.reset_until is
  'A session that began with a reset link may set a new password without the old one, once, until then.';

alter table auth.users add column user_metadata jsonb not null default '{}';

comment on column auth.users.user_metadata is
  'What the person''s own program keeps (updateUser({ data })). Theirs to write, so nothing is decided by it.';

alter table auth.one_time_tokens drop constraint one_time_tokens_purpose;
alter table auth.one_time_tokens
  add constraint one_time_tokens_purpose check (purpose in ('recover', 'change_email', 'second_factor', 'reauthenticate'));

comment on table auth.failed_sign_ins is
  'Wrong passwords and codes since the last right one. Counted three ways: by account and place (five lock), by account '
  'over all places, and by place over all accounts. Whether or not anybody has the address, so that a lock does not tell '
  'who exists. Forgotten after a day.';
comment on column auth.failed_sign_ins.email_hash is
  'Keyed hash of what is counted: the address, the network it is tried from, or both. People type passwords into the wrong field.';


-- API keys end with their maker ----------------------------------------------------------------------------------------

create function app.end_keys_of(p_user_id uuid, p_client_id uuid, p_at timestamptz)
returns void
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  with ended as (
    update api_keys
    set revoked_at = p_at
    where created_by_user_id = p_user_id
      and (p_client_id is null or client_id = p_client_id)
      and revoked_at is null
    returning client_id, key_hash
  )
  update clients c
  set api_key_hash = null
  from ended e
  where c.id = e.client_id
    and c.api_key_hash = encode(e.key_hash, 'hex');
end
$$;

comment on function app.end_keys_of(uuid, uuid, timestamptz) is
  'Revokes the API keys that a person made, of one client or (null) of all. For the triggers below only.';

create function app.end_keys_of_deactivated()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  perform app.end_keys_of(new.id, null, new.deactivated_at);
  return null;
end
$$;

comment on function app.end_keys_of_deactivated() is
  'No key outlives its maker''s deactivation, whatever tenant it is of. Keys that pass to somebody else do so before.';

create function app.end_keys_of_removed()
returns trigger
language plpgsql
security definer
set search_path = public, pg_temp
as $$
begin
  perform app.end_keys_of(old.user_id, old.client_id, app.clock());
  return null;
end
$$;

comment on function app.end_keys_of_removed() is 'Whoever is taken out of a client leaves no key of it behind.';

create trigger end_keys_of_deactivated
after update of deactivated_at on auth.users
for each row
when (old.deactivated_at is null and new.deactivated_at is not null)
execute function app.end_keys_of_deactivated();

create trigger end_keys_of_removed
after delete on client_users
for each row
execute function app.end_keys_of_removed();

grant create on schema app to ace_system;
alter function app.end_keys_of(uuid, uuid, timestamptz) owner to ace_system;
alter function app.end_keys_of_deactivated() owner to ace_system;
alter function app.end_keys_of_removed() owner to ace_system;
revoke create on schema app from ace_system;

revoke execute on function
  app.end_keys_of(uuid, uuid, timestamptz), app.end_keys_of_deactivated(), app.end_keys_of_removed()
from public;

grant update (revoked_at) on api_keys to ace_system;
grant update (api_key_hash) on clients to ace_system;

-- Those whose makers are gone already.
update api_keys k
set revoked_at = u.deactivated_at
from auth.users u
where u.id = k.created_by_user_id
  and u.deactivated_at is not null
  and k.revoked_at is null;


-- Prices are the operator's --------------------------------------------------------------------------------------------

create function app.guard_prices()
returns trigger
language plpgsql
as $$
begin
  if new.settings_json -> 'prices' is distinct from old.settings_json -> 'prices'
    and current_user = 'ace_app'
    and not app.write_all()
  then
    raise exception 'prices are set by the operator' using errcode = 'insufficient_privilege';
  end if;
  return new;
end
$$;

comment on function app.guard_prices() is
  'An agency owner changes the settings of the own organization, but not what it pays.';

create trigger guard_prices
before update of settings_json on organizations
for each row
execute function app.guard_prices();


-- Clients whose word has become an address of ACE itself ---------------------------------------------------------------

update clients c
set slug = c.slug || '-1'
where c.slug in ('p', 'reset', 'forgot', 'sign-out', 'favicon', 'robots')
  and not exists (select from clients other where other.slug = c.slug || '-1');
