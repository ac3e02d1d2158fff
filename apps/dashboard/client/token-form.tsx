/** Asks for the token with which this page shows the front-end who uses it. */

import type { TargetedEvent } from "preact";
import { useState } from "preact/hooks";

export interface TokenFormProps {
  /** Why it asks. */
  readonly refusal: string | undefined;
  readonly hasToken: boolean;
  readonly change: (token: string) => void;
}

export function TokenForm({ refusal, hasToken, change }: TokenFormProps) {
  const [text, setText] = useState("");
  const submit = (event: TargetedEvent<HTMLFormElement>) => {
    event.preventDefault();
    change(text.trim());
    setText("");
  };
  return (
    <section class="card" aria-labelledby="token-title">
      <h2 id="token-title">Token</h2>
      {refusal !== undefined && (
        <p class="bad" role="alert">
          {refusal}
        </p>
      )}
      <form class="pages" onSubmit={submit}>
        <label for="token">Token</label>
        <input
          id="token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          pattern="\s*[!-~]+\s*"
          required
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit">Use it</button>
        <button type="button" disabled={!hasToken} onClick={() => change("")}>
          Forget it
        </button>
      </form>
      <p class="quiet">It is kept in this tab only. `bazaar token add` makes one.</p>
    </section>
  );
}
