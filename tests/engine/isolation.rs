//! Isolation by packets: every name that should resolve does and answers; no name and no address of another project's
//! does. Each check is seen to succeed where it should before it counts where it should not.

use std::process::Command;
use support::Project;
use support::inside;
use support::own;

/// A workload: the container, where it listens, and the names that it answers to.
struct Target {
    container: &'static str,
    port: u16,
    names: Vec<&'static str>,
}

/// The addresses of a container, in all its networks.
fn addresses(container: &str) -> Vec<String> {
    let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}";
    let run = support::docker(["inspect", "--format", format, container]).success();
    run.stdout.split_whitespace().map(str::to_owned).collect()
}

/// Whether `from` gets a TCP connection to `host`, by name or address, within 2 s.
fn reaches(from: &str, host: &str, port: u16) -> bool {
    let script = format!("import socket; socket.create_connection(('{host}', {port}), 2)");
    inside(from, ["timeout", "4", "python3", "-c", &script]).status == 0
}

/// The addresses that a name has for `from`.
fn resolves(from: &str, name: &str) -> Vec<String> {
    let script =
        format!("import socket; print(*sorted({{a[4][0] for a in socket.getaddrinfo('{name}', None)}}))");
    let run = inside(from, ["timeout", "4", "python3", "-c", &script]);
    if run.status == 0 { run.stdout.split_whitespace().map(str::to_owned).collect() } else { Vec::new() }
}

/// From `from`: everything of `friends` answers under each of its names, at its own address; nothing of `strangers` does,
/// under no name that it alone has and at none of its addresses.
#[track_caller]
fn check(from: &str, friends: &[&Target], strangers: &[&Target]) {
    for Target { container, port, names } in friends {
        let own = addresses(container);
        for name in names.iter().chain([container]) {
            let found = resolves(from, name);
            assert!(
                !found.is_empty() && found.iter().all(|a| own.contains(a)),
                "{from}: {name} is {found:?}, not {own:?}"
            );
            assert!(reaches(from, name, *port), "{from} reaches {name}:{port}");
        }
    }
    for Target { container, port, names } in strangers {
        for name in names.iter().chain([container]) {
            let found = resolves(from, name);
            let theirs = addresses(container);
            assert!(!found.iter().any(|a| theirs.contains(a)), "{from}: {name} is {found:?}");
        }
        for address in addresses(container) {
            assert!(!reaches(from, &address, *port), "{from} reaches {container} at {address}:{port}");
        }
    }
}

#[test]
fn two_projects_with_a_web_never_meet() {
    let gmail = Project::of_scenario("gmail", own("gmail"));
    let nextjs = Project::of_scenario("nextjs", own("nextjs"));
    let blog = Project::of_scenario("blog", own("blog"));
    for project in [&gmail, &nextjs, &blog] {
        project.apply();
    }
    let web = |container, names| Target { container, port: 3000, names };
    let a = web(own("gmail-web-green"), vec!["web", own("gmail-web")]);
    let b = web(own("nextjs-web-green"), vec!["web", own("nextjs-web")]);
    let app =
        Target { container: own("blog-blog.company.com"), port: 80, names: vec!["blog", "blog-company-com"] };
    let mysql = Target {
        container: own("blog-blog.company.com-my-mysql"),
        port: 3306,
        names: vec!["my-mysql", "mysql", "my-mysql.internal", "blog-company-com-my-mysql"],
    };
    let redis = Target {
        container: own("blog-blog.company.com-my-redis"),
        port: 6379,
        names: vec!["my-redis", "redis", "my-redis.internal", "blog-company-com-my-redis"],
    };
    support::eventually("the database listens", || reaches(app.container, "mysql", 3306));
    check(a.container, &[&a], &[&b, &app, &mysql, &redis]);
    check(b.container, &[&b], &[&a, &app, &mysql, &redis]);
    check(app.container, &[&app, &mysql, &redis], &[&a, &b]);
    for (project, image) in [(&a, "gmail-web:latest"), (&b, "nextjs-web:latest")] {
        let script =
            "import urllib.request as u; print(u.urlopen('http://web:3000/', timeout=5).read().decode())";
        let answer = inside(project.container, ["python3", "-c", script]).success().stdout;
        assert!(answer.contains(image), "`web` is the project's own: {answer}");
    }
}

#[test]
fn a_group_shares_its_services_and_nobody_else_does() {
    let project = Project::of_scenario("microservices", own("group"));
    project.apply();
    let target = |container, port, names| Target { container, port, names };
    let api = target(own("group-api.company.com"), 8080, vec!["api", "api-company-com"]);
    let worker = target(own("group-worker.company.com"), 8080, vec!["worker", "worker-company-com"]);
    let admin = target(own("group-admin.company.com"), 8080, vec!["admin", "admin-company-com"]);
    let redis = target(own("group-backend-redis"), 6379, vec!["redis", "backend-redis", "redis.internal"]);
    let ours = target(own("group-api.company.com-postgres"), 5432, vec!["api-company-com-postgres"]);
    let theirs = target(own("group-admin.company.com-postgres"), 5432, vec!["admin-company-com-postgres"]);
    support::eventually("both databases listen", || {
        reaches(api.container, "postgres", 5432) && reaches(admin.container, "postgres", 5432)
    });
    check(api.container, &[&api, &worker, &redis, &ours], &[&admin, &theirs]);
    check(worker.container, &[&api, &worker, &redis, &ours], &[&admin, &theirs]);
    check(admin.container, &[&admin, &theirs], &[&api, &worker, &redis, &ours]);
    assert_eq!(resolves(api.container, "postgres"), addresses(ours.container), "`postgres` is the group's");
    assert_eq!(
        resolves(admin.container, "postgres"),
        addresses(theirs.container),
        "`postgres` is admin's own"
    );
}

#[test]
fn replicas_share_their_names() {
    let project = Project::of_scenario("replicas", own("three"));
    project.apply();
    let all: Vec<String> =
        ["", "-2", "-3"].iter().flat_map(|n| addresses(&format!("{}{n}", own("three-web-green")))).collect();
    assert_eq!(all.len(), 3);
    for name in ["web", own("three-web")] {
        assert_eq!(resolves(own("three-web-green"), name).len(), 3, "{name} is all of {all:?}");
    }
}

/// The same check against a network that both are on: it can fail.
#[test]
fn the_check_sees_a_breach() {
    let nextjs = Project::of_scenario("nextjs", own("breach-b"));
    // it is removed first: until then it is on the other's network
    let gmail = Project::of_scenario("gmail", own("breach-a"));
    gmail.apply();
    nextjs.apply();
    let (a, b) = (own("breach-a-web-green"), own("breach-b-web-green"));
    let address = &addresses(b)[0];
    assert!(!reaches(a, address, 3000));
    Command::new("docker").args(["network", "connect", own("breach-b-network"), a]).status().expect("docker");
    assert!(reaches(a, address, 3000), "on one network they meet");
    assert!(resolves(a, own("breach-b-web")).contains(address));
}
