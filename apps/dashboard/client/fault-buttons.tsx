/**
 * The buttons that kill or freeze the leader, and the active catalog where another one stands by. They are shown only if a
 * supervisor accepts such requests.
 */

import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { type Victim, injectFault } from "./api.ts";
import { browserApi } from "./use-model.ts";

interface FaultButtonsProps {
  readonly enabled: boolean;
  /** Whether there are several catalogs. */
  readonly hasStandbys: boolean;
}

export function FaultButtons({ enabled, hasStandbys }: FaultButtonsProps) {
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);
  const inject = (fault: "kill" | "freeze", victim: Victim) => {
    setBusy(true);
    setMessage("");
    void injectFault(browserApi, fault, victim).then((text) => {
      setMessage(text);
      setBusy(false);
    });
  };
  return (
    <div class="faults">
      <span class="quiet" role="status">
        {message}
      </span>
      {(hasStandbys ? (["leader", "catalog"] as const) : (["leader"] as const)).map((victim) => (
        <Fragment key={victim}>
          <button type="button" class="danger" disabled={!enabled || busy} onClick={() => inject("kill", victim)}>
            Kill the {victim}
          </button>
          <button type="button" class="cold" disabled={!enabled || busy} onClick={() => inject("freeze", victim)}>
            Freeze the {victim}
          </button>
        </Fragment>
      ))}
    </div>
  );
}
