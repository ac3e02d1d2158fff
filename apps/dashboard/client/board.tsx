/** The stocks, live. A row flashes when it changes; an arrow says which way, also to those who see no flash. */

import { count, price } from "./format.ts";
import type { Row } from "./model.ts";

export interface BoardProps {
  readonly rows: readonly Row[] | undefined;
  readonly chosen: string | undefined;
  readonly choose: (name: string) => void;
}

export function Board({ rows, chosen, choose }: BoardProps) {
  if (!rows) return <p class="quiet">Waiting for the catalog…</p>;
  if (rows.length === 0) return <p class="quiet">There are no stocks. Add some: npm run seed</p>;
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

const arrows = {
  up: { sign: "▲", word: "more than before" },
  down: { sign: "▼", word: "less than before" },
} as const;

function BoardRow({ row, isChosen, choose }: { row: Row; isChosen: boolean; choose: (name: string) => void }) {
  const { name, quantity, volume, changes, direction } = row;
  const arrow = direction && arrows[direction];
  return (
    <tr class={isChosen ? "chosen" : ""}>
      <th scope="row">
        {/* A new element for each change: its animation begins anew. */}
        {changes > 0 && <span key={changes} class={`flash ${direction ?? ""}`} aria-hidden="true" />}
        <button type="button" class="link" aria-pressed={isChosen} onClick={() => choose(name)} title={`Trade ${name}`}>
          {name}
        </button>
      </th>
      <td class="number">{price(row.price)}</td>
      <td class="number strong">
        {arrow && (
          <span class={`arrow ${direction ?? ""}`}>
            <span aria-hidden="true">{arrow.sign}</span>
            <span class="unseen">{arrow.word}</span>
          </span>
        )}
        {count(quantity)}
      </td>
      <td class="number quiet roomiest">{count(volume)}</td>
    </tr>
  );
}
