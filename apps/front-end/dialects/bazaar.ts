/** The default dialect: the main routes, and those routes of the earlier systems that contradict none of them. */

import { cacheRoutes } from "../routes/cache.ts";
import { compatibilityRoutes } from "../routes/compatibility.ts";
import { orderRoutes } from "../routes/orders.ts";
import { stockRoutes } from "../routes/stocks.ts";
import { aboutContractRefusals, contractRefusals, type Dialect } from "./dialect.ts";

export const bazaar: Dialect = {
  name: "bazaar",
  about: aboutContractRefusals,
  routes: (deps) => [
    ...stockRoutes(deps.bazaar),
    ...orderRoutes(deps),
    ...cacheRoutes(deps.bazaar),
    ...compatibilityRoutes(deps),
  ],
  ...contractRefusals,
};
