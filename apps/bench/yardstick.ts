/**
 * How fast is HTTP alone on this machine? This server reads and checks the same requests as the bazaar and answers each
 * with a constant. It stores, looks up and forwards nothing. Rates of the bazaar are given as a share of it, because an
 * absolute rate depends more on the machine than on the program.
 */

import { readConfig } from "@stock-bazaar/process/config";
import { exitWithSupervisor } from "@stock-bazaar/process/supervised";
import { badRequest, jsonReply, readTradeBody } from "./trade-body.ts";

const stock = '{"data":{"name":"GameStart","price":15.99,"quantity":100}}';
const accepted = '{"data":{"transaction_number":1}}';
const schemeLength = "http://".length;

// Plain `fetch` is faster here than Bun's own routes.
const { frontEnd } = readConfig(process.env);
const server = Bun.serve({
  hostname: frontEnd.host,
  port: frontEnd.port,
  development: false,
  fetch(request) {
    const path = request.url.slice(request.url.indexOf("/", schemeLength));
    if (request.method === "GET" && path.startsWith("/stocks/")) return new Response(stock, jsonReply);
    if (request.method === "POST" && path === "/orders") return placeOrder(request);
    return new Response(null, { status: 404 });
  },
});

async function placeOrder(request: Request): Promise<Response> {
  const trade = await readTradeBody(request);
  return trade === undefined ? badRequest() : new Response(accepted, jsonReply);
}

const stop = async () => {
  await server.stop();
  process.exit(0);
};
process.on("SIGTERM", () => void stop());
process.on("SIGINT", () => void stop());
exitWithSupervisor(() => void stop(), 1000);
