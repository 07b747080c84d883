//! The status of a project is what is there, and what would change is what the plan says.

use serde_json::Value;
use serde_json::json;
use support::Project;
use support::docker;
use support::own;

fn config(name: &str, version: u8, replicas: u8) -> String {
    format!(
        "name: {name}\n\
         proxy: {{ enabled: false }}\n\
         deploy: {{ drain: 1s }}\n\
         apps:\n  web: {{ image: 'web:{version}', replicas: {replicas}, proxy: {{ hosts: [status.test] }},\n    \
         environment: {{ secret: [STATUS_TOKEN] }},\n    \
         health: {{ cmd: 'curl -fs http://127.0.0.1:3000/up', interval: 1s }} }}\n\
         services:\n  cache: {{ image: 'redis:7-alpine' }}\n"
    )
}

/// The status of a project, all of which serves; or not.
fn status(project: &Project, serves: bool) -> Value {
    let run = project.gordon(&["status", "--json"]).ended(i32::from(!serves));
    serde_json::from_str(&run.stdout).expect("JSON")
}

/// Name, role and state of each container of a workload.
fn containers(workload: &Value) -> Value {
    let members = workload["containers"].as_array().expect("a workload has containers");
    members.iter().map(|c| json!([c["name"], c["role"], c["state"], c["release"]])).collect()
}

#[test]
fn a_status_tells_what_is_there_and_what_the_plan_would_change() {
    let name = own("status");
    let project = Project::new(name, &[("gordon.yaml", &config(name, 1, 2))]);
    let token = |words: &[&str]| {
        let mut command = project.command(words);
        support::run(command.env("STATUS_TOKEN", "hunter2")).success()
    };
    token(&["apply", "--yes"]);
    // without the secret, and with nothing to do
    let seen = status(&project, true);
    assert_eq!(seen["drift"], json!([]));
    let web = &seen["workloads"][1];
    assert_eq!((&web["serving"], &web["wanted"]), (&json!(2), &json!(2)));
    assert_eq!(
        containers(web),
        json!([
            [own("status-web-green"), "serving", "running", 1],
            [own("status-web-green-2"), "serving", "running", 1],
        ])
    );
    assert_eq!(
        web["routes"],
        json!([{ "host": "status.test", "target": own("status-web"), "port": 3000, "served": null }])
    );
    let first = &web["containers"][0];
    assert_eq!((&first["health"], &first["image"]), (&json!("healthy"), &json!("web:1")));
    assert!(first["age_seconds"].as_u64().is_some_and(|age| age < 600), "{first}");
    let address = docker([
        "inspect",
        "--format",
        "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}",
        own("status-web-green"),
    ]);
    assert_eq!(first["networks"][0]["address"], address.success().stdout.trim());
    assert!(seen["notes"].to_string().contains("STATUS_TOKEN"), "{}", seen["notes"]);

    docker(["stop", "-t", "1", own("status-web-green-2")]).success();
    let seen = status(&project, false);
    assert_eq!(seen["workloads"][1]["serving"], 1);
    assert_eq!(
        seen["drift"],
        json!([{ "owner": name, "kind": "container", "names": [own("status-web-green-2")], "action": "update",
                 "reason": "not running" }])
    );

    project.write("gordon.yaml", &config(name, 2, 1));
    let text = project.gordon(&["status"]).success().stdout;
    let plan = token(&["plan"]).stdout;
    for (line, same) in [
        (
            format!("±   container {name}-web-green would be replaced: image web:1 → web:2"),
            "image web:1 → web:2",
        ),
        (format!("container {name}-web-green-2 would be removed: more replicas than"), "more replicas than"),
    ] {
        assert!(text.contains(&line) && plan.contains(same), "{text}\n{plan}");
    }

    project.write("gordon.yaml", &config(name, 2, 1));
    token(&["apply", "--yes"]);
    let seen = status(&project, true);
    assert_eq!((&seen["drift"], &seen["orphans"]), (&json!([]), &json!([])));
    assert_eq!(
        containers(&seen["workloads"][1]),
        json!([
            [own("status-web-green"), "serving", "running", 2],
            [own("status-web-previous"), "previous", "exited", 1],
        ])
    );
    let text = project.gordon(&["status"]).success().stdout;
    assert!(
        text.ends_with(&format!("{name}: 2 of 2 containers serving; this host is as the config says\n")),
        "{text}"
    );
}
