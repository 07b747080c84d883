//! Flags of `docker run` that a config gives as they are. Refuses those that gordon gives itself, and those that have a key.

use super::Setting;
use crate::name::visible;
use crate::spec::ValueError;

/// Flags that take no value.
const SWITCHES: [&str; 6] = [
    "--disable-content-trust",
    "--interactive",
    "--oom-kill-disable",
    "--privileged",
    "--tty",
    "--use-api-socket",
];

/// Flags that gordon gives itself or cannot work with, and the way out.
const OWN: [(&[&str], &str); 11] = [
    (
        &[
            "--name",
            "--network",
            "--net",
            "--network-alias",
            "--net-alias",
            "--ip",
            "--ip6",
            "--link",
            "--link-local-ip",
        ],
        "names and networks follow from `routes`, `attachments` and `network_groups`",
    ),
    (
        &["--detach", "--detach-keys", "--attach", "--sig-proxy", "--rm", "--cidfile", "--quiet", "--help"],
        "gordon runs containers in the background, and removes them itself",
    ),
    (&["--restart"], "write `restart`"),
    (&["--pull"], "`pull` in `[deploy]` says when images are pulled"),
    (&["--entrypoint"], "write `entrypoint`"),
    (&["--env"], "write `environment`"),
    (&["--env-file"], "write `env_file`"),
    (&["--volume", "--mount", "--volumes-from", "--volume-driver"], "write `volumes`, or `tmpfs`"),
    (&["--publish", "--publish-all"], "write `ports`"),
    (
        &[
            "--health-cmd",
            "--health-interval",
            "--health-timeout",
            "--health-retries",
            "--health-start-period",
            "--health-start-interval",
            "--no-healthcheck",
        ],
        "write `health`",
    ),
    (&["--label-file"], "write `labels`"),
];

/// One flag in one word, `--flag` or `--flag=value`.
pub(super) fn check(text: &str) -> Result<String, ValueError> {
    let shown = visible(text);
    let wrong = |why: &str, hint: String| Err(ValueError::new(format!("`{shown}` {why}"), hint));
    let (flag, value) = text.split_once('=').map_or((text, None), |(flag, value)| (flag, Some(value)));
    if let Some((flag, value)) = flag.split_once(char::is_whitespace) {
        return wrong(
            "is more than one word",
            format!("write `{}={}`", visible(flag), visible(value.trim())),
        );
    }
    let name = flag.strip_prefix("--").unwrap_or_default();
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
        let hint = "as in `--pids-limit=200`: the long form, with the value in the same word";
        return wrong("is no flag of `docker run`", hint.to_owned());
    }
    if let Some(setting) = Setting::of_flag(flag) {
        return wrong(
            "has a key of its own",
            format!("write `{}`, as in `{0} = {}`", setting.key, setting.example),
        );
    }
    if let Some((_, way_out)) = OWN.iter().find(|(flags, _)| flags.contains(&flag)) {
        return wrong("is not for `options`", (*way_out).to_owned());
    }
    if value.is_none() && !SWITCHES.contains(&flag) {
        return wrong("has no value", format!("write `{flag}=VALUE` in one word, or `{flag}=true`"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::SETTINGS;

    #[test]
    fn a_flag_that_gordon_gives_itself_or_that_has_a_key_is_refused_with_the_way_out() {
        for (flag, way_out) in [
            ("--name=x", "`routes`"),
            ("--network=host", "`network_groups`"),
            ("--net=host", "`network_groups`"),
            ("--network-alias=x", "`network_groups`"),
            ("--ip=10.0.0.2", "`network_groups`"),
            ("--link=db", "`attachments`"),
            ("--detach", "in the background"),
            ("--rm", "removes them itself"),
            ("--help", "itself"),
            ("--cidfile=x", "itself"),
            ("--restart=always", "`restart`"),
            ("--pull=always", "`[deploy]`"),
            ("--entrypoint=sh", "`entrypoint`"),
            ("--env=A=1", "`environment`"),
            ("--env-file=x", "`env_file`"),
            ("--volume=a:/a", "`volumes`"),
            ("--mount=type=tmpfs", "`tmpfs`"),
            ("--publish=80:80", "`ports`"),
            ("--no-healthcheck", "`health`"),
            ("--health-cmd=true", "`health`"),
            ("--label-file=x", "`labels`"),
            ("--label=gordon.project=x", "`labels"),
            ("--memory=1g", "`memory = \"512m\"`"),
            ("--memory 1g", "`--memory=1g`"),
            ("--log-opt=max-size=1m", "`log"),
            ("-v", "the long form"),
            ("--pid", "`--pid=VALUE`"),
            ("host", "in the same word"),
            ("", "the long form"),
            ("--", "the long form"),
        ] {
            let error = check(flag).expect_err(flag);
            assert!(error.hint().contains(way_out), "{flag}: {}", error.hint());
        }
        let of_settings = SETTINGS.iter().map(|setting| setting.flag).filter(|flag| !flag.is_empty());
        for flag in of_settings {
            assert!(check(&format!("{flag}=x")).is_err(), "{flag}");
        }
    }

    #[test]
    fn any_other_flag_is_docker_s_business() {
        for flag in [
            "--pid=host",
            "--privileged",
            "--tty",
            "--dns=1.1.1.1",
            "--memory-swap=1g",
            "--hostname=a",
            "--x=",
            "--annotation=a=b c",
        ] {
            assert_eq!(check(flag), Ok(flag.to_owned()));
        }
    }
}
