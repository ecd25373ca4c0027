//! The six roles a person can have, and who may hand them out.
//!
//! What a role may *do* is in [`crate::permissions`]; which clients it reaches is the database's business.

use std::fmt;
use std::str::FromStr;

use bytes::BytesMut;
use serde::{Deserialize, Serialize};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};

use crate::Error;

/// A role, with the words of the data model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Runs the installation: every client, every permission.
    Admin,
    /// Helps customers: every client, reading only.
    TechSupport,
    /// Runs an agency: every client of their organizations.
    AgencyOwner,
    /// Runs one business, or several they were added to.
    CompanyOwner,
    /// Builds integrations for the clients they were added to.
    Developer,
    /// Answers calls for the clients they were added to.
    CallCenter,
}

impl Role {
    /// Every role, the most powerful first.
    pub const ALL: [Self; 6] =
        [Self::Admin, Self::TechSupport, Self::AgencyOwner, Self::CompanyOwner, Self::Developer, Self::CallCenter];

    /// The word stored in `user_roles.role` and carried in tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::TechSupport => "tech_support",
            Self::AgencyOwner => "agency_owner",
            Self::CompanyOwner => "company_owner",
            Self::Developer => "developer",
            Self::CallCenter => "call_center",
        }
    }

    /// The name people read.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Admin => "Administrator",
            Self::TechSupport => "Technical support",
            Self::AgencyOwner => "Agency owner",
            Self::CompanyOwner => "Company owner",
            Self::Developer => "Developer",
            Self::CallCenter => "Call center agent",
        }
    }

    /// How high the role stands: 5 for an admin down to 1 for developers and agents, who grant nothing.
    pub const fn level(self) -> u8 {
        match self {
            Self::Admin => 5,
            Self::TechSupport => 4,
            Self::AgencyOwner => 3,
            Self::CompanyOwner => 2,
            Self::Developer | Self::CallCenter => 1,
        }
    }
}

/// Whether somebody with the role `inviter` may hand out `target`: only what stands below them,
/// and an admin also further admins.
///
/// That the client or organization is within the inviter's reach is asked separately.
pub const fn may_grant(inviter: Role, target: Role) -> bool {
    matches!(inviter, Role::Admin) || target.level() < inviter.level()
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| Error::invalid("role", "choose a role"))
    }
}

impl ToSql for Role {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        out.extend_from_slice(self.as_str().as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(ty: &Type) -> bool {
        is_text_or_role_enum(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Role {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(std::str::from_utf8(raw)?.parse()?)
    }

    fn accepts(ty: &Type) -> bool {
        is_text_or_role_enum(ty)
    }
}

/// A text column, or an enum whose labels are exactly our words.
fn is_text_or_role_enum(ty: &Type) -> bool {
    match ty.kind() {
        Kind::Enum(labels) => {
            labels.len() == Role::ALL.len() && labels.iter().all(|label| label.parse::<Role>().is_ok())
        }
        _ => matches!(*ty, Type::TEXT | Type::VARCHAR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_survive_a_round_trip_through_text_json_and_the_database() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse::<Role>().unwrap(), role);
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            let mut out = BytesMut::new();
            role.to_sql(&Type::TEXT, &mut out).unwrap();
            assert_eq!(Role::from_sql(&Type::TEXT, &out).unwrap(), role);
        }
    }

    #[test]
    fn an_unknown_word_is_refused_by_name_and_so_is_another_type_of_column() {
        let error = "owner".parse::<Role>().unwrap_err();
        assert_eq!(error.fields()[0].field, "role");
        assert!(!<Role as ToSql>::accepts(&Type::INT4));
        let other = Type::new("size".into(), 1, Kind::Enum(vec!["4x6".into()]), "public".into());
        assert!(!<Role as FromSql>::accepts(&other));
    }

    #[test]
    fn nobody_grants_what_stands_at_or_above_them_but_an_admin() {
        use Role::{Admin, AgencyOwner, CallCenter, CompanyOwner, Developer, TechSupport};
        let grants = |inviter| Role::ALL.into_iter().filter(|target| may_grant(inviter, *target)).collect::<Vec<_>>();
        assert_eq!(grants(Admin), Role::ALL);
        assert_eq!(grants(TechSupport), [AgencyOwner, CompanyOwner, Developer, CallCenter]);
        assert_eq!(grants(AgencyOwner), [CompanyOwner, Developer, CallCenter]);
        assert_eq!(grants(CompanyOwner), [Developer, CallCenter]);
        assert!(grants(Developer).is_empty() && grants(CallCenter).is_empty());
    }
}
