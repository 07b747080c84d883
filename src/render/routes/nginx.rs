//! Routes as servers of nginx, for its `http` block.

use super::header;
use crate::plan::Routing;

/// Whether a connection is to become another one, as websockets do.
const UPGRADE: &str = "
map $http_upgrade $connection_upgrade {
    default upgrade;
    ''      close;
}
";

/// What the app is told of its client. A name in a variable is looked up anew, by docker's own resolver, which says that its
/// answers hold for ten minutes.
const LOCATION: &str = "
    resolver 127.0.0.11 valid=1s ipv6=off;

    location / {
        proxy_pass http://$target;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
        proxy_set_header X-Forwarded-Host $host;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection $connection_upgrade;
    }
";

/// The routes as servers. Certificates are in files that only their owner knows, so they listen for HTTP alone.
pub fn render(routing: &Routing<'_>) -> String {
    let mut text = header(routing);
    if !routing.routes.is_empty() {
        text.push_str(UPGRADE);
    }
    for route in routing.routes {
        let hosts: Vec<&str> = route.hosts.iter().map(|host| host.as_str()).collect();
        text.push_str(&format!(
            "\nserver {{\n    listen 80;\n    server_name {};\n    set $target {};\n{LOCATION}}}\n",
            hosts.join(" "),
            route.target(),
        ));
    }
    text
}
