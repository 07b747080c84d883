//! Env files: which there are, and what docker reads in them.

use super::*;
use serde_spanned::Spanned;
use std::collections::BTreeMap;

const CONFIG: &str = r#"
name = "shop"
[routes]
"api.company.com" = { image = "api", env_file = ["common.env", "/etc/missing.env"] }
"api-company.com" = "api"
[services.db]
image = "postgres"
env_file = "common.env"
"#;

fn checked(texts: &[(&str, &str)]) -> String {
    let texts: BTreeMap<String, String> =
        texts.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
    let problems = check_env_files(&env_files(&config("gordon.toml", CONFIG)), &texts);
    render(&problems, "gordon.toml", CONFIG, Colour::No)
}

#[test]
fn a_domain_has_a_file_and_may_name_more() {
    let files: Vec<_> = env_files(&config("gordon.toml", CONFIG))
        .into_iter()
        .map(|file| (file.path, file.need, &CONFIG[file.span]))
        .collect();
    let expected = [
        ("env/api_company_com.env", Need::Implied, "\"api.company.com\""),
        ("env/api_company_com.env", Need::Implied, "\"api-company.com\""),
        ("common.env", Need::Named, "\"common.env\""),
        ("/etc/missing.env", Need::Named, "\"/etc/missing.env\""),
        ("common.env", Need::Named, "\"common.env\""),
    ]
    .map(|(path, need, place)| (path.to_owned(), need, place));
    assert_eq!(files, expected);
}

#[test]
fn the_folder_of_env_files_may_be_any() {
    let domain = crate::name::Domain::parse("a-b.com").expect("a domain");
    for (dir, file) in [
        ("env", "env/a_b_com.env"),
        ("", "a_b_com.env"),
        ("/", "/a_b_com.env"),
        ("/srv/env/", "/srv/env/a_b_com.env"),
    ] {
        let dir = Spanned::new(0..0, dir.to_owned());
        assert_eq!(Env { dir }.file_of(&domain), file);
    }
}

#[test]
fn an_env_file_that_the_config_names_is_there() {
    snapshot("env_files", &checked(&[("common.env", "A=1\n"), ("env/api_company_com.env", "")]));
}

#[test]
fn lines_that_docker_reads_otherwise_are_shown_without_their_values() {
    let text = "\u{feff}A=1
# a comment
  B=it's \"fine\"
C=\"hunter2\"
D='hunter2'
export E=hunter2
F = hunter2
G= hunter2
H=hunter2 # the password
I=${HUNTER}2
I=$(hunter2)
I=x${pass:hunter2}
I=${sops:hunter2}
J
=hunter2
K=hunter2\x20
hunter2 hunter2!
L=\"-----BEGIN KEY-----
hunter2=
-----END KEY-----\"
M=hunter2#3$4
N=
O=\"\"
P=\"
"
    .replace("\\x20", " ");
    let shown = checked(&[("common.env", &text), ("/etc/missing.env", "A=1\r\nB=2\r\n")]);
    assert!(!shown.contains("hunter"), "{shown}");
    snapshot("env_lines", &shown);
}

#[test]
fn a_variable_that_an_env_file_sets_twice_is_told() {
    let shown = checked(&[("common.env", "A=hunter2\n# A=\nB=\nA=hunter3\n"), ("/etc/missing.env", "")]);
    let expected = "warning: `A` has a value in line 1 already: docker takes this one\n--> common.env:4\n = help: remove one of the lines\n\n";
    assert_eq!(shown, expected);
}

#[test]
fn docker_reads_no_endless_lines() {
    let text = format!("A={}\n", "x".repeat(70_000));
    let shown = checked(&[("common.env", &text), ("/etc/missing.env", "")]);
    assert!(shown.contains("64 KiB") && shown.contains("common.env:1"), "{shown}");
}

#[test]
fn a_folder_of_env_files_that_is_stated_is_there() {
    let problems = |text: &str| {
        let config = config("gordon.toml", text);
        render(&check_env_dir(&config, None), "gordon.toml", text, Colour::No)
    };
    assert_eq!(problems("name = \"shop\"\n"), "");
    let stated = problems("env.dir = \"envs\"\n");
    assert!(stated.starts_with("error: there is no folder `envs`\n --> gordon.toml:1:11"), "{stated}");
    assert_eq!(messages("gordon.toml", "env.dir = \"~/env\"\n"), ["`~/env`: `~` is known to shells alone"]);
    let file = "[routes]\n\"a.com\" = { image = \"web\", env_file = \"~/a.env\" }\n";
    assert_eq!(messages("gordon.toml", file), ["`~/a.env`: `~` is known to shells alone"]);
}

#[test]
fn an_env_file_that_no_route_has_is_told() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let told = |text: &str, files: &[&str]| {
        let problems = check_env_dir(&config("gordon.toml", text), Some(&names(files)));
        assert!(!has_errors(&problems));
        render(&problems, "gordon.toml", text, Colour::No)
    };
    let routes = "[routes]\n\"a.com\" = { image = \"web\", env_file = \"./env//common.env\" }\n";
    assert_eq!(told(routes, &["a_com.env", "common.env", ".hidden.env", "README"]), "");
    let unused = told(routes, &["YS5jb20=.env", "a.com.env", "a_com.env"]);
    assert_eq!(
        unused,
        "warning: env files that no route has: `env/YS5jb20=.env`, `env/a.com.env`\n--> env/YS5jb20=.env\n = help: `a.com` has `env/a_com.env`; any other file is named with `env_file`\n\n"
    );
    let many: Vec<String> = (10..40).map(|number| format!("{number}.env")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let shown = told(&format!("env.dir = \"\"\n{routes}"), &many);
    assert!(shown.contains("`19.env` and 20 more\n --> gordon.toml:1:11"), "{shown}");
}
