/**
 * The stocks, live, in pages if there are many. A row flashes when it changes, and for some seconds says by how much its
 * quantity has changed, also without animations and in screen readers.
 */

import { commandLine } from "@stock-bazaar/process/advice";
import type { TargetedEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { count, plural, price, signed } from "./format.ts";
import type { Row } from "./model.ts";
import { type PagePath, searched } from "./stock-pages.ts";

export interface BoardProps {
  readonly rows: readonly Row[] | undefined;
  readonly chosen: string | undefined;
  readonly choose: (name: string) => void;
  /** The name of the last row, if there are stocks after it. */
  readonly next: string | undefined;
  /** The number of all stocks; `undefined` if it is unknown. */
  readonly total: number | undefined;
  readonly path: PagePath;
  readonly show: (path: PagePath) => void;
}

export function Board(props: BoardProps) {
  const { rows, next, path } = props;
  if (!rows) return <p class="quiet">Waiting for the catalog…</p>;
  const isPart = next !== undefined || path.length > 0;
  if (rows.length === 0 && !isPart) return <p class="quiet">There are no stocks. Add some: {commandLine("seed")}</p>;
  return (
    <>
      {isPart && <Pages {...props} />}
      {rows.length === 0 ? (
        <p class="quiet">No stock has this name or a later one.</p>
      ) : (
        <Rows {...props} rows={rows} />
      )}
    </>
  );
}

function Pages({ next, total, path, show }: BoardProps) {
  const [text, setText] = useState("");
  const find = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    show(searched(text));
  };
  return (
    <form class="pages" onSubmit={find}>
      <label for="find-stock">Go to a name</label>
      <input
        id="find-stock"
        type="search"
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit">Go</button>
      <button type="button" disabled={path.length === 0} onClick={() => show(path.slice(0, -1))}>
        Previous
      </button>
      <button
        type="button"
        disabled={next === undefined}
        onClick={() => next !== undefined && show([...path, { after: next }])}
      >
        Next
      </button>
      {total !== undefined && <span class="quiet">{plural(total, "stock")} in all</span>}
    </form>
  );
}

function Rows({ rows, chosen, choose }: Pick<BoardProps, "chosen" | "choose"> & { readonly rows: readonly Row[] }) {
  return (
    <div class="scroll tall" tabIndex={0} role="group" aria-label="Stock board">
      <table>
        <thead>
          <tr>
            <th scope="col">Stock</th>
            <th scope="col" class="number">
              Price
            </th>
            <th scope="col" class="number">
              Quantity
            </th>
            <th scope="col" class="number roomiest">
              Traded
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <BoardRow key={row.name} row={row} isChosen={row.name === chosen} choose={choose} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

const changeShownMs = 5000;

/** Whether `atMs` is less than `changeShownMs` ago. Draws the component again when that ends. */
function useRecent(atMs: number | undefined): boolean {
  const [passedMs, setPassed] = useState<number | undefined>();
  useEffect(() => {
    if (atMs === undefined) return undefined;
    const timer = setTimeout(() => setPassed(atMs), atMs + changeShownMs - Date.now());
    return () => clearTimeout(timer);
  }, [atMs]);
  return atMs !== undefined && atMs !== passedMs;
}

function BoardRow({ row, isChosen, choose }: { row: Row; isChosen: boolean; choose: (name: string) => void }) {
  const { name, quantity, volume, changes, change } = row;
  const direction = change && (change.by > 0 ? "up" : "down");
  const isRecent = useRecent(change?.atMs);
  return (
    <tr class={isChosen ? "chosen" : ""}>
      <th scope="row" class="stock-name">
        {/* A new element for each change restarts the animation. */}
        {changes > 0 && <span key={changes} class={`flash ${direction ?? ""}`} aria-hidden="true" />}
        <button type="button" class="link" aria-pressed={isChosen} onClick={() => choose(name)} title={`Trade ${name}`}>
          {name}
        </button>
      </th>
      <td class="number">{price(row.price)}</td>
      <td class="number strong">
        {change && isRecent && <span class={`change ${direction ?? ""}`}>{signed(change.by)} </span>}
        {count(quantity)}
      </td>
      <td class="number quiet roomiest">{count(volume)}</td>
    </tr>
  );
}
