-- ACE's own roles, to the column. Claims, submissions, callbacks of providers and conditions that time or a visit meets run as
-- their client by now; what strangers' pages, signing in and the worker were granted for them is taken back. What is left is what
-- a statement fails without (crates/ace/tests/statements/grants.rs tries each right).

revoke all on all tables in schema public, auth, app from ace_public, ace_signin, ace_worker;
revoke execute on all functions in schema app from ace_public, ace_signin, ace_worker;

-- Links and forms as they are shown: whose link it is, what stands on the page, visits and views. What is sent runs as the client.
grant
  select (archived_at, client_id, form_config, id, is_active, total_views),
  update (total_views)
on ace_forms to ace_public;
grant select (client_id, condition_number, gift_card_pool_id, recipient_id) on call_conditions_met to ace_public;
grant
  select (campaign_id, client_id, condition_number, form_id, is_active, trigger_type)
on campaign_conditions to ace_public;
grant
  select (campaign_id, client_id, condition_number, delivery_channel, gift_card_pool_id)
on campaign_reward_configs to ace_public;
grant
  select (
    base_lp_url, client_id, completed_at, form_id, id, landing_page_id, lp_mode, name, status, utm_campaign,
    utm_medium, utm_source
  )
on campaigns to ace_public;
grant select (content_type, id, picture) on client_logos to ace_public;
grant select (archived_at, brand_colors_json, id, logo_url, name, support_phone) on clients to ace_public;
grant
  insert (
    campaign_id, client_id, created_at, event_data, event_type, id, ip_address, recipient_id, referrer, user_agent
  )
on events to ace_public;
grant select (brand_name, id) on gift_card_brands to ace_public;
grant select (brand_id, client_id, id, value_amount) on gift_card_pools to ace_public;
grant insert (client_id, created_at, id, kind, payload, run_at, unique_key) on jobs to ace_public;
grant select (client_id, content_json, css, html, id, landing_page_id) on landing_page_versions to ace_public;
grant select (client_id, id, published_version_id) on landing_pages to ace_public;
grant
  select (
    address, address2, campaign_id, city, client_id, contact_id, country, custom_fields, email, first_name, id,
    last_name, last_visited_at, phone, purl_token, redemption_code, state, total_visits, zip
  ),
  update (last_visited_at, total_visits)
on recipients to ace_public;

-- Who somebody is: accounts, sessions, joining by invitation. The record is written and not read.
grant
  select (attempts, email_hash, last_at, locked_until),
  insert (attempts, email_hash, last_at),
  update (attempts, last_at, locked_until),
  delete
on auth.failed_sign_ins to ace_signin;
grant
  select (created_at, email, expires_at, purpose, token_hash, used_at, user_id),
  insert (created_at, email, expires_at, id, purpose, token_hash, user_id),
  update (used_at)
on auth.one_time_tokens to ace_signin;
grant
  select (code_hash, used_at, user_id),
  insert (code_hash, created_at, id, user_id),
  update (used_at),
  delete
on auth.recovery_codes to ace_signin;
grant
  select (expires_at, id, revoked, session_id, token_hash, used_at),
  insert (created_at, expires_at, id, parent, session_id, token_hash),
  update (used_at)
on auth.refresh_tokens to ace_signin;
grant
  select (
    aal, cookie_token_hash, created_at, expires_at, id, ip, last_seen_at, reset_until, revoked_at, user_agent, user_id
  ),
  insert (aal, cookie_token_hash, created_at, expires_at, id, ip, last_seen_at, user_agent, user_id),
  update (expires_at, last_seen_at, reset_until, revoked_at)
on auth.sessions to ace_signin;
grant
  select (
    created_at, deactivated_at, email, email_confirmed_at, encrypted_password, id, last_sign_in_at, totp_confirmed_at,
    totp_last_step, totp_made_at, totp_secret_sealed, updated_at, user_metadata
  ),
  insert (created_at, email, email_confirmed_at, encrypted_password, id, updated_at),
  update (
    email, email_confirmed_at, encrypted_password, last_sign_in_at, totp_confirmed_at, totp_last_step, totp_made_at,
    totp_secret_sealed, updated_at, user_metadata
  )
on auth.users to ace_signin;
grant
  select (client_id, expires_at, id, key_hash, last_used_at, name, revoked_at, scopes),
  update (last_used_at)
on api_keys to ace_signin;
grant
  insert (
    action, actor_key_id, actor_kind, actor_label, actor_user_id, after, at, before, client_id, id, ip, org_id,
    request_id, row_id, table_name, user_agent
  )
on audit_log to ace_signin;
grant select (client_id, user_id), insert (client_id, created_at, id, user_id) on client_users to ace_signin;
grant select (archived_at, id, name) on clients to ace_signin;
grant
  select (client_id, email, expires_at, id, invited_by, mail_token_hash, org_id, role, status, token_hash),
  update (accepted_at, accepted_user_id, mail_token_hash, status)
on invitations to ace_signin;
grant insert (client_id, created_at, id, kind, payload, priority, run_at, unique_key) on jobs to ace_signin;
grant select (org_id, user_id), insert (created_at, id, org_id, user_id) on org_members to ace_signin;
grant select (id, name) on organizations to ace_signin;
grant
  select (avatar_url, full_name, id, phone, timezone),
  insert (created_at, email, full_name, id, updated_at)
on profiles to ace_signin;
grant select (permission_key, role) on role_permissions to ace_signin;
grant select (role, user_id), insert (created_at, id, role, user_id) on user_roles to ace_signin;

-- The queue, what is swept, what the clock brings. What is done for one client runs as the client.
grant select (last_at), delete on auth.failed_sign_ins to ace_worker;
grant select (expires_at), delete on auth.one_time_tokens to ace_worker;
grant select (expires_at, revoked_at), delete on auth.sessions to ace_worker;
grant select (deactivated_at, email, id) on auth.users to ace_worker;
grant
  select (client_id, data, kind, resolved_at, subject_id),
  insert (client_id, created_at, data, id, kind, message, subject_id),
  update (resolved_at)
on alerts to ace_worker;
grant select (id, name) on api_keys to ace_worker;
grant
  insert (
    action, actor_key_id, actor_kind, actor_label, actor_user_id, after, at, before, client_id, id, ip, org_id,
    request_id, row_id, table_name, user_agent
  )
on audit_log to ace_worker;
grant
  select (client_id, delivery_address, delivery_status, gift_card_id, gift_card_pool_id)
on call_conditions_met to ace_worker;
grant select (campaign_id, client_id, condition_number, is_active) on campaign_conditions to ace_worker;
grant select (campaign_id, state), update (error, finished_at, state) on campaign_launches to ace_worker;
grant select (campaign_id, claimed, client_id, pool_id, reserved) on campaign_reservations to ace_worker;
grant select (campaign_id, client_id, condition_number, gift_card_pool_id) on campaign_reward_configs to ace_worker;
grant select (activated_at, client_id, estimate, id, mailed_at, status) on campaigns to ace_worker;
grant select (id, time_zone) on clients to ace_worker;
grant select (last_run_at, name), insert (last_run_at, name), update (last_run_at) on cron_ticks to ace_worker;
grant select (campaign_id, client_id, created_at, event_data) on events to ace_worker;
grant
  select (archived_at, available_cards, client_id, id, pool_name, reserved_cards, total_cards)
on gift_card_pools to ace_worker;
grant select (client_id, expires_at, pool_id, quarantined_at, status) on gift_cards to ace_worker;
grant select (created_at), delete on idempotency_keys to ace_worker;
grant select (client_id, created_at, id, progressed_at, status) on imports to ace_worker;
grant select (expires_at, status), update (status) on invitations to ace_worker;
grant
  select (
    attempts, client_id, created_at, finished_at, id, kind, lane, leased_by, leased_until, max_attempts, payload,
    priority, run_at, state, unique_key
  ),
  insert (client_id, created_at, id, kind, payload, priority, run_at, unique_key),
  update (attempts, finished_at, last_error, leased_by, leased_until, max_attempts, run_at, state),
  delete
on jobs to ace_worker;
grant select (client_id, gift_card_id, id, status) on messages to ace_worker;
grant select (campaign_id, client_id) on recipients to ace_worker;
grant
  select (
    callback_attempts, callback_due_at, callback_stage, channel, id, our_address, person_address, status_callback_url
  ),
  insert (
    body_sealed, callback_due_at, callback_stage, channel, client_id, created_at, direction, id, message_id,
    our_address, person_address, status, status_callback_url, subject, system_message_id
  ),
  update (callback_attempts, callback_due_at, callback_stage, status)
on sandbox_messages to ace_worker;
grant
  select (attempts, failed_at, id, status),
  insert (body_sealed, created_at, id, purpose, subject, to_address),
  update (attempts, failed_at, last_error, last_error_code, provider, provider_message_id, sent_at, status)
on system_messages to ace_worker;
grant select (role, user_id) on user_roles to ace_worker;

grant execute on function app.second_factor_required(uuid) to ace_signin;
grant execute on function
  app.client_day(uuid, timestamptz),
  app.drop_event_partitions(date),
  app.ensure_event_partitions(date, integer),
  app.entered(), -- whether the database answers is asked with it
  app.quarantined_cards(uuid),
  app.reward_status(text[]),
  app.waits(text)
to ace_worker;
