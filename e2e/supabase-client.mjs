// The official client of Supabase signs in against ACE unchanged. Needs a running ACE and one person on it:
// ACE_URL, ACE_EMAIL, ACE_PASSWORD. The password is the same again afterwards.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "@supabase/supabase-js";

const env = process.env; // read when a test runs: the one who starts ACE sets it late

function client() {
  return createClient(env.ACE_URL, "any-key-will-do", {
    auth: { persistSession: false, autoRefreshToken: false },
    realtime: { transport: class {} }, // not used here; Node before 22 has no WebSocket of its own
  });
}

async function signedIn(password = env.ACE_PASSWORD) {
  const supabase = client();
  const { data, error } = await supabase.auth.signInWithPassword({ email: env.ACE_EMAIL, password });
  assert.equal(error, null);
  return { supabase, session: data.session, user: data.user };
}

test("signInWithPassword opens a session and getUser names its person", async () => {
  const { supabase, session, user } = await signedIn();
  assert.equal(user.email, env.ACE_EMAIL);
  assert.equal(session.token_type, "bearer");
  assert.equal(session.expires_in, 3600);
  const { data, error } = await supabase.auth.getUser();
  assert.equal(error, null);
  assert.equal(data.user.id, user.id);
  assert.equal(data.user.role, "authenticated");
});

test("a wrong password is refused with Supabase's own error code", async () => {
  const { data, error } = await client().auth.signInWithPassword({ email: env.ACE_EMAIL, password: "not the password at all" });
  assert.equal(data.session, null);
  assert.equal(error.code, "invalid_credentials");
  assert.equal(error.status, 400);
});

test("getClaims checks the token against the published keys", async () => {
  const { supabase, user } = await signedIn();
  const { data, error } = await supabase.auth.getClaims();
  assert.equal(error, null);
  assert.equal(data.claims.sub, user.id);
  assert.equal(data.claims.email, env.ACE_EMAIL);
});

test("refreshSession rotates, and tabs that refresh at once get the same new token", async () => {
  const { supabase, session } = await signedIn();
  const { data, error } = await supabase.auth.refreshSession();
  assert.equal(error, null);
  assert.notEqual(data.session.refresh_token, session.refresh_token);
  const { data: tab, error: refused } = await client().auth.refreshSession({ refresh_token: session.refresh_token });
  assert.equal(refused, null);
  assert.equal(tab.session.refresh_token, data.session.refresh_token);
  const { error: unknown } = await client().auth.refreshSession({ refresh_token: "made up" });
  assert.equal(unknown.code, "refresh_token_not_found");
});

test("what is not offered has an error code", async () => {
  const { error } = await client().auth.signInWithOtp({ email: env.ACE_EMAIL });
  assert.equal(error.code, "otp_disabled");
  const { error: signUp } = await client().auth.signUp({ email: "new@example.com", password: "a whole other sentence" });
  assert.equal(signUp.code, "signup_disabled");
});

test("signOut ends the session at once", async () => {
  const { supabase, session } = await signedIn();
  const { error } = await supabase.auth.signOut({ scope: "local" });
  assert.equal(error, null);
  const { data, error: refused } = await client().auth.getUser(session.access_token);
  assert.equal(data.user, null);
  assert.equal(refused.status, 401);
});

test("resetPasswordForEmail answers alike whether or not anybody has the address", async () => {
  for (const email of [env.ACE_EMAIL, `nobody-${Date.now()}@example.com`]) {
    const { error } = await client().auth.resetPasswordForEmail(email, { redirectTo: env.ACE_URL });
    assert.equal(error, null);
  }
});

test("updateUser changes the name and the password, and refuses a weak one", async () => {
  const { supabase, user } = await signedIn();
  const before = user.user_metadata.full_name;
  const renamed = await supabase.auth.updateUser({ data: { full_name: "Renamed by a test" } });
  assert.equal(renamed.error, null);
  assert.equal(renamed.data.user.user_metadata.full_name, "Renamed by a test");
  await supabase.auth.updateUser({ data: { full_name: before } });

  const kept = await supabase.auth.updateUser({ data: { seat: "7A" } });
  assert.equal(kept.error, null);
  assert.equal(kept.data.user.user_metadata.seat, "7A");
  assert.equal((await supabase.auth.updateUser({ data: { seat: null } })).data.user.user_metadata.seat, undefined);

  const current_password = env.ACE_PASSWORD;
  const weak = await supabase.auth.updateUser({ password: "password1234", current_password });
  assert.equal(weak.error.code, "weak_password");
  const other = `a whole other sentence ${Date.now()}`;
  assert.equal((await supabase.auth.updateUser({ password: other })).error.code, "reauthentication_needed");
  assert.equal((await supabase.auth.updateUser({ password: other, current_password })).error, null);
  const again = await signedIn(other);
  assert.equal((await again.supabase.auth.updateUser({ password: env.ACE_PASSWORD, current_password: other })).error, null);
});
