//! The names of a workload's containers.

use crate::name::Container;

/// What comes after the name in the label that says what a container is: what it does, then the number of its replica.
pub const ROLES: [&str; 5] = ["-next", "-blue", "-green", "-previous", "-release"];

/// What comes after the base name in the names of a workload's containers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// Nothing, `-next` and `-previous`.
    Plain,
    /// `-green`, `-blue` and `-previous`: green is the one that serves, always.
    Colours,
}

/// What one of a workload's containers does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It does the job.
    Serving,
    /// It is about to.
    Incoming,
    /// It did, until now.
    Previous,
    /// It runs the command that a release begins with.
    Release,
}

impl Naming {
    /// The name of the container of this role and replica, counted from 1.
    pub fn container(self, base_name: &str, role: Role, replica: u32) -> Container {
        let role = match (self, role) {
            (Self::Plain, Role::Serving) => "",
            (Self::Plain, Role::Incoming) => "-next",
            (Self::Colours, Role::Serving) => "-green",
            (Self::Colours, Role::Incoming) => "-blue",
            (_, Role::Previous) => "-previous",
            (_, Role::Release) => "-release",
        };
        let of = |name: &str| Container::parse(name).expect("a base name is a container name");
        if role.is_empty() && replica == 1 {
            return of(base_name);
        }
        let mut name = String::with_capacity(base_name.len() + role.len());
        name.push_str(base_name);
        name.push_str(role);
        if replica > 1 {
            name.push('-');
            name.push_str(&replica.to_string());
        }
        of(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_one_by_which_a_container_is_known_as_gordon_s() {
        for naming in [Naming::Plain, Naming::Colours] {
            for role in [Role::Serving, Role::Incoming, Role::Previous, Role::Release] {
                let name = naming.container("shop-web", role, 1);
                let role = name.as_str().strip_prefix("shop-web").expect("it begins with the base name");
                assert!(role.is_empty() || ROLES.contains(&role), "{name}");
            }
        }
    }
}
