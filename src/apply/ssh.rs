//! What to make of it when docker could not reach an engine over ssh. Does not know whether it is still so.

/// Why an engine elsewhere does not answer, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreachable {
    /// What is the matter, with the host and ssh's own words.
    pub message: String,
    /// What to do about it: a sentence without a full stop.
    pub hint: String,
}

/// What docker asks ssh to run on the other host.
const REMOTE: &str = " docker system dial-stdio]";

/// The name that docker gives to an engine behind ssh.
const BEHIND_SSH: &str = "http://docker.example.com";

/// Why docker does not reach an engine over ssh, as far as `stderr` says; `None` when ssh is not the trouble. The host is
/// what `ssh` takes for it; without it, the one that docker names.
pub fn unreachable(host: Option<&str>, stderr: &str) -> Option<Unreachable> {
    let host = host.or_else(|| destination(stderr)).unwrap_or("HOST");
    let name =
        host.strip_prefix("ssh://").map_or(host, |rest| rest.rsplit_once(':').map_or(rest, |(name, _)| name));
    let Some((_, said)) = stderr.split_once("stderr=").filter(|(docker, _)| docker.contains(REMOTE)) else {
        return (stderr.contains("Cannot connect to the Docker daemon") && stderr.contains(BEHIND_SSH)).then(|| Unreachable {
            message: format!("{name}: docker does not answer there, though ssh does"),
            hint: format!("`ssh {host} docker version` says why: its daemon does not run, or this user is not in the group `docker`"),
        });
    };
    // before it a server may greet
    let last = said.trim().lines().last().unwrap_or_default().trim_start_matches("ssh: ");
    let says = |part: &str| said.to_lowercase().contains(part);
    let (message, hint) = if says("connection refused") {
        (
            format!("nothing listens at {} (ssh: Connection refused)", address(last)),
            "see whether sshd runs there, and whether the port is right: `Port` in ~/.ssh/config, or the one in `DOCKER_HOST`"
                .to_owned(),
        )
    } else if says("could not resolve hostname") {
        (
            "there is no host of this name (ssh: Could not resolve hostname)".to_owned(),
            "see the name in `DOCKER_HOST` or the docker context, and `Host` in ~/.ssh/config".to_owned(),
        )
    } else if says("remote host identification has changed") {
        (
            "its host key is another than before (ssh: Host key verification failed)".to_owned(),
            format!(
                "find out why: another machine may answer in its place; if all is well, `ssh-keygen -R {host}` forgets the old key"
            ),
        )
    } else if says("host key verification failed") {
        (
            "its host key is not known (ssh: Host key verification failed)".to_owned(),
            format!(
                "`ssh {host}` shows it once and remembers it; in CI, `ssh-keyscan` can: docker lets ssh ask nothing"
            ),
        )
    } else if says("permission denied (") || says("too many authentication failures") {
        (
            format!("ssh is not let in ({last})"),
            "load the right key with `ssh-add`, or see `User` and `IdentityFile` in ~/.ssh/config: docker lets ssh ask for no passphrase"
                .to_owned(),
        )
    } else if says("command not found") || says("docker: not found") || stderr.contains("exit status 127") {
        (
            format!("there is no docker ({last})"),
            format!(
                "install docker there; where it is installed, `ssh {host} docker version` has to find it on its PATH"
            ),
        )
    } else if says("timed out") || says("no route to host") || says("network is unreachable") {
        (
            format!("no answer ({last})"),
            "see whether the host is up, and whether a firewall or a VPN is in the way".to_owned(),
        )
    } else if says("kex_exchange_identification") || says("connection closed") || says("connection reset") {
        (
            format!("sshd ended the connection ({last})"),
            "it may have too many at once (`MaxStartups` in its sshd_config): `-j 1` makes fewer".to_owned(),
        )
    } else {
        (
            format!("ssh failed{}", if last.is_empty() { String::new() } else { format!(" ({last})") }),
            format!("`ssh {host} docker version` shows whether ssh and docker are well"),
        )
    };
    Some(Unreachable { message: format!("{name}: {message}"), hint })
}

/// The host to which docker called ssh: the word before what it ran there.
fn destination(stderr: &str) -> Option<&str> {
    let (before, _) = stderr.split_once(REMOTE)?;
    before.rsplit(' ').next()
}

/// As in `connect to host 10.99.1.2 port 2222: Connection refused`.
fn address(said: &str) -> &str {
    let address = said.split_once("connect to host ").and_then(|(_, rest)| rest.split_once(": "));
    address.map_or("its port for ssh", |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Docker's complaint when ssh ends so, and says this.
    fn complaint(status: u8, said: &str) -> String {
        format!(
            "error during connect: Get \"http://docker.example.com/v1.50/containers/json?all=1\": command \
             [ssh -o ConnectTimeout=30 -T -l deploy -- h1 docker system dial-stdio] has exited with exit status {status}, \
             make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr={said}"
        )
    }

    #[test]
    fn each_way_in_which_ssh_fails_has_its_own_words_and_its_own_hint() {
        let changed = "@@@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@@@\nHost key verification failed.";
        for (status, said, message, hint) in [
            (
                255,
                "ssh: connect to host 10.99.1.2 port 2222: Connection refused\n",
                "nothing listens at 10.99.1.2 port 2222 (ssh: Connection refused)",
                "sshd runs there",
            ),
            (
                255,
                "ssh: connect to host 10.99.1.2 port 22: Connection timed out",
                "no answer (connect to host 10.99.1.2 port 22: Connection timed out)",
                "firewall",
            ),
            (
                255,
                "Connection timed out during banner exchange",
                "no answer (Connection timed out during",
                "firewall",
            ),
            (
                255,
                "ssh: connect to host h1 port 22: No route to host",
                "no answer (connect to host h1",
                "firewall",
            ),
            (
                255,
                "ssh: Could not resolve hostname h1: Name or service not known",
                "no host of this name",
                "`Host` in",
            ),
            (255, "Host key verification failed.", "its host key is not known", "`ssh h1` shows it"),
            (255, changed, "its host key is another than before", "`ssh-keygen -R h1`"),
            (
                255,
                "Welcome to h1\ndeploy@h1: Permission denied (publickey,password).",
                "ssh is not let in (deploy@h1: Permission denied (publickey,password).)",
                "`ssh-add`",
            ),
            (
                127,
                "bash: line 1: docker: command not found",
                "there is no docker (bash: line 1",
                "install docker",
            ),
            (127, "sh: 1: docker: not found", "there is no docker (sh: 1", "install docker"),
            (
                255,
                "kex_exchange_identification: read: Connection reset by peer",
                "sshd ended the connection",
                "`-j 1`",
            ),
            (255, "", "h1: ssh failed", "`ssh h1 docker version`"),
            (
                255,
                "Bad owner or permissions on /root/.ssh/config",
                "ssh failed (Bad owner",
                "`ssh h1 docker version`",
            ),
        ] {
            let found = unreachable(None, &complaint(status, said)).expect("ssh is the trouble");
            assert!(
                found.message.starts_with("h1: ") && found.message.contains(message),
                "{found:?}: {said}"
            );
            assert!(found.hint.contains(hint), "{found:?}: {said}");
        }
    }

    #[test]
    fn a_docker_behind_ssh_that_does_not_answer_is_not_a_daemon_of_this_machine() {
        let said =
            "Cannot connect to the Docker daemon at http://docker.example.com. Is the docker daemon running?";
        let found = unreachable(Some("deploy@h1"), said).expect("it is behind ssh");
        assert_eq!(found.message, "deploy@h1: docker does not answer there, though ssh does");
        assert!(
            found.hint.contains("`ssh deploy@h1 docker version`") && found.hint.contains("group `docker`")
        );
    }

    #[test]
    fn what_ssh_has_no_part_in_is_not_its_trouble() {
        for said in [
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
            "error during connect: Get \"http://h1:2375/v1.50/info\": dial tcp 10.0.0.1:2375: connect: connection refused",
            "ssh: connect to host h1 port 22: Connection refused",
            "",
        ] {
            assert_eq!(unreachable(Some("h1"), said), None, "{said}");
        }
    }
}
