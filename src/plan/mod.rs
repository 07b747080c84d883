//! `(Desired, Observed) → Plan`: the ordered operations that bring a host to a config, each with its reason. Does not
//! know how a plan is shown or run.

mod addresses;
mod answers;
mod builder;
mod conflict;
mod containers;
mod diff;
mod down;
mod options;
mod proxy;
mod prune;
mod pulls;
mod reason;
mod removal;
mod resources;
mod routing;
mod simulate;
mod status;
mod step;
mod subnets;
mod text;
mod value;

pub use conflict::Claimant;
pub use conflict::Conflict;
pub use containers::rollback;
pub use diff::diff;
pub use down::Volumes;
pub use down::down;
pub use options::Options;
pub use pulls::pulls;
pub use reason::Change;
pub use reason::Note;
pub use reason::Reason;
pub use reason::RouteChanges;
pub use reason::Told;
pub use routing::Routing;
pub use simulate::Refused;
pub use simulate::simulate;
pub use status::Fragment;
pub use status::Member;
pub use status::OwnerStatus;
pub use status::Place;
pub use status::ProxyStatus;
pub use status::Status;
pub use status::WorkloadStatus;
pub use status::status;
pub use step::Risk;
pub use step::Step;
pub use step::StepId;
pub use value::Blocked;
pub use value::BlockedBy;
pub use value::Expect;
pub use value::LeftData;
pub use value::Plan;

pub(crate) use step::NewStep;
