#!/usr/bin/env python3
"""Buys or sells a stock, and reads the order back: python3 examples/trade.py buy 1 GameStart (Python 3.8 or later).

A request that gets no reply, or a 5xx, may have been executed. It is sent again with the same Idempotency-Key: the
bazaar executes a key at most once, and answers a repetition with the first outcome. So is one above a rate limit (429).
"""

import http.client
import json
import os
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

URL = os.environ.get("BAZAAR_URL", "http://localhost:8080")
# Of one attempt: longer than the bazaar itself tries, which is 10 s.
TIMEOUT_SECONDS = os.environ.get("BAZAAR_TIMEOUT_SECONDS", "15")
ATTEMPTS_MAX = 5
TOKEN = os.environ.get("BAZAAR_TOKEN")


class Failure(Exception):
    """Exit codes: 1 rejected, 2 wrong usage, 3 outcome unknown."""

    def __init__(self, exit_code, message):
        super().__init__(message)
        self.exit_code = exit_code


def attempt(request):
    """One attempt: (status, seconds to wait before another, body). Raises where there is no reply, or one that isn't JSON."""
    try:
        response = urllib.request.urlopen(request, timeout=int(TIMEOUT_SECONDS))
    except urllib.error.HTTPError as error:  # 4xx and 5xx
        response = error
    with response:
        return response.status, int(response.headers.get("Retry-After", 1)), json.load(response)


def send(what, path, body=None, headers=None):
    """The data of a 200. Sends the same request until the reply isn't a 5xx or 429, at most ATTEMPTS_MAX times."""
    problem = ""
    wait_seconds = 1
    data = None if body is None else json.dumps(body).encode()
    headers = {**(headers or {}), **({"Authorization": f"Bearer {TOKEN}"} if TOKEN else {})}
    for number in range(ATTEMPTS_MAX):
        if number > 0:
            time.sleep(wait_seconds)
        try:
            status, wait_seconds, reply = attempt(urllib.request.Request(URL + path, data, headers))
        except (OSError, http.client.HTTPException, ValueError) as error:
            problem, wait_seconds = error, 1
            continue
        if status == 200:
            return reply["data"]
        problem = f"{status} {reply['error']['message']}"
        if status < 500 and status != 429:
            raise Failure(1, f"{what}: {problem}")
    raise Failure(3, f'{URL} must answer within {ATTEMPTS_MAX} attempts (got "{problem}")')


def trade(kind="", quantity="", name="", key=None):
    if kind not in ("buy", "sell") or not re.fullmatch("[1-9][0-9]*", quantity) or name == "":
        raise Failure(2, "usage: trade.py buy|sell QUANTITY STOCK [IDEMPOTENCY-KEY]")
    if not re.fullmatch("[1-9][0-9]{0,3}", TIMEOUT_SECONDS):
        raise Failure(2, f'BAZAAR_TIMEOUT_SECONDS must be a whole number from 1 to 9999 (got "{TIMEOUT_SECONDS}")')

    stock = send(name, f"/stocks/{urllib.parse.quote(name, safe='')}")
    print(f"{name}: {stock['quantity']} left at {stock['price']:.2f}")

    # Printed before the trade is sent: with the key its outcome can be found, even if this process dies.
    key = key or str(uuid.uuid4())
    print(f"Idempotency-Key: {key}", flush=True)
    try:
        traded = send(
            "rejected",
            "/orders",
            {"name": name, "quantity": int(quantity), "type": kind},
            {"Content-Type": "application/json", "Idempotency-Key": key},
        )
    except Failure as failure:
        if failure.exit_code != 3:
            raise
        raise Failure(3, f"{failure}\nIt may have been traded: run this again with {key} at the end.") from failure
    number = traded["transaction_number"]

    order = send(f"order {number}", f"/orders/{number}")
    print(f"Order {order['number']}: {order['type']} {order['quantity']} {order['name']}")


if __name__ == "__main__":
    try:
        trade(*sys.argv[1:5])
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(failure.exit_code)
