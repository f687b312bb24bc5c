/**
 * The talk of a replay, in time with its picture: messages are asked for from the moment on the screen and come up when
 * their moment does.
 */
import type { ChatMessage } from '@nacre/contract/chat';

/** How far back the log reaches when somebody jumps. */
const backMs = 30_000;
/** As many lines as a live log keeps. */
const linesMost = 120;

export interface ReplayTalk {
  /** Said up to now, oldest first. */
  readonly lines: readonly ChatMessage[];
  /** The picture on the screen is of this moment (Unix epoch, ms). Cheap; call it often. */
  note(momentMs: number): void;
}

/** @param load messages from a moment on, oldest first, a page of them; fewer than it could be: there are no more */
export function createReplayTalk(
  load: (fromMs: number) => Promise<{ items: ChatMessage[]; isLast: boolean }>,
): ReplayTalk {
  /** What is known, without a hole: from `fromMs` to the last of it, or to the end. */
  let known = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY, items: [] as ChatMessage[] };
  let lines = $state.raw<readonly ChatMessage[]>([]);
  let isLoading = false;
  let nowMs = 0;

  const timeOf = (message: ChatMessage): number => Date.parse(message.sentAt);

  function show(): void {
    const said = known.items.filter((message) => timeOf(message) <= nowMs).slice(-linesMost);
    const isSame = said.length === lines.length && said.at(-1)?.id === lines.at(-1)?.id && said[0]?.id === lines[0]?.id;
    if (!isSame) lines = said;
  }

  async function fetchFrom(fromMs: number, isFresh: boolean): Promise<void> {
    isLoading = true;
    try {
      const { items, isLast } = await load(fromMs);
      const before = isFresh ? [] : known.items;
      const ids = new Set(before.map(({ id }) => id));
      const all = [...before, ...items.filter(({ id }) => !ids.has(id))];
      const last = all.at(-1);
      const toMs = isLast || last === undefined ? Number.POSITIVE_INFINITY : timeOf(last);
      known = { fromMs: isFresh ? fromMs : known.fromMs, toMs, items: all };
      show();
    } catch {
      // The picture goes on without; the next moment asks again.
    } finally {
      isLoading = false;
    }
  }

  return {
    get lines() {
      return lines;
    },
    note(momentMs) {
      nowMs = momentMs;
      show();
      if (isLoading) return;
      const isKnown = momentMs >= known.fromMs && momentMs <= known.toMs;
      if (!isKnown && (momentMs < known.fromMs || momentMs > known.toMs + backMs)) {
        void fetchFrom(momentMs - backMs, true);
      } else if (momentMs > known.toMs - backMs) void fetchFrom(known.toMs, false);
    },
  };
}
