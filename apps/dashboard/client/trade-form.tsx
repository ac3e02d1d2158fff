/** The form for one trade, and its outcome: the order number, or the reason of the rejection. */

import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";
import type { TradeType } from "@stock-bazaar/shared/domain";
import { placeTrade, type TradeResult, type TradeRequest } from "./api.ts";
import { count, milliseconds, plural, price } from "./format.ts";
import type { Row } from "./model.ts";
import { browserApi } from "./use-model.ts";

const quantityMax = 2_147_483_647;

export interface TradeFormProps {
  readonly names: readonly string[];
  readonly chosen: string | undefined;
  /** The chosen stock as it is now; `undefined` if it is on another page. */
  readonly row: Row | undefined;
  readonly choose: (name: string) => void;
  /** Called with the number of an acknowledged order. */
  readonly placed: (number: number) => void;
}

type State =
  | { readonly phase: "idle" }
  | { readonly phase: "sending"; readonly attempts: number }
  | { readonly phase: "answered"; readonly trade: TradeRequest; readonly result: TradeResult };

export function TradeForm({ names, chosen, row, choose, placed }: TradeFormProps) {
  const [type, chooseType] = useState<TradeType>("buy");
  const [quantity, setQuantity] = useState("1");
  const [state, setState] = useState<State>({ phase: "idle" });
  const amount = Number(quantity);
  const isPossible = chosen !== undefined && Number.isInteger(amount) && amount >= 1 && amount <= quantityMax;

  /** The answer to the last trade makes room for what the next one would be. */
  const forget = () => setState((before) => (before.phase === "answered" ? { phase: "idle" } : before));

  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    if (!isPossible || state.phase === "sending") return;
    const trade = { name: chosen, type, quantity: amount };
    setState({ phase: "sending", attempts: 1 });
    void placeTrade(browserApi, trade, (attempts) => setState({ phase: "sending", attempts })).then((result) => {
      setState({ phase: "answered", trade, result });
      if (result.status === "accepted") placed(result.number);
    });
  };

  return (
    <form onSubmit={submit} noValidate>
      <div>
        <label for="trade-stock">Stock</label>
        <select
          id="trade-stock"
          value={chosen}
          onChange={(event) => {
            choose(event.currentTarget.value);
            forget();
          }}
        >
          {names.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <div class="pair">
        <label>
          Quantity
          <input
            type="number"
            inputMode="numeric"
            min={1}
            max={quantityMax}
            step={1}
            value={quantity}
            aria-invalid={!isPossible && names.length > 0}
            onInput={(event) => {
              setQuantity(event.currentTarget.value);
              forget();
            }}
          />
        </label>
        <fieldset class="choice">
          <legend>Buy or sell</legend>
          {(["buy", "sell"] as const).map((each) => (
            <label key={each} class={each}>
              <input
                type="radio"
                name="type"
                checked={type === each}
                onChange={() => {
                  chooseType(each);
                  forget();
                }}
              />
              <span>{each === "buy" ? "Buy" : "Sell"}</span>
            </label>
          ))}
        </fieldset>
      </div>
      <button type="submit" class="primary" disabled={!isPossible || state.phase === "sending"}>
        {state.phase === "sending" ? "Sending…" : "Place the order"}
      </button>
      <p class="outcome" role="status">
        <Outcome state={state} isPossible={isPossible} hasStocks={names.length > 0} />
        {state.phase === "idle" && isPossible && row && <Preview type={type} quantity={amount} row={row} />}
      </p>
    </form>
  );
}

/** What the trade would be at the price of now. */
function Preview({ type, quantity, row }: { type: TradeType; quantity: number; row: Row }) {
  const { name, quantity: left } = row;
  if (type === "buy" && quantity > left)
    return (
      <span class="bad">
        {left === 0 ? `No ${name} is left.` : `Only ${count(left)} ${name} ${left === 1 ? "is" : "are"} left.`}
      </span>
    );
  return (
    <span class="quiet">
      {type === "buy" ? "Buy" : "Sell"} {count(quantity)} {name} for {price(quantity * row.price)}. {count(left)}{" "}
      {left === 1 ? "is" : "are"} there.
    </span>
  );
}

function Outcome({ state, isPossible, hasStocks }: { state: State; isPossible: boolean; hasStocks: boolean }) {
  if (state.phase === "sending") {
    if (state.attempts === 1) return <>Waiting for the answer…</>;
    return <>No answer yet. Sending again with the same key, which is safe: attempt {state.attempts}.</>;
  }
  if (!isPossible && hasStocks)
    return <span class="bad">The quantity must be a whole number from 1 to {quantityMax}.</span>;
  if (state.phase === "idle") return null;
  const { result, trade } = state;
  switch (result.status) {
    case "accepted":
      return (
        <span class="good">
          Order <strong>{result.number}</strong>: {trade.type === "buy" ? "bought" : "sold"}{" "}
          {plural(trade.quantity, "unit")} of {trade.name} in {milliseconds(result.tookMs)}.
        </span>
      );
    case "refused":
      return <span class="bad">{result.message}.</span>;
    case "unknown":
      return (
        <span class="bad">No answer for a minute. The trade may have been executed: check the latest orders.</span>
      );
  }
}
