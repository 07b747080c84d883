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
