/**
 * Which way onto the air: directly (WHIP), which is quickest, or by socket where a network lets no UDP through. Pure;
 * the broadcaster tells what it met and asks what to do.
 *
 * What was met is remembered for a while, so that a host who comes back after a moment need not wait for the direct way
 * to fail again. After a change of network the socket is first still, which works nearly everywhere, and the direct way
 * is tried at once beside it.
 */
export type Way = 'direct' | 'socket';

/** So long a network is taken for one that blocks the direct way. Longer keeps hosts off it who moved meanwhile. */
const rememberedMs = 30 * 60_000;
/** The direct way is tried again in the background after this, doubling. Oftener costs battery for nothing. */
const firstRetryMs = 30_000;
const longestRetryMs = 10 * 60_000;

/**
 * After so many failures of the socket, some 17 s, the direct way has a turn, which costs 5 s where it is blocked.
 * Fewer lose those seconds to a server that starts again; the attempt under way when another network comes fails too.
 */
const failuresForDirect = 20;
const failuresElsewhere = 2;

export interface Ways {
  /** What to try next. */
  next(nowMs: number): Way;
  /** The direct way was answered and did not connect. */
  directBlocked(nowMs: number): void;
  /** The way by socket failed too. */
  socketFailed(): void;
  socketWorks(): void;
  directWorks(): void;
  /** On air by socket: whether to try the direct way again now. */
  isDirectDue(nowMs: number): boolean;
  /** Another network: the direct way may work there, and is tried as soon as the show is on air again. */
  networkChanged(nowMs: number): void;
  /** Until when the direct way is taken for blocked; 0 when it is not. */
  blockedUntilMs(): number;
}

/**
 * @param hasSocket whether there is a second way here at all
 * @param blockedUntilMs as remembered from the last time
 */
export function createWays(hasSocket: boolean, blockedUntilMs = 0, nowMs = 0): Ways {
  let blockedUntil = hasSocket ? Math.min(blockedUntilMs, nowMs + rememberedMs) : 0;
  let socketFailures = 0;
  let isElsewhere = false;
  let retryMs = firstRetryMs;
  let dueMs = nowMs + firstRetryMs;
  return {
    next(atMs) {
      const isTurn = socketFailures >= (isElsewhere ? failuresElsewhere : failuresForDirect);
      if (hasSocket && atMs < blockedUntil && !isTurn) return 'socket';
      socketFailures = 0;
      return 'direct';
    },
    directBlocked(atMs) {
      if (!hasSocket) return;
      blockedUntil = atMs + rememberedMs;
      dueMs = atMs + retryMs;
      retryMs = Math.min(retryMs * 2, longestRetryMs);
    },
    socketFailed() {
      socketFailures += 1;
    },
    socketWorks() {
      socketFailures = 0;
      isElsewhere = false;
    },
    directWorks() {
      blockedUntil = 0;
      isElsewhere = false;
      retryMs = firstRetryMs;
    },
    isDirectDue: (atMs) => atMs >= dueMs,
    networkChanged(atMs) {
      isElsewhere = true;
      retryMs = firstRetryMs;
      dueMs = atMs;
    },
    blockedUntilMs: () => blockedUntil,
  };
}
