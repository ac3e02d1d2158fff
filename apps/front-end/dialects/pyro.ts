/**
 * The dialect of system 001, whose clients look stocks up at `/stock/{name}` and trade at `/order/`. No main route has
 * these paths, so the default dialect serves them too, with this system's statuses and texts
 * (`routes/compatibility.ts`). The two dialects differ only in their names.
 */

import { bazaar } from "./bazaar.ts";
import { aboutContractRefusals, type Dialect } from "./dialect.ts";

export const pyro: Dialect = {
  ...bazaar,
  name: "pyro",
  about:
    "This front-end speaks the dialect `pyro`: its clients use `/stock/{name}` and `/order`. " + aboutContractRefusals,
};
