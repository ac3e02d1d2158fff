/** For those who want to see a failover. Only there when the supervisor takes such wishes. */

import { useState } from "preact/hooks";
import { injectFault } from "./api.ts";
import { browserApi } from "./use-model.ts";

export function FaultButtons({ enabled }: { enabled: boolean }) {
  const [told, tell] = useState("");
  const [busy, setBusy] = useState(false);
  const inject = (fault: "kill" | "freeze") => {
    setBusy(true);
    tell("");
    void injectFault(browserApi, fault).then((text) => {
      tell(text);
      setBusy(false);
    });
  };
  return (
    <div class="faults">
      <span class="quiet" role="status">
        {told}
      </span>
      <button type="button" class="danger" disabled={!enabled || busy} onClick={() => inject("kill")}>
        Kill the leader
      </button>
      <button type="button" class="cold" disabled={!enabled || busy} onClick={() => inject("freeze")}>
        Freeze the leader
      </button>
    </div>
  );
}
