import { expect, test } from "vitest";
import { parseAutocannon, parseWrk } from "./load-output.ts";

const wrkOutput = `Running 3s test @ http://127.0.0.1:7701/orders
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.44ms    1.07ms  36.02ms   88.61%
    Req/Sec    25.60k     2.91k   29.55k    76.67%
  76400 requests in 3.00s, 12.24MB read
Requests/sec:  25466.66
Transfer/sec:      4.08MB

{"requests":76400,"durationUs":3000000,"p50Us":2440,"p99Us":5690,"status":400,"connect":1,"read":2,"write":3,"timeout":4}
`;

const autocannonOutput = `{"ok":9000,"non2xx":30,"errors":4,"duration":3.02,"p50Ms":0.71,"p99Ms":2.5}\n`;

test("wrk: only replies with 200 count for the rate, everything else is an error", () => {
  expect(parseWrk(wrkOutput)).toEqual({
    requestsPerSecond: 76_000 / 3,
    p50Ms: 2.44,
    p99Ms: 5.69,
    ok: 76_000,
    errors: 410,
  });
});

test("autocannon: only replies with 2xx count for the rate, everything else is an error", () => {
  expect(parseAutocannon(autocannonOutput)).toEqual({
    requestsPerSecond: 9000 / 3.02,
    p50Ms: 0.71,
    p99Ms: 2.5,
    ok: 9000,
    errors: 34,
  });
});

test.each([
  ["nothing in it", "", "the last line of wrk must be JSON with the numbers requests, durationUs"],
  ["a message instead of figures", "unable to connect to 127.0.0.1:1 Connection refused\n", "Connection refused"],
  [
    "a missing figure",
    wrkOutput.replace('"p99Us":5690,', ""),
    "must be JSON with the numbers p99Us (got this output):",
  ],
  ["text instead of a figure", wrkOutput.replace("5690", '"fast"'), "must be JSON with the numbers p99Us (got"],
])("output with %s throws an error that contains the output", (_case, output, message) => {
  expect(() => parseWrk(output)).toThrow(message);
});
