-- Prepares a database for the migrations. Runs once per start, as a superuser or a role with CREATEROLE,
-- and may run in several processes, and for several databases of one server, at the same moment:
-- every step looks first, and losing a race to another process counts as done.
--
--   ace_owner   owns the database and everything the migrations make
--   ace_app     people, API keys, the operator, background work for one client: row-level security decides
--   ace_public  public links and forms: only what their statements were granted
--   ace_signin  signing in: likewise
--   ace_worker  background work and provider callbacks: likewise
--   ace_system  owns the functions that look past the policies; nobody logs in as it

do $bootstrap$
declare
  v_role text;
begin
  foreach v_role in array array['ace_owner', 'ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']
  loop
    if not exists (select from pg_roles where rolname = v_role) then
      begin
        execute format('create role %I login nosuperuser nocreatedb nocreaterole noreplication', v_role);
      exception
        when duplicate_object or unique_violation then null; -- another process was faster
      end;
    end if;
  end loop;
end
$bootstrap$;

-- ace_owner gives the functions that look past the policies to ace_system, and must belong to it for that.
-- The role that runs this must be able to become each of them.
do $bootstrap$
declare
  v_role text;
begin
  if not pg_has_role('ace_owner', 'ace_system', 'member') then
    begin
      grant ace_system to ace_owner;
    exception
      when unique_violation or internal_error then null; -- "tuple concurrently updated": another process was faster
    end;
  end if;

  if not (select rolsuper from pg_roles where rolname = current_user) then
    foreach v_role in array array['ace_owner', 'ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']
    loop
      -- with a URL for each role, each logs in as itself and may grant nothing
      if not pg_has_role(v_role, 'member') then
        begin
          execute format('grant %I to %I', v_role, current_user);
        exception
          when unique_violation or internal_error or insufficient_privilege then null;
        end;
      end if;
    end loop;
  end if;
end
$bootstrap$;

-- ace_owner owns this database, or where that is not ours to give, may at least create in it.
do $bootstrap$
begin
  if (select datdba <> 'ace_owner'::regrole from pg_database where datname = current_database()) then
    begin
      execute format('alter database %I owner to ace_owner', current_database());
    exception
      when internal_error then null;
      when insufficient_privilege then
        execute format('grant connect, create, temporary on database %I to ace_owner', current_database());
        if not has_schema_privilege('ace_owner', 'public', 'create') then
          grant usage, create on schema public to ace_owner;
        end if;
    end;
  end if;

  if (select nspowner::regrole::text not in ('ace_owner', 'pg_database_owner') from pg_namespace where nspname = 'public') then
    begin
      alter schema public owner to ace_owner;
    exception
      when internal_error then null;
      when insufficient_privilege then
        grant usage, create on schema public to ace_owner;
    end;
  end if;
end
$bootstrap$;

-- Nobody but the owner makes temporary objects: a connection is used by one actor after another, and a temporary table or view
-- hides the table of the same name from all of them.
do $bootstrap$
begin
  execute format('grant temporary on database %I to ace_owner', current_database());
  execute format('revoke temporary on database %I from public', current_database());
exception
  when internal_error or insufficient_privilege then null;
end
$bootstrap$;
