//! The proxy that all projects of a host share, which is Caddy: its container's settings, what it starts from, and its
//! files of routes, written and read. Knows alone what Caddy's words are. Does not know what is routed where.

mod files;
mod names;
mod routes_file;
mod served;
mod set_up;
mod sites;

pub(super) use files::ask;
pub(super) use files::put;
pub(super) use files::read;
pub(super) use files::read_without_proxy;
pub(super) use files::routes_files;
pub(super) use files::take;
pub(super) use files::write_set_up;
pub use names::NETWORK;
pub use names::PREVIOUS;
pub use names::paths;
pub(super) use names::routes_volume;
pub use names::volumes;
pub use routes_file::RouteSite;
pub use routes_file::RoutesFile;
pub use routes_file::RoutesFiles;
pub use routes_file::differing_words;
pub use routes_file::own_words;
pub use routes_file::redirects;
pub use routes_file::route_sites;
pub use routes_file::routing;
pub use served::Entrance;
pub use served::Response;
pub use served::Served;
pub use set_up::RESTART;
pub use set_up::runtime;
pub use set_up::set_up;
pub use set_up::set_up_words;
pub use set_up::spec;
pub use sites::directive;
pub use sites::own_lines;
pub use sites::real_ip;
pub use sites::routes_file;
pub use sites::scheme;
pub use sites::site;
pub use sites::snippet_at;
pub use sites::snippets;
pub use sites::upstream;
