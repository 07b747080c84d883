//! A project on the engine that is there for one test and leaves nothing behind.

use crate::process::Run;
use crate::process::docker;
use crate::process::run;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;

/// A folder with a config, and all that comes of it on the engine.
pub struct Project {
    pub name: String,
    folder: TempDir,
}

impl Project {
    /// A project of this name with these files.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let project = Self::bare(name);
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    fn bare(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { name: name.to_owned(), folder }
    }

    /// A scenario of `plans/` under another name, so that it meets no other on this engine.
    pub fn of_scenario(scenario: &str, name: &str) -> Self {
        let project = Self::new(name, &[]);
        let from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../plans")).join(scenario);
        copy(&from, project.folder());
        for config in ["gordon.toml", "gordon.yaml"] {
            let path = project.folder().join(config);
            let Ok(text) = fs::read_to_string(&path) else { continue };
            // all tests would share one proxy: scenarios go without
            let is_other = |line: &&str| {
                ["name = ", "name: ", "proxy = ", "proxy: "].iter().any(|key| line.starts_with(key))
            };
            let rest: String =
                text.lines().filter(|line| !is_other(line)).map(|line| format!("{line}\n")).collect();
            let sign = if config.ends_with("toml") { "=" } else { ":" };
            project.write(config, &format!("name {sign} \"{name}\"\n{rest}"));
        }
        project
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file. A config that says nothing of the proxy, which all tests would share, goes without.
    pub fn write(&self, path: &str, text: &str) {
        let without = match path {
            "gordon.toml" if !text.contains("proxy") => "proxy.enabled = false\n",
            "gordon.yaml" if !text.contains("\nproxy:") => "proxy: { enabled: false }\n",
            _ => "",
        };
        let text = format!("{without}{text}");
        let path = self.folder().join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// A command that runs gordon in the project's folder.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command =
            Command::new(env::var_os("CARGO_BIN_EXE_gordon").expect("`cargo test` says where gordon is"));
        command.args(words).current_dir(self.folder()).env("NO_COLOR", "1");
        for (key, value) in
            [("DATABASE_URL", "postgres://postgres@db/postgres"), ("POSTGRES_PASSWORD", "s3cret")]
        {
            command.env(key, value);
        }
        command
    }

    /// Runs gordon in the project's folder.
    pub fn gordon(&self, words: &[&str]) -> Run {
        run(&mut self.command(words))
    }

    /// Applies the config; it is certain that it went well.
    #[track_caller]
    pub fn apply(&self) -> Run {
        self.gordon(&["apply", "--yes"]).success()
    }

    /// Nothing is left to do, and a second run touches nothing.
    #[track_caller]
    pub fn is_settled(&self) {
        let before = self.ids();
        let run = self.gordon(&["plan", "--exit-code"]);
        assert_eq!(run.status, 0, "{}\n{}", run.stdout, run.stderr);
        self.apply();
        assert_eq!(self.ids(), before, "no container is another one");
    }

    /// A script of what is to be done, written to the project's folder.
    #[track_caller]
    pub fn script(&self, words: &[&str]) -> Command {
        let mut all = vec!["plan", "--format", "sh"];
        all.extend(words);
        let script = self.gordon(&all).success().stdout;
        self.write("deploy.sh", &script);
        self.run_script()
    }

    /// A command that runs the script written before.
    pub fn run_script(&self) -> Command {
        let mut command = Command::new("sh");
        command.arg("deploy.sh").current_dir(self.folder());
        command.env("DATABASE_URL", "postgres://postgres@db/postgres").env("POSTGRES_PASSWORD", "s3cret");
        command
    }

    /// The ids of the project's containers, by name.
    pub fn ids(&self) -> BTreeMap<String, String> {
        let filter = format!("label=gordon.project={}", self.name);
        let format = "{{.Names}} {{.ID}}";
        let list = docker(["ps", "--all", "--no-trunc", "--filter", &filter, "--format", format]).success();
        let entry = |line: &str| line.split_once(' ').map(|(name, id)| (name.to_owned(), id.to_owned()));
        list.stdout.lines().filter_map(entry).collect()
    }

    /// All that matters of the project's things: a test compares it as a whole.
    pub fn state(&self) -> Value {
        let ids: Vec<String> = self.ids().into_values().collect();
        let mut containers: Vec<Value> = inspect("container", &ids).iter().map(container).collect();
        containers.sort_by_key(|c| c["name"].to_string());
        let networks: Vec<Value> = inspect("network", &self.list("network"))
            .iter()
            // the engine tells of a gateway once it was restarted
            .map(|n| json!({ "name": n["Name"], "labels": n["Labels"], "subnet": n["IPAM"]["Config"][0]["Subnet"] }))
            .collect();
        let volumes: Vec<Value> = inspect("volume", &self.list("volume"))
            .iter()
            .map(|v| json!({ "name": v["Name"], "labels": v["Labels"] }))
            .collect();
        json!({ "containers": containers, "networks": networks, "volumes": volumes })
    }

    /// The names of the project's networks or volumes, sorted.
    pub fn list(&self, kind: &str) -> Vec<String> {
        let filter = format!("label=gordon.project={}", self.name);
        let list = docker([kind, "ls", "--filter", &filter, "--format", "{{.Name}}"]).success();
        let mut names: Vec<String> = list.stdout.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    /// Removes all that the project has on the engine, volumes included.
    pub fn remove(&self) {
        let mut ids: Vec<String> = self.ids().into_values().collect();
        ids.push(format!("gordon-lock-{}", self.name));
        run(Command::new("docker").args(["rm", "--force", "--volumes"]).args(&ids));
        for kind in ["network", "volume"] {
            let names = self.list(kind);
            for network in names.iter().filter(|_| kind == "network") {
                docker(["network", "disconnect", "--force", network, "gordon-proxy"]);
            }
            if !names.is_empty() {
                run(Command::new("docker").args([kind, "rm"]).args(&names));
            }
        }
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        self.remove();
    }
}

fn inspect(kind: &str, names: &[String]) -> Vec<Value> {
    if names.is_empty() {
        return Vec::new();
    }
    let run = run(Command::new("docker").args([kind, "inspect"]).args(names)).success();
    serde_json::from_str(&run.stdout).expect("docker answers in JSON")
}

fn container(c: &Value) -> Value {
    let short = c["Id"].as_str().map_or("", |id| &id[..12]);
    let sorted = |values: &Value| {
        let mut list: Vec<Value> = values.as_array().cloned().unwrap_or_default();
        list.retain(|value| value != short);
        list.sort_by_key(Value::to_string);
        list
    };
    let networks: BTreeMap<&String, Value> = c["NetworkSettings"]["Networks"]
        .as_object()
        .expect("a container has networks")
        .iter()
        .map(|(name, n)| {
            (name, json!({ "aliases": sorted(&n["Aliases"]), "address": n["IPAMConfig"]["IPv4Address"] }))
        })
        .collect();
    let mut mounts: Vec<Value> = c["Mounts"]
        .as_array()
        .expect("a container has mounts")
        .iter()
        .map(|m| json!([m["Type"], m["Name"], m["Destination"], m["RW"]]))
        .collect();
    mounts.sort_by_key(Value::to_string);
    json!({
        "name": c["Name"],
        "image": c["Config"]["Image"],
        "labels": c["Config"]["Labels"],
        "command": c["Config"]["Cmd"],
        "entrypoint": c["Config"]["Entrypoint"],
        "environment": sorted(&c["Config"]["Env"]),
        "restart": c["HostConfig"]["RestartPolicy"],
        "limits": [c["HostConfig"]["Memory"], c["HostConfig"]["NanoCpus"]],
        "ports": c["HostConfig"]["PortBindings"],
        "networks": networks,
        "mounts": mounts,
        "running": c["State"]["Running"],
    })
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a scenario") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
