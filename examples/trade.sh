#!/bin/sh
# Buys or sells a stock, and reads the order back: sh examples/trade.sh buy 1 GameStart (curl 7.71 or later).
#
# A request that gets no reply, or a 5xx, may have been executed. curl sends it again with the same Idempotency-Key: the
# bazaar executes a key at most once, and answers a repetition with the first outcome. So is one above a rate limit (429).
# Exit codes: 1 rejected, 2 wrong usage, 3 outcome unknown.
set -eu

url=${BAZAAR_URL:-http://localhost:8080}
# Of one attempt: longer than the bazaar itself tries, which is 10 s.
timeout=${BAZAAR_TIMEOUT_SECONDS:-15}
authorization=${BAZAAR_TOKEN:+header = \"Authorization: Bearer $BAZAAR_TOKEN\"}
reply=$(mktemp)
trap 'rm -f "$reply"' EXIT

fail() { # EXIT-CODE MESSAGE
  printf '%s\n' "$2" >&2
  exit "$1"
}

field() { # NAME: its value in the reply
  sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" "$reply"
}

send() { # PATH [CURL-OPTION…]: leaves the body in $reply and the status in $status
  path=$1
  shift
  # --retry alone repeats after a timeout, a 429 or a 5xx, and waits as long as Retry-After says; --retry-all-errors also where the connection
  # was lost. The token comes over standard input: other users can see a command's options.
  status=$(printf '%s' "$authorization" | curl --silent --show-error --retry 4 --retry-all-errors --retry-delay 1 \
    --max-time "$timeout" --config - --output "$reply" --write-out '%{http_code}' "$@" "$url$path") || status=000
}

problem() { # the reply, if there was one
  if [ "$status" = 000 ]; then echo "no reply"; else echo "$status $(field message)"; fi
}

unknown() { # is the outcome of the request unknown, or was it never let in?
  case $status in 000 | 429 | 5??) true ;; *) false ;; esac
}

expect_200() { # WHAT
  if unknown; then fail 3 "$url must answer within 5 attempts (got \"$(problem)\")"; fi
  if [ "$status" != 200 ]; then fail 1 "$1: $(problem)"; fi
}

type=${1-} quantity=${2-} name=${3-}
case $type in buy | sell) ;; *) type= ;; esac
case $quantity in 0* | *[!0-9]*) quantity= ;; esac
if [ -z "$type" ] || [ -z "$quantity" ] || [ -z "$name" ]; then
  fail 2 "usage: trade.sh buy|sell QUANTITY STOCK [IDEMPOTENCY-KEY]"
fi
case $timeout in 0* | *[!0-9]* | ?????*)
  fail 2 "BAZAAR_TIMEOUT_SECONDS must be a whole number from 1 to 9999 (got \"$timeout\")" ;;
esac
case $name in *[!A-Za-z0-9._-]*) fail 2 "STOCK must be of letters, digits, '.', '_' and '-' (got \"$name\")" ;; esac

send "/stocks/$name"
expect_200 "$name"
echo "$name: $(field quantity) left at $(field price)"

# Printed before the trade is sent: with the key its outcome can be found, even if this process dies.
key=${4:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}
echo "Idempotency-Key: $key"
send /orders --header 'Content-Type: application/json' --header "Idempotency-Key: $key" \
  --data "{\"name\":\"$name\",\"quantity\":$quantity,\"type\":\"$type\"}"
if unknown; then echo "It may have been traded: run this again with $key at the end." >&2; fi
expect_200 rejected
number=$(field transaction_number)

send "/orders/$number"
expect_200 "order $number"
echo "Order $(field number): $(field type) $(field quantity) $(field name)"
