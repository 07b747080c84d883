# with a folder, it only sees there whether Caddy takes its files
set -e
mkdir -p /config/gordon
cd "${1:-/config/gordon}"
FILES
case $(caddy version) in
  2.[0-6].* | v2.[0-6].*) sed -i "/ # 2.7$/d; / # 2.8$/d" Caddyfile ;;
  2.7.* | v2.7.*) sed -i "/ # 2.8$/d" Caddyfile ;;
esac
[ $# = 0 ] || exec caddy validate --config Caddyfile --adapter caddyfile
[ ! -f hosts ] || sh note || echo "no notes: while docker does not answer, no app is found"
# an address: the name localhost would be asked of the host's resolver first, which may not answer
export CADDY_ADMIN=127.0.0.1:2019
exec caddy run --config Caddyfile --adapter caddyfile
# end
