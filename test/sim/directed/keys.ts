/** Directed cases of idempotency keys (R3): a first send that arrives after its own retry. */

import type { TradeType } from "@stock-bazaar/shared/domain";
import type { Settings } from "../world.ts";
import type { DirectedCase } from "./directed-case.ts";
import { calmMs, Story } from "./story.ts";

const key = "minted";

/**
 * The first send of a minted key waits on its way to the leader, until its client has sent the same trade through another
 * front-end. Returns the bazaar and the answer to that. `before` is traded before the retry, `after` after it.
 */
function withLateSend(
  quantity: number,
  { before, after, shared }: { before?: number; after?: number } & Pick<Settings, "shared">,
): { story: Story; answer: unknown } {
  const story = new Story({ cacheSizes: [0, 0], requestTimeoutMs: 1000, shared });
  const { network } = story.world;
  const trade = (type: TradeType, units: number | undefined) => {
    if (units !== undefined) story.trade({ frontEnd: 2, type, quantity: units });
  };
  trade("buy", before);
  for (const { name } of story.world.replicas) network.cut("front-end-1", name);
  story.trade({ key, minted: true, quantity });
  const answer = story.trade({ frontEnd: 2, key, quantity });
  trade("sell", after);
  for (const { name } of story.world.replicas) network.heal("front-end-1", name);
  story.pass(calmMs);
  return { story, answer };
}

const orders = (story: Story) => story.ledger.filter((order) => order.key === key).length;

function casesOf(where: string, shared: Settings["shared"]): readonly DirectedCase[] {
  return [
    {
      title: `a minted trade that arrives after its retry was rejected doesn't execute, though the stock suffices by then${where}`,
      async run() {
        const { story, answer } = withLateSend(100, { before: 50, after: 50, shared });
        story.expect("the answer to the retry", answer, "rejected");
        story.expect("I4: orders of the rejected trade", orders(story), 0);
        return story.end();
      },
    },
    {
      title: `a minted trade that arrives after its retry was accepted isn't rejected, though the stock is gone by then${where}`,
      async run() {
        const { story, answer } = withLateSend(100, { shared });
        story.expect("the answer to the retry", typeof answer, "number");
        story.expect("I4: the answer to another retry", story.trade({ frontEnd: 2, key, quantity: 100 }), answer);
        const { client } = story.world.catalogStore.database;
        const rejected = client.prepare<[], { count: number }>("SELECT count(*) AS count FROM rejections").get()?.count;
        story.expect("I4: rejections of the accepted trade", rejected, 0);
        return story.end();
      },
    },
    {
      title: `a minted trade that arrives after its retry was accepted executes once and harms no other in its batch${where}`,
      async run() {
        const { story, answer } = withLateSend(10, { shared });
        story.expect("the answer to the retry", typeof answer, "number");
        story.expect("I4: orders of the trade", orders(story), 1);
        return story.end();
      },
    },
  ];
}

export const keyCases: readonly DirectedCase[] = [
  ...casesOf("", undefined),
  ...casesOf(", with the ledger on a server", {
    catalogs: 2,
    silenceMs: 200,
    pace: 1,
    failover: false,
    limitsTransactions: true,
  }),
];
