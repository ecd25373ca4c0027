-- Contacts recognised by either of their numbers.

-- Imports look for a number in both columns, and a file of mobiles alone would otherwise read all contacts for each row.
create index contacts_mobile_phone_idx on contacts (mobile_phone, client_id) where mobile_phone is not null;

alter table import_rows add column second_key text;

comment on column import_rows.second_key is 'The other number of a contact that is looked for by phone, where nobody has the first.';
