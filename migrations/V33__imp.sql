-- Opt-outs that an import took over, and accents in the keys by which people are recognised.

alter table imports add column opt_outs bigint not null default 0;

comment on column imports.opt_outs is
  'Opt-outs of the file that people took over who were there already, or on an earlier line. A no counts whatever happens to the values.';


-- Accents are no part of the key any more (kernel::postal::match_key): the keys there are lose theirs. Where a name is typed with
-- separate accents, these had cut it into pieces, so its part of the key is made anew.
update contacts
set match_key =
  case
    when concat(first_name, last_name) !~ U&'[\0300-\036F]' then app.fold(match_key)
    else regexp_replace(
      regexp_replace(
        btrim(regexp_replace(
          regexp_replace(app.fold(concat(first_name, ' ', last_name)), '[.]', '', 'g'), '[^[:alnum:]]+', ' ', 'g')),
        '\mjunior\M', 'jr', 'g'),
      '\msenior\M', 'sr', 'g') || app.fold(substring(match_key from position('|' in match_key)))
  end
where match_key is not null
  and (match_key ~ '[^[:ascii:]]' or concat(first_name, last_name) ~ U&'[\0300-\036F]');
