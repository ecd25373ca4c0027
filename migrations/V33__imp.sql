-- Opt-outs that an import took over, and accents in the keys by which people are recognised.

alter table imports add column opt_outs bigint not null default 0;

comment on column imports.opt_outs is
  'Opt-outs of the file that people took over who were there already, or on an earlier line. A no counts whatever happens to the values.';
