/** A shop's orders as a file, page by page: a line for each line of an order. */
import type { OfficeOrderFilter, Order } from '@nacre/contract/orders';
import { csvText, majorOf, type CsvLine } from '../lib/csv.ts';
import type { Cursor } from '../lib/cursor.ts';
import type { OrdersDeps } from './orders.ts';
import { partsOf } from './reading.ts';
import { listOrders } from './store.ts';
import { viewOf } from './view.ts';

/** Read at a time: fewer ask the database more often, more stop everybody else while their lines are made. */
const PAGE = 200;
/** A file has the newest so many. A spreadsheet ends at a million lines, and a request must end at all. */
const ORDERS_MAX = 50_000;

/** Names for programs: they do not change with the language. */
const HEAD = [
  'order', 'placed_at_utc', 'state', 'channel', 'delivery', 'buyer', 'sku', 'title', 'options', 'bag_number',
  'quantity', 'currency', 'unit_price', 'line_total', 'order_total', 'name', 'phone', 'line1', 'line2', 'city',
  'region', 'postal_code', 'country', 'carrier', 'tracking_number',
  'order_discount', 'coupon',
];

/** The file in parts; the first is the head. The one who asks was let in before. */
export async function* csvOf(
  deps: OrdersDeps, shopId: string, filter: OfficeOrderFilter,
): AsyncGenerator<string, void> {
  yield csvText([], HEAD);
  let cursor: Cursor | null = null;
  for (let read = 0; read < ORDERS_MAX; read += PAGE) {
    const rows = await listOrders(deps.platform.database.db, { shopId, ...filter }, cursor, PAGE);
    const page = rows.slice(0, PAGE);
    const parts = await partsOf(deps, page, 'shop');
    if (page.length > 0) yield csvText(page.flatMap((row) => linesOf(viewOf(row, parts))), null);
    const last = page.at(-1);
    if (rows.length <= PAGE || last === undefined) return;
    cursor = { at: last.placed_at, id: last.id };
  }
}

export function linesOf(order: Order): CsvLine[] {
  const { address, pickup, currency, parcels, coupon } = order;
  const money = (amountMinor: number) => majorOf(amountMinor, currency);
  const whither = address ?? {
    name: pickup?.name ?? '', phone: pickup?.phone ?? '', line1: '', line2: '', city: '', region: '', postalCode: '',
    country: '',
  };
  return order.lines.map((line) => {
    const sent = parcels.filter(({ pieces }) => pieces.some(({ variantId }) => variantId === line.variantId));
    return [
      order.number, order.placedAt, order.state, order.channel, order.delivery, order.buyerName, line.sku, line.title,
      line.optionValues.join('; '), line.number ?? '', line.quantity, currency, money(line.unitPriceMinor),
      money(line.unitPriceMinor * line.quantity), money(order.totalMinor), whither.name, whither.phone, whither.line1,
      whither.line2, whither.city, whither.region, whither.postalCode, whither.country,
      sent.map(({ carrier }) => carrier).join('; '), sent.map(({ trackingNumber }) => trackingNumber).join('; '),
      money(coupon?.discountMinor ?? 0), coupon?.name ?? '',
    ];
  });
}
