-- The claim as the application sends it; the recipient is the next one nobody claimed for.
select outcome, condition_id, recipient_id, gift_card_id, message_id, delivery_status, pool_id, available_cards
from app.claim_reward(
    :'client_id', :'campaign_id', (select id from bench_people where n = (select nextval('bench_next'))), 1, now(),
    array[gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),
        gen_random_uuid()],
    p_channel => 'sms',
    p_to_address => '+16142345678',
    p_price => app.price(:'client_id', 'reward'),
    p_merge => '{}');
