//! Every route of this room, one line each, with its permission.

use web::{App, Doc, Method, Routes};

use crate::api::{api_keys as keys_api, audit as audit_api, auth, clients, invitations, me, organizations, users};
use crate::pages::{
    account, admin_audit, admin_organizations, admin_permissions, admin_users, api_keys, invitation, new_client, reset,
    second_factor, settings, sign_in, team,
};
use crate::store::{api_key::ApiKey, audit::AuditEntry, invitation::Invitation, organization, team::Member};

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

/// The routes of this room.
pub fn routes(app: &App) -> Routes {
    entrances(Routes::new(app))
        .merge(account_pages(Routes::new(app)))
        .merge(client_pages(Routes::new(app)))
        .merge(admin_pages(Routes::new(app)))
        .merge(supabase(Routes::new(app)))
        .merge(rest(Routes::new(app)))
        .merge(people(Routes::new(app)))
        .merge(teams(Routes::new(app)))
}

fn entrances(routes: Routes) -> Routes {
    routes
        .entrance(GET, "/sign-in", sign_in::show)
        .entrance(POST, "/sign-in", sign_in::submit)
        .entrance(GET, "/sign-in/code", sign_in::show_code)
        .entrance(POST, "/sign-in/code", sign_in::submit_code)
        .entrance(GET, "/forgot", reset::forgot)
        .entrance(POST, "/forgot", reset::send)
        .entrance(GET, "/reset/{token}", reset::show)
        .entrance(POST, "/reset/{token}", reset::submit)
        .entrance(GET, "/invitations/{token}", invitation::show)
        .entrance(POST, "/invitations/{token}", invitation::accept)
}

fn account_pages(routes: Routes) -> Routes {
    routes
        .signed_in(POST, "/sign-out", sign_in::sign_out)
        .signed_in(GET, "/account", account::show)
        .signed_in(POST, "/account", account::update)
        .signed_in(POST, "/account/password", account::change_password)
        .signed_in(POST, "/account/email", account::change_email)
        .signed_in(GET, "/account/email/{token}", account::show_email)
        .signed_in(POST, "/account/email/{token}", account::confirm_email)
        .signed_in(POST, "/account/sessions/{id}/revoke", account::revoke_session)
        .signed_in(POST, "/account/sessions/revoke-others", account::revoke_others)
        .signed_in(GET, "/account/second-factor", second_factor::show)
        .signed_in(POST, "/account/second-factor", second_factor::confirm)
        .signed_in(POST, "/account/second-factor/codes", second_factor::renew)
        .signed_in(POST, "/account/second-factor/remove", second_factor::remove)
}

fn client_pages(routes: Routes) -> Routes {
    routes
        .page(GET, "/{client}/settings", "clients.view", settings::show)
        .page(POST, "/{client}/settings", "clients.edit", settings::update)
        .page(POST, "/{client}/settings/logo", "clients.edit", settings::logo)
        .page(POST, "/{client}/settings/archive", "clients.archive", settings::archive)
        .page(GET, "/{client}/team", "users.view", team::show)
        .page(POST, "/{client}/team/invitations", "users.invite", team::invite)
        .page(POST, "/{client}/team/invitations/{id}/revoke", "users.invite", team::revoke_invitation)
        .page(POST, "/{client}/team/{id}/role", "users.edit", team::change_role)
        .page(POST, "/{client}/team/{id}/remove", "users.edit", team::remove)
        .page(POST, "/{client}/team/{id}/deactivate", "users.deactivate", team::deactivate)
        .page(POST, "/{client}/team/{id}/reactivate", "users.deactivate", team::reactivate)
        .page(GET, "/{client}/api-keys", "api_keys.view", api_keys::show)
        .page(POST, "/{client}/api-keys", "api_keys.manage", api_keys::create)
        .page(POST, "/{client}/api-keys/{id}/revoke", "api_keys.manage", api_keys::revoke)
}

fn admin_pages(routes: Routes) -> Routes {
    routes
        .account_page(GET, "/admin/organizations", "organizations.view", admin_organizations::list)
        .account_page(POST, "/admin/organizations", "organizations.create", admin_organizations::create)
        .account_page(GET, "/admin/organizations/{org}", "organizations.view", admin_organizations::show)
        .account_page(POST, "/admin/organizations/{org}", "organizations.edit", admin_organizations::update)
        .account_page(POST, "/admin/organizations/{org}/clients", "clients.create", admin_organizations::create_client)
        .account_page(POST, "/admin/organizations/{org}/invitations", "users.invite", admin_organizations::invite)
        .account_page(
            POST,
            "/admin/organizations/{org}/invitations/{id}/revoke",
            "users.invite",
            admin_organizations::revoke,
        )
        .account_page(GET, "/clients/new", "clients.create", new_client::show)
        .account_page(POST, "/clients/new", "clients.create", new_client::create)
        .account_page(GET, "/admin/users", "users.view", admin_users::list)
        .account_page(POST, "/admin/users/{id}/deactivate", "users.deactivate", admin_users::deactivate)
        .account_page(POST, "/admin/users/{id}/reactivate", "users.deactivate", admin_users::reactivate)
        .account_page(
            POST,
            "/admin/users/{id}/reset-second-factor",
            "users.deactivate",
            admin_users::reset_second_factor,
        )
        .account_page(GET, "/admin/permissions", "platform.permissions", admin_permissions::show)
        .account_page(POST, "/admin/permissions", "platform.permissions", admin_permissions::update)
        .account_page(GET, "/admin/audit", "audit.view", admin_audit::list)
}

fn supabase(routes: Routes) -> Routes {
    routes
        .public_api(POST, "/auth/v1/token", auth::token)
        .public_api(GET, "/auth/v1/user", auth::get_user)
        .public_api(PUT, "/auth/v1/user", auth::put_user)
        .public_api(GET, "/auth/v1/reauthenticate", auth::reauthenticate)
        .public_api(POST, "/auth/v1/signup", auth::unsupported)
        .public_api(POST, "/auth/v1/otp", auth::unsupported)
        .public_api(POST, "/auth/v1/magiclink", auth::unsupported)
        .public_api(GET, "/auth/v1/authorize", auth::unsupported)
        .public_api(POST, "/auth/v1/factors", auth::unsupported)
        .public_api(POST, "/auth/v1/factors/{id}/challenge", auth::unsupported)
        .public_api(POST, "/auth/v1/factors/{id}/verify", auth::unsupported)
        .public_api(DELETE, "/auth/v1/factors/{id}", auth::unsupported)
        .public_api(POST, "/auth/v1/resend", auth::unsupported)
        .public_api(POST, "/auth/v1/sso", auth::unsupported)
        .public_api(GET, "/auth/v1/callback", auth::unsupported)
        .public_api(GET, "/auth/v1/user/identities/authorize", auth::unsupported)
        .public_api(POST, "/auth/v1/invite", auth::unsupported)
        .public_api(GET, "/auth/v1/admin/users", auth::unsupported)
        .public_api(POST, "/auth/v1/admin/users", auth::unsupported)
        .public_api(GET, "/auth/v1/admin/users/{id}", auth::unsupported)
        .public_api(PUT, "/auth/v1/admin/users/{id}", auth::unsupported)
        .public_api(DELETE, "/auth/v1/admin/users/{id}", auth::unsupported)
        .public_api(POST, "/auth/v1/admin/generate_link", auth::unsupported)
        .public_api(POST, "/auth/v1/logout", auth::logout)
        .public_api(POST, "/auth/v1/recover", auth::recover)
        .public_api(GET, "/auth/v1/verify", auth::verify_link)
        .public_api(POST, "/auth/v1/verify", auth::verify)
        .public_api(GET, "/auth/v1/.well-known/jwks.json", auth::jwks)
        .public_api(GET, "/auth/v1/settings", auth::settings)
        .public_api(GET, "/auth/v1/health", auth::health)
}

fn rest(routes: Routes) -> Routes {
    let organization = || Doc::new("Get an organization").returns::<organization::Organization>().versioned();
    let client = || Doc::new("Get a client").returns::<organization::Client>().versioned();
    routes
        .signed_in_api(GET, "/v1/me", me::get, Doc::new("Say who is calling").returns::<me::Me>())
        .account_api(
            GET,
            "/v1/clients",
            "clients.view",
            clients::list,
            Doc::new("List clients").query::<clients::ListParams>().returns_page_of::<organization::Client>(),
        )
        .account_api(
            POST,
            "/v1/clients",
            "clients.create",
            clients::create,
            Doc::new("Create a client")
                .body::<clients::NewClientBody>()
                .returns_with::<organization::Client>(201)
                .versioned(),
        )
        .account_api(GET, "/v1/clients/{id}", "clients.view", clients::get, client())
        .account_api(
            PATCH,
            "/v1/clients/{id}",
            "clients.edit",
            clients::update,
            Doc::new("Update a client").patch::<clients::ClientPatch>().returns::<organization::Client>().versioned(),
        )
        .account_api(
            GET,
            "/v1/organizations",
            "organizations.view",
            organizations::list,
            Doc::new("List organizations")
                .query::<organizations::ListParams>()
                .returns_page_of::<organization::Organization>(),
        )
        .account_api(
            POST,
            "/v1/organizations",
            "organizations.create",
            organizations::create,
            Doc::new("Create an organization")
                .body::<organizations::NewOrganizationBody>()
                .returns_with::<organization::Organization>(201)
                .versioned(),
        )
        .account_api(GET, "/v1/organizations/{id}", "organizations.view", organizations::get, organization())
        .account_api(
            PATCH,
            "/v1/organizations/{id}",
            "organizations.edit",
            organizations::update,
            Doc::new("Update an organization")
                .patch::<organizations::OrganizationPatch>()
                .returns::<organization::Organization>()
                .versioned(),
        )
}

fn people(routes: Routes) -> Routes {
    routes
        .account_api(
            GET,
            "/v1/users",
            "users.view",
            users::list,
            Doc::new("List people").query::<users::ListParams>().words("role", "Role", &[]).returns_page_of::<Member>(),
        )
        .account_api(
            GET,
            "/v1/users/{id}",
            "users.view",
            users::get,
            Doc::new("Get a person").returns::<Member>().versioned(),
        )
        .account_api(
            POST,
            "/v1/users/{id}/deactivate",
            "users.deactivate",
            users::deactivate,
            Doc::new("Deactivate a person")
                .describe("Their sessions end at once, and so do the API keys they made, unless these pass to you.")
                .query::<users::KeysParams>()
                .returns_nothing()
                .versioned(),
        )
        .account_api(
            POST,
            "/v1/users/{id}/reactivate",
            "users.deactivate",
            users::reactivate,
            Doc::new("Reactivate a person").returns_nothing().versioned(),
        )
}

#[expect(clippy::too_many_lines, reason = "a table: one entry a route")]
fn teams(routes: Routes) -> Routes {
    routes
        .api(
            PUT,
            "/v1/users/{id}/role",
            "users.edit",
            users::change_role,
            Doc::new("Change a person's role").body::<users::RoleBody>().returns_nothing().versioned(),
        )
        .api(
            DELETE,
            "/v1/users/{id}",
            "users.edit",
            users::remove,
            Doc::new("Remove a person from a client")
                .describe("The API keys they made for it end, unless these pass to you.")
                .query::<users::KeysParams>()
                .returns_nothing()
                .versioned(),
        )
        .api(
            GET,
            "/v1/invitations",
            "users.view",
            invitations::list,
            Doc::new("List open invitations").query::<web::PageQuery>().returns_page_of::<Invitation>(),
        )
        .api(
            POST,
            "/v1/invitations",
            "users.invite",
            invitations::create,
            Doc::new("Invite a person")
                .body::<invitations::InviteBody>()
                .returns_with::<invitations::InvitedOut>(201)
                .versioned(),
        )
        .api(
            GET,
            "/v1/invitations/{id}",
            "users.view",
            invitations::get,
            Doc::new("Get an open invitation").returns::<Invitation>().versioned(),
        )
        .api(
            DELETE,
            "/v1/invitations/{id}",
            "users.invite",
            invitations::revoke,
            Doc::new("Revoke an invitation").returns_nothing().versioned(),
        )
        .api(
            GET,
            "/v1/api-keys",
            "api_keys.view",
            keys_api::list,
            Doc::new("List API keys").query::<web::PageQuery>().returns_page_of::<ApiKey>(),
        )
        .api(
            POST,
            "/v1/api-keys",
            "api_keys.manage",
            keys_api::create,
            Doc::new("Create an API key")
                .describe("The key is told this once.")
                .body::<keys_api::NewKeyBody>()
                .returns_with::<keys_api::CreatedKeyOut>(201)
                .versioned(),
        )
        .api(
            GET,
            "/v1/api-keys/{id}",
            "api_keys.view",
            keys_api::get,
            Doc::new("Get an API key")
                .describe("The key itself is told by no answer but that of its making.")
                .returns::<ApiKey>()
                .versioned(),
        )
        .api(
            DELETE,
            "/v1/api-keys/{id}",
            "api_keys.manage",
            keys_api::revoke,
            Doc::new("Revoke an API key").returns_nothing().versioned(),
        )
        .account_api(
            GET,
            "/v1/audit",
            "audit.view",
            audit_api::list,
            Doc::new("List acts").query::<audit_api::ListParams>().returns_page_of::<AuditEntry>(),
        )
}
