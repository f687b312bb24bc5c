/** What an order holds, as the host says it: "no. 3, Coral, M". Pure. */
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import type { StudioOrder } from './studio-model.svelte.ts';

export function orderGoods(order: StudioOrder, i18n: I18n): string {
  const comma = i18n.t('common.list_comma');
  return order.lines
    .map((line) => {
      const name =
        line.number === null ? line.title : i18n.t('studio.order_no', { number: i18n.format.number(line.number) });
      const words = [name, ...line.optionValues].join(comma);
      return line.quantity === 1
        ? words
        : `${words} ${i18n.t('office.times', { count: i18n.format.number(line.quantity) })}`;
    })
    .join(comma);
}
