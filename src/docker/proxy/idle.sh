all=$(wget -q -O - http://127.0.0.1:2019/reverse_proxy/upstreams) || exit
for one in "$@"; do
  if echo "$all" | tr "{" "\n" | grep -F "\"$one:" | grep -qv "\"num_requests\":0,"; then
    echo busy
    exit
  fi
done
echo idle
