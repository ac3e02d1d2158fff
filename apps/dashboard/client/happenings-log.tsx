/** What happened to the cluster, newest first. Also what a screen reader hears of it. */

import { clockTime } from "./format.ts";
import type { Happening } from "./model.ts";

export function Happenings({ happenings }: { happenings: readonly Happening[] }) {
  return (
    <div class="happenings" role="log" aria-label="What happened" aria-live="polite" tabIndex={0}>
      {happenings.length === 0 && <p class="quiet">Nothing has happened to the cluster since you came.</p>}
      <ul>
        {happenings.map(({ id, atMs, text, bad }) => (
          <li key={id} class={bad ? "bad" : "good"}>
            <time>{clockTime(atMs)}</time> {text}
          </li>
        ))}
      </ul>
    </div>
  );
}
