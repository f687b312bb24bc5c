/** Sentences about an order that several places need. */
import type { Address } from '@nacre/contract/accounts';
import type { Order, OrderLine, OrderState } from '@nacre/contract/orders';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';

export const orderTones: Record<OrderState, 'plain' | 'ok' | 'warn' | 'bad' | 'info'> = {
  held: 'info',
  paid: 'warn',
  ready: 'info',
  handed_over: 'ok',
  packed: 'info',
  shipped: 'ok',
  delivered: 'ok',
  completed: 'plain',
  refunded: 'plain',
  expired: 'plain',
  declined: 'plain',
  cancelled: 'plain',
  voided: 'plain',
};

/** "Coral wrap dress, Coral, M" */
export const lineName = (line: OrderLine, i18n: I18n): string => (
  [line.title, ...line.optionValues].join(i18n.t('common.list_comma'))
);

/** Lines of which pieces are in no parcel yet, and how many. */
export function leftOf({ lines, parcels }: Order): { line: OrderLine; quantity: number }[] {
  const sent = parcels.flatMap(({ pieces }) => pieces);
  return lines.flatMap((line) => {
    const gone = sent.filter(({ variantId }) => variantId === line.variantId);
    const quantity = gone.reduce((rest, piece) => rest - piece.quantity, line.quantity);
    return quantity > 0 ? [{ line, quantity }] : [];
  });
}

/** The same with "× 2" */
export function lineText(line: OrderLine, i18n: I18n): string {
  const parts = lineName(line, i18n);
  return line.quantity === 1
    ? parts
    : `${parts} ${i18n.t('office.times', { count: i18n.format.number(line.quantity) })}`;
}

export function goodsText(order: Order, i18n: I18n): string {
  const [first, ...rest] = order.lines;
  if (!first) return '';
  const title = lineText(first, i18n);
  return rest.length === 0 ? title : i18n.t('office.order_more', { title, count: rest.length });
}

/** As it goes on a label: one line each, without empty ones. The country by its name in the reader's language. */
export function addressLines(address: Address, locale: string): string[] {
  const country = new Intl.DisplayNames([locale], { type: 'region', fallback: 'code' }).of(address.country);
  const town = [address.postalCode, address.city, address.region].filter((part) => part.trim()).join(' ');
  return [address.name, address.line1, address.line2, town, country ?? address.country].filter((line) => line.trim());
}

/** Which way an address runs: as the name in it does, whatever language the reader has. */
export const addressDirection = ({ name }: Pick<Address, 'name'>): 'ltr' | 'rtl' =>
  /^\P{L}*[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(name) ? 'rtl' : 'ltr';
