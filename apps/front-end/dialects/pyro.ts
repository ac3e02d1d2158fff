/**
 * System 001. It looks stocks up at `/stock/{name}` and trades at `/order/`, where the default has no routes of its own:
 * they stand beside it (`routes/compatibility.ts`), in this system's words. So its clients find here what the default has.
 */

import { bazaar } from "./bazaar.ts";
import type { Dialect } from "./dialect.ts";

export const pyro: Dialect = {
  ...bazaar,
  name: "pyro",
  about: "This front-end speaks the dialect `pyro`: its clients use `/stock/{name}` and `/order`.",
};
