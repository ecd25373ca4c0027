-- People found however their names are typed, and tracked numbers that nobody can take from another client.

create function app.fold(p_text text)
returns text
language sql
immutable
parallel safe
return case
  when octet_length(p_text) = char_length(p_text) then replace(lower(p_text), '''', '')
  else lower(translate(
    regexp_replace(normalize(replace(p_text, 'ß', 'ss'), NFD), U&'[\0300-\036F]', '', 'g'),
    U&'øØłŁđĐı''\2019\2018\02BC\00B4', 'oOlLdDi'))
end;

comment on function app.fold(text) is
  'A text as searches compare it: lower case, without accents (typed in one piece or two) and apostrophes, so that nunez '
  'finds Núñez and obrien O’Brien. Plain ASCII takes the short way. Compare both sides folded: folded like folded.';

grant execute on function app.fold(text) to ace_app, ace_system;


-- A number entered by hand proves nothing: it is one's own note of what is printed, and keeps nobody else from theirs.
drop index tracked_phone_numbers_phone_number_key;
create unique index tracked_phone_numbers_phone_number_key on tracked_phone_numbers (phone_number, client_id)
  where released_at is null;

comment on index tracked_phone_numbers_phone_number_key is
  'Once a client. Another client''s entry is neither in the way nor told: whose calls come in on a number, only the provider''s account proves.';
