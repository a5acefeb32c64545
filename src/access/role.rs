//! Roles, and what each permits.

use std::fmt;

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Searches, and looks at what is found.
    Reader,
    /// Also builds cohorts, and exports them.
    Researcher,
    /// Searches; also imports, indexes and deletes. No exports.
    Keeper,
    /// Everything.
    Admin,
}

/// What a route asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Permission {
    /// Searching, and looking at studies and films.
    Search,
    /// Cohorts, exports, embeddings.
    Cohort,
    /// Import, index, delete, and jobs.
    Keep,
    /// What concerns the server itself.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 4] = [Role::Reader, Role::Researcher, Role::Keeper, Role::Admin];

    /// What it may do.
    pub fn permissions(self) -> &'static [Permission] {
        use Permission::{Admin, Cohort, Keep, Search};
        match self {
            Role::Reader => &[Search],
            Role::Researcher => &[Search, Cohort],
            Role::Keeper => &[Search, Keep],
            Role::Admin => &[Search, Cohort, Keep, Admin],
        }
    }

    /// Whether it may.
    pub fn may(self, permission: Permission) -> bool {
        self.permissions().contains(&permission)
    }

    /// `reader`
    pub fn name(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Researcher => "researcher",
            Role::Keeper => "keeper",
            Role::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Permission {
    /// The roles that have it, for a message: `researcher or admin`.
    pub fn holders(self) -> String {
        let names: Vec<&str> = Role::ALL.into_iter().filter(|role| role.may(self)).map(Role::name).collect();
        match names.split_last() {
            Some((last, [])) => (*last).to_owned(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
            None => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_admin_may_do_everything() {
        let all = [Permission::Search, Permission::Cohort, Permission::Keep, Permission::Admin];
        for role in Role::ALL {
            assert!(role.may(Permission::Search), "{role}");
            assert_eq!(all.into_iter().all(|p| role.may(p)), role == Role::Admin, "{role}");
        }
        assert!(!Role::Keeper.may(Permission::Cohort) && !Role::Researcher.may(Permission::Keep));
        assert_eq!(Permission::Cohort.holders(), "researcher or admin");
        assert_eq!(Permission::Admin.holders(), "admin");
    }
}
