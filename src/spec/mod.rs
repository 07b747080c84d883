//! Plain values that the meaning of a config and docker's commands have in common: a container's settings, how it is asked
//! whether it is ready, the routes of hosts. Of docker's flags it knows those of the table of settings alone, and none of the
//! proxy's words.

mod check;
mod content;
mod digest;
mod image;
mod kind;
mod naming;
mod ports;
mod pull;
mod route;
mod runtime;
mod secret;
mod setting;
mod value;

pub use check::HttpCheck;
pub use check::Patience;
pub use check::PortCheck;
pub use check::Prober;
pub use check::Statuses;
pub use content::Content;
pub use content::FilesPart;
pub use digest::Difference;
pub use digest::Spec;
pub use digest::hash;
pub use digest::hash_of;
pub use image::ImageFacts;
pub use kind::Kind;
pub use naming::Naming;
pub use naming::ROLES;
pub use naming::Role;
pub use ports::HostPort;
pub use ports::Transport;
pub use ports::host_ports;
pub use pull::Pull;
pub use route::PROXY;
pub use route::Proxy;
pub use route::Route;
pub use route::Site;
pub use route::Tls;
pub use runtime::EnvFile;
pub use runtime::HealthCheck;
pub use runtime::Mount;
pub use runtime::Relabel;
pub use runtime::Runtime;
pub use runtime::Source;
pub use secret::Secret;
pub use setting::Check;
pub use setting::Form;
pub use setting::LIMITED_LOG_DRIVERS;
pub use setting::Limits;
pub use setting::OtherLimit;
pub use setting::SETTINGS;
pub use setting::Setting;
pub use setting::Settings;
pub use value::ValueError;
