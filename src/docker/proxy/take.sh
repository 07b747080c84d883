# take PROJECT: its routes are gone
set -eu
cd /config/gordon
export CADDY_ADMIN=127.0.0.1:2019
exec 9>lock
flock 9
rm -f "$1.caddy"
caddy reload --config Caddyfile --adapter caddyfile 2>/dev/null
