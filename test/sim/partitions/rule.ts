/**
 * The rule by which several ledgers would share the stocks, the order numbers and the keys (docs/scaling.md). It is pure,
 * and lives here because the product has one ledger.
 *
 * Each partition numbers its own orders 1, 2, 3, …: these are the ids in its databases. Clients see the number
 * `id * partitions + partition`, in which the partition is the low part. Multiplication and remainder are exact up to
 * 2^53; JavaScript's bit operations end at 2^31.
 */

export function partitionOfStock(name: string, partitions: number): number {
  return hash(name) % partitions;
}

/** The partition that remembers the key, whatever stock is traded with it. */
export function homeOfKey(key: string, partitions: number): number {
  return hash(key) % partitions;
}

export function numberOf(id: number, partition: number, partitions: number): number {
  return id * partitions + partition;
}

export function partitionOfNumber(number: number, partitions: number): number {
  return number % partitions;
}

/** The order's id in its partition; 0 if no order can have this number. */
export function idOf(number: number, partitions: number): number {
  return Math.floor(number / partitions);
}

/** FNV-1a over the UTF-8 bytes, with Murmur3's last step: without it, the low bits of similar names are alike. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(text)) value = Math.imul(value ^ byte, 0x0100_0193);
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2_ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
