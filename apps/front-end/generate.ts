/** Writes the request collections of every dialect into `docs/requests/`. Run by `npm run generate`. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "@stock-bazaar/process/log";
import { createApp } from "./app.ts";
import type { Bazaar } from "./bazaar.ts";
import { dialects } from "./dialects/index.ts";
import type { OpenApi } from "./http/document-types.ts";
import { httpFile, postmanCollection } from "./http/request-collections.ts";

/** Never called: the document is made from the routes alone. */
const unusedBazaar = {} as Bazaar;

const folder = join(import.meta.dirname, "../../docs/requests");
await mkdir(folder, { recursive: true });
for (const dialect of Object.values(dialects)) {
  const app = createApp({ bazaar: unusedBazaar, dialect, logger: silentLogger });
  const document = (await (await app.request("/openapi.json")).json()) as OpenApi;
  await Bun.write(join(folder, `${dialect.name}.http`), httpFile(document));
  await Bun.write(
    join(folder, `${dialect.name}.postman_collection.json`),
    `${JSON.stringify(postmanCollection(document), undefined, 2)}\n`,
  );
}
