-- Who may begin background work.
--
-- Jobs of a client write in its name, so beginning one takes what writing takes: tech_support, who reads every tenant and
-- writes none, begins none either.

drop policy enqueued_within_reach on jobs;

create policy enqueued_within_reach on jobs
  for insert to ace_app
  with check (
    state = 'ready'
    and case
      when client_id is null
      then kind = 'messages.system_mail' and cardinality((select app.grantable_roles())) > 0
      else client_id = any ((select app.client_ids())::uuid[]) or (select app.write_all())
    end
  );

comment on policy enqueued_within_reach on jobs is
  'Work of a client is begun by whoever may write there; of the work for all, people begin the mail to whom they invite.';


comment on column messages.merge is
  'Values for the merge tags that are not in the database, and the address by the other channel that was given with the '
  'one it goes to (other_way); never a card code or PIN.';
