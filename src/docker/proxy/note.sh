# note NAME ...: where each of these names leads now, as docker says. The proxy goes by its notes while docker does not answer;
# as long as docker does, no note counts. They outlast this container, whose own files do not.
set -eu
# an older one reads the order of names once, and would go by a note before it asks docker
case $(caddy version) in 2.[0-7].* | v2.[0-7].*) exit ;; esac
cd /config/gordon
exec 9>lock
flock 9
touch hosts
for name in "$@"; do
  grep -v " $name$" hosts >new || :
  nslookup "$name" 127.0.0.11 2>/dev/null |
    sed -n "/^Name:/,\$s/^Address[ 0-9]*: *\([0-9]*\.[0-9.]*\).*/\1 $name/p" >>new
  mv new hosts
done
order=/etc/nsswitch.conf
grep -qx "hosts: dns files" "$order" 2>/dev/null || {
  rest=$(grep -v "^hosts:" "$order" 2>/dev/null) || :
  printf "%s\nhosts: dns files\n" "$rest" >"$order"
}
rest=$(grep -v " # gordon$" /etc/hosts)
{ printf "%s\n" "$rest" && sed "s/$/ # gordon/" hosts; } >/etc/hosts
