/** The log of changes in the cluster, newest first. Screen readers announce new entries. */

import { clockTime } from "./format.ts";
import type { Happening } from "./model.ts";

export function Happenings({ happenings }: { happenings: readonly Happening[] }) {
  return (
    <div class="happenings" role="log" aria-label="Changes in the cluster" aria-live="polite" tabIndex={0}>
      {happenings.length === 0 && <p class="quiet">No changes in the cluster since you opened this page.</p>}
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
