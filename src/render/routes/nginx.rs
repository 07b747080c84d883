//! Routes as servers of nginx, for its `http` block.

use super::header;
use super::left_out;
use crate::plan::Routing;

/// Whether a connection is to become another one, as websockets do. nginx takes it twice, from two projects.
const UPGRADE: &str = "
map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}
";

/// The app gets what is sent to it, of any size, as soon as it comes, and so does its client; of the client it learns what
/// nginx knows, not what the client says. A name in a variable is looked up anew, by docker's own resolver, which says that
/// its answers hold for ten minutes.
const LOCATION: &str = r#"
    resolver 127.0.0.11 valid=1s ipv6=off;
    client_max_body_size 0;

    location / {
        proxy_pass http://$target;
        proxy_http_version 1.1;
        proxy_buffering off;
        proxy_read_timeout 1h;
        proxy_set_header Host $http_host;
        proxy_set_header Forwarded "";
        proxy_set_header X-Real-IP $remote_addr;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Host $http_host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }
"#;

/// The longest name of a host that nginx takes without a setting that may occur only once in all of its files.
const LONGEST_NAME: usize = 46;

/// The routes as servers. Certificates are in files that only their owner knows, so they listen for HTTP alone. The first
/// server gets the hosts that no other has, where its file is the first.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing) + &left_out(routing);
    if routing.routes.is_empty() {
        return text;
    }
    text.push_str(UPGRADE);
    text.push_str(&format!(
        "\nserver {{\n    listen 80;\n    server_name {};\n    default_type text/plain;\n    \
         return 404 \"no app has this host\\n\";\n}}\n",
        server_name(&format!("{}.invalid", routing.project))
    ));
    for route in routing.routes {
        let hosts: Vec<String> = route.hosts.iter().map(|host| server_name(host.as_str())).collect();
        text.push_str(&format!(
            "\nserver {{\n    listen 80;\n    server_name {};\n    set $target {};\n{LOCATION}}}\n",
            hosts.join(" "),
            route.target(),
        ));
        if !route.site.redirect_from.is_empty() {
            let hosts: Vec<String> =
                route.site.redirect_from.iter().map(|host| server_name(host.as_str())).collect();
            text.push_str(&format!(
                "\nserver {{\n    listen 80;\n    server_name {};\n    return 308 $scheme://{}$request_uri;\n}}\n",
                hosts.join(" "),
                route.hosts[0],
            ));
        }
    }
    text
}

/// A host as nginx takes it: a long one as a regular expression, for which its table of names has no limit.
fn server_name(host: &str) -> String {
    if host.len() > LONGEST_NAME { format!("\"~^{}$\"", host.replace('.', "\\.")) } else { host.to_owned() }
}
