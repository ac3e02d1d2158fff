/**
 * Creates idempotency keys: UUIDv7s, which are ordered by time and so extend the ledger's index at its end. They are
 * made here because browsers don't offer `crypto.randomUUID` on a page that came over plain HTTP from another machine.
 */

/** `random` must hold 16 bytes, of which 10 are used. */
export function newKey(nowMs: number, random: Uint8Array): string {
  const time = Math.trunc(nowMs).toString(16).padStart(12, "0");
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const variant = (8 + (Number.parseInt(hex[3] ?? "0", 16) % 4)).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex.slice(0, 3)}-${variant}${hex.slice(4, 7)}-${hex.slice(8, 20)}`;
}
