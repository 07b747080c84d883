#!/bin/sh
# What gordon planned for project shop: 48 steps.
#
# Run it from the folder of the config. It needs docker and a POSIX shell, nothing else.
#
# It first asks whether the host is as the plan takes for granted, and changes nothing when it is not. Then
# it goes through the steps and passes over those that have nothing to do: it can be run again at any time.
# The steps come first, the functions that they call below. Nothing runs before the last line is read.
#
# Exit status: 0 done; 1 a step failed, or something was left out; 4 refused, and nothing was changed.
#
#    1  pull busybox:latest
#    2  check the volumes of busybox:latest
#    3  pull caddy:2
#    4  check the volumes of caddy:2
#    5  pull postgres:15
#    6  check the volumes of postgres:15
#    7  pull redis:7-alpine
#    8  check the volumes of redis:7-alpine
#    9  pull web:1
#   10  check the volumes of web:1
#   11  pull worker:latest
#   12  check the volumes of worker:latest
#   13  create network s-backend
#   14  create volume s-backend-cache
#   15  create volume s-backend-pg
#   16  create network 0-gordon-proxy
#   17  create volume gordon-proxy-data
#   18  create volume gordon-proxy-config
#   19  write the set-up of gordon-proxy
#   20  run gordon-proxy
#   21  see that gordon-proxy stays up for 1s
#   22  set the restart policy of gordon-proxy to always
#   23  connect gordon-proxy to s-backend
#   24  run s-backend-cache
#   25  wait until s-backend-cache is healthy
#   26  set the restart policy of s-backend-cache to always
#   27  run s-backend-db
#   28  see that s-backend-db stays up for 1s
#   29  set the restart policy of s-backend-db to always
#   30  run s-shop.example.com-setup
#   31  wait until s-shop.example.com-setup ends well
#   32  run s-shop.example.com-files
#   33  see that s-shop.example.com-files stays up for 1s
#   34  set the restart policy of s-shop.example.com-files to always
#   35  create s-shop.example.com-release
#   36  start s-shop.example.com-release
#   37  wait until s-shop.example.com-release ends well
#   38  run s-shop.example.com
#   39  wait until s-shop.example.com answers /up with 200-299, 401
#   40  set the restart policy of s-shop.example.com to always
#   41  run s-shop.example.com-2
#   42  wait until s-shop.example.com-2 answers /up with 200-299, 401
#   43  set the restart policy of s-shop.example.com-2 to always
#   44  run s-jobs
#   45  wait until s-jobs listens on port 8080
#   46  set the restart policy of s-jobs to always
#   47  route to shop
#   48  let the proxy note where it finds s-shop.example.com.s-backend, s-shop.example.com-2.s-backend, s-jobs.s-backend
# shellcheck disable=SC2016 # text between single quotes is for other shells
set -eu
trap 'echo "refused, nothing was changed: this script is not whole" >&2; exit 4' EXIT

main() {
  trap - EXIT
  _steps=48 _step=0 _open='' _ran=' ' _count=0
  expectations

  step 1 'pull busybox:latest' 'not on this host'
  has_image busybox:latest ||
    stream docker pull busybox:latest || failed

  step 2 'check the volumes of busybox:latest' 'what it declares is not known yet'
  only_volumes busybox:latest || failed

  step 3 'pull caddy:2' 'not on this host'
  has_image caddy:2 ||
    stream docker pull caddy:2 || failed

  step 4 'check the volumes of caddy:2' 'what it declares is not known yet'
  only_volumes caddy:2 /config /data || failed

  step 5 'pull postgres:15' 'not on this host'
  has_image postgres:15 ||
    stream docker pull postgres:15 || failed

  step 6 'check the volumes of postgres:15' 'what it declares is not known yet'
  only_volumes postgres:15 /var/lib/postgresql/data || failed

  step 7 'pull redis:7-alpine' 'not on this host'
  has_image redis:7-alpine ||
    stream docker pull redis:7-alpine || failed

  step 8 'check the volumes of redis:7-alpine' 'what it declares is not known yet'
  only_volumes redis:7-alpine /data || failed

  step 9 'pull web:1' 'not on this host'
  has_image web:1 ||
    stream docker pull web:1 || failed

  step 10 'check the volumes of web:1' 'what it declares is not known yet'
  only_volumes web:1 || failed

  step 11 'pull worker:latest' 'not on this host'
  has_image worker:latest ||
    stream docker pull worker:latest || failed

  step 12 'check the volumes of worker:latest' 'what it declares is not known yet'
  only_volumes worker:latest || failed

  step 13 'create network s-backend' 'not there yet'
  has_network s-backend ||
    run docker network create --subnet 10.96.134.0/24 --ip-range 10.96.134.0/25 \
        --label gordon.project=shop --label gordon.part=network/backend/s-backend \
        s-backend

  step 14 'create volume s-backend-cache' 'not there yet'
  has_volume s-backend-cache ||
    run docker volume create \
        --label gordon.project=shop --label gordon.part=volume/backend/s-backend-cache \
        s-backend-cache

  step 15 'create volume s-backend-pg' 'not there yet'
  has_volume s-backend-pg ||
    run docker volume create \
        --label gordon.project=shop --label gordon.part=volume/backend/s-backend-pg \
        s-backend-pg

  step 16 'create network 0-gordon-proxy' 'not there yet'
  has_network 0-gordon-proxy ||
    run docker network create --subnet 10.96.17.0/24 --ip-range 10.96.17.0/25 \
        --label gordon.maker=shop --label gordon.part=network/gordon-proxy/0-gordon-proxy \
        0-gordon-proxy

  step 17 'create volume gordon-proxy-data' 'not there yet'
  has_volume gordon-proxy-data ||
    run docker volume create \
        --label gordon.maker=shop --label gordon.part=volume/gordon-proxy/gordon-proxy-data \
        gordon-proxy-data

  step 18 'create volume gordon-proxy-config' 'not there yet'
  has_volume gordon-proxy-config ||
    run docker volume create \
        --label gordon.maker=shop --label gordon.part=volume/gordon-proxy/gordon-proxy-config \
        gordon-proxy-config

  step 19 'write the set-up of gordon-proxy' 'not there yet'
  is_proxy gordon-proxy command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355 caddy:2 ||
    feed docker run --rm --interactive --network none --volume gordon-proxy-config:/config --entrypoint env \
        caddy:2 -i sh -c 'cd /config && cat >new && grep -q "^# end" new && sync && mv new start-c4e26a1c' <<'END_' || failed
# with a folder, it only sees there whether Caddy takes its files
set -e
mkdir -p /config/gordon
cd "${1:-/config/gordon}"
cat >new <<"END"
{
	http_port 80
	https_port 443
	skip_install_trust
	fallback_sni gordon-proxy # 2.7
	servers {
		protocols h1 h2 h3
	}
}
(gordon-streams) {
	stream_close_delay 24h # 2.7
}
http://, https:// {
	respond "no app has this host" 404
}
https://gordon-proxy {
	tls internal
	respond "no app has this host" 404
}
http://127.0.0.1:2020 {
	bind 127.0.0.1
	reverse_proxy {http.request.header.X-To} {
		header_up Host {http.request.header.X-Host}
		header_up X-Forwarded-Proto https
		header_up -X-To
		header_up -X-Host
		transport http {
			dial_timeout 5s
			response_header_timeout 5s
		}
		@ready status 2xx 3xx
		handle_response @ready {
			respond ready
		}
	}
}
http://127.0.0.1:2021 {
	bind 127.0.0.1
	reverse_proxy {http.request.header.X-To} {
		header_up Host {http.request.header.X-Host}
		header_up X-Forwarded-Proto https
		header_up -X-To
		header_up -X-Host
		transport http {
			dial_timeout 2s
			response_header_timeout 2s
		}
		handle_response {
			respond reached
		}
	}
	handle_errors {
		respond {err.message} 200
	}
}
import *.caddy
END
mv new Caddyfile
cat >new <<"END"
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
END
mv new put
cat >new <<"END"
# take PROJECT: its routes are gone
set -eu
cd /config/gordon
export CADDY_ADMIN=127.0.0.1:2019
exec 9>lock
flock 9
rm -f "$1.caddy"
caddy reload --config Caddyfile --adapter caddyfile 2>/dev/null
END
mv new take
cat >new <<"END"
# ask SECONDS: each line that this reads, TARGET HOST, is asked over HTTP until all of them take connections
set -eu
routes=$(cat)
end=$(($(date +%s) + $1))
ask() {
  answer=$(wget -q -O - --header "X-To: $1" --header "X-Host: $2" http://127.0.0.1:2021/ 2>/dev/null) || return 0
  case $answer in *refused*) printf "%s\n" "$2: nothing accepts connections at $1: $answer" ;; esac
}
while :; do
  refused=$(printf "%s\n" "$routes" | {
    count=0
    while read -r target host; do
      ask "$target" "$host" &
      count=$(((count + 1) % 16))
      [ "$count" -gt 0 ] || wait
    done
    wait
  })
  [ -n "$refused" ] || exit 0
  [ "$(date +%s)" -lt "$end" ] || { printf "%s\n" "$refused" >&2; exit 1; }
  sleep 1
done
END
mv new ask
cat >new <<"END"
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
END
mv new note
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
END_

  step 20 'run gordon-proxy' 'not there yet'
  run_unless is_proxy gordon-proxy command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355 caddy:2 -- \
    docker run --detach --name gordon-proxy --restart on-failure:10 \
        --network 0-gordon-proxy --ip 10.96.17.128 \
        --env ALL_PROXY= --env FTP_PROXY= --env HTTPS_PROXY= --env HTTP_PROXY= --env NO_PROXY= \
        --env all_proxy= --env ftp_proxy= --env http_proxy= --env https_proxy= --env no_proxy= \
        --label gordon.maker=shop --label gordon.part=proxy/gordon-proxy/gordon-proxy/1 \
        --label gordon.spec=command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355@0-gordon-proxy=10.96.17.128 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 \
        --volume gordon-proxy-data:/data --volume gordon-proxy-config:/config \
        --publish 80:80 --publish 443:443 --publish 443:443/udp \
        --dns-option ndots:1 --dns-option timeout:1 --dns-option attempts:2 \
        --entrypoint sh \
        caddy:2 /config/start-c4e26a1c || failed

  step 21 'see that gordon-proxy stays up for 1s' 'not ready yet'
  restarts gordon-proxy always ||
    stays_up gordon-proxy 1 11 || failed

  step 22 'set the restart policy of gordon-proxy to always' 'it is ready: docker keeps it up from here on'
  restarts gordon-proxy always ||
    run docker update --restart always gordon-proxy

  step 23 'connect gordon-proxy to s-backend' 'the proxy routes to apps there'
  is_attached gordon-proxy s-backend ||
    run docker network connect --ip 10.96.134.128 s-backend gordon-proxy

  step 24 'run s-backend-cache' 'not there yet'
  run_unless is_current s-backend-cache shop any \
      command:abd47c1c,8569b428,8a798890/health:84982249/image:65b8118d/mount:f3e57783 redis:7-alpine \
      s-backend-cache:/data -- \
    docker run --detach --name s-backend-cache --restart on-failure:10 \
        --network s-backend --ip 10.96.134.129 --network-alias cache --network-alias cache.local \
        --network-alias backend-cache --hostname cache \
        --label gordon.project=shop --label gordon.part=service/backend/s-backend-cache/1 \
        --label gordon.spec=command:abd47c1c,8569b428,8a798890/health:84982249/image:65b8118d/mount:f3e57783@s-backend=10.96.134.129 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 --volume s-backend-cache:/data \
        --health-cmd 'redis-cli ping' --health-retries 5 --health-interval 1000ms --health-timeout 2000ms \
        --health-start-period 10000ms \
        redis:7-alpine redis-server --appendonly yes || failed

  step 25 'wait until s-backend-cache is healthy' 'not ready yet'
  restarts s-backend-cache always ||
    is_healthy s-backend-cache ||
    gets_healthy s-backend-cache 1 30 || failed

  step 26 'set the restart policy of s-backend-cache to always' 'it is ready: docker keeps it up from here on'
  restarts s-backend-cache always ||
    run docker update --restart always s-backend-cache

  step 27 'run s-backend-db' 'not there yet'
  run_unless is_current s-backend-db shop any env:094de0c2/image:67ebd6b7/mount:12c8e640/port:d0b6216e postgres:15 \
      s-backend-pg:/var/lib/postgresql/data -- \
    docker run --detach --name s-backend-db --restart on-failure:10 \
        --network s-backend --ip 10.96.134.130 --network-alias db --network-alias db.local \
        --network-alias backend-db --hostname db \
        --env "POSTGRES_PASSWORD=it's \"quoted\" \$HOME" \
        --label gordon.project=shop --label gordon.part=service/backend/s-backend-db/1 \
        --label gordon.spec=env:094de0c2/image:67ebd6b7/mount:12c8e640/port:d0b6216e@s-backend=10.96.134.130 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 --volume s-backend-pg:/var/lib/postgresql/data --publish 127.0.0.1:15432:5432 \
        postgres:15 || failed

  step 28 'see that s-backend-db stays up for 1s' 'not ready yet'
  restarts s-backend-db always ||
    stays_up s-backend-db 1 11 || failed

  step 29 'set the restart policy of s-backend-db to always' 'it is ready: docker keeps it up from here on'
  restarts s-backend-db always ||
    run docker update --restart always s-backend-db

  step 30 'run s-shop.example.com-setup' 'not there yet'
  run_once_unless is_current s-shop.example.com-setup shop any command:0afa5bb5,6b86b273/image:3726e854 busybox:latest -- \
    docker run --detach --name s-shop.example.com-setup --restart no \
        --network s-backend --ip 10.96.134.131 --network-alias setup --network-alias setup.local \
        --network-alias shop-example-com-setup --hostname setup \
        --label gordon.project=shop --label gordon.part=service/shop.example.com/s-shop.example.com-setup/1 \
        --label gordon.spec=command:0afa5bb5,6b86b273/image:3726e854@s-backend=10.96.134.131 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 \
        busybox:latest sleep 1 || failed

  step 31 'wait until s-shop.example.com-setup ends well' 'not ready yet'
  ended_well s-shop.example.com-setup ||
    ends_well s-shop.example.com-setup 1 30 || failed

  step 32 'run s-shop.example.com-files' 'not there yet'
  run_unless is_current s-shop.example.com-files shop any \
      'command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/file-e3bf659a:034a0062,f9b0e971/image:3726e854/mount:8148133a/user:04f720b4|command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/image:3726e854/mount:8148133a/user:04f720b4' \
      busybox:latest -- \
    docker run --detach --name s-shop.example.com-files --restart on-failure:10 \
        --network s-backend --ip 10.96.134.132 --network-alias files --network-alias files.local \
        --network-alias shop-example-com-files --hostname files \
        --label gordon.project=shop --label gordon.part=service/shop.example.com/s-shop.example.com-files/1 \
        --label gordon.spec=command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/file-e3bf659a:034a0062,f9b0e971/image:3726e854/mount:8148133a/user:04f720b4@s-backend=10.96.134.132 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 --user 65534 --volume "$PWD"/www:/www:ro \
        busybox:latest httpd -f -p 8080 -h /www || failed

  step 33 'see that s-shop.example.com-files stays up for 1s' 'not ready yet'
  restarts s-shop.example.com-files always ||
    stays_up s-shop.example.com-files 1 11 || failed

  step 34 'set the restart policy of s-shop.example.com-files to always' \
      'it is ready: docker keeps it up from here on'
  restarts s-shop.example.com-files always ||
    run docker update --restart always s-shop.example.com-files

  step 35 'create s-shop.example.com-release' 'a new release begins with it'
  is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    create_unless is_current s-shop.example.com-release shop any \
        cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c/release-entrypoint:e3b0c442/release:89c4ec9f,0c3603e1,c22995ad \
        web:1 -- \
      docker create --name s-shop.example.com-release --restart no --network s-backend \
          --env-file shop.env --env LOG=debug \
          --label gordon.project=shop --label gordon.part=release/shop.example.com/s-shop.example.com/1 \
          --label gordon.spec=cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c/release-entrypoint:e3b0c442/release:89c4ec9f,0c3603e1,c22995ad \
          --cpus 0.5 \
          --log-opt max-file=3 --log-opt max-size=10m \
          --memory 256m \
          --stop-signal SIGKILL --stop-timeout 5 \
          --entrypoint '' \
          web:1 sh -c 'exit 0' || failed

  step 36 'start s-shop.example.com-release' 'a new release begins with it'
  is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    is_running s-shop.example.com-release ||
    ended_well s-shop.example.com-release ||
    run docker start s-shop.example.com-release

  step 37 'wait until s-shop.example.com-release ends well' 'a new release begins with it'
  is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    ended_well s-shop.example.com-release ||
    ends_well s-shop.example.com-release 1 90 || go_back

  step 38 'run s-shop.example.com' 'not there yet'
  run_unless is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 -- \
    docker run --detach --name s-shop.example.com --restart on-failure:10 \
        --network s-backend --ip 10.96.134.133 --network-alias shop --network-alias shop-example-com \
        --env-file shop.env --env LOG=debug \
        --label gordon.project=shop --label gordon.part=app/shop.example.com/s-shop.example.com/1 \
        --label gordon.spec=cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c@s-backend=10.96.134.133 \
        --cpus 0.5 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --memory 256m --stop-timeout 5 \
        web:1 || failed

  step 39 'wait until s-shop.example.com answers /up with 200-299, 401' 'not ready yet'
  restarts s-shop.example.com always ||
    patiently 20 5 gets_ready s-shop.example.com 1 50 \
        docker exec gordon-proxy sh \
            -c "trap '' PIPE
to=/tmp/request-\$\$
mkfifo \"\$to\"
timeout 5 nc \"\$1\" \"\$2\" <\"\$to\" 2>&1 | sed -nE '1{s/\\r\$//;s/^HTTP[^ ]* ('\"\$5\"')( .*)?\$/ready/;p;q}' &
exec 3>\"\$to\"
rm \"\$to\"
printf 'GET %s HTTP/1.1\\r\\nHost: %s\\r\\nX-Forwarded-Proto: https\\r\\nConnection: close\\r\\n\\r\\n' \"\$3\" \"\$4\" >&3
wait" \
            ask s-shop.example.com 3000 /up shop.example.com '2..|401' || failed

  step 40 'set the restart policy of s-shop.example.com to always' \
      'it is ready: docker keeps it up from here on'
  restarts s-shop.example.com always ||
    run docker update --restart always s-shop.example.com

  step 41 'run s-shop.example.com-2' 'not there yet'
  run_unless is_current s-shop.example.com-2 shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 -- \
    docker run --detach --name s-shop.example.com-2 --restart on-failure:10 \
        --network s-backend --ip 10.96.134.134 --network-alias shop --network-alias shop-example-com \
        --env-file shop.env --env LOG=debug \
        --label gordon.project=shop --label gordon.part=app/shop.example.com/s-shop.example.com/1 \
        --label gordon.spec=cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c@s-backend=10.96.134.134 \
        --cpus 0.5 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --memory 256m --stop-timeout 5 \
        web:1 || failed

  step 42 'wait until s-shop.example.com-2 answers /up with 200-299, 401' 'not ready yet'
  restarts s-shop.example.com-2 always ||
    patiently 20 5 gets_ready s-shop.example.com-2 1 50 \
        docker exec gordon-proxy sh \
            -c "trap '' PIPE
to=/tmp/request-\$\$
mkfifo \"\$to\"
timeout 5 nc \"\$1\" \"\$2\" <\"\$to\" 2>&1 | sed -nE '1{s/\\r\$//;s/^HTTP[^ ]* ('\"\$5\"')( .*)?\$/ready/;p;q}' &
exec 3>\"\$to\"
rm \"\$to\"
printf 'GET %s HTTP/1.1\\r\\nHost: %s\\r\\nX-Forwarded-Proto: https\\r\\nConnection: close\\r\\n\\r\\n' \"\$3\" \"\$4\" >&3
wait" \
            ask s-shop.example.com-2 3000 /up shop.example.com '2..|401' || failed

  step 43 'set the restart policy of s-shop.example.com-2 to always' \
      'it is ready: docker keeps it up from here on'
  restarts s-shop.example.com-2 always ||
    run docker update --restart always s-shop.example.com-2

  step 44 'run s-jobs' 'not there yet'
  run_unless is_current s-jobs shop any command:e2f645c4/entrypoint:89c4ec9f,0c3603e1/image:83d0dbbf worker:latest -- \
    docker run --detach --name s-jobs --restart on-failure:10 \
        --network s-backend --ip 10.96.134.135 --network-alias jobs \
        --label gordon.project=shop --label gordon.part=app/jobs.example.com/s-jobs/1 \
        --label gordon.spec=command:e2f645c4/entrypoint:89c4ec9f,0c3603e1/image:83d0dbbf@s-backend=10.96.134.135 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 5 --entrypoint sh \
        worker:latest -c 'exec sleep 1000000' || failed

  step 45 'wait until s-jobs listens on port 8080' 'not ready yet'
  restarts s-jobs always ||
    gets_ready s-jobs 1 30 \
        docker exec gordon-proxy sh \
            -c 'a=$(wget -q -O - --header "X-To: $1:$2" --header "X-Host: $3" http://127.0.0.1:2021/ 2>&1); case "$? $a" in [!0]* | "0 dial"*) echo "nothing listens on port $2: $a" ;; *) echo ready ;; esac' \
            connect s-jobs 8080 jobs.example.com || failed

  step 46 'set the restart policy of s-jobs to always' 'it is ready: docker keeps it up from here on'
  restarts s-jobs always ||
    run docker update --restart always s-jobs

  step 47 'route to shop' 'not there yet'
  has_routes shop "$(routes; echo .)" ||
    feed docker exec --interactive gordon-proxy sh /config/gordon/put shop <<END || failed
$(routes)
END

  step 48 \
      'let the proxy note where it finds s-shop.example.com.s-backend, s-shop.example.com-2.s-backend, s-jobs.s-backend' \
      'for when docker does not answer'
  skipped 40 43 46 47 ||
    try docker exec gordon-proxy sh -c '[ ! -f /config/gordon/note ] || exec sh /config/gordon/note "$@"' \
        note s-shop.example.com.s-backend. s-shop.example.com-2.s-backend. s-jobs.s-backend. || say 'the rest goes on without notes'

  finish
}

# expectations: what the plan takes for granted
expectations() {
  ask version >/dev/null || refuse 'docker does not answer'
  readable shop.env || refuse 'the env file shop.env cannot be read'
  no_network s-backend ||
    usable_network s-backend shop ||
    refuse 'network s-backend belongs to another project'
  no_volume s-backend-cache ||
    usable_volume s-backend-cache shop ||
    refuse 'volume s-backend-cache belongs to another project'
  no_volume s-backend-pg ||
    usable_volume s-backend-pg shop ||
    refuse 'volume s-backend-pg belongs to another project'
  is_proxy gordon-proxy command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355 caddy:2 ||
    has_room 0-gordon-proxy 10.96.17.0/24 10.96.17.128 ||
    refuse 'network 0-gordon-proxy has no room for gordon-proxy at 10.96.17.128'
  limits_logs ||
    refuse \
        "the engine's log driver cannot limit logs: say which it is, as in \`containers = { log = \"journald\" }\`"
  is_attached gordon-proxy s-backend ||
    has_room s-backend 10.96.134.0/24 10.96.134.128 ||
    refuse 'network s-backend has no room for gordon-proxy at 10.96.134.128'
  absent s-backend-cache ||
    is_current s-backend-cache shop any \
      command:abd47c1c,8569b428,8a798890/health:84982249/image:65b8118d/mount:f3e57783 redis:7-alpine \
      s-backend-cache:/data ||
    refuse 's-backend-cache is not as it was when this was planned'
  is_current s-backend-cache shop any \
      command:abd47c1c,8569b428,8a798890/health:84982249/image:65b8118d/mount:f3e57783 redis:7-alpine \
      s-backend-cache:/data ||
    has_room s-backend 10.96.134.0/24 10.96.134.129 ||
    refuse 'network s-backend has no room for s-backend-cache at 10.96.134.129'
  absent s-backend-db ||
    is_current s-backend-db shop any env:094de0c2/image:67ebd6b7/mount:12c8e640/port:d0b6216e postgres:15 \
      s-backend-pg:/var/lib/postgresql/data ||
    refuse 's-backend-db is not as it was when this was planned'
  is_current s-backend-db shop any env:094de0c2/image:67ebd6b7/mount:12c8e640/port:d0b6216e postgres:15 \
      s-backend-pg:/var/lib/postgresql/data ||
    has_room s-backend 10.96.134.0/24 10.96.134.130 ||
    refuse 'network s-backend has no room for s-backend-db at 10.96.134.130'
  absent s-shop.example.com-setup ||
    is_current s-shop.example.com-setup shop any command:0afa5bb5,6b86b273/image:3726e854 busybox:latest ||
    refuse 's-shop.example.com-setup is not as it was when this was planned'
  is_current s-shop.example.com-setup shop any command:0afa5bb5,6b86b273/image:3726e854 busybox:latest ||
    has_room s-backend 10.96.134.0/24 10.96.134.131 ||
    refuse 'network s-backend has no room for s-shop.example.com-setup at 10.96.134.131'
  absent s-shop.example.com-files ||
    is_current s-shop.example.com-files shop any \
      'command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/file-e3bf659a:034a0062,f9b0e971/image:3726e854/mount:8148133a/user:04f720b4|command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/image:3726e854/mount:8148133a/user:04f720b4' \
      busybox:latest ||
    refuse 's-shop.example.com-files is not as it was when this was planned'
  is_current s-shop.example.com-files shop any \
      'command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/file-e3bf659a:034a0062,f9b0e971/image:3726e854/mount:8148133a/user:04f720b4|command:655f5c6e,0e6503c1,567479c4,6c237681,05dc0e47,e3bf659a/image:3726e854/mount:8148133a/user:04f720b4' \
      busybox:latest ||
    has_room s-backend 10.96.134.0/24 10.96.134.132 ||
    refuse 'network s-backend has no room for s-shop.example.com-files at 10.96.134.132'
  absent s-shop.example.com-release ||
    is_current s-shop.example.com-release shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c/release-entrypoint:e3b0c442/release:89c4ec9f,0c3603e1,c22995ad \
      web:1 ||
    refuse 's-shop.example.com-release is not as it was when this was planned'
  absent s-shop.example.com ||
    is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    refuse 's-shop.example.com is not as it was when this was planned'
  is_current s-shop.example.com shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    has_room s-backend 10.96.134.0/24 10.96.134.133 ||
    refuse 'network s-backend has no room for s-shop.example.com at 10.96.134.133'
  absent s-shop.example.com-2 ||
    is_current s-shop.example.com-2 shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    refuse 's-shop.example.com-2 is not as it was when this was planned'
  is_current s-shop.example.com-2 shop any \
      cpus:d2cbad71/env-file:19b52d7b/env:534fd967/image:8724d338/memory:60608e3c web:1 ||
    has_room s-backend 10.96.134.0/24 10.96.134.134 ||
    refuse 'network s-backend has no room for s-shop.example.com-2 at 10.96.134.134'
  absent s-jobs ||
    is_current s-jobs shop any command:e2f645c4/entrypoint:89c4ec9f,0c3603e1/image:83d0dbbf worker:latest ||
    refuse 's-jobs is not as it was when this was planned'
  is_current s-jobs shop any command:e2f645c4/entrypoint:89c4ec9f,0c3603e1/image:83d0dbbf worker:latest ||
    has_room s-backend 10.96.134.0/24 10.96.134.135 ||
    refuse 'network s-backend has no room for s-jobs at 10.96.134.135'
  no_other_answers shop s-backend: backend-cache backend-db cache cache.local db db.local files files.local \
      jobs s-backend-cache s-backend-cache-next s-backend-cache-previous s-backend-db s-backend-db-next \
      s-backend-db-previous s-jobs s-jobs-next s-jobs-previous s-shop.example.com s-shop.example.com-2 \
      s-shop.example.com-files s-shop.example.com-files-next s-shop.example.com-files-previous \
      s-shop.example.com-next s-shop.example.com-next-2 s-shop.example.com-previous \
      s-shop.example.com-previous-2 s-shop.example.com-setup s-shop.example.com-setup-next \
      s-shop.example.com-setup-previous setup setup.local shop shop-example-com shop-example-com-files \
      shop-example-com-setup ||
    refuse 'a container that is not of this project answers to one of its names on its networks'
}

# go_back: puts back what was there before a step that failed, and ends the script
go_back() {
  undo docker stop -t 5 s-shop.example.com-release
  failed
}

# routes: what the proxy is to have of a project
routes() {
  cat <<'END'
# project shop
# network s-backend
https://shop.example.com {
	reverse_proxy s-shop.example.com-previous.s-backend.:3000 s-shop.example.com-previous-2.s-backend.:3000 {
		dynamic multi {
			a s-shop.example.com.s-backend. 3000 {
				refresh 1s
			}
			a s-shop.example.com-2.s-backend. 3000 {
				refresh 1s
			}
		}
		lb_try_duration 5s
		header_up X-Real-IP {remote_host}
		header_up -Forwarded
		import gordon-streams
	}
	encode zstd gzip
}
https://jobs.example.com {
	reverse_proxy s-jobs-previous.s-backend.:8080 {
		dynamic a s-jobs.s-backend. 8080 {
			refresh 1s
		}
		lb_try_duration 5s
		header_up X-Real-IP {remote_host}
		header_up -Forwarded
		import gordon-streams
	}
	encode zstd gzip
}
# end
END
}

# ask WORDS…: a question to docker
ask() { docker "$@"; }

# say WORDS…: a line for people, with ? for what would move the cursor
say() { printf '%s\n' "$*" | LC_ALL=C tr '\001-\010\013-\037\177' '?' >&2; }

# refuse WHY: ends the script before it has changed anything
refuse() {
  say "refused, nothing was changed: $1"
  exit 4
}

# fail WHY: ends the script at the step that it has come to
fail() {
  [ "$_step" -gt 0 ] || refuse "$1"
  say "failed at step $_step of $_steps: $1"
  say "run this again when the cause is gone: it goes on from here"
  exit 1
}

# failed: ends the script, since the step's own command failed
failed() { fail "$_what"; }

# readable FILE: it is there, and may be read
readable() { [ -f "$1" ] && [ -r "$1" ]; }

# step NUMBER WHAT WHY: what the next command is for
step() {
  pass
  _step=$1 _what=$2 _why=$3 _open=yes
}

# pass: says so when the step until now had nothing to do
pass() {
  [ -z "$_open" ] || say "[$_step/$_steps] $_what: nothing to do"
  _open=
}

# start: the step has something to do
start() {
  [ -n "$_open" ] || return 0
  _open=
  _ran="$_ran$_step "
  _count=$((_count + 1))
  say "[$_step/$_steps] $_what: $_why"
}

# skipped NUMBER…: none of these steps had anything to do
skipped() {
  for _number in "$@"; do
    case $_ran in *" $_number "*) return 1 ;; esac
  done
}

# finish: how it went
finish() {
  pass
  say "done: $_count of $_steps steps had something to do"
}

# show COMMAND…: the command, as it could be typed
show() {
  _line=+
  for _word in "$@"; do
    case $_word in
      '' | *[!A-Za-z0-9_@%+=:,./-]*)
        _rest=$_word _word=
        while :; do
          case $_rest in *\'*) ;; *) break ;; esac
          _word="$_word${_rest%%\'*}'\\''" _rest=${_rest#*\'}
        done
        _word="'$_word$_rest'"
        ;;
    esac
    _line="$_line $_word"
  done
  say "$_line"
}

# try COMMAND…: shows the command and runs it, without what it prints
try() {
  start
  show "$@"
  "$@" </dev/null >/dev/null
}

# stream COMMAND…: shows the command and runs it, with what it prints
stream() {
  start
  show "$@"
  "$@" </dev/null >&2
}

# feed COMMAND…: shows the command and runs it on what this reads, without what it prints
feed() {
  start
  show "$@"
  "$@" >/dev/null
}

# run COMMAND…: as try; when the command fails, so does the script
run() { try "$@" || failed; }

# create_unless CHECK CONTAINER WORDS… -- COMMAND…: as try, of a command that creates the container; when it is there,
# nothing is done, but it has to pass the check
create_unless() {
  if exists "$2"; then require "$@"; else create "$@"; fi
}

# run_unless CHECK CONTAINER WORDS… -- COMMAND…: as create_unless, of a command that also starts the container; one that
# was only created is started
run_unless() {
  if exists "$2"; then
    require "$@"
    is_running "$2" || start_made "$2"
  else
    create "$@"
  fi
}

# run_once_unless CHECK CONTAINER WORDS… -- COMMAND…: as run_unless, of a container that is meant to end; one that has ended
# well is not started again
run_once_unless() {
  if exists "$2" && ended_well "$2"; then require "$@"; else run_unless "$@"; fi
}

# create WORDS… -- COMMAND…: as try, of the command
create() {
  while [ "$1" != -- ]; do shift; done
  shift
  try "$@"
}

# require CHECK CONTAINER…: ends the script when the container does not pass the check
require() { "$@" || fail "$2 is not as this plan makes it: plan again on this host"; }

# start_made CONTAINER: starts it
start_made() { try docker start "$1"; }

# undo COMMAND…: a command that may fail, on the way back
undo() {
  show "$@"
  "$@" </dev/null >/dev/null || :
}

# await NAME LIMIT EVERY HOLD READY FATAL COMMAND…: asks every EVERY seconds, for LIMIT seconds, until the answer has
# matched READY for HOLD seconds on end; an answer that matches FATAL, or no time left, fails
await() {
  start
  _name=$1 _limit=$2 _left=$2 _every=$3 _hold=$4 _ready=$5 _fatal=$6 _good=0
  _start=${_start-0} _bad=${_retries-} _retries=
  shift 6
  case $1 in state | outcome | outcome_so_far) ;; *) show "$@" ;; esac
  while :; do
    # docker's warnings are no part of an answer
    _failed=
    _answer=$("$@" </dev/null 2>/dev/null) || _failed=yes
    if [ -z "$_failed" ] && matches "$_answer" "$_fatal"; then
      break
    elif [ -n "$_failed" ] || ! matches "$_answer" "$_ready"; then
      _good=0
    elif [ "$_good" -ge "$_hold" ]; then
      return 0
    else
      _good=$((_good + _every))
    fi
    [ "$_left" -gt 0 ] || break
    if [ -n "$_bad" ] && [ "$_start" -le 0 ]; then
      _bad=$((_bad - 1))
      [ "$_bad" -gt 0 ] || break
    fi
    sleep "$_every"
    _left=$((_left - _every)) _start=$((_start - _every))
  done
  [ -z "$_failed" ] || _answer="no answer: $("$@" </dev/null 2>&1)" || :
  _log=$(ask logs --tail 20 "$_name" 2>&1) || :
  case $1 in
    outcome | outcome_so_far)
      _lack='has not ended well'
      [ "$_answer" != running ] || _answer="it still runs after $_limit s"
      ;;
    *) _lack='is not ready' ;;
  esac
  hide "$_name $_lack: $_answer
the end of its log:
$_log"
  return 1
}

# state CONTAINER: whether it runs, its health, and how often docker has restarted it
# shellcheck disable=SC2317 # await calls it
state() {
  ask container inspect --format '{{.State.Status}} {{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}} {{.RestartCount}}' "$1"
}

# stays_up CONTAINER SECONDS LIMIT: waits until it has been up for so long, without a restart
stays_up() { await "$1" "$3" 1 "$2" 'running * 0' 'exited *|dead *|restarting *|* unhealthy *' state "$1"; }

# gets_healthy CONTAINER EVERY LIMIT: waits until its health check says so
gets_healthy() { await "$1" "$3" "$2" 0 'running healthy *' 'exited *|dead *|restarting *|* unhealthy *' state "$1"; }

# gets_ready CONTAINER EVERY LIMIT COMMAND…: waits until it runs and the command says that it is ready
gets_ready() {
  _name=$1 _every=$2 _left=$3
  shift 3
  await "$_name" "$_left" "$_every" 0 ready 'exited *|dead *|restarting *' once_up "$_name" "$@"
}

# patiently SECONDS RETRIES COMMAND…: as the command, a wait; once the seconds are over, so many answers that are not good
# end it
patiently() {
  _start=$1 _retries=$2
  shift 2
  "$@"
}

# ends_well CONTAINER EVERY LIMIT: waits until it ends, with exit status 0
ends_well() { await "$1" "$3" "$2" 0 'done' 'failed *|dead' outcome "$1"; }

# outcome CONTAINER: whether it ended, and how
# shellcheck disable=SC2317 # await calls it
outcome() {
  ask container inspect --format '{{if ne .State.Status "exited"}}{{.State.Status}}{{else if .State.ExitCode}}failed {{.State.ExitCode}}{{else}}done{{end}}' "$1"
}

# outcome_so_far CONTAINER: the same, where it is good that it runs
# shellcheck disable=SC2317 # await calls it
outcome_so_far() {
  ask container inspect --format '{{if eq .State.Status "running"}}good{{else if ne .State.Status "exited"}}{{.State.Status}}{{else if .State.ExitCode}}failed {{.State.ExitCode}}{{else}}good{{end}}' "$1"
}

# hide TEXT: says the text, with … for the values of secrets and for each of their lines
hide() (
  _values=
  for _key in ${_secrets-}; do
    eval "_value=\${$_key-}"
    _values="$_values$_value
"
  done
  _text=$1
  IFS='
'
  set -f
  while :; do
    # the longest first: a value may begin with another
    _longest=
    for _value in $_values; do
      if [ "${#_value}" -gt 3 ] && [ "${#_value}" -gt "${#_longest}" ]; then
        case $_text in *"$_value"*) _longest=$_value ;; esac
      fi
    done
    [ -n "$_longest" ] || break
    _rest=$_text _text=
    while :; do
      case $_rest in *"$_longest"*) ;; *) break ;; esac
      _text="$_text${_rest%%"$_longest"*}…" _rest=${_rest#*"$_longest"}
    done
    _text=$_text$_rest
  done
  say "$_text"
)

# once_up NAME COMMAND…: what the command says while the container runs; else what the container does
once_up() {
  _state=$(ask container inspect --format '{{.State.Status}}' "$1") || return 1
  case $_state in
    running) shift && "$@" ;;
    *) printf '%s \n' "$_state" ;;
  esac
}

# matches TEXT PATTERNS: one of the patterns, with | between them, fits the whole text
matches() (
  IFS='|'
  set -f
  for _pattern in $2; do
    # shellcheck disable=SC2254 # a pattern is meant
    case $1 in $_pattern) exit 0 ;; esac
  done
  exit 1
)

# only_volumes IMAGE PATH…: fails when the image declares any other VOLUME, whose data this plan could not keep; docker
# mounts `VOLUME /data/` at /data
only_volumes() {
  _image=$1
  shift
  _declared=$(ask image inspect --format "{{range \$path, \$_ := .Config.Volumes}}{{println \$path}}{{end}}" "$_image") || return 1
  while IFS= read -r _path; do
    [ -n "$_path" ] || continue
    for _known in "$@"; do
      [ "$_known" != "${_path%/}" ] || continue 2
    done
    say "$_image declares VOLUME $_path, which this plan does not know: plan again with the image on the host"
    return 1
  done <<END
$_declared
END
  _open=
  say "[$_step/$_steps] $_what: it declares none but those that are known"
}

# look KIND NAME [TEMPLATE]: whether docker has one of just this name, not of an id that begins so; what the template
# tells of it is kept in _seen
look() {
  if ! _seen=$(ask "$1" inspect --format "{{.Name}}|${3-}" "$2" 2>/dev/null); then
    answers || fail "docker does not answer any more"
    return 1
  fi
  case ${_seen#/} in
    "$2|"*) _seen=${_seen#*|} ;;
    *) return 1 ;;
  esac
}

# answers: docker is there
answers() { ask version >/dev/null 2>&1; }

# has_image IMAGE: it is on the host
has_image() {
  ask image inspect --format '{{.Id}}' "$1" >/dev/null 2>&1 && return
  answers || fail "docker does not answer any more"
  return 1
}

# has_network NAME: it is there
has_network() { look network "$1"; }

# no_network NAME: it is not there
no_network() { ! look network "$1"; }

# usable_network NAME PROJECT: it belongs to the project, or to no project
usable_network() {
  look network "$1" '{{or (index .Labels "gordon.part") (index .Labels "gordon.managed")}}|{{index .Labels "gordon.project"}}' && usable "$_seen" "$2"
}

# no_other_answers PROJECT [NETWORK: NAME…]…: of the containers that run on the network, none but the project's own and the
# proxy answers to one of these names, which are in lower case
no_other_answers() {
  _project=$1
  shift
  _others=$(ask ps --no-trunc --format '{{.ID}}|,{{.Networks}},|{{.Names}}|{{.Label "gordon.project"}}|{{or (.Label "gordon.part") (.Label "gordon.name")}}') || fail "docker does not answer any more"
  while IFS='|' read -r _id _networks _container _owner _made_as; do
    # a container that was committed and run again carries these labels, under a name of its own
    case $_made_as in */*) _made_as=${_made_as%/*} _made_as=${_made_as##*/} ;; esac
    _made_as=${_made_as:-$_container}
    case $_container in
      "$_made_as" | "$_made_as"-[0-9]* | "$_made_as"-next* | "$_made_as"-blue* | "$_made_as"-green* | "$_made_as"-previous* | "$_made_as"-release*) ;;
      *) _owner= ;;
    esac
    case "$_container|$_owner" in
      *"|$_project" | "gordon-proxy|" | "gordon-proxy-previous|") continue ;;
    esac
    for _name in "$@"; do
      case $_name in
        *:)
          _network=${_name%:} _answers=
          case $_networks in *",$_network,"*) _answers=$(answers_of "$_id" "$_network" "$_container") ;; esac
          continue
          ;;
      esac
      case $_answers in *"\"$_name\""[],]*) ;; *) continue ;; esac
      say "container $_container answers to $_name; this takes it off: docker network disconnect $_network $_container"
      return 1
    done
  done <<END
$_others
END
}

# answers_of ID NETWORK CONTAINER: what the container answers to there, among other things, in lower case
answers_of() {
  _endpoint=$(ask container inspect --format "{{json (index .NetworkSettings.Networks \"$2\")}}" "$1" 2>/dev/null </dev/null) || :
  printf '"%s",%s\n' "$3" "$_endpoint" | tr '[:upper:]' '[:lower:]'
}

# has_room NETWORK SUBNET ADDRESS: it is not there yet, or has this subnet, and the address is free
has_room() {
  look network "$1" ' {{range .IPAM.Config}}{{.Subnet}} {{end}}|{{range .Containers}} {{.IPv4Address}}{{end}}' || return 0
  case $_seen in
    *" $3/"*) return 1 ;;
    *" $2 "*) ;;
    *) return 1 ;;
  esac
}

# has_volume NAME: it is there
has_volume() { look volume "$1"; }

# no_volume NAME: it is not there
no_volume() { ! look volume "$1"; }

# usable_volume NAME PROJECT: it belongs to the project, or to no project
usable_volume() {
  look volume "$1" '{{or (index .Labels "gordon.part") (index .Labels "gordon.managed")}}|{{index .Labels "gordon.project"}}' && usable "$_seen" "$2"
}

# usable LABELS PROJECT: gordon.part|gordon.project, or gordon.managed of the version before, name the project or none
usable() {
  case $1 in
    *"|$2") ;;
    'true|'* | */*'|'*) return 1 ;;
    *'|') ;;
    *) return 1 ;;
  esac
}

# exists CONTAINER: it is there
exists() { look container "$1"; }

# absent CONTAINER: it is not there
absent() { ! look container "$1"; }

# is_told LABELS PROJECT RELEASE SPEC[|SPEC]: the labels, PROJECT|SPEC|RELEASE and more, are of these; the release may be any,
# and is the end of the label gordon.part, or all of gordon.release, which the version before has
is_told() {
  _rest=${1#*|}
  told "${_rest%%|*}"
  _rest=${_rest#*|} _rest=${_rest%%|*}
  [ "${1%%|*}" = "$2" ] || return 1
  case "|$4|" in *"|$_told|"*) ;; *) return 1 ;; esac
  case $3 in
    any | "${_rest##*/}") ;;
    *) return 1 ;;
  esac
}

# told LABEL: what the label gordon.spec says that a container was told, in _told, without what it remembers behind an @;
# the version before has blanks where there are slashes now
told() {
  _told=${1%%@*}
  while :; do
    case $_told in
      *' '*) _told=${_told%% *}/${_told#* } ;;
      *) return 0 ;;
    esac
  done
}

# is_current CONTAINER PROJECT RELEASE SPEC[|SPEC] IMAGE [VOLUME:PATH]… [-- …]: it is what this plan makes, running or not; the
# release may be any
is_current() {
  look container "$1" '{{with .Config.Labels}}{{index . "gordon.project"}}|{{index . "gordon.spec"}}|{{or (index . "gordon.part") (index . "gordon.release")}}{{end}}|{{.Image}}|{{range .Mounts}}
{{.Name}}:{{.Destination}}|{{end}}' || return 1
  is_told "$_seen" "$2" "$3" "$4" || return 1
  # an image that is gone from the host cannot have moved on
  _image=$(ask image inspect --format '{{.Id}}' "$5" 2>/dev/null) || _image=
  case $_seen in *"|$_image|"*) ;; *) [ -z "$_image" ] || return 1 ;; esac
  shift 5
  for _mount in "$@"; do
    [ "$_mount" != -- ] || break
    case $_seen in
      *"
$_mount|"*) ;;
      *) return 1 ;;
    esac
  done
}

# is_proxy CONTAINER SPEC IMAGE: it is the proxy that all projects share, and what this plan makes, running or not
is_proxy() {
  look container "$1" '{{with .Config.Labels}}{{index . "gordon.maker"}}|{{index . "gordon.spec"}}{{end}}|{{.Image}}' || return 1
  case $_seen in "|"*) return 1 ;; esac
  _rest=${_seen#*|}
  told "${_rest%%|*}"
  [ "$_told" = "$2" ] || return 1
  # an image that is gone from the host cannot have moved on
  _image=$(ask image inspect --format '{{.Id}}' "$3" 2>/dev/null) || return 0
  case $_seen in *"|$_image") ;; *) return 1 ;; esac
}

# has_routes PROJECT TEXT: this is all that the proxy has of the project's routes; behind the text is a point
has_routes() {
  _routes=$(ask exec gordon-proxy cat "/config/gordon/$1.caddy" 2>/dev/null </dev/null && echo .) || return 1
  [ "$_routes" = "$2" ]
}

# is_running CONTAINER: it runs, or will without help
is_running() {
  look container "$1" '{{.State.Status}}' || return 1
  case $_seen in
    running | paused | restarting) ;;
    *) return 1 ;;
  esac
}

# ended_well CONTAINER: it ended, with exit status 0
ended_well() { look container "$1" '{{.State.Status}} {{.State.ExitCode}}' && [ "$_seen" = 'exited 0' ]; }

# is_healthy CONTAINER: its health check says so
is_healthy() {
  look container "$1" '{{.State.Status}}{{with .State.Health}} {{.Status}}{{end}}' && [ "$_seen" = 'running healthy' ]
}

# restarts CONTAINER POLICY: this is its restart policy
restarts() {
  look container "$1" '{{with .HostConfig.RestartPolicy}}{{.Name}}{{with .MaximumRetryCount}}:{{.}}{{end}}{{end}}' &&
    [ "${_seen:-no}" = "$2" ]
}

# is_attached CONTAINER NETWORK: it is in the network
is_attached() {
  look container "$1" "{{with index .NetworkSettings.Networks \"$2\"}}yes{{end}}" && [ "$_seen" = yes ]
}

# limits_logs: the engine's log driver takes max-size and max-file
limits_logs() {
  case $(ask info --format '{{.LoggingDriver}}') in json-file | local) ;; *) return 1 ;; esac
}

main "$@"
