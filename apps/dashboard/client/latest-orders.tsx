/** The newest orders of all clients, live. */

import { clockTime, count, plural, price } from "./format.ts";
import type { LatestOrder } from "./model.ts";

export interface LatestOrdersProps {
  readonly orders: readonly LatestOrder[];
  readonly followed: number | undefined;
  readonly follow: (number: number) => void;
}

export function LatestOrders({ orders, followed, follow }: LatestOrdersProps) {
  if (orders.length === 0) return <p class="quiet">There are no orders yet. Place the first one.</p>;
  return (
    <div class="scroll tall" tabIndex={0} role="group" aria-label="List of the latest orders">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">
              Order
            </th>
            <th scope="col">What</th>
            <th scope="col" class="number roomy">
              Price
            </th>
            <th scope="col" class="number">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {orders.map((order) => (
            <OrderRows key={order.number} order={order} isFollowed={order.number === followed} follow={follow} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface OrderRowsProps {
  readonly order: LatestOrder;
  readonly isFollowed: boolean;
  readonly follow: (number: number) => void;
}

function OrderRows({ order, isFollowed, follow }: OrderRowsProps) {
  const { number, type, quantity, name, created_at: createdAt, skipped } = order;
  return (
    <>
      <tr class={isFollowed ? "chosen new" : "new"}>
        <th scope="row" class="number">
          <button type="button" class="link" onClick={() => follow(number)} title={`Follow order ${number}`}>
            {count(number)}
          </button>
        </th>
        <td class="what" title={name}>
          <span class={`tag ${type}`}>{type}</span> {count(quantity)} {name}
        </td>
        <td class="number roomy">{price(order.price)}</td>
        <td class="number quiet">{clockTime(createdAt)}</td>
      </tr>
      {skipped > 0 && (
        <tr class="skipped">
          <td colSpan={4}>{plural(skipped, "more order")} not shown</td>
        </tr>
      )}
    </>
  );
}
