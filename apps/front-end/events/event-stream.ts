/**
 * The byte stream to one listener. A listener with too much unread data is disconnected. It can reconnect and resume
 * after the last id that it has received, which costs less than a buffer without a bound.
 */

import type { Listener } from "./event-feed.ts";

/** Maximum of unread bytes: the largest page of stocks with the longest names fits twice. */
const waitingBytesMax = 2_000_000;

/**
 * Opens a stream. `listen` returns a function that removes the listener; an error that it throws is thrown here. `cutOff` is
 * called when the listener has too much unread data: what is left unread must not be kept for a client that never reads.
 */
export function openEventStream(
  listen: (listener: Listener) => () => void,
  cutOff: () => void = () => {},
): ReadableStream<Uint8Array> {
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
            if ((controller.desiredSize ?? 0) <= 0) {
              end();
              cutOff();
            } else controller.enqueue(encoder.encode(text));
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
