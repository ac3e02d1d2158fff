/**
 * One listener's bytes. A listener that doesn't read is cut off at a bound: it can come back and say what it saw last,
 * which costs less than to keep for it what it may never want.
 */

import type { Listener } from "./event-feed.ts";

/** The largest page of stocks with the longest names fits twice. */
const waitingBytesMax = 2_000_000;

/** `listen` returns what ends it; what it throws, this throws. */
export function openEventStream(listen: (listener: Listener) => () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let leave = () => {};
  let isOpen = true;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const end = () => {
          if (!isOpen) return;
          isOpen = false;
          leave();
          controller.close();
        };
        leave = listen({
          send(text) {
            if (!isOpen) return;
            if ((controller.desiredSize ?? 0) <= 0) end();
            else controller.enqueue(encoder.encode(text));
          },
          end,
        });
      },
      cancel() {
        isOpen = false;
        leave();
      },
    },
    new ByteLengthQueuingStrategy({ highWaterMark: waitingBytesMax }),
  );
}
