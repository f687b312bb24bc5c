/**
 * The counter at work: finds goods, keeps the list in this browser, sells it.
 *
 * Invariants: what was sent and not answered is sent again with the same key and nothing else, so that nothing is sold
 * twice; a sale is believed from the server only.
 */
import type { CounterGood } from '@nacre/contract/catalog';
import type { CounterMethod, Order } from '@nacre/contract/orders';
import { newsOf } from '#lib/buy/goods-news.ts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { ApiError, sayError } from '#lib/problem.ts';
import type { Draft } from './draft.ts';
import { findCounterGoods, sellAtCounter } from './office-api.ts';
import { add, emptyTill, learn, readTill, saleOf, type Till, type TillLine } from './till.ts';

export function createTillDesk(options: { shopId: string; i18n: I18n; draft: Draft<Till> }) {
  const { shopId, i18n, draft } = options;
  const { t } = i18n;
  let till = $state.raw<Till>(emptyTill);
  let choices = $state.raw<CounterGood[]>([]);
  let note = $state.raw<{ tone: 'warn' | 'bad'; text: string } | null>(null);
  let said = $state('');
  let selling = $state<CounterMethod | null>(null);
  let sold = $state.raw<Order | null>(null);
  // Scans come faster than answers: one after the other, in the order in which they came.
  let looking: Promise<void> = Promise.resolve();

  function keep(next: Till): void {
    till = next;
    if (next.lines.length === 0) draft.drop();
    else draft.write(next);
  }

  function put(good: CounterGood): void {
    choices = [];
    const { title } = good;
    const lines = add(till.lines, good);
    if (lines === 'out') note = { tone: 'warn', text: `${title}: ${t('office.counter_out')}` };
    else if (lines === 'full') note = { tone: 'warn', text: t('office.counter_full') };
    else {
      note = null;
      sold = null;
      said = t('office.counter_added', { title });
      keep({ lines, pending: null });
    }
  }

  async function look(text: string): Promise<void> {
    choices = [];
    try {
      const found = await findCounterGoods(shopId, text);
      const [only] = found.items;
      if (found.isSku && found.items.length === 1 && only) put(only);
      else if (found.items.length === 0) note = { tone: 'warn', text: t('office.counter_none', { text }) };
      else {
        note = null;
        choices = found.items;
      }
    } catch (error) {
      note = { tone: 'bad', text: await sayError(error, i18n) };
    }
  }

  /** What is wrong with which line, and the list as it is now. */
  async function refused(error: ApiError): Promise<void> {
    const news = newsOf(error.code, error.details);
    const line = till.lines.find(({ good }) => good.variantId === news?.variantId);
    if (!news || !line) {
      keep({ ...till, pending: null });
      note = { tone: 'bad', text: await sayError(error, i18n) };
      return;
    }
    keep({ lines: learn(till.lines, news), pending: null });
    const { title } = line.good;
    const text =
      error.code === 'orders.price_changed'
        ? t('office.counter_price_new', { title })
        : error.code === 'orders.sold_out'
          ? t('office.counter_sold_out_line', { title, count: news.available ?? 0 })
          : t('office.counter_gone_line', { title });
    note = { tone: 'bad', text };
  }

  return {
    get lines(): readonly TillLine[] {
      return till.lines;
    },
    get choices() {
      return choices;
    },
    get note() {
      return note;
    },
    get said() {
      return said;
    },
    get selling() {
      return selling;
    },
    /** The way of paying of a sale that nobody answered; until it is answered nothing else can be done. */
    get unanswered(): CounterMethod | null {
      return selling === null ? (till.pending?.method ?? null) : null;
    },
    get sold() {
      return sold;
    },
    /** In the browser: takes up what was left. */
    resume(): void {
      till = readTill(draft.read());
      if (till.pending) note = { tone: 'warn', text: t('office.counter_unsure') };
    },
    find(text: string): Promise<void> {
      const words = text.trim();
      if (words === '' || till.pending) return Promise.resolve();
      looking = looking.then(() => look(words));
      return looking;
    },
    put,
    setQuantity(variantId: string, quantity: number): void {
      const lines = till.lines.map((line) => (line.good.variantId === variantId ? { ...line, quantity } : line));
      keep({ lines, pending: null });
    },
    remove(variantId: string): void {
      keep({ lines: till.lines.filter(({ good }) => good.variantId !== variantId), pending: null });
    },
    clear(): void {
      keep(emptyTill);
      choices = [];
      note = null;
      sold = null;
    },
    async sell(method: CounterMethod): Promise<void> {
      if (selling || till.lines.length === 0 || (till.pending && till.pending.method !== method)) return;
      const pending = till.pending ?? { key: crypto.randomUUID(), method };
      selling = method;
      note = null;
      keep({ ...till, pending });
      try {
        sold = await sellAtCounter(shopId, saleOf(till.lines, pending));
        said = t('office.counter_done', { number: sold.number });
        keep(emptyTill);
      } catch (error) {
        const isAnswer = error instanceof ApiError && error.status > 0 && error.status < 500;
        if (isAnswer && error.status !== 429) await refused(error);
        else note = { tone: 'warn', text: t('office.counter_unsure') };
      } finally {
        selling = null;
      }
    },
    undone(order: Order): void {
      sold = order;
    },
  };
}
