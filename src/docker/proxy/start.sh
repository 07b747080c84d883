set -e
mkdir -p /config/gordon
cd /config/gordon
FILES
case $(caddy version) in
  2.[0-6].* | v2.[0-6].*) sed -i "/ # 2.7$/d" Caddyfile ;;
esac
exec caddy run --config Caddyfile --adapter caddyfile
# end
