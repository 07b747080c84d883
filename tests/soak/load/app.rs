//! The app that is put under load, with a database that it asks over a new connection for every request.

use super::traffic::Load;
use super::traffic::Question;
use std::time::Duration;
use support::Project;
use support::eventually;

pub const PORT: u16 = 18080;
pub const HOST: &str = "load.test";
const LATE: &str = "late.test";
pub const SOCKETS: &str = "sockets.test";

/// How many connections of a load are kept from one request to the next.
pub const CONNECTIONS: u32 = 32;

/// Every release is another image and another text than the one before, and takes its time to start.
pub fn config(name: &str, release: u32, replicas: u32) -> String {
    let image = 1 + release % 2;
    format!(
        "name: {name}
proxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}
deploy: {{ drain: 3s }}
apps:
  web:
    image: 'web:{image}'
    replicas: {replicas}
    environment: {{ BODY: release-{release:02}, START_DELAY: '2', DATABASE_URL: 'postgres://db', LIMIT: '30' }}
    health: {{ path: /up }}
    volumes: ['notes:/data']
    proxy: {{ hosts: [{HOST}], app_port: 3000 }}
  neighbour: {{ image: 'gmail-web:latest' }}
services:
  db: {{ image: 'postgres:15', environment: {{ POSTGRES_HOST_AUTH_METHOD: trust }} }}
"
    )
}

/// The project in its first release, which answers.
pub fn project(name: &str, replicas: u32) -> Project {
    let project = Project::new(name, &[("gordon.yaml", &config(name, 0, replicas))]);
    project.apply();
    eventually("the app reaches its database", || database().ask().is_ok());
    project
}

/// A project of an app that has no check. Its first release answers; the one that it asks for takes 20 s to listen.
pub fn late_project(name: &str) -> Project {
    let config = |image: u32, delay: u32| {
        format!(
            "name: {name}
proxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}
deploy: {{ drain: 3s }}
apps:
  web: {{ image: 'web:{image}', environment: {{ START_DELAY: '{delay}' }}, proxy: {{ hosts: [{LATE}], app_port: 3000 }} }}
"
        )
    };
    let project = Project::new(name, &[("gordon.yaml", &config(1, 0))]);
    project.apply();
    project.write("gordon.yaml", &config(2, 20));
    project
}

/// Asks the app of [`late_project`].
pub fn late() -> Question {
    Question::get(PORT, LATE, "/", "version: ")
}

/// Asks whether the app reaches its database.
pub fn database() -> Question {
    Question::get(PORT, HOST, "/db", "PostgreSQL")
}

/// A project beside it, whose app takes websockets at `SOCKETS`.
pub fn beside(name: &str) -> Project {
    let config = format!(
        "name: {name}\nproxy: {{ http_port: {PORT}, https_port: 18443, tls: 'off' }}\napps:\n  \
         web: {{ image: 'web:1', proxy: {{ hosts: [{SOCKETS}], app_port: 3000 }} }}\n"
    );
    let project = Project::new(name, &[("gordon.yaml", &config)]);
    project.apply();
    project
}

/// Adds a line to a file of the volume that the releases share.
pub fn note() -> Question {
    Question::post(PORT, HOST, "/note", "noted").every(Duration::from_millis(50))
}

/// POSTs over kept connections, each of which makes the app open one of its own in the midst of its work, and GETs over new
/// ones: nearly 200 requests a second, which leave two cores little time for anything else.
pub fn load() -> Load {
    let post = Question::post(PORT, HOST, "/db?seconds=0.05", "PostgreSQL");
    Load::new()
        .kept(CONNECTIONS, &post.every(Duration::from_millis(250)))
        .new_each_time(1, &database().every(Duration::from_millis(50)))
        .new_each_time(1, &Question::get(PORT, HOST, "/", "body: release-").every(Duration::from_millis(50)))
}
