/**
 * How fast can HTTP itself be here? A server that reads and checks the same requests as the bazaar, and answers each
 * with a constant: nothing is stored, looked up or sent on. The bazaar is told as a share of it, as a rate alone says
 * more about the machine than about the program.
 */

import { readConfig } from "@stock-bazaar/process/config";
import { exitWithSupervisor } from "@stock-bazaar/process/supervised";
import { badRequest, jsonReply, readTradeBody } from "./trade-body.ts";

const stock = '{"data":{"name":"GameStart","price":15.99,"quantity":100}}';
const accepted = '{"data":{"transaction_number":1}}';
const schemeLength = "http://".length;

// Plain `fetch` takes less time here than Bun's own table of routes does.
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
