//! Which role holds which permission key.

use database::{FromRow, Scope, Transaction};
use kernel::Result;
use kernel::role::Role;

database::statement! {
    /// The whole table.
    LIST_GRANTS, app, "
        select role, permission_key
        from role_permissions
        order by role, permission_key";
    /// Gives a role a key.
    INSERT_GRANT, app, "
        insert into role_permissions (id, role, permission_key, created_at)
        values ($1, $2, $3, $4)
        on conflict (role, permission_key) do nothing";
    /// Takes a key from a role.
    DELETE_GRANT, app, "
        delete from role_permissions
        where role = $1
          and permission_key = $2"
}

/// One grant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, FromRow)]
pub struct Grant {
    /// The role.
    pub role: Role,
    /// The key it holds.
    pub permission_key: String,
}

/// Every grant.
pub async fn list(scope: &Scope<'_>) -> Result<Vec<Grant>> {
    scope.query(&LIST_GRANTS, &[]).await
}

/// Every grant, as a transaction sees it.
pub async fn list_in(tx: &Transaction) -> Result<Vec<Grant>> {
    tx.query(&LIST_GRANTS, &[]).await
}

/// Gives a role a key.
pub async fn insert(tx: &Transaction, grant: &Grant) -> Result<()> {
    tx.execute(&INSERT_GRANT, &[&kernel::new_id(), &grant.role, &grant.permission_key, &tx.now()]).await?;
    Ok(())
}

/// Takes a key from a role.
pub async fn delete(tx: &Transaction, grant: &Grant) -> Result<()> {
    tx.execute(&DELETE_GRANT, &[&grant.role, &grant.permission_key]).await?;
    Ok(())
}
