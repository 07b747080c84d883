//! Settings of containers are what docker says of them.

use serde_json::Value;
use serde_json::json;
use support::Project;
use support::docker;
use support::own;
use support::run;

/// The settings of a container, as docker has them.
fn settings(name: &str) -> Value {
    let all: Value =
        serde_json::from_str(&docker(["container", "inspect", name]).success().stdout).expect("JSON");
    let (config, host) = (&all[0]["Config"], &all[0]["HostConfig"]);
    json!({
        "init": host["Init"],
        "shm": host["ShmSize"],
        "ulimits": host["Ulimits"],
        "cap_add": host["CapAdd"],
        "cap_drop": host["CapDrop"],
        "read_only": host["ReadonlyRootfs"],
        "tmpfs": host["Tmpfs"],
        "hosts": host["ExtraHosts"],
        "devices": host["Devices"],
        "signal": config["StopSignal"],
        "timeout": config["StopTimeout"],
        "dir": config["WorkingDir"],
        "team": config["Labels"]["team"],
        "security": host["SecurityOpt"],
        "sysctls": host["Sysctls"],
        "log": host["LogConfig"],
        "limits": [host["Memory"], host["NanoCpus"], host["PidsLimit"]],
        "user": config["User"],
        "dns": host["DnsOptions"],
    })
}

#[test]
fn settings_are_docker_s() {
    let name = own("settings");
    let project = Project::of_scenario("settings", name);
    let containers = ["", "-db", "-cache"].map(|service| format!("{name}-shop.example.com{service}"));
    project.apply();
    let applied = containers.each_ref().map(|name| settings(name));
    let nofile = json!([{ "Name": "nofile", "Soft": 1024, "Hard": 4096 }]);
    let [app, db, cache] = &applied;
    assert_eq!(
        *app,
        json!({
            "init": true, "shm": 67_108_864, "ulimits": nofile, "cap_add": null, "cap_drop": ["ALL"], "read_only": true,
            "tmpfs": { "/run": "", "/tmp": "size=64m,mode=1777" },
            "hosts": ["host:host-gateway", "printer.lan:192.168.1.9"], "devices": [], "signal": "SIGINT", "timeout": 60, "dir": "/srv",
            "team": "shop", "security": ["no-new-privileges"], "sysctls": null,
            "log": { "Type": "json-file", "Config": { "max-size": "50m", "max-file": "2" } },
            "limits": [268_435_456, 500_000_000, 200], "user": "65534", "dns": ["ndots:1"],
        })
    );
    let binds =
        &docker(["container", "inspect", "--format", "{{json .HostConfig.Binds}}", &containers[0]]).stdout;
    assert!(binds.contains("-uploads:/uploads:z\""), "{binds}");
    assert_eq!(db["shm"], 268_435_456);
    // engines write it with `CAP_` or without
    assert!(db["cap_add"][0].as_str().is_some_and(|name| name.ends_with("SYS_NICE")), "{db}");
    assert_eq!(db["sysctls"], json!({ "net.core.somaxconn": "1024" }));
    assert_eq!(db["devices"][0]["PathInContainer"], "/dev/modem");
    assert_eq!(
        (&db["cap_drop"], &cache["init"], &cache["log"]["Type"]),
        (&json!(null), &json!(null), &json!("none"))
    );
    let limited = json!({ "Type": "json-file", "Config": { "max-size": "10m", "max-file": "3" } });
    assert_eq!((&db["log"], &db["timeout"]), (&limited, &json!(30)));
    project.gordon(&["plan", "--exit-code"]).success();

    project.remove();
    run(&mut project.script(&[])).success();
    assert_eq!(containers.each_ref().map(|name| settings(name)), applied, "the script makes the same");
    project.gordon(&["plan", "--exit-code"]).success();
}
