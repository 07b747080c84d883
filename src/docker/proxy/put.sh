# put PROJECT: its routes become those that this reads, once they are valid beside those of the others
set -eu
cd /config/gordon
export CADDY_ADMIN=127.0.0.1:2019
exec 9>lock
flock 9
rm -rf next
mkdir next
cp Caddyfile next
for file in *.caddy; do [ ! -f "$file" ] || cp "$file" next; done
cat >"next/$1.caddy"
[ "$(tail -n 1 "next/$1.caddy")" = "# end" ] || { echo "the routes file is not whole" >&2; exit 1; }
try() { said=$("$@" 2>&1) || { printf "%s\n" "$said" | tail -n 1 >&2; return 1; }; }
try caddy validate --config next/Caddyfile --adapter caddyfile || exit 1
count=0
until wget -q -O /dev/null http://127.0.0.1:2019/config/ 2>/dev/null; do
  count=$((count + 1))
  [ "$count" -lt 20 ] || { echo "the proxy does not answer" >&2; exit 1; }
  sleep 1
done
rm -f old
[ ! -f "$1.caddy" ] || mv "$1.caddy" old
mv "next/$1.caddy" "$1.caddy"
try caddy reload --config Caddyfile --adapter caddyfile && exit
rm "$1.caddy"
[ ! -f old ] || mv old "$1.caddy"
exit 1
