/** Shows one order by its number, and which databases hold it. */

import type { TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Cluster, FoundOrder } from "@stock-bazaar/contract/replies";
import { findOrder } from "./api.ts";
import { plural } from "./format.ts";
import { browserApi } from "./use-model.ts";

export interface FollowOrderProps {
  readonly number: number | undefined;
  readonly follow: (number: number) => void;
  readonly cluster: Cluster | undefined;
}

type Found =
  | { readonly state: "looking" }
  | { readonly state: "found"; readonly order: FoundOrder }
  | { readonly state: "missing" }
  | { readonly state: "failed"; readonly message: string };

export function FollowOrder({ number, follow, cluster }: FollowOrderProps) {
  const [text, setText] = useState("");
  const [isWrong, setWrong] = useState(false);
  const [found, setFound] = useState<Found>({ state: "looking" });
  const head = cluster?.catalog.last_id ?? undefined;
  /** Known without a query, unless the catalog is away. */
  const isMissing = number !== undefined && head !== undefined && number > head;

  useEffect(() => {
    if (number === undefined) return undefined;
    setText(String(number));
    let isCurrent = true;
    if (isMissing) {
      setFound({ state: "missing" });
      return undefined;
    }
    setFound({ state: "looking" });
    findOrder(browserApi, number).then(
      (order) => isCurrent && setFound(order ? { state: "found", order } : { state: "missing" }),
      (error: unknown) => isCurrent && setFound({ state: "failed", message: String(error) }),
    );
    return () => {
      isCurrent = false;
    };
    // An order that doesn't exist yet is queried once the ledger has reached its number.
  }, [number, isMissing]);

  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    const wanted = Number(text);
    const isNumber = Number.isSafeInteger(wanted) && wanted >= 1;
    setWrong(!isNumber);
    if (isNumber) follow(wanted);
  };

  return (
    <>
      <form class="line" onSubmit={submit} noValidate>
        <label>
          <span class="unseen">Order number</span>
          <input
            type="number"
            inputMode="numeric"
            min={1}
            step={1}
            placeholder="Order number"
            value={text}
            aria-invalid={isWrong}
            onInput={(event) => {
              setText(event.currentTarget.value);
              setWrong(false);
            }}
          />
        </label>
        <button type="submit">Follow</button>
      </form>
      <div class="outcome" role="status">
        {isWrong ? (
          <span class="bad">The number of an order must be a whole number from 1.</span>
        ) : (
          <Description number={number} found={found} />
        )}
      </div>
      <div class="places-room">{number !== undefined && cluster && <Places number={number} cluster={cluster} />}</div>
    </>
  );
}

function Description({ number, found }: { number: number | undefined; found: Found }) {
  if (number === undefined) return <span class="quiet">Shows which databases hold the order.</span>;
  switch (found.state) {
    case "looking":
      return <>Looking for order {number}…</>;
    case "missing":
      return <>There is no order {number} yet. It is shown here as soon as it exists.</>;
    case "failed":
      return <span class="bad">{found.message}</span>;
    case "found": {
      const { type, name, quantity } = found.order;
      const verb = { buy: "bought", sell: "sold", restock: "restocked" }[type];
      return (
        <>
          Order <strong>{number}</strong>: {plural(quantity, "unit")} of <strong>{name}</strong> {verb}.
        </>
      );
    }
  }
}

/** Where the order is stored. A replica that is away keeps its orders, so its last status counts. */
function Places({ number, cluster }: { number: number; cluster: Cluster }) {
  const places = [
    { name: "Ledger", has: (cluster.catalog.last_id ?? 0) >= number },
    ...cluster.replicas.map(({ id, last_id }) => ({ name: `Replica ${id}`, has: (last_id ?? 0) >= number })),
  ];
  return (
    <ul class="places" aria-label={`Where order ${number} is written`}>
      {places.map(({ name, has }) => (
        <li key={name} class={has ? "has" : ""}>
          <span aria-hidden="true">{has ? "✓" : "…"}</span> {name}
          <span class="unseen">{has ? " has it" : " doesn't have it yet"}</span>
        </li>
      ))}
    </ul>
  );
}
