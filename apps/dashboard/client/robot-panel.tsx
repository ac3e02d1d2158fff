/** The robot's button, its figures, and the result of its check. */

import { useEffect, useRef, useState } from "preact/hooks";
import { count, milliseconds, plural } from "./format.ts";
import { type RobotState, runRobot } from "./robot.ts";
import { browserApi } from "./use-model.ts";

export function RobotPanel({ names }: { names: readonly string[] }) {
  const [state, setState] = useState<RobotState>({ phase: "idle" });
  const running = useRef<AbortController | undefined>(undefined);
  const newestNames = useRef(names);
  newestNames.current = names;
  useEffect(() => () => running.current?.abort(), []);

  const start = () => {
    const stop = new AbortController();
    running.current = stop;
    void runRobot({
      api: browserApi,
      names: () => newestNames.current,
      random: Math.random,
      signal: stop.signal,
      report: setState,
    });
  };
  const totals = state.phase === "idle" ? undefined : state.totals;
  const isBusy = state.phase === "trading" || state.phase === "checking";
  return (
    <>
      <p class="quiet">
        Looks up stocks and trades all the time. When you stop it, it queries every acknowledged order.
      </p>
      <button
        type="button"
        disabled={state.phase === "checking" || names.length === 0}
        onClick={() => (state.phase === "trading" ? running.current?.abort() : start())}
      >
        {isBusy ? "Stop and check" : "Keep trading"}
      </button>
      <dl class="totals">
        <div>
          <dt>acknowledged</dt>
          <dd>{count(totals?.acknowledged)}</dd>
        </div>
        <div>
          <dt>unanswered</dt>
          <dd>{count(totals?.unanswered)}</dd>
        </div>
        <div>
          <dt>longest wait</dt>
          <dd>{milliseconds(totals?.longestMs)}</dd>
        </div>
      </dl>
      <p class="outcome" role="status">
        {state.phase === "checking" && `Checking ${plural(state.toCheck, "order")}…`}
        {state.phase === "checked" && <Verdict state={state} />}
      </p>
    </>
  );
}

function Verdict({ state: { found, wrong } }: { state: Extract<RobotState, { phase: "checked" }> }) {
  if (wrong.length > 0) return <span class="bad">Orders missing or different: {wrong.slice(0, 10).join(", ")}.</span>;
  return <span class="good">{plural(found, "order")} acknowledged and found. None is lost.</span>;
}
