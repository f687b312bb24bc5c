/**
 * The person's own places in line. Believed from the server only: it says whose turn it is, and by its clock the time
 * that is left is counted down, whatever the clock of this device shows.
 */
import type { PersonalEvent } from '@nacre/contract/realtime';
import type { Wait, Waits } from '@nacre/contract/waiting';
import { createServerClock } from '#lib/player/server-clock.ts';
import { createRealtime, type Realtime } from '#lib/realtime.svelte.ts';

/** Who left before one is not told one by one. */
const askEveryMs = 20_000;
const tickMs = 1_000;

export type OwnWaits = ReturnType<typeof createWaits>;

/** `realtime` is the page's connection if it has one; else one is opened while there is something to hear. */
export function createWaits(options: { realtime?: () => Realtime | null } = {}) {
  let items = $state.raw<Wait[]>([]);
  let nowMs = $state(Date.now());
  const clock = createServerClock();
  /** Ours to close. */
  let own: Realtime | null = null;
  let leaveOwn: (() => void) | undefined;
  let asks: ReturnType<typeof setInterval> | undefined;
  let ticks: ReturnType<typeof setInterval> | undefined;
  let stopped = false;

  const serverNow = (): number => clock.at(performance.now()) ?? Date.now();

  function tick(): void {
    const before = nowMs;
    nowMs = serverNow();
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
    nowMs = serverNow();
    const others = items.filter(({ id }) => id !== event.waitId);
    set(event.wait ? [event.wait, ...others] : others);
  }

  /** A network that is away leaves what was known. */
  async function load(): Promise<void> {
    const { api, ask } = await import('#lib/api.ts');
    const askedAtMs = performance.now();
    const answer = (await ask(api.GET('/api/waits')).catch(() => null)) as Waits | null;
    if (answer === null || stopped) return;
    clock.measure(askedAtMs, Date.parse(answer.now), performance.now());
    nowMs = serverNow();
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
      clock.guess(Date.parse(known.now), performance.now());
      nowMs = serverNow();
      set(known.items);
      // Drawn a while ago: more would be left than is.
      if (known.items.length > 0) void load();
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
