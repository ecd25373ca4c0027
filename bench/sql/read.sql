-- The first page of the contacts, without a scope: no actor, no policy, no transaction of its own.
select id, customer_code, first_name, last_name, company, email, phone, city, state, lifecycle_stage, do_not_contact, created_at
from contacts
where client_id = :'client_id'
order by id desc
limit 51;
