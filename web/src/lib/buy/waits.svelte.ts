/**
 * The person's own places in line. Believed from the server only: it says whose turn it is, and by its clock the time
 * that is left is counted down, whatever the clock of this device shows.
 */
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { Wait, Waits } from '@nacre/contract/waiting';
import { createRealtime, type Realtime } from '#lib/realtime.svelte.ts';

/** Who left before one is not told one by one. */
const askEveryMs = 20_000;
const tickMs = 1_000;

export type OwnWaits = ReturnType<typeof createWaits>;

/** `realtime` is the page's connection if it has one; else one is opened while there is something to hear. */
export function createWaits(options: { realtime?: () => Realtime | null } = {}) {
  let items = $state.raw<Wait[]>([]);
  let nowMs = $state(Date.now());
  /** What the server's clock is before this device's. */
  let aheadMs = 0;
  /** Ours to close. */
  let own: Realtime | null = null;
  let leaveOwn: (() => void) | undefined;
  let asks: ReturnType<typeof setInterval> | undefined;
  let ticks: ReturnType<typeof setInterval> | undefined;
  let stopped = false;

  function tick(): void {
    const before = nowMs;
    nowMs = Date.now() + aheadMs;
    const isOver = ({ keptUntil }: Wait) => keptUntil !== null && Date.parse(keptUntil) <= nowMs;
    const wasOpen = ({ keptUntil }: Wait) => keptUntil !== null && Date.parse(keptUntil) > before;
    if (items.some((wait) => isOver(wait) && wasOpen(wait))) void load();
  }

  function set(next: Wait[]): void {
    items = next;
    const isAny = next.length > 0 && !stopped;
    if (isAny && asks === undefined) {
      const known = options.realtime?.() ?? null;
      own = known === null ? createRealtime() : null;
      leaveOwn = (known ?? own)?.onOwn(hear);
      asks = setInterval(() => void load(), askEveryMs);
      ticks = setInterval(tick, tickMs);
    }
    if (!isAny) rest();
  }

  function rest(): void {
    clearInterval(asks);
    clearInterval(ticks);
    asks = ticks = undefined;
    leaveOwn?.();
    own?.stop();
    own = null;
  }

  function hear(event: PersonalEvent): void {
    if (event.type !== 'own-wait') return;
    // Between two ticks the time shown would be up to one older than what was told.
    nowMs = Date.now() + aheadMs;
    const others = items.filter(({ id }) => id !== event.waitId);
    set(event.wait ? [event.wait, ...others] : others);
  }

  /** A network that is away leaves what was known. */
  async function load(): Promise<void> {
    const { api, ask } = await import('#lib/api.ts');
    const askedAtMs = Date.now();
    const answer = (await ask(api.GET('/api/waits')).catch(() => null)) as Waits | null;
    if (answer === null || stopped) return;
    // The server looked at its clock on the way, about in the middle.
    aheadMs = Date.parse(answer.now) - (askedAtMs + Date.now()) / 2;
    nowMs = Date.now() + aheadMs;
    set(answer.items);
  }

  return {
    get items() {
      return items;
    },
    of: (variantId: string | undefined) => items.find((wait) => wait.variantId === variantId),
    /** Milliseconds until the pieces go to the next one; 0 when they have. */
    leftMs: ({ keptUntil }: Wait) => (keptUntil === null ? 0 : Math.max(0, Date.parse(keptUntil) - nowMs)),
    load,
    /** What the page was drawn with. */
    start(known: Waits): void {
      aheadMs = Date.parse(known.now) - Date.now();
      nowMs = Date.now() + aheadMs;
      set(known.items);
    },
    /** @throws ApiError */
    async join(variantId: string, quantity: number): Promise<void> {
      const { api, ask } = await import('#lib/api.ts');
      const wait = (await ask(api.POST('/api/waits', { body: { variantId, quantity } }))) as Wait;
      set([wait, ...items.filter(({ id }) => id !== wait.id)]);
      await load();
    },
    /** @throws ApiError */
    async leave({ id }: Wait): Promise<void> {
      const { api, ask } = await import('#lib/api.ts');
      await ask(api.DELETE('/api/waits/{waitId}', { params: { path: { waitId: id } } }));
      set(items.filter((wait) => wait.id !== id));
    },
    stop(): void {
      stopped = true;
      rest();
    },
  };
}
