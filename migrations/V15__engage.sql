-- What forms and messages ask of contacts, and the colours of forms.

-- A stranger's number, and the number a text goes to, are looked up as mobile phones too: with every submission and
-- every text.
create index if not exists contacts_mobile_phone_idx on contacts (mobile_phone, client_id) where mobile_phone is not null;


-- Forms had colours nobody had chosen, and that had no effect. Now that they have one, "none" is the default: the
-- client's own. Only what equals the old default goes. The owner of the table is held by its policies, too.
alter table ace_forms no force row level security;

update ace_forms
set form_config = jsonb_set(form_config, '{settings,colours,accent}', '""')
where form_config #>> '{settings,colours,accent}' = '#1d4ed8';

update ace_forms
set form_config = jsonb_set(form_config, '{settings,colours,background}', '""')
where form_config #>> '{settings,colours,background}' = '#ffffff';

-- The look of a card could be any word; now it is one of three.
update ace_forms
set form_config = jsonb_set(form_config, '{reveal,card_style}', '"plain"')
where form_config #>> '{reveal,card_style}' not in ('plain', 'ticket', 'filled');

alter table ace_forms force row level security;
