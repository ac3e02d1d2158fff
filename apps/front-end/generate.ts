/** Writes the request collections into `docs/requests/`. Run by `npm run generate`. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { silentLogger } from "@stock-bazaar/shared/log";
import { createApp } from "./app.ts";
import type { Bazaar } from "./bazaar.ts";
import type { OpenApi } from "./http/document-types.ts";
import { httpFile, postmanCollection } from "./http/request-collections.ts";

/** Nothing is asked of it: the document is made from the routes alone. */
const nobody = {} as Bazaar;

const response = await createApp({ bazaar: nobody, logger: silentLogger }).request("/openapi.json");
const document = (await response.json()) as OpenApi;
const folder = join(import.meta.dirname, "../../docs/requests");
await mkdir(folder, { recursive: true });
await Bun.write(join(folder, "stock-bazaar.http"), httpFile(document));
await Bun.write(
  join(folder, "stock-bazaar.postman_collection.json"),
  `${JSON.stringify(postmanCollection(document), undefined, 2)}\n`,
);
