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

# pause CONTAINER COMMAND…: as try, of a command that pauses the container, which goes on however this script ends; where
# docker cannot, the rest is done without
pause() {
  _paused=$1
  shift
  trap go_on EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  try "$@" || {
    trap - EXIT HUP INT TERM
    say "$_paused is not paused: the rest goes on without"
  }
}

# unpause COMMAND…: as run, of a command that ends the pause
unpause() {
  run "$@"
  trap - EXIT HUP INT TERM
}

# go_on: the container that is still paused goes on
# shellcheck disable=SC2317 # a trap calls it
go_on() {
  say "${_paused-} goes on"
  ask unpause "${_paused-}" >/dev/null 2>&1 || :
}

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

# goes_well CONTAINER SECONDS LIMIT: waits until it has been up for so long, or ended with exit status 0
goes_well() { await "$1" "$3" 1 "$2" 'good' 'failed *|dead' outcome_so_far "$1"; }

# outcome_so_far CONTAINER: the same, where it is good that it runs
# shellcheck disable=SC2317 # await calls it
outcome_so_far() {
  ask container inspect --format '{{if eq .State.Status "running"}}good{{else if ne .State.Status "exited"}}{{.State.Status}}{{else if .State.ExitCode}}failed {{.State.ExitCode}}{{else}}good{{end}}' "$1"
}

# drain CONTAINER SECONDS: it has so long to end its work, whatever becomes of it
drain() {
  start
  nap "$2"
}

# drain_of_proxy CONTAINER SECONDS LIMIT COMMAND…: after the seconds, waits until the command says that the proxy has no
# request for it, at most LIMIT seconds in all, whatever becomes of it
drain_of_proxy() {
  start
  _first=$2 _left=$3
  shift 3
  show "$@"
  nap "$_first"
  until [ "$_left" -le 1 ] || [ "$("$@" 2>/dev/null </dev/null)" = idle ]; do
    nap 1
    _left=$((_left - 1))
  done
}

# nap SECONDS: waits so long; where `sleep` knows no parts of seconds, up to one more
nap() { sleep "$1" 2>/dev/null || sleep "$((${1%%.*} + 1))"; }

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

# has_release CONTAINER PROJECT RELEASE SPEC: its labels say so
has_release() {
  look container "$1" '{{with .Config.Labels}}{{index . "gordon.project"}}|{{index . "gordon.spec"}}|{{or (index . "gordon.part") (index . "gordon.release")}}{{end}}' &&
    is_told "$_seen" "$2" "$3" "$4"
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

# no_routes PROJECT: the proxy does not run, or has no routes of the project
no_routes() { ! ask exec gordon-proxy test -f "/config/gordon/$1.caddy" 2>/dev/null </dev/null; }

# is_running CONTAINER: it runs, or will without help
is_running() {
  look container "$1" '{{.State.Status}}' || return 1
  case $_seen in
    running | paused | restarting) ;;
    *) return 1 ;;
  esac
}

# is_steady CONTAINER: it runs, and is not about to be started again
is_steady() { look container "$1" '{{.State.Status}}' && [ "$_seen" = running ]; }

# is_paused CONTAINER: it is paused
is_paused() { look container "$1" '{{.State.Status}}' && [ "$_seen" = paused ]; }

# is_unpaused CONTAINER: it is not paused, or is not there
is_unpaused() { ! is_paused "$1"; }

# is_stopped CONTAINER: it does not run, or is not there
is_stopped() { ! is_running "$1"; }

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

# is_detached CONTAINER NETWORK: it is not in the network, or not there
is_detached() { ! is_attached "$1" "$2"; }

# answers_to CONTAINER NETWORK ALIAS…: it is in the network and has just these names there; its short id, which older
# engines count among them, is none
answers_to() {
  look container "$1" "{{\$id := slice .Id 0 12}}{{with index .NetworkSettings.Networks \"$2\"}} {{range .Aliases}}{{if ne . \$id}}{{.}} {{end}}{{end}}{{end}}" || return 1
  [ -n "$_seen" ] || return 1
  shift 2
  for _alias in "$@"; do
    case $_seen in *" $_alias "*) ;; *) return 1 ;; esac
  done
  for _alias in $_seen; do
    case " $* " in *" $_alias "*) ;; *) return 1 ;; esac
  done
}
