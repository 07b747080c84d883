//! Keys of other tools, and the keys that gordon has for them.

/// Keys that are called otherwise here.
const RENAMED: [(&str, &str); 22] = [
    ("args", "command"),
    ("arguments", "command"),
    ("cmd", "command"),
    ("count", "replicas"),
    ("cpu_limit", "cpus"),
    ("env", "environment"),
    ("env_files", "env_file"),
    ("environment_variables", "environment"),
    ("expose", "port"),
    ("health_timeout", "health"),
    ("healthcheck", "health"),
    ("instances", "replicas"),
    ("mem_limit", "memory"),
    ("memory_limit", "memory"),
    ("mounts", "volumes"),
    ("pull_policy", "pull"),
    ("restart_policy", "restart"),
    ("scale", "replicas"),
    ("variables", "environment"),
    ("volume", "volumes"),
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
        &["depends_on", "links"],
        "an app waits for what is attached to it, and for the services of its project, without a word",
    ),
    (
        &["network", "networks", "network_mode", "aliases", "hostname", "container_name"],
        "names and networks follow from `routes`, `attachments` and `network_groups`",
    ),
    (&["secrets"], "write `environment = { secret = [\"NAME\"] }`"),
    (
        &["hosts", "domains"],
        "each domain has a route of its own; an app of a project lists its hosts in `proxy`",
    ),
    (&["health_timeout", "stop_timeout", "stop_grace_period", "drain"], "`[deploy]` says it for all"),
    (&["labels"], "labels are gordon's own memory of what it made"),
];

/// Options of docker that gordon does not have. They are near to keys that mean something else.
const DOCKERS: [&str; 28] = [
    "cap_add",
    "cap_drop",
    "cgroup_parent",
    "devices",
    "dns",
    "dns_search",
    "extra_hosts",
    "gpus",
    "group_add",
    "init",
    "ipc",
    "log_driver",
    "log_opt",
    "logging",
    "memory_reservation",
    "memory_swap",
    "pid",
    "platform",
    "privileged",
    "read_only",
    "runtime",
    "security_opt",
    "shm_size",
    "stop_signal",
    "sysctls",
    "tmpfs",
    "ulimits",
    "working_dir",
];

/// What to do with the key `word` of another tool, where these are `known`.
pub(super) fn way_out(word: &str, known: &[&str]) -> Option<String> {
    let renamed = RENAMED.iter().find(|(foreign, own)| *foreign == word && known.contains(own));
    if let Some((_, own)) = renamed {
        return Some(format!("write `{own}`"));
    }
    let elsewhere = ELSEWHERE.iter().find(|(foreign, _)| foreign.contains(&word));
    elsewhere.map(|(_, where_to)| (*where_to).to_owned())
}

/// Whether `word` means something to docker that no key here does.
pub(super) fn is_dockers(word: &str) -> bool {
    DOCKERS.contains(&word)
}
