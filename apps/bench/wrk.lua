-- The requests that wrk sends; at the end it prints one line of JSON with the results. With BENCH_STOCKS, it sends a
-- sale and a purchase of each of these stocks in turn, so that no stock runs out, and before each trade BENCH_LOOKUPS
-- lookups of the same stock. Without it, wrk sends plain GET requests.

local token = os.getenv("BAZAAR_TOKEN")
if token and token ~= "" then wrk.headers["Authorization"] = "Bearer " .. token end

local stocks = os.getenv("BENCH_STOCKS")
local lookups = tonumber(os.getenv("BENCH_LOOKUPS")) or 0

if stocks then
  local requests = {}
  local sent = 0

  function init()
    for _, type in ipairs({ "sell", "buy" }) do
      for name in stocks:gmatch("[^,]+") do
        for _ = 1, lookups do
          requests[#requests + 1] = wrk.format("GET", "/stocks/" .. name)
        end
        local body = string.format('{"name":"%s","quantity":1,"type":"%s"}', name, type)
        local headers = { ["Content-Type"] = "application/json", ["Authorization"] = wrk.headers["Authorization"] }
        requests[#requests + 1] = wrk.format("POST", "/orders", headers, body)
      end
    end
  end

  function request()
    sent = sent + 1
    return requests[(sent - 1) % #requests + 1]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"durationUs":%d,"p50Us":%.0f,"p99Us":%.0f,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
