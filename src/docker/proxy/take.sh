# take PROJECT: its routes are gone
set -eu
cd /config/gordon
exec 9>lock
flock 9
rm -f "$1.caddy"
caddy reload --config Caddyfile --adapter caddyfile 2>/dev/null
