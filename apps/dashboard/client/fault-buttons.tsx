/** The buttons that kill or freeze the leader. They are shown only if a supervisor accepts such requests. */

import { useState } from "preact/hooks";
import { injectFault } from "./api.ts";
import { browserApi } from "./use-model.ts";

export function FaultButtons({ enabled }: { enabled: boolean }) {
  const [message, setMessage] = useState("");
  const [busy, setBusy] = useState(false);
  const inject = (fault: "kill" | "freeze") => {
    setBusy(true);
    setMessage("");
    void injectFault(browserApi, fault).then((text) => {
      setMessage(text);
      setBusy(false);
    });
  };
  return (
    <div class="faults">
      <span class="quiet" role="status">
        {message}
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
