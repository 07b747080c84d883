#!/bin/sh
# What gordon planned for project sites: 31 steps.
#
# Run it from the folder of the config. It needs docker and a POSIX shell, nothing else.
#
# It first asks whether the host is as the plan takes for granted, and changes nothing when it is not. Then
# it goes through the steps and passes over those that have nothing to do: it can be run again at any time.
# The steps come first, the functions that they call below. Nothing runs before the last line is read.
#
# Exit status: 0 done; 1 a step failed, or something was left out; 4 refused, and nothing was changed.
#
#    1  pull app1:latest
#    2  check the volumes of app1:latest
#    3  pull app2:latest
#    4  check the volumes of app2:latest
#    5  pull caddy:2
#    6  check the volumes of caddy:2
#    7  pull redis:7-alpine
#    8  check the volumes of redis:7-alpine
#    9  create network sites-one-example-com
#   10  create network sites-two-example-com
#   11  create volume sites-two-example-com-redis-data
#   12  create network 0-gordon-proxy
#   13  create volume gordon-proxy-data
#   14  create volume gordon-proxy-config
#   15  write the set-up of gordon-proxy
#   16  run gordon-proxy
#   17  see that gordon-proxy stays up for 1s
#   18  set the restart policy of gordon-proxy to always
#   19  connect gordon-proxy to sites-one-example-com
#   20  connect gordon-proxy to sites-two-example-com
#   21  run sites-one.example.com
#   22  wait until sites-one.example.com listens on port 8080
#   23  set the restart policy of sites-one.example.com to always
#   24  run sites-two.example.com-redis
#   25  see that sites-two.example.com-redis stays up for 1s
#   26  set the restart policy of sites-two.example.com-redis to always
#   27  run sites-two.example.com
#   28  wait until sites-two.example.com listens on port 8080
#   29  set the restart policy of sites-two.example.com to always
#   30  route to sites
#   31  let the proxy note where it finds sites-one.example.com.sites-one-example-com, sites-two.example.com.sites-two-example-com
# shellcheck disable=SC2016 # text between single quotes is for other shells
set -eu
trap 'echo "refused, nothing was changed: this script is not whole" >&2; exit 4' EXIT

main() {
  trap - EXIT
  _steps=31 _step=0 _open='' _ran=' ' _count=0
  expectations

  step 1 'pull app1:latest' 'not on this host'
  has_image app1:latest ||
    stream docker pull app1:latest || failed

  step 2 'check the volumes of app1:latest' 'what it declares is not known yet'
  only_volumes app1:latest || failed

  step 3 'pull app2:latest' 'not on this host'
  has_image app2:latest ||
    stream docker pull app2:latest || failed

  step 4 'check the volumes of app2:latest' 'what it declares is not known yet'
  only_volumes app2:latest || failed

  step 5 'pull caddy:2' 'not on this host'
  has_image caddy:2 ||
    stream docker pull caddy:2 || failed

  step 6 'check the volumes of caddy:2' 'what it declares is not known yet'
  only_volumes caddy:2 /config /data || failed

  step 7 'pull redis:7-alpine' 'not on this host'
  has_image redis:7-alpine ||
    stream docker pull redis:7-alpine || failed

  step 8 'check the volumes of redis:7-alpine' 'what it declares is not known yet'
  only_volumes redis:7-alpine /data || failed

  step 9 'create network sites-one-example-com' 'not there yet'
  has_network sites-one-example-com ||
    run docker network create --subnet 10.213.83.0/24 --ip-range 10.213.83.0/25 \
        --label gordon.project=sites --label gordon.part=network/one.example.com/sites-one-example-com \
        sites-one-example-com

  step 10 'create network sites-two-example-com' 'not there yet'
  has_network sites-two-example-com ||
    run docker network create --subnet 10.219.244.0/24 --ip-range 10.219.244.0/25 \
        --label gordon.project=sites --label gordon.part=network/two.example.com/sites-two-example-com \
        sites-two-example-com

  step 11 'create volume sites-two-example-com-redis-data' 'not there yet'
  has_volume sites-two-example-com-redis-data ||
    run docker volume create \
        --label gordon.project=sites \
        --label gordon.part=volume/two.example.com/sites-two-example-com-redis-data \
        sites-two-example-com-redis-data

  step 12 'create network 0-gordon-proxy' 'not there yet'
  has_network 0-gordon-proxy ||
    run docker network create --subnet 10.214.17.0/24 --ip-range 10.214.17.0/25 \
        --label gordon.maker=sites --label gordon.part=network/gordon-proxy/0-gordon-proxy \
        0-gordon-proxy

  step 13 'create volume gordon-proxy-data' 'not there yet'
  has_volume gordon-proxy-data ||
    run docker volume create \
        --label gordon.maker=sites --label gordon.part=volume/gordon-proxy/gordon-proxy-data \
        gordon-proxy-data

  step 14 'create volume gordon-proxy-config' 'not there yet'
  has_volume gordon-proxy-config ||
    run docker volume create \
        --label gordon.maker=sites --label gordon.part=volume/gordon-proxy/gordon-proxy-config \
        gordon-proxy-config

  step 15 'write the set-up of gordon-proxy' 'not there yet'
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

  step 16 'run gordon-proxy' 'not there yet'
  run_unless is_proxy gordon-proxy command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355 caddy:2 -- \
    docker run --detach --name gordon-proxy --restart on-failure:10 \
        --network 0-gordon-proxy --ip 10.214.17.128 \
        --env ALL_PROXY= --env FTP_PROXY= --env HTTPS_PROXY= --env HTTP_PROXY= --env NO_PROXY= \
        --env all_proxy= --env ftp_proxy= --env http_proxy= --env https_proxy= --env no_proxy= \
        --label gordon.maker=sites --label gordon.part=proxy/gordon-proxy/gordon-proxy/1 \
        --label gordon.spec=command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355@0-gordon-proxy=10.214.17.128 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 30 \
        --volume gordon-proxy-data:/data --volume gordon-proxy-config:/config \
        --publish 80:80 --publish 443:443 --publish 443:443/udp \
        --dns-option ndots:1 --dns-option timeout:1 --dns-option attempts:2 \
        --entrypoint sh \
        caddy:2 /config/start-c4e26a1c || failed

  step 17 'see that gordon-proxy stays up for 1s' 'not ready yet'
  restarts gordon-proxy always ||
    stays_up gordon-proxy 1 11 || failed

  step 18 'set the restart policy of gordon-proxy to always' 'it is ready: docker keeps it up from here on'
  restarts gordon-proxy always ||
    run docker update --restart always gordon-proxy

  step 19 'connect gordon-proxy to sites-one-example-com' 'the proxy routes to apps there'
  is_attached gordon-proxy sites-one-example-com ||
    run docker network connect --ip 10.213.83.128 sites-one-example-com gordon-proxy

  step 20 'connect gordon-proxy to sites-two-example-com' 'the proxy routes to apps there'
  is_attached gordon-proxy sites-two-example-com ||
    run docker network connect --ip 10.219.244.128 sites-two-example-com gordon-proxy

  step 21 'run sites-one.example.com' 'not there yet'
  run_unless is_current sites-one.example.com sites any image:74ce8e96 app1:latest -- \
    docker run --detach --name sites-one.example.com --restart on-failure:10 \
        --network sites-one-example-com --ip 10.213.83.129 --network-alias one \
        --network-alias one-example-com \
        --label gordon.project=sites --label gordon.part=app/one.example.com/sites-one.example.com/1 \
        --label gordon.spec=image:74ce8e96@sites-one-example-com=10.213.83.129 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 30 \
        app1:latest || failed

  step 22 'wait until sites-one.example.com listens on port 8080' 'not ready yet'
  restarts sites-one.example.com always ||
    gets_ready sites-one.example.com 1 60 \
        docker exec gordon-proxy sh \
            -c 'a=$(wget -q -O - --header "X-To: $1:$2" --header "X-Host: $3" http://127.0.0.1:2021/ 2>&1); case "$? $a" in [!0]* | "0 dial"*) echo "nothing listens on port $2: $a" ;; *) echo ready ;; esac' \
            connect sites-one.example.com 8080 one.example.com || failed

  step 23 'set the restart policy of sites-one.example.com to always' \
      'it is ready: docker keeps it up from here on'
  restarts sites-one.example.com always ||
    run docker update --restart always sites-one.example.com

  step 24 'run sites-two.example.com-redis' 'not there yet'
  run_unless is_current sites-two.example.com-redis sites any image:65b8118d redis:7-alpine \
      sites-two-example-com-redis-data:/data -- \
    docker run --detach --name sites-two.example.com-redis --restart on-failure:10 \
        --network sites-two-example-com --ip 10.219.244.129 --network-alias redis \
        --network-alias redis.internal --network-alias two-example-com-redis --hostname redis \
        --label gordon.project=sites \
        --label gordon.part=service/two.example.com/sites-two.example.com-redis/1 \
        --label gordon.spec=image:65b8118d@sites-two-example-com=10.219.244.129 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 30 --volume sites-two-example-com-redis-data:/data \
        redis:7-alpine || failed

  step 25 'see that sites-two.example.com-redis stays up for 1s' 'not ready yet'
  restarts sites-two.example.com-redis always ||
    stays_up sites-two.example.com-redis 1 11 || failed

  step 26 'set the restart policy of sites-two.example.com-redis to always' \
      'it is ready: docker keeps it up from here on'
  restarts sites-two.example.com-redis always ||
    run docker update --restart always sites-two.example.com-redis

  step 27 'run sites-two.example.com' 'not there yet'
  run_unless is_current sites-two.example.com sites any image:6813f666 app2:latest -- \
    docker run --detach --name sites-two.example.com --restart on-failure:10 \
        --network sites-two-example-com --ip 10.219.244.130 --network-alias two \
        --network-alias two-example-com \
        --label gordon.project=sites --label gordon.part=app/two.example.com/sites-two.example.com/1 \
        --label gordon.spec=image:6813f666@sites-two-example-com=10.219.244.130 \
        --log-opt max-file=3 --log-opt max-size=10m \
        --stop-timeout 30 \
        app2:latest || failed

  step 28 'wait until sites-two.example.com listens on port 8080' 'not ready yet'
  restarts sites-two.example.com always ||
    gets_ready sites-two.example.com 1 60 \
        docker exec gordon-proxy sh \
            -c 'a=$(wget -q -O - --header "X-To: $1:$2" --header "X-Host: $3" http://127.0.0.1:2021/ 2>&1); case "$? $a" in [!0]* | "0 dial"*) echo "nothing listens on port $2: $a" ;; *) echo ready ;; esac' \
            connect sites-two.example.com 8080 two.example.com || failed

  step 29 'set the restart policy of sites-two.example.com to always' \
      'it is ready: docker keeps it up from here on'
  restarts sites-two.example.com always ||
    run docker update --restart always sites-two.example.com

  step 30 'route to sites' 'not there yet'
  has_routes sites "$(routes; echo .)" ||
    feed docker exec --interactive gordon-proxy sh /config/gordon/put sites <<END || failed
$(routes)
END

  step 31 \
      'let the proxy note where it finds sites-one.example.com.sites-one-example-com, sites-two.example.com.sites-two-example-com' \
      'for when docker does not answer'
  skipped 23 29 30 ||
    try docker exec gordon-proxy sh -c '[ ! -f /config/gordon/note ] || exec sh /config/gordon/note "$@"' \
        note sites-one.example.com.sites-one-example-com. sites-two.example.com.sites-two-example-com. || say 'the rest goes on without notes'

  finish
}

# expectations: what the plan takes for granted
expectations() {
  ask version >/dev/null || refuse 'docker does not answer'
  no_network sites-one-example-com ||
    usable_network sites-one-example-com sites ||
    refuse 'network sites-one-example-com belongs to another project'
  no_network sites-two-example-com ||
    usable_network sites-two-example-com sites ||
    refuse 'network sites-two-example-com belongs to another project'
  no_volume sites-two-example-com-redis-data ||
    usable_volume sites-two-example-com-redis-data sites ||
    refuse 'volume sites-two-example-com-redis-data belongs to another project'
  is_proxy gordon-proxy command:f02b36da/image:60eaacfb/port:5f6176b5,9afb9355 caddy:2 ||
    has_room 0-gordon-proxy 10.214.17.0/24 10.214.17.128 ||
    refuse 'network 0-gordon-proxy has no room for gordon-proxy at 10.214.17.128'
  limits_logs ||
    refuse \
        "the engine's log driver cannot limit logs: say which it is, as in \`containers = { log = \"journald\" }\`"
  is_attached gordon-proxy sites-one-example-com ||
    has_room sites-one-example-com 10.213.83.0/24 10.213.83.128 ||
    refuse 'network sites-one-example-com has no room for gordon-proxy at 10.213.83.128'
  is_attached gordon-proxy sites-two-example-com ||
    has_room sites-two-example-com 10.219.244.0/24 10.219.244.128 ||
    refuse 'network sites-two-example-com has no room for gordon-proxy at 10.219.244.128'
  absent sites-one.example.com ||
    is_current sites-one.example.com sites any image:74ce8e96 app1:latest ||
    refuse 'sites-one.example.com is not as it was when this was planned'
  is_current sites-one.example.com sites any image:74ce8e96 app1:latest ||
    has_room sites-one-example-com 10.213.83.0/24 10.213.83.129 ||
    refuse 'network sites-one-example-com has no room for sites-one.example.com at 10.213.83.129'
  absent sites-two.example.com-redis ||
    is_current sites-two.example.com-redis sites any image:65b8118d redis:7-alpine \
      sites-two-example-com-redis-data:/data ||
    refuse 'sites-two.example.com-redis is not as it was when this was planned'
  is_current sites-two.example.com-redis sites any image:65b8118d redis:7-alpine \
      sites-two-example-com-redis-data:/data ||
    has_room sites-two-example-com 10.219.244.0/24 10.219.244.129 ||
    refuse 'network sites-two-example-com has no room for sites-two.example.com-redis at 10.219.244.129'
  absent sites-two.example.com ||
    is_current sites-two.example.com sites any image:6813f666 app2:latest ||
    refuse 'sites-two.example.com is not as it was when this was planned'
  is_current sites-two.example.com sites any image:6813f666 app2:latest ||
    has_room sites-two-example-com 10.219.244.0/24 10.219.244.130 ||
    refuse 'network sites-two-example-com has no room for sites-two.example.com at 10.219.244.130'
  no_other_answers sites sites-one-example-com: one one-example-com sites-one.example.com \
      sites-one.example.com-next sites-one.example.com-previous sites-two-example-com: redis redis.internal \
      sites-two.example.com sites-two.example.com-next sites-two.example.com-previous \
      sites-two.example.com-redis sites-two.example.com-redis-next sites-two.example.com-redis-previous two \
      two-example-com two-example-com-redis ||
    refuse 'a container that is not of this project answers to one of its names on its networks'
}

# routes: what the proxy is to have of a project
routes() {
  cat <<'END'
# project sites
# network sites-one-example-com
# network sites-two-example-com
https://one.example.com {
	reverse_proxy sites-one.example.com-previous.sites-one-example-com.:8080 {
		dynamic a sites-one.example.com.sites-one-example-com. 8080 {
			refresh 1s
		}
		lb_try_duration 5s
		header_up X-Real-IP {remote_host}
		header_up -Forwarded
		import gordon-streams
	}
	encode zstd gzip
}
https://two.example.com {
	reverse_proxy sites-two.example.com-previous.sites-two-example-com.:8080 {
		dynamic a sites-two.example.com.sites-two-example-com. 8080 {
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

# gets_ready CONTAINER EVERY LIMIT COMMAND…: waits until it runs and the command says that it is ready
gets_ready() {
  _name=$1 _every=$2 _left=$3
  shift 3
  await "$_name" "$_left" "$_every" 0 ready 'exited *|dead *|restarting *' once_up "$_name" "$@"
}

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
