//! Keys of other tools, and the keys that gordon has for them.

use super::problem::nearest;
use crate::spec::Setting;

/// Keys that are called otherwise here.
const RENAMED: &[(&str, &str)] = &[
    ("add_host", "extra_hosts"),
    ("args", "command"),
    ("arguments", "command"),
    ("caddyfile", "snippet"),
    ("capabilities", "cap_add"),
    ("cmd", "command"),
    ("compression", "compress"),
    ("count", "replicas"),
    ("cpu_count", "cpus"),
    ("cpu_limit", "cpus"),
    ("depends_on", "after"),
    ("device", "devices"),
    ("encode", "compress"),
    ("env", "environment"),
    ("env_files", "env_file"),
    ("environment_variables", "environment"),
    ("expose", "port"),
    ("expected_status", "status"),
    ("gzip", "compress"),
    ("health_timeout", "health"),
    ("healthcheck", "health"),
    ("hosts", "domains"),
    ("hooks", "release"),
    ("https", "tls"),
    ("instances", "replicas"),
    ("label", "labels"),
    ("log_driver", "log"),
    ("log_opt", "log"),
    ("log_opts", "log"),
    ("logging", "log"),
    ("max_attempts", "retries"),
    ("mem_limit", "memory"),
    ("memory_limit", "memory"),
    ("migrate", "release"),
    ("mounts", "volumes"),
    ("pre_deploy", "release"),
    ("pre_deploy_command", "release"),
    ("predeploy", "release"),
    ("pull_policy", "pull"),
    ("readonly", "read_only"),
    ("redirect", "redirect_from"),
    ("redirects", "redirect_from"),
    ("release_command", "release"),
    ("restart_policy", "restart"),
    ("scale", "replicas"),
    ("shm", "shm_size"),
    ("ssl", "tls"),
    ("stop_grace_period", "stop_timeout"),
    ("sysctl", "sysctls"),
    ("test", "cmd"),
    ("ulimit", "ulimits"),
    ("variables", "environment"),
    ("volume", "volumes"),
    ("workdir", "working_dir"),
    ("networks", "network_groups"),
    ("groups", "network_groups"),
];

/// Keys whose purpose is served elsewhere, and where.
const ELSEWHERE: [(&[&str], &str); 9] = [
    (
        &["build", "builder", "dockerfile"],
        "gordon builds no images: `docker build` one, and name it with `image`",
    ),
    (&["pull_policy"], "`pull` in `[deploy]` says when images are pulled: `missing`, `always` or `never`"),
    (
        &["registry", "registries"],
        "the registry is a part of `image`; `docker login` tells docker who you are",
    ),
    (
        &["release", "release_command"],
        "releases of routes and apps begin with a command; it runs when their services are ready",
    ),
    (
        &["after", "depends_on", "links"],
        "an app waits for what is attached to it, and for the services of its project, without a word",
    ),
    (
        &["network", "networks", "network_mode", "aliases", "hostname", "container_name"],
        "names and networks follow from `routes`, `attachments` and `network_groups`",
    ),
    (&["secrets"], "write `environment = { secret = [\"NAME\"] }`"),
    (&["hosts", "domains"], "an app lists its hosts in `proxy`, as in `proxy = { hosts = [\"shop.com\"] }`"),
    (&["health_timeout", "stop_timeout", "stop_grace_period", "drain"], "`[deploy]` says it for all"),
];

/// Options of docker that have no key here, by the names that other tools have for them. Some are near to keys that mean
/// something else.
const OPTIONS: [(&str, &str); 27] = [
    ("cgroup_parent", "--cgroup-parent=NAME"),
    ("cpu_shares", "--cpu-shares=512"),
    ("cpuset", "--cpuset-cpus=0-3"),
    ("device_cgroup_rules", "--device-cgroup-rule=RULE"),
    ("dns", "--dns=1.1.1.1"),
    ("dns_opt", "--dns-option=ndots:1"),
    ("dns_search", "--dns-search=example.com"),
    ("domainname", "--domainname=NAME"),
    ("group_add", "--group-add=GROUP"),
    ("ipc", "--ipc=host"),
    ("mac_address", "--mac-address=ADDRESS"),
    ("mem_reservation", "--memory-reservation=256m"),
    ("mem_swappiness", "--memory-swappiness=0"),
    ("memory_reservation", "--memory-reservation=256m"),
    ("memory_swap", "--memory-swap=1g"),
    ("memswap_limit", "--memory-swap=1g"),
    ("oom_kill_disable", "--oom-kill-disable"),
    ("oom_score_adj", "--oom-score-adj=500"),
    ("pid", "--pid=host"),
    ("pids_limit", "--pids-limit=200"),
    ("privileged", "--privileged"),
    ("runtime", "--runtime=NAME"),
    ("stdin_open", "--interactive"),
    ("storage_opt", "--storage-opt=size=10G"),
    ("tty", "--tty"),
    ("userns_mode", "--userns=host"),
    ("uts", "--uts=host"),
];

/// Keys that the table of a mount has elsewhere, and what to do with each.
const OF_MOUNTS: [(&str, &str); 11] = [
    ("source", "write `name`: a volume of gordon's or a path; a volume that is there already is `external`"),
    ("src", "write `name`: a volume of gordon's or a path; a volume that is there already is `external`"),
    ("volume", "write `name`, or `external` for a volume that is there already"),
    ("path", "write `target`, the path inside the container; a path of the host is the `name`"),
    ("destination", "write `target`"),
    ("dst", "write `target`"),
    ("ro", "write `read_only = true`"),
    ("mode", "write `read_only = true`, or nothing"),
    ("type", "remove it: a `name` that is a path is a folder or file of the host, any other is a volume"),
    ("bind", "write the mount in one word for SELinux's labels, as in `./data:/data:z`"),
    ("driver", "make the volume with docker (`docker volume create`), and name it with `external`"),
];

/// What to do with the key `word` of another tool, where these are `known`.
pub(super) fn way_out(word: &str, known: &[&str]) -> Option<String> {
    // a table with `external` is a mount's
    let of_mount = OF_MOUNTS.iter().find(|(foreign, _)| *foreign == word && known.contains(&"external"));
    if let Some((_, way_out)) = of_mount {
        return Some((*way_out).to_owned());
    }
    // Compose declares volumes at the top
    if known.contains(&"auto_create") && nearest(word, known.iter().copied()).is_none() {
        return Some(
            "volumes need no entry here: a container names its own; one that is there already is \
             `volumes = [{ external = \"NAME\", target = \"/path\" }]`"
                .to_owned(),
        );
    }
    let renamed = RENAMED.iter().find(|(foreign, own)| *foreign == word && known.contains(own));
    if let Some((_, own)) = renamed {
        return Some(format!("write `{own}`"));
    }
    let option = OPTIONS.iter().find(|(foreign, _)| *foreign == word && known.contains(&"options"));
    if let Some((_, flag)) = option {
        return Some(format!("write it as docker has it: `options = [\"{flag}\"]`"));
    }
    let elsewhere = ELSEWHERE.iter().find(|(foreign, _)| foreign.contains(&word));
    elsewhere.map(|(_, where_to)| (*where_to).to_owned())
}

/// Whether `word` means something to docker, so that it is not a near key misspelt.
pub(super) fn is_dockers(word: &str) -> bool {
    OPTIONS.iter().any(|(foreign, _)| *foreign == word) || Setting::find(word).is_some()
}
