# served SCHEME PORT: each host that this reads is asked of the proxy at that port, as a visitor would ask. An answer is a
# line: HOST CERTIFICATE STATUS MILLISECONDS, or HOST CERTIFICATE - WHY; CERTIFICATE is yes or no. Busybox cannot ask over
# HTTPS under a name that resolves to another address: a second Caddy asks, and ends with this.
set -eu
certificates=${XDG_DATA_HOME:-$HOME/.local/share}/caddy/certificates
port=$((20000 + $$ % 40000))
case $1 in
https) tls="tls_insecure_skip_verify
			tls_server_name {http.request.header.X-Host}" ;;
*) tls= ;;
esac
XDG_DATA_HOME=$(mktemp -d)
export XDG_DATA_HOME
caddy run --adapter caddyfile --config - >/dev/null 2>&1 <<END &
{
	admin off
	auto_https off
	persist_config off
}
http://127.0.0.1:$port {
	bind 127.0.0.1
	reverse_proxy $1://127.0.0.1:$2 {
		header_up Host {http.request.header.X-Host}
		header_up -X-Host
		transport http {
			dial_timeout 5s
			response_header_timeout 5s
			$tls
		}
		handle_response {
			respond "{http.reverse_proxy.status_code} {http.reverse_proxy.upstream.latency_ms}"
		}
	}
	handle_errors {
		respond "- {err.message}" 200
	}
}
END
caddy=$!
trap 'kill "$caddy"; wait "$caddy" || :; rm -rf "$XDG_DATA_HOME"' EXIT
ask() {
	certificate=no
	for file in "$certificates"/*/"$1/$1.crt"; do [ ! -f "$file" ] || certificate=yes; done
	answer=$(wget -q -O - --header "X-Host: $1" "http://127.0.0.1:$port/" 2>&1) || answer="- $answer"
	printf '%s %s %s\n' "$1" "$certificate" "$answer"
}
tries=50
until wget -q -O /dev/null "http://127.0.0.1:$port/" 2>/dev/null || [ "$tries" = 0 ]; do
	tries=$((tries - 1))
	sleep 0.1
done
(
	count=0
	while read -r host; do
		ask "$host" &
		count=$(((count + 1) % 16))
		[ "$count" -gt 0 ] || wait
	done
	wait
)
