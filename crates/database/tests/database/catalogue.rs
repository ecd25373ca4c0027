//! Rules every table has to keep, old and new: read from the catalogue, so that a table made tomorrow is held to them.

use testkit::TestDatabase;
use tokio_postgres::Client;

/// Tables with a client that are guarded by policies of their own, and why.
const GUARDED_OTHERWISE: [&str; 5] = [
    // the client's people: each of them sees their own row whatever they reach
    "client_users",
    // some are about an organization and have no client
    "invitations",
    // readers write it too, and nobody changes it
    "audit_log",
    // belongs to the caller, not to the client
    "idempotency_keys",
    // readers enqueue too, and only staff change it
    "jobs",
];

/// The only foreign key between tenant rows that is not (client_id, x_id): cards of the operator's own pools have no client.
const BY_OWNER: &str = "gift_cards_owner_key_pool_id_fkey";

/// First columns of the rows a query answers, as text: each test wants none.
async fn lines(admin: &Client, sql: &str) -> Vec<String> {
    admin.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn every_table_with_a_client_is_a_tenant_table_or_says_why_not() {
    let db = TestDatabase::new().await;
    let strays = lines(
        &db.admin().await,
        "select c.relname::text from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'client_id' and not a.attisdropped
         where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
           and not c.relispartition
           and c.oid not in (select table_name from app.tenant_tables)
         order by 1",
    )
    .await;
    let mut expected = GUARDED_OTHERWISE.map(str::to_owned);
    expected.sort();
    assert_eq!(strays, expected);
}

#[tokio::test]
async fn every_table_forces_row_level_security_and_has_a_policy() {
    let db = TestDatabase::new().await;
    let open = lines(
        &db.admin().await,
        "select c.oid::regclass::text from pg_class c
         where c.relkind in ('r', 'p') and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace)
           and not c.relispartition and c.relname <> 'refinery_schema_history'
           and (not c.relrowsecurity or not c.relforcerowsecurity
                or not exists (select from pg_policy p where p.polrelid = c.oid))",
    )
    .await;
    assert_eq!(open, Vec::<String>::new());
}

#[tokio::test]
async fn partitions_are_reached_through_their_parent_only() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let partitions =
        lines(&admin, "select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass").await;
    assert!(partitions.len() > 24, "there must be partitions for this test to mean anything");
    let reachable = lines(
        &admin,
        "select c.oid::regclass::text || ' ' || r.rolname || ' ' || p.privilege
         from pg_class c
         cross join unnest(array['ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']) as r (rolname)
         cross join (values ('select'), ('insert'), ('update'), ('delete'), ('truncate')) as p (privilege)
         where c.relispartition and c.relkind = 'r'
           and (not c.relrowsecurity or has_table_privilege(r.rolname, c.oid, p.privilege))",
    )
    .await;
    assert_eq!(reachable, Vec::<String>::new());
}

#[tokio::test]
async fn every_tenant_table_names_its_client_and_offers_it_to_its_children() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let lacking = lines(
        &admin,
        "select t.table_name::text || ': client_id may be null' from app.tenant_tables t
         where t.nullable and t.table_name::text not in ('gift_card_pools', 'gift_cards', 'sandbox_messages')
         union all
         select t.table_name::text || ': no policy for ' || want.command
         from app.tenant_tables t
         cross join (values ('tenant_select', 'r'), ('tenant_insert', 'a'), ('tenant_update', 'w'), ('tenant_delete', 'd'),
                            ('system_all', '*')) as want (policy, command)
         where not exists (
           select from pg_policy p
           where p.polrelid = t.table_name and p.polname = want.policy and p.polcmd::text = want.command and p.polpermissive)
         union all
         select t.table_name::text || ': another policy than the five, ' || p.polname
         from app.tenant_tables t join pg_policy p on p.polrelid = t.table_name
         where p.polname not in ('tenant_select', 'tenant_insert', 'tenant_update', 'tenant_delete', 'system_all')
         union all
         select t.table_name::text || ': no index begins with client_id'
         from app.tenant_tables t
         where not exists (
           select from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
           where i.indrelid = t.table_name and a.attname = 'client_id' and i.indpred is null)
         order by 1",
    )
    .await;
    assert_eq!(lacking, Vec::<String>::new());
}

#[tokio::test]
async fn every_foreign_key_between_tenant_rows_holds_them_to_one_client() {
    let db = TestDatabase::new().await;
    let loose = lines(
        &db.admin().await,
        "select x.conname::text from pg_constraint x
         join app.tenant_tables child on child.table_name = x.conrelid
         join app.tenant_tables parent on parent.table_name = x.confrelid
         where x.contype = 'f'
           and not (
             cardinality(x.conkey) = 2 and cardinality(x.confkey) = 2
             and (select attname from pg_attribute where attrelid = x.conrelid and attnum = x.conkey[1]) = 'client_id'
             and (select attname from pg_attribute where attrelid = x.confrelid and attnum = x.confkey[1]) = 'client_id'
             and (select attname from pg_attribute where attrelid = x.confrelid and attnum = x.confkey[2]) = 'id')
         union all
         select x.conname || ' leads into a tenant table from outside' from pg_constraint x
         where x.contype = 'f' and x.confrelid in (select table_name from app.tenant_tables)
           and x.conrelid not in (select table_name from app.tenant_tables)
           and not (select relispartition from pg_class where oid = x.conrelid)",
    )
    .await;
    assert_eq!(loose, [BY_OWNER]);
}

/// A column that ends in `_id` and refers to nothing would be a way around the keys above.
#[tokio::test]
async fn every_id_column_of_a_tenant_table_is_a_foreign_key_or_says_why_not() {
    let db = TestDatabase::new().await;
    let free = lines(
        &db.admin().await,
        "select t.table_name::text || '.' || a.attname
         from app.tenant_tables t
         join pg_attribute a on a.attrelid = t.table_name and a.attnum > 0 and not a.attisdropped
         where a.attname like '%\\_id' and a.atttypid = 'uuid'::regtype
           and not exists (
             select from pg_constraint x where x.conrelid = t.table_name and x.contype = 'f' and a.attnum = any (x.conkey))
         order by 1",
    )
    .await;
    let said = [
        // whatever the alert is about, of several tables
        "alerts.subject_id",
        // three of the shape of a chunk between COPY and merge, which is always empty
        "import_rows.client_id",
        "import_rows.contact_id",
        "import_rows.member_id",
    ];
    let unsaid: Vec<_> =
        free.iter().filter(|name| !said.contains(&name.as_str()) && !name.ends_with(".client_id")).collect();
    assert_eq!(unsaid, Vec::<&String>::new());
    // a client_id without a key of its own is held by a composite one
    let loose = lines(
        &db.admin().await,
        "select t.table_name::text from app.tenant_tables t
         where t.table_name::text <> 'import_rows'
           and not exists (
             select from pg_constraint x
             join pg_attribute a on a.attrelid = x.conrelid and a.attname = 'client_id' and a.attnum = any (x.conkey)
             where x.conrelid = t.table_name and x.contype = 'f')",
    )
    .await;
    assert_eq!(loose, Vec::<String>::new());
}

#[tokio::test]
async fn no_policy_asks_a_function_once_a_row() {
    let db = TestDatabase::new().await;
    let per_row = lines(
        &db.admin().await,
        "select p.polrelid::regclass::text || ' ' || p.polname || ': ' || e.text
         from pg_policy p
         cross join lateral (values (pg_get_expr(p.polqual, p.polrelid)), (pg_get_expr(p.polwithcheck, p.polrelid))) as e (text)
         -- what is left after every (select app.x(...)) is taken away
         where regexp_replace(e.text, 'SELECT app\\.[a-z_]+\\([^()]*\\)', '', 'g') ~ '(app\\.|current_setting)'",
    )
    .await;
    assert_eq!(per_row, Vec::<String>::new());
}

#[tokio::test]
async fn the_serving_roles_can_neither_pass_the_policies_nor_change_the_schema_nor_read_passwords() {
    let db = TestDatabase::new().await;
    let admin = db.admin().await;
    let powers = lines(
        &admin,
        "select rolname::text from pg_roles
         where rolname in ('ace_owner', 'ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system')
           and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)
         union all
         select r || ' is a member of ' || g
         from unnest(array['ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']) r cross join unnest(array['ace_owner', 'ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']) g
         where r <> g and pg_has_role(r, g, 'member')
         union all
         select r || ' creates in ' || s
         from unnest(array['ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']) r cross join unnest(array['public', 'auth', 'app']) s
         where has_schema_privilege(r, s, 'create')
         union all
         select 'ace_app ' || p || ' auth.' || c.relname
         from pg_class c cross join unnest(array['select', 'update', 'delete']) p
         where c.relnamespace = 'auth'::regnamespace and c.relkind = 'r' and has_table_privilege('ace_app', c.oid, p)
         union all
         select 'ace_app reads auth.users.' || column_name
         from unnest(array['encrypted_password', 'totp_secret_sealed', 'totp_last_step']) column_name
         where has_column_privilege('ace_app', 'auth.users', column_name, 'select')
         union all
         select r || ' truncates ' || c.oid::regclass
         from pg_class c cross join unnest(array['ace_app', 'ace_public', 'ace_signin', 'ace_worker', 'ace_system']) r
         where c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace) and c.relkind in ('r', 'p')
           and has_table_privilege(r, c.oid, 'truncate')",
    )
    .await;
    assert_eq!(powers, Vec::<String>::new());
}

#[tokio::test]
async fn strangers_to_the_database_have_no_rights_and_definers_no_open_search_path() {
    let db = TestDatabase::new().await;
    let open = lines(
        &db.admin().await,
        "select 'public may ' || a.privilege_type || ' ' || c.oid::regclass
         from pg_class c cross join lateral aclexplode(c.relacl) a
         where a.grantee = 0 and c.relnamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace)
         union all
         select 'public may run ' || p.oid::regprocedure
         from pg_proc p cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         where a.grantee = 0 and p.pronamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace)
         union all
         select p.oid::regprocedure || ' is security definer without a search_path of its own'
         from pg_proc p
         where p.prosecdef and p.pronamespace in ('public'::regnamespace, 'auth'::regnamespace, 'app'::regnamespace)
           and not exists (select from unnest(p.proconfig) s where s like 'search_path=%')",
    )
    .await;
    assert_eq!(open, Vec::<String>::new());
}

/// Deleting a parent, and every join from it, would otherwise read the whole child.
#[tokio::test]
async fn every_foreign_key_between_tenant_rows_has_an_index_behind_it() {
    let db = TestDatabase::new().await;
    let bare = lines(
        &db.admin().await,
        "select x.conname::text
         from pg_constraint x
         join app.tenant_tables child on child.table_name = x.conrelid
         join app.tenant_tables parent on parent.table_name = x.confrelid
         cross join lateral (select x.conkey[2] as attnum) k
         where x.contype = 'f'
           and not exists (
             select from pg_index i
             where i.indrelid = x.conrelid
               and (i.indkey[0] = k.attnum or (i.indkey[0] = x.conkey[1] and i.indkey[1] = k.attnum)))
         order by 1",
    )
    .await;
    let said = [
        // the rows on the other side are never deleted, and nobody asks from there
        "campaigns_audience_id_fkey",
        "recipients_audience_id_fkey",
        "gift_cards_replaced_by_id_fkey",
        // a client has few pages
        "landing_pages_published_version_id_fkey",
    ];
    let unsaid: Vec<_> = bare.iter().filter(|name| !said.contains(&name.as_str())).collect();
    assert_eq!(unsaid, Vec::<&String>::new());
}
