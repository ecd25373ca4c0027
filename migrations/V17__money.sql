-- What the money path and the launch need beside their tables.

-- Launches whose job died are found and ended by a worker, for every client.
grant select, update (state, error, finished_at) on campaign_launches to ace_system;

create index gift_cards_replaced_by_id_idx on gift_cards (replaced_by_id, client_id) where replaced_by_id is not null;

comment on index gift_cards_replaced_by_id_idx is 'Whether a card was issued instead of another one: such a card does not show on an old page.';
