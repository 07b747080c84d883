//! Projects share one proxy and do not notice each other.

use super::alone;
use super::app;
use super::app::HOST;
use super::app::PORT;
use super::traffic::Question;
use super::traffic::ask_all;
use std::thread;
use support::Project;
use support::docker;
use support::inside;
use support::tally::Tally;

/// Asks for `web` 200 times. The C library would always choose the nearest of several addresses.
const BY_ALIAS: &str = "
import random, socket, urllib.request
for _ in range(200):
    address = random.choice(socket.getaddrinfo('web', 3000, socket.AF_INET))[4][0]
    print(urllib.request.urlopen(f'http://{address}:3000/').read().decode())
";

/// What the proxy's default route and published ports hang on.
fn default_route() -> String {
    let routes = inside("gordon-proxy", ["cat", "/proc/net/route"]).success().stdout;
    let is_default = |line: &&str| line.split_whitespace().nth(1) == Some("00000000");
    routes.lines().find(is_default).expect("the proxy has a default route").to_owned()
}

#[test]
fn a_project_whose_network_sorts_first_disturbs_nobody() {
    alone(a_project_whose_network_sorts_first_disturbs_nobody, || {
        let project = app::project("gtest-load-first", 1);
        let load = app::load();
        let long = ["/slow?seconds=45", "/download?bytes=45000000&seconds=45"]
            .map(|path| Question::get(PORT, HOST, path, ""))
            .map(|question| thread::spawn(move || question.ask()));
        let route = default_route();
        let name = "0-h";
        let config = format!(
            "name: {name}\nproxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}\n\
         apps:\n  web: {{ image: 'web:1', proxy: {{ hosts: [first.test], app_port: 3000 }} }}\n"
        );
        let first = Project::new(name, &[("gordon.yaml", &config)]);
        first.apply();
        let networks = docker([
            "inspect",
            "--format",
            "{{range $name, $_ := .NetworkSettings.Networks}}{{$name}} {{end}}",
            "gordon-proxy",
        ]);
        let networks: Vec<&str> = networks.stdout.split_whitespace().collect();
        assert_eq!(networks, ["0-gordon-proxy", "0-h-network", "gtest-load-first-network"]);
        assert_eq!(default_route(), route, "the published port did not move");
        Question::get(PORT, "first.test", "/", "version: 1").ask().expect("it is routed");
        first.gordon(&["down", "--yes"]).success();
        assert_eq!(default_route(), route, "the published port did not move back");
        assert!(long.iter().all(|request| !request.is_finished()), "they span it all");
        for request in long {
            let answer = request.join().expect("it is asked");
            assert!(answer.is_ok(), "{answer:?}");
        }
        let outcome = load.stop();
        outcome.is_whole_but_for_reloads(1000, 2);
        project.is_settled();
    });
}

#[test]
fn two_projects_with_an_app_of_one_name_get_their_own_requests() {
    alone(two_projects_with_an_app_of_one_name_get_their_own_requests, || {
        let project = |name: &str, image: &str, host: &str, replicas: u32| {
            let config = format!(
                "name: {name}\nproxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}\napps:\n  \
             web: {{ image: '{image}', replicas: {replicas}, proxy: {{ hosts: [{host}], app_port: 3000 }} }}\n"
            );
            let project = Project::new(name, &[("gordon.yaml", &config)]);
            project.apply();
            project
        };
        let _gmail = project("gtest-gmail", "gmail-web:latest", "test.eliasson.me", 3);
        let _nextjs = project("gtest-nextjs", "nextjs-web:latest", "nextjs.example.com", 1);
        let all = [
            ("gtest-gmail", "image: gmail-web:latest", "test.eliasson.me", 3),
            ("gtest-nextjs", "image: nextjs-web:latest", "nextjs.example.com", 1),
        ];
        let questions = all.map(|(_, image, host, _)| Question::get(PORT, host, "/", image));
        let tallies = ask_all(&questions, 1000);
        for (tally, (name, image, _, replicas)) in tallies.into_iter().zip(all) {
            println!("{name}: {tally}");
            assert!(tally.asked == 1000 && tally.lost() == 0, "{name}: {tally}");
            assert_eq!(tally.said("hostname: ").len(), replicas, "every replica answered the proxy");
            let container = format!("{name}-web-green");
            let mut own = Tally::default();
            own.see(&inside(&container, ["python3", "-c", BY_ALIAS]).success().stdout, 1);
            assert_eq!(own.seen.get(image), Some(&200), "inside, `web` is its own: {own:?}");
            assert_eq!(own.said("hostname: ").len(), replicas, "every replica answered by alias");
        }
    });
}
