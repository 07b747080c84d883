//! What in a config does not fit a docker on another host than this machine. Does not know how docker gets there.

use super::mount::Mount;
use super::mount::MountSource;
use super::problem::Problem;
use super::schema::Config;
use serde_spanned::Spanned;

const EMPTY_FOLDER: &str = "docker would mount an empty folder: put the files into the image, or copy them to that host and \
                            give the absolute path";

/// The problem with a config whose one `server` is another host than `host`, where docker is; `is_called` tells the names
/// of that.
pub fn other_server(config: &Config, host: &str, is_called: &dyn Fn(&str) -> bool) -> Option<Problem> {
    let [server] = config.servers.as_slice() else { return None };
    let problem = || {
        Problem::error(server.span(), format!("the config is for `{}`, and docker is on `{host}`", server.get_ref()))
            .hint(format!(
                "point docker at that host, by `DOCKER_HOST=ssh://{}` or `--context`, or call the server as docker does",
                server.get_ref()
            ))
    };
    (!is_called(server.get_ref())).then(problem)
}

/// The problems with mounts of folders that lie beside the config, when docker is on `host`: it would make empty ones there.
pub fn far_folders(config: &Config, host: &str) -> Vec<Problem> {
    let mounts = config.workloads().flat_map(|workload| &workload.mounts);
    let of_mount = |mount: &Spanned<Mount>| match &mount.get_ref().source {
        MountSource::Folder(path) => {
            let message = format!("`./{path}` is on this machine, and docker is on `{host}`");
            Some(Problem::error(mount.span(), message).hint(EMPTY_FOLDER))
        }
        MountSource::Host(_) | MountSource::Named(_) | MountSource::External(_) => None,
    };
    mounts.filter_map(of_mount).collect()
}
