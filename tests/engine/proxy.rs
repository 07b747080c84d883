//! One proxy for all projects of the host: every test has it for itself, on high ports.

use serde_json::Value;
use serde_json::json;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;
use support::Project;
use support::Run;
use support::docker;
use support::eventually;
use support::private_engine::on_private_engine;
use support::run;

/// A project with an app `web` that answers `body` for `hosts`.
fn config(name: &str, hosts: &str, body: &str, proxy: &str) -> String {
    format!(
        "name: {name}\nproxy: {{ http_port: 18080, https_port: 18443, {proxy} }}\napps:\n  \
         web: {{ image: 'web:1', environment: {{ BODY: {body} }}, proxy: {{ hosts: [{hosts}], app_port: 3000 }} }}\n"
    )
}

fn project(name: &str, hosts: &str, body: &str) -> Project {
    Project::new(name, &[("gordon.yaml", &config(name, hosts, body, "tls: 'off'"))])
}

/// What the proxy answers for `host`.
fn get(host: &str) -> Run {
    let header = format!("Host: {host}");
    run(Command::new("curl").args([
        "-s",
        "-m",
        "10",
        "-w",
        "\n%{http_code}",
        "-H",
        &header,
        "http://127.0.0.1:18080/",
    ]))
}

#[track_caller]
fn serves(host: &str, body: &str) {
    let answer = get(host);
    assert!(answer.stdout.contains(body) && answer.stdout.ends_with("\n200"), "{host}: {answer:?}");
}

/// The proxy says in one line that no app has this host.
#[track_caller]
fn leads_nowhere(host: &str) {
    assert_eq!(get(host).stdout, "no app has this host\n404", "{host}");
}

/// Whether an apply says at its end that a visitor gets 200 at this address.
fn says_served(applied: &Run, url: &str) -> bool {
    let status = format!("{url} → 200 in ");
    applied.stderr.lines().any(|line| line.starts_with(&status))
}

/// Whether the proxy's Caddy is older than 2.7: it knows some of its settings not.
fn is_old_caddy() -> bool {
    docker(["exec", "gordon-proxy", "caddy", "version"]).stdout.trim_start_matches('v').starts_with("2.6")
}

/// The proxy again serves, after something happened to it.
fn eventually_leads(host: &str, body: &str) {
    eventually(&format!("{host} serves {body}"), || get(host).stdout.contains(body));
}

fn routes_files() -> String {
    docker(["exec", "gordon-proxy", "sh", "-c", "cat /config/gordon/*.caddy"]).stdout
}

#[test]
fn the_proxies_of_a_docker_client_reach_nothing_of_gordon_s() {
    on_private_engine(the_proxies_of_a_docker_client_reach_nothing_of_gordon_s, || {
        let project = Project::new("gtest-pxclient", &[]);
        let config = config("gtest-pxclient", "client.test", "direct", "tls: 'off'");
        let config = config.replace("web: {", "web: { health: { path: /up },");
        project.write("gordon.yaml", &format!("{config}deploy: {{ health_timeout: 20s }}\n"));
        let proxies =
            json!({ "httpProxy": "http://192.0.2.77:3128", "httpsProxy": "http://192.0.2.77:3128" });
        let client = json!({ "proxies": { "default": proxies } }).to_string();
        project.write("client/config.json", &client);
        let folder = project.folder().join("client");
        run(project.command(&["apply", "--yes"]).env("DOCKER_CONFIG", folder)).success();
        serves("client.test", "direct");
        let env = |name| docker(["inspect", "--format", "{{json .Config.Env}}", name]).success().stdout;
        assert!(!env("gordon-proxy").contains("192.0.2.77"), "{}", env("gordon-proxy"));
        assert!(env("gtest-pxclient-web-green").contains("192.0.2.77"), "an app has what its user wants");
    });
}

#[test]
fn two_projects_with_an_app_of_one_name_share_a_proxy_to_the_last() {
    on_private_engine(two_projects_with_an_app_of_one_name_share_a_proxy_to_the_last, || {
        let one = project("gtest-pxone", "one.test, alias.test", "first");
        let two = project("gtest-pxtwo", "two.test", "second");
        one.apply();
        serves("one.test", "first");
        serves("ALIAS.test", "first");
        let id = docker(["inspect", "--format", "{{.Id}}", "gordon-proxy"]).success().stdout;
        two.apply();
        for _ in 0..20 {
            serves("one.test", "first");
            serves("two.test", "second");
        }
        one.is_settled();
        two.is_settled();
        assert_eq!(
            docker(["inspect", "--format", "{{.Id}}", "gordon-proxy"]).stdout,
            id,
            "it is the same proxy"
        );
        let status = two.gordon(&["status", "--json"]).success().stdout;
        let proxy = serde_json::from_str::<Value>(&status).expect("JSON")["proxy"].clone();
        assert_eq!((&proxy["routes"], &proxy["maker"]), (&json!("current"), &json!("gtest-pxone")));
        assert_eq!(
            (&proxy["ports"], &proxy["container"]["state"]),
            (&json!([18080, 18443]), &json!("running"))
        );

        // the container starts anew
        docker(["restart", "-t", "5", "gordon-proxy"]).success();
        eventually_leads("one.test", "first");
        serves("two.test", "second");
        one.is_settled();

        // it was paused by hand
        docker(["pause", "gordon-proxy"]).success();
        assert!(two.gordon(&["plan", "--exit-code"]).ended(3).stdout.contains("docker unpause gordon-proxy"));
        let status = two.gordon(&["status"]).ended(1).stdout;
        assert!(status.contains("paused"), "{status}");
        two.apply();
        serves("one.test", "first");
        serves("two.test", "second");
        one.is_settled();
        two.is_settled();

        // it is gone: the next apply brings back the routes of all projects
        docker(["rm", "--force", "gordon-proxy"]).success();
        two.apply();
        eventually_leads("one.test", "first");
        serves("two.test", "second");
        one.is_settled();
        two.is_settled();

        // a host belongs to one project, however it is written
        let three = project("gtest-pxthree", "three.test, one.test", "third");
        let refused = three.gordon(&["apply", "--yes"]).ended(1);
        assert!(
            refused.stderr.contains("`one.test` is routed by project `gtest-pxone` already"),
            "{}",
            refused.stderr
        );
        // so are the ports: they are those of the project that made the proxy, and that is still there
        let other = config("gtest-pxthree", "three.test", "third", "tls: 'off'").replace("18080", "18081");
        three.write("gordon.yaml", &other);
        let refused = three.gordon(&["apply", "--yes"]).ended(1);
        assert!(refused.stderr.contains("that of project `gtest-pxtwo`"), "{}", refused.stderr);
        assert!(three.ids().is_empty(), "nothing was done");

        // of a project that goes, the routes go; the last one takes the proxy along, and no certificates
        one.gordon(&["down", "--yes"]).success();
        assert!(one.list("network").is_empty(), "the proxy left the network");
        assert!(!routes_files().contains("one.test"));
        serves("two.test", "second");
        two.gordon(&["down", "--yes"]).success();
        let left = docker(["ps", "--all", "--filter", "name=gordon-proxy", "--format", "{{.Names}}"]).stdout;
        // other tests may run projects of their own meanwhile: then it stays, without routes
        if left.is_empty() {
            let networks = docker(["network", "ls", "--format", "{{.Name}}"]).stdout;
            assert!(!networks.contains("0-gordon-proxy"), "{networks}");
        } else {
            assert_eq!(routes_files(), "");
        }
        let volumes = docker(["volume", "ls", "--format", "{{.Name}}"]).stdout;
        assert!(volumes.contains("gordon-proxy-data"), "{volumes}");
    });
}

#[test]
fn of_two_first_deploys_at_once_one_waits_for_the_other_and_both_are_routed() {
    on_private_engine(of_two_first_deploys_at_once_one_waits_for_the_other_and_both_are_routed, || {
        let projects = ["one", "two"].map(|name| {
            project(&format!("gtest-pxboth{name}"), &format!("{name}.test"), &format!("body-{name}"))
        });
        let applies = projects.each_ref().map(|project| {
            let mut apply = project.command(&["apply", "--yes"]);
            apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts")
        });
        for apply in applies {
            let output = apply.wait_with_output().expect("it ends");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        for (project, name) in projects.iter().zip(["one", "two"]) {
            serves(&format!("{name}.test"), &format!("body-{name}"));
            project.is_settled();
        }
    });
}

/// The lock of the proxy, held on another machine, so that it is not known whether its holder still runs.
fn ada_has_the_lock() {
    let empty = "head -c 1024 /dev/zero | docker import - gordon/lock:1";
    run(Command::new("sh").args(["-c", empty])).success();
    let labels = ["gordon.kind=lock", "gordon.lock.user=ada", "gordon.lock.host=far"];
    let labels = labels.iter().flat_map(|label| ["--label", label]);
    let create = ["create", "--name", "gordon-lock-gordon-proxy"];
    let words: Vec<&str> = create.into_iter().chain(labels).chain(["gordon/lock:1", "lock"]).collect();
    run(Command::new("docker").args(words)).success();
}

/// A process that does not outlive its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // it may have ended
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An apply that waits for Ada, and what it says from then on.
fn waits_for_ada(project: &Project) -> (Running, impl Iterator<Item = String>) {
    let mut apply = project.command(&["apply", "--yes"]);
    let apply = apply.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut apply = Running(apply);
    let stderr = apply.0.stderr.take().expect("it is a pipe");
    let mut lines = BufReader::new(stderr).lines().map(|line| line.expect("text"));
    let waits = "waiting for another gordon, at work on the proxy of all projects: `ada` on `far`";
    assert!(lines.any(|line| line.starts_with(waits)), "it says for whom it waits");
    (apply, lines)
}

#[test]
fn who_works_on_the_proxy_is_waited_for_until_his_lock_is_taken_away() {
    on_private_engine(who_works_on_the_proxy_is_waited_for_until_his_lock_is_taken_away, || {
        let one = project("gtest-pxlock", "one.test", "first");
        ada_has_the_lock();
        let (mut apply, rest) = waits_for_ada(&one);
        let own = one.gordon(&["unlock", "--yes"]).success();
        assert!(!own.stderr.contains("ada"), "that is the lock of the project: {}", own.stderr);
        let unlock = one.gordon(&["unlock", "--proxy", "--yes"]).success();
        assert!(unlock.stderr.contains("the lock of the proxy of all projects is taken away from `ada`"));
        let rest: Vec<String> = rest.collect();
        assert!(apply.0.wait().expect("it ends").success(), "{rest:#?}");
        serves("one.test", "first");
    });
}

#[test]
fn ctrl_c_ends_the_wait_for_the_proxy() {
    on_private_engine(ctrl_c_ends_the_wait_for_the_proxy, || {
        let one = project("gtest-pxctrlc", "one.test", "first");
        ada_has_the_lock();
        let (mut apply, _rest) = waits_for_ada(&one);
        run(Command::new("kill").args(["-INT", &apply.0.id().to_string()])).success();
        assert_eq!(apply.0.wait().expect("it ends").code(), Some(130));
        assert!(one.ids().is_empty(), "nothing was done");
        let locks = docker(["ps", "--all", "--filter", "name=gordon-lock-", "--format", "{{.Names}}"]).stdout;
        assert!(!locks.contains("gtest-pxctrlc"), "its own lock is given back: {locks}");
    });
}

#[test]
fn what_the_proxy_refuses_leaves_the_old_routes_in_place() {
    on_private_engine(what_the_proxy_refuses_leaves_the_old_routes_in_place, || {
        let one = project("gtest-pxbad", "one.test", "first");
        one.apply();
        let before = routes_files();
        // a file of no project makes the whole invalid
        let broken = "printf 'broken {\n\tno_such_thing\n}\n' >/config/gordon/_broken.caddy";
        docker(["exec", "gordon-proxy", "sh", "-c", broken]).success();
        one.write("gordon.yaml", &config("gtest-pxbad", "one.test, more.test", "first", "tls: 'off'"));
        let failed = one.gordon(&["apply", "--yes"]).ended(1);
        assert!(failed.stderr.contains("no_such_thing"), "Caddy's own words: {}", failed.stderr);
        serves("one.test", "first");
        leads_nowhere("more.test");
        docker(["exec", "gordon-proxy", "rm", "/config/gordon/_broken.caddy"]).success();
        assert_eq!(routes_files(), before);
        one.apply();
        serves("more.test", "first");
        // a release that listens elsewhere than at its route's port never serves
        let elsewhere = config("gtest-pxbad", "one.test, more.test", "second", "tls: 'off'");
        let elsewhere = elsewhere.replace("3000", "3999") + "deploy: { health_timeout: 2s }\n";
        one.write("gordon.yaml", &elsewhere);
        let script = run(&mut one.script(&[])).ended(1);
        let failed = one.gordon(&["apply", "--yes"]).ended(1);
        for said in [&script.stderr, &failed.stderr] {
            assert!(said.contains("nothing listens on port 3999: dial tcp"), "{said}");
        }
        assert!(failed.stderr.contains("it listens on port 3000: write `port = 3000`"), "{}", failed.stderr);
        serves("more.test", "first");
        one.write("gordon.yaml", &config("gtest-pxbad", "more.test", "first", "tls: 'off'"));
        one.apply();
        leads_nowhere("one.test");
        one.write("gordon.yaml", "name: gtest-pxbad\nproxy: { enabled: false }\napps:\n  web: { image: 'web:1', environment: { BODY: first } }\n");
        one.apply();
        assert_eq!(routes_files(), "");
        one.is_settled();
    });
}

#[test]
fn a_script_brings_the_proxy_up_and_does_nothing_the_second_time() {
    on_private_engine(a_script_brings_the_proxy_up_and_does_nothing_the_second_time, || {
        let one = project("gtest-pxscript", "one.test", "first");
        let first = run(&mut one.script(&["--offline"])).success();
        assert!(!first.stderr.contains("done: 0"), "{}", first.stderr);
        serves("one.test", "first");
        let second = run(&mut one.run_script()).success();
        assert!(second.stderr.contains("done: 0 of"), "{}", second.stderr);
        one.is_settled();
    });
}

#[test]
fn a_proxy_that_lost_its_set_up_says_so_and_the_next_apply_writes_it_anew() {
    on_private_engine(a_proxy_that_lost_its_set_up_says_so_and_the_next_apply_writes_it_anew, || {
        let one = project("gtest-pxsetup", "one.test", "first");
        one.apply();
        let command =
            docker(["inspect", "--format", "{{json .Config.Cmd}}", "gordon-proxy"]).success().stdout;
        assert!(command.starts_with("[\"/config/start-") && command.len() < 40, "{command}");
        docker(["exec", "gordon-proxy", "sh", "-c", "rm -r /config/start-* /config/gordon"]).success();
        docker(["restart", "-t", "5", "gordon-proxy"]).success();
        // docker's pauses grow with each restart: from here on it is seen in one
        let state = ["inspect", "--format", "{{.State.Status}} {{.RestartCount}}", "gordon-proxy"];
        eventually("docker restarts it over and over", || docker(state).stdout.trim() == "restarting 6");
        let logs = docker(["logs", "--tail", "3", "gordon-proxy"]);
        let said = logs.stdout + &logs.stderr;
        assert!(said.contains("/config/start-"), "{said}");
        // in the moment in which it runs, it looks well
        eventually("an apply mends it", || one.gordon(&["apply", "--yes"]).status == 0);
        eventually_leads("one.test", "first");
        one.is_settled();

        docker(["rm", "--force", "gordon-proxy"]).success();
        docker(["volume", "rm", "gordon-proxy-config"]).success();
        one.apply();
        eventually_leads("one.test", "first");
        one.is_settled();
    });
}

#[test]
fn an_apply_says_what_a_visitor_gets() {
    on_private_engine(an_apply_says_what_a_visitor_gets, || {
        let hosts: Vec<String> = (10..32).map(|number| format!("h{number}.test")).collect();
        let one = project("gtest-pxserved", &hosts.join(", "), "first");
        let applied = one.apply();
        assert!(says_served(&applied, "http://h10.test:18080"), "{}", applied.stderr);
        assert!(applied.stderr.ends_with("\nand 12 more answer\n"), "{}", applied.stderr);
        let again = one.apply();
        assert!(!again.stderr.contains(" → "), "nothing was done: {}", again.stderr);
        let left = docker(["exec", "gordon-proxy", "sh", "-c", "ls /tmp; ps | grep -c '[c]addy'"]).stdout;
        assert_eq!(left, "1\n", "nothing of the question is left in the proxy");
    });
}

#[test]
fn with_its_own_authority_it_answers_https() {
    on_private_engine(with_its_own_authority_it_answers_https, || {
        let one = Project::new(
            "gtest-pxtls",
            &[("gordon.yaml", &config("gtest-pxtls", "one.test", "first", "tls: internal"))],
        );
        let applied = one.apply();
        assert!(says_served(&applied, "https://one.test:18443"), "{}", applied.stderr);
        let ask = |url: &str, words: &[&str]| {
            let to = ["one.test:18443:127.0.0.1", "none.test:18443:127.0.0.1"];
            run(Command::new("curl")
                .args(["-s", "-m", "10", "--resolve", to[0], "--resolve", to[1], url])
                .args(words))
        };
        let https = |words: &[&str]| ask("https://one.test:18443/", words);
        eventually("https answers", || https(&["-k"]).stdout.contains("first"));
        assert_ne!(https(&[]).status, 0, "no other authority is trusted");
        if !is_old_caddy() {
            let unknown = ask("https://none.test:18443/", &["-k", "-w", "\n%{http_code}"]);
            assert_eq!(unknown.stdout, "no app has this host\n404");
        }
        let root =
            docker(["exec", "gordon-proxy", "cat", "/data/caddy/pki/authorities/local/root.crt"]).success();
        one.write("root.crt", &root.stdout);
        let path = one.folder().join("root.crt");
        let answer = https(&["--cacert", &path.display().to_string()]);
        assert!(answer.stdout.contains("first"), "{answer:?}");
        let to = ["--resolve", "one.test:18080:127.0.0.1", "-w", "%{http_code} %{redirect_url}"];
        let redirect = ask("http://one.test:18080/x?y", &to);
        assert_eq!(redirect.stdout, "308 https://one.test:18443/x?y");
        let log = docker(["logs", "gordon-proxy"]).stderr;
        assert!(!log.contains(r#""level":"error""#), "{log}");
    });
}

/// What a proxy does every day, in the words of a config; `MORE` is for other routes.
const WORDS: &str = "name: gtest-pxwords
deploy: { drain: 1s }
proxy:
  http_port: 18080
  https_port: 18443
  tls: internal
  access_log: true
  trusted_proxies: private_ranges
  snippet: |
    grace_period 7s
routes:
  one.test:
    image: 'web:1'
    port: 3000
    environment: { BODY: first }
    domains: [two.test]
    redirect_from: www.one.test
    snippet: |
      header X-Snippet yes
      handle /own {
        respond own
      }
  plain.test:
    image: 'web:1'
    port: 3000
    environment: { BODY: plain }
    tls: false
    compress: false
    access_log: false
MORE";

/// Asks the proxy as a visitor would ask, with more words for curl.
fn visit(url: &str, words: &[&str]) -> Run {
    let curl =
        ["-s", "-k", "-m", "10", "--connect-to", "::127.0.0.1:", "-w", "\n%{http_code} %{redirect_url}"];
    run(Command::new("curl").args(curl).arg(url).args(words))
}

/// Asks one.test as a visitor that speaks HTTP/3 alone: another Caddy, on this machine's network.
fn over_http3(path: &str) -> Run {
    let url = format!("http://127.0.0.1:18999{path}");
    run(Command::new("curl").args(["-s", "-m", "5", "-w", " %{http_code}", &url]))
}

fn speaks_http3() {
    let advertised = visit("https://one.test:18443/", &["-D", "-", "-o", "/dev/null"]).stdout.to_lowercase();
    assert!(advertised.contains("alt-svc: h3=\":18443\""), "{advertised}");
    let client = "{\n admin off\n auto_https off\n}\nhttp://127.0.0.1:18999 {\n reverse_proxy https://127.0.0.1:18443 {\n  \
                  header_up Host one.test\n  transport http {\n   versions 3\n   tls_insecure_skip_verify\n   \
                  tls_server_name one.test\n  }\n }\n}\n";
    let words =
        ["run", "--detach", "--name", "h3", "--network", "host", "--entrypoint", "sh", "caddy:2", "-c"];
    let start = "printf %s \"$0\" >/tmp/c && exec caddy run --adapter caddyfile --config /tmp/c";
    run(Command::new("docker").args(words).args([start, client])).success();
    eventually("an answer over HTTP/3", || over_http3("/headers").stdout.contains("Host: one.test"));
    let log = docker(["logs", "gordon-proxy"]).success().stdout;
    assert!(log.contains(r#""proto":"HTTP/3.0""#), "{log}");
}

#[test]
fn each_everyday_word_does_what_it_says() {
    on_private_engine(each_everyday_word_does_what_it_says, || {
        let config = |more: &str| WORDS.replace("MORE", more);
        let one = Project::new("gtest-pxwords", &[("gordon.yaml", &config(""))]);
        let applied = one.apply();
        for url in ["https://one.test:18443", "https://two.test:18443", "http://plain.test:18080"] {
            assert!(says_served(&applied, url), "{url}: {}", applied.stderr);
        }
        // domains, and HTTP alone
        for url in ["https://one.test:18443/", "https://two.test:18443/"] {
            let answer = visit(url, &[]).success().stdout;
            assert!(answer.contains("first") && answer.ends_with("\n200 "), "{url}: {answer}");
        }
        let plain = visit("http://plain.test:18080/", &[]).success().stdout;
        assert!(plain.contains("plain") && plain.ends_with("\n200 "), "{plain}");
        // redirects keep path and query, and have a certificate
        let to = "\n308 https://one.test:18443/x?y=z";
        for url in ["https://www.one.test:18443/x?y=z", "http://www.one.test:18080/x?y=z"] {
            assert!(visit(url, &[]).success().stdout.ends_with(to), "{url}");
        }
        let own = visit("https://one.test:18443/own", &["-i"]).success().stdout.to_lowercase();
        let own = own.replace('\r', "");
        assert!(own.contains("\nx-snippet: yes") && own.contains("\n\nown\n200"), "{own}");
        // text is compressed, and an event comes at once
        let pad = format!("X-Pad: {}", "x".repeat(2000));
        for (url, is_compressed) in
            [("https://one.test:18443/headers", true), ("http://plain.test:18080/headers", false)]
        {
            let head = visit(url, &["-H", "Accept-Encoding: gzip", "-H", &pad, "-o", "/dev/null", "-D", "-"]);
            let is_gzip = head.stdout.to_lowercase().contains("content-encoding: gzip");
            assert_eq!(is_gzip, is_compressed, "{}", head.stdout);
        }
        let events = ["-m", "2", "-N", "--compressed"];
        let begun = visit("https://one.test:18443/events?seconds=5", &events).stdout;
        assert!(begun.starts_with("data: first\n"), "an event comes before the end: {begun}");
        // what a proxy before it says of its client is believed, as far as that one knew it
        let before = "X-Forwarded-For: 198.51.100.66, 203.0.113.9";
        let told = visit("https://one.test:18443/headers", &["-H", before]).success().stdout;
        assert!(
            told.contains("X-Real-Ip: 203.0.113.9\n") || told.contains("X-Real-IP: 203.0.113.9\n"),
            "{told}"
        );
        assert!(told.contains(&format!("{before}, ")), "{told}");
        // words for all sites are there
        let its = docker(["exec", "gordon-proxy", "wget", "-q", "-O", "-", "http://127.0.0.1:2019/config/"]);
        assert!(its.stdout.contains(r#""grace_period":7000000000"#), "{its:?}");
        speaks_http3();
        // each request has a line in the log, which is limited
        let log = docker(["logs", "gordon-proxy"]).success().stdout;
        let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let hosts: Vec<_> = lines.iter().map(|line| &line["request"]["host"]).collect();
        assert!(hosts.contains(&&json!("one.test:18443")), "{hosts:?}");
        assert!(!log.contains("plain.test"), "{log}");
        let options = ["inspect", "--format", "{{json .HostConfig.LogConfig.Config}}", "gordon-proxy"];
        assert!(docker(options).stdout.contains("max-size"), "{}", docker(options).stdout);
        one.is_settled();

        // what Caddy refuses changes nothing, and is found in the config
        for (snippet, hint) in [
            ("respon ok", "it is in the `snippet` of `three.test`"),
            (r"@a remote_ip b\nrespond @a b", "it may be in the `snippet` of `one.test` or `three.test`"),
        ] {
            let more = format!("  three.test: {{ image: 'web:1', port: 3000, snippet: \"{snippet}\" }}\n");
            one.write("gordon.yaml", &config(&more));
            let failed = one.gordon(&["apply", "--yes"]).ended(1).stderr;
            assert!(failed.contains("respon") || failed.contains("remote_ip"), "Caddy's own words: {failed}");
            assert!(failed.contains(hint), "{failed}");
            assert!(visit("https://one.test:18443/", &[]).stdout.contains("first"));
        }
        // nor is a proxy replaced by one that Caddy refuses
        let id = docker(["inspect", "--format", "{{.Id}}", "gordon-proxy"]).success().stdout;
        one.write("gordon.yaml", &config("").replace("grace_period 7s", "no_such_option"));
        let failed = one.gordon(&["apply", "--yes"]).ended(1).stderr;
        assert!(
            failed.contains("no_such_option") && failed.contains("in the `snippet` of `[proxy]`"),
            "{failed}"
        );
        assert_eq!(docker(["inspect", "--format", "{{.Id}}", "gordon-proxy"]).success().stdout, id);
        // a change of words is told, and a reload
        let changed = config("").replace("access_log: true", "compress: false").replace("[two.test]", "[]");
        one.write("gordon.yaml", &changed);
        let plan = one.gordon(&["plan"]).success().stdout;
        assert!(plan.contains("→ gtest-pxwords-one.test:3000; other access_log, compress"), "{plan}");
        assert!(!plan.contains("INTERRUPTED"), "{plan}");
        // with a new release, which costs none of those over HTTP/3 anything
        one.write("gordon.yaml", &changed.replace("BODY: first", "BODY: second"));
        let mut script = one.script(&[]);
        let (done, lost) = (AtomicBool::new(false), Mutex::new(Vec::new()));
        let asked = std::thread::scope(|scope| {
            let asks = scope.spawn(|| {
                let mut asked = 0;
                while !done.load(Ordering::SeqCst) {
                    let answer = over_http3("/");
                    asked += 1;
                    if !answer.stdout.ends_with(" 200") {
                        lost.lock().expect("no panic").push(answer);
                    }
                }
                asked
            });
            run(&mut script).success();
            done.store(true, Ordering::SeqCst);
            asks.join().expect("it asks to the end")
        });
        let lost = lost.into_inner().expect("no panic");
        assert!(lost.is_empty() && asked > 10, "{} of {asked}: {lost:?}", lost.len());
        assert!(over_http3("/").stdout.contains("second"));
        let gone = visit("https://two.test:18443/", &[]);
        assert!(!gone.stdout.contains("first"), "{gone:?}");
        one.is_settled();
    });
}

#[test]
fn an_app_takes_the_address_of_its_client_from_the_proxy_alone() {
    on_private_engine(an_app_takes_the_address_of_its_client_from_the_proxy_alone, || {
        let one = project("gtest-pxclient", "one.test", "first");
        one.apply();
        let mut curl = Command::new("curl");
        curl.args(["-s", "-m", "10", "-H", "Host: one.test", "http://127.0.0.1:18080/headers"]);
        for header in ["X-Real-IP: 203.0.113.9", "X-Forwarded-For: 203.0.113.9", "Forwarded: for=203.0.113.9"]
        {
            curl.args(["-H", header]);
        }
        let headers = run(&mut curl).success().stdout;
        assert!(headers.to_lowercase().contains("x-real-ip:"), "{headers}");
        assert!(!headers.contains("203.0.113.9"), "{headers}");
    });
}

/// An app whose connections become others, as those of websockets do: it sends back each line.
const ECHO: &str = r#"
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip(): pass
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n")
        for line in self.rfile: self.wfile.write(line)
class Server(socketserver.ThreadingTCPServer): daemon_threads = True
Server(("", 3000), Echo).serve_forever()
"#;

#[test]
fn a_websocket_lives_on_when_routes_change() {
    on_private_engine(a_websocket_lives_on_when_routes_change, || {
        let config = |hosts: &str| {
            let entrypoint = format!("entrypoint: [python3, -c, {}], environment", json!(ECHO));
            config("gtest-pxsocket", hosts, "none", "tls: 'off'").replace("environment", &entrypoint)
        };
        let one = Project::new("gtest-pxsocket", &[("gordon.yaml", &config("one.test"))]);
        one.apply();
        if is_old_caddy() {
            return;
        }
        let mut socket = TcpStream::connect("127.0.0.1:18080").expect("the proxy");
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time");
        let request = "GET / HTTP/1.1\r\nHost: one.test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
        socket.write_all(request.as_bytes()).expect("it takes a request");
        let mut lines = BufReader::new(socket.try_clone().expect("a socket")).lines();
        let mut head = lines.by_ref().map(|line| line.expect("a line")).take_while(|line| !line.is_empty());
        assert_eq!(head.next().as_deref(), Some("HTTP/1.1 101 Switching Protocols"));
        head.for_each(drop);
        let mut echoes = |word: &str| {
            writeln!(socket, "{word}").expect("it is open");
            assert_eq!(lines.next().expect("it is open").expect("a line"), word);
        };
        echoes("before");
        one.write("gordon.yaml", &config("one.test, two.test"));
        one.apply();
        echoes("after");
    });
}

#[test]
fn a_route_on_which_nothing_accepts_connections_is_not_put() {
    on_private_engine(a_route_on_which_nothing_accepts_connections_is_not_put, || {
        let name = "gtest-pxrefused";
        let own = ECHO.replace("101 Switching Protocols", "502 Bad Gateway");
        let text = config(name, "one.test", "first", "tls: 'off'")
            + &format!(
                "  own: {{ image: 'web:1', entrypoint: [python3, -c, {}], proxy: {{ hosts: [own.test] }} }}\n",
                json!(own)
            );
        let one = Project::new(name, &[("gordon.yaml", &text)]);
        one.apply();
        serves("one.test", "first");
        assert!(get("own.test").stdout.ends_with("502"), "that is the app's own answer");
        let elsewhere = text.replace("app_port: 3000", "app_port: 3001") + "deploy: { health_timeout: 2s }\n";
        one.write("gordon.yaml", &elsewhere);
        for _ in 0..2 {
            let failed = one.gordon(&["apply", "--yes"]).ended(1);
            let at = "one.test: nothing accepts connections at gtest-pxrefused-web-green.gtest-pxrefused-network.:3001";
            assert!(failed.stderr.contains(at), "{}", failed.stderr);
            assert!(failed.stderr.contains("another port, or 127.0.0.1 only?"), "{}", failed.stderr);
            serves("one.test", "first");
        }
        assert!(run(&mut one.script(&[])).ended(1).stderr.contains("nothing accepts connections"));
        serves("one.test", "first");
    });
}

/// Hosts that a proxy's own language could take for something else.
const HOSTS: [&str; 16] = [
    "import",
    "respond",
    "handle",
    "tls",
    "log",
    "http",
    "https",
    "localhost",
    "server",
    "default",
    "true",
    "0",
    "10",
    "1e3.test",
    "a--b.test",
    "xn--bcher-kva.test",
];

#[test]
fn caddy_takes_every_host_for_a_host() {
    on_private_engine(caddy_takes_every_host_for_a_host, || {
        let long = [&*"a".repeat(63), &*"b".repeat(63), &*"c".repeat(63), "test"].join(".");
        let hosts =
            HOSTS.iter().map(|host| format!("'{host}'")).chain([long.clone()]).collect::<Vec<_>>().join(", ");
        let one = project("gtest-pxhosts", &hosts, "first");
        one.apply();
        for host in HOSTS.iter().copied().chain([&*long]) {
            serves(host, "first");
        }
        for tls in ["auto", "internal"] {
            one.write("gordon.yaml", &config("gtest-pxhosts", &hosts, "first", &format!("tls: {tls}")));
            let text = one.gordon(&["routes", "--format", "caddy"]).success().stdout;
            one.write("Caddyfile", &text);
            docker([
                "cp",
                &one.folder().join("Caddyfile").display().to_string(),
                "gordon-proxy:/tmp/Caddyfile",
            ])
            .success();
            let adapted = docker(["exec", "gordon-proxy", "caddy", "adapt", "--config", "/tmp/Caddyfile"])
                .success()
                .stdout;
            for host in HOSTS.iter().copied().chain([&*long]) {
                assert!(adapted.contains(&format!("{host:?}")), "{tls} {host}: {adapted}");
            }
        }
    });
}

#[test]
fn a_port_in_use_is_refused_before_anything_is_made() {
    on_private_engine(a_port_in_use_is_refused_before_anything_is_made, || {
        let squatter = std::net::TcpListener::bind("0.0.0.0:18080").expect("the port is free");
        let one = project("gtest-pxport", "one.test", "first");
        let refused = one.gordon(&["apply", "--yes"]).ended(1);
        let why = format!("(process {})", std::process::id());
        assert!(refused.stderr.contains("18080") && refused.stderr.contains(&why), "{}", refused.stderr);
        assert!(one.ids().is_empty() && one.list("network").is_empty(), "{:?}", one.ids());
        drop(squatter);
        one.apply();
        serves("one.test", "first");
    });
}

#[test]
fn the_proxy_asks_a_new_release_before_it_leads_there() {
    on_private_engine(the_proxy_asks_a_new_release_before_it_leads_there, || {
        let name = "gtest-pxpath";
        let config = |body: &str, status: u16| {
            config(name, "one.test", body, "tls: 'off'").replace(
                "environment: {",
                &format!("stop_signal: SIGKILL, health_check: {{ path: /up }}, environment: {{ HEALTH_STATUS: '{status}', "),
            ) + "deploy: { drain: 10m, health_timeout: 6s }\n"
        };
        let one = Project::new(name, &[("gordon.yaml", &config("first", 200))]);
        one.apply();
        serves("one.test", "first");
        let before = one.ids();
        one.write("gordon.yaml", &config("sick", 500));
        let failed = one.gordon(&["apply", "--yes"]).ended(1);
        assert!(failed.stderr.contains("500 Internal Server Error"), "{}", failed.stderr);
        assert_eq!(one.ids(), before);
        serves("one.test", "first");
        let mut slow = Command::new("curl");
        // Caddy would ask the new release again for a GET that was cut
        slow.args(["-sS", "-d", "", "-H", "Host: one.test", "http://127.0.0.1:18080/slow?seconds=4"]);
        slow.stdout(Stdio::piped());
        // the release before ends with its last request: what is told to stop answers none, and minutes would be seen
        for (body, is_script) in [("second", true), ("third", false)] {
            one.write("gordon.yaml", &config(body, 302));
            let serving = one.ids()["gtest-pxpath-web-green"].clone();
            let mut deploy = if is_script { one.script(&[]) } else { one.command(&["apply", "--yes"]) };
            let mut deploy = deploy.spawn().expect("it starts");
            let mut requests = Vec::new();
            eventually("the new release has the name", || {
                requests.push(slow.spawn().expect("there is curl"));
                one.ids().get("gtest-pxpath-web-green").is_some_and(|id| *id != serving)
            });
            assert!(requests.iter_mut().any(|request| request.try_wait().is_ok_and(|over| over.is_none())));
            for request in requests {
                let answer = request.wait_with_output().expect("it ends").stdout;
                assert_eq!(String::from_utf8_lossy(&answer).trim_end(), "waited 4 s");
            }
            assert!(deploy.wait().expect("it ends").success());
            serves("one.test", body);
            one.is_settled();
        }
        // which answers are good, the config may say; then failures count from the end of the start period
        let strict = |body: &str, status: u16| {
            let strict = "path: /up, status: [204, 401], start_period: 1s, retries: 1";
            config(body, status).replace("path: /up", strict).replace("6s", "60s")
        };
        one.write("gordon.yaml", &strict("sick", 200));
        let failed = run(&mut one.script(&[])).ended(1);
        assert!(
            failed.stderr.contains("HTTP/1.0 200") || failed.stderr.contains("HTTP/1.1 200"),
            "{}",
            failed.stderr
        );
        one.write("gordon.yaml", &strict("fourth", 401));
        one.apply();
        serves("one.test", "fourth");
        assert_eq!(
            docker(["exec", "gordon-proxy", "ls", "/tmp"]).success().stdout,
            "",
            "no question is left there"
        );
        one.is_settled();
    });
}

#[test]
fn an_app_that_does_not_come_up_keeps_no_other_from_being_led_to() {
    on_private_engine(an_app_that_does_not_come_up_keeps_no_other_from_being_led_to, || {
        let name = "gtest-pxpartly";
        let sick = "  sick: { image: 'web:1', health: { path: /up }, environment: { EXIT_CODE: '3' }, proxy: { hosts: [sick.test], app_port: 3000 } }\n";
        let both = config(name, "one.test", "first", "tls: 'off'") + sick;
        let one = Project::new(name, &[("gordon.yaml", &both)]);
        let failed = one.gordon(&["apply", "--yes"]).ended(1);
        assert!(failed.stderr.contains("gtest-pxpartly-sick-green"), "{}", failed.stderr);
        serves("one.test", "first");
        // but a host that is routed to an app that runs is not taken from it for one that does not
        let moved = both
            .replace("[one.test]", "[two.test]")
            .replace("[sick.test]", "[one.test]")
            .replace("'3'", "'4'");
        one.write("gordon.yaml", &moved);
        one.gordon(&["apply", "--yes"]).ended(1);
        serves("one.test", "first");
    });
}
