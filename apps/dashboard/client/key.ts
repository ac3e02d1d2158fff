/**
 * An idempotency key: a UUIDv7. Ordered by time, it costs the ledger's index nothing. Made here because
 * `crypto.randomUUID` isn't there on a page that came over plain HTTP from another machine.
 */

/** `random`: 16 bytes, of which 10 are used. */
export function newKey(nowMs: number, random: Uint8Array): string {
  const time = Math.trunc(nowMs).toString(16).padStart(12, "0");
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = (8 + (Number.parseInt(hex[3] ?? "0", 16) % 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(8, 20)}`;
}
