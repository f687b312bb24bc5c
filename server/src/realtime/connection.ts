/**
 * One socket: who it is, what it is told, and what happens when it does not read.
 *
 * Invariants: a frame is written once and whole, or not at all; a socket that is being closed is written nothing more;
 * a close is final after `closeLingerMs` even if the other side never answers.
 */
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { CLOSE } from '@nacre/contract/realtime';
import type { Actor } from '../http/actor.ts';
import type { RealtimeLimits } from './limits.ts';

export interface Connection {
  readonly actor: Actor;
  /** Rooms that it is a member of. Kept by the gateway. */
  readonly rooms: Set<string>;
  /** Writes one prebuilt WebSocket frame, or closes the socket that has too much unread. */
  write(frame: Buffer): void;
  /** Closes with one of our codes (or one of RFC 6455) and reads nothing more. A repeat does nothing. */
  close(code: number): void;
  isOpen(): boolean;
}

export function createConnection(deps: {
  webSocket: WebSocket;
  line: Duplex;
  actor: Actor;
  limits: Pick<RealtimeLimits, 'queuedBytes' | 'closeLingerMs'>;
}): Connection {
  const { webSocket, line, actor, limits } = deps;
  const rooms = new Set<string>();

  const isOpen = (): boolean => webSocket.readyState === webSocket.OPEN;

  function close(code: number): void {
    if (!isOpen()) return;
    webSocket.close(code);
    const cut = setTimeout(() => webSocket.terminate(), limits.closeLingerMs);
    cut.unref();
    webSocket.once('close', () => clearTimeout(cut));
  }

  return {
    actor,
    rooms,
    close,
    isOpen,
    write(frame) {
      if (!isOpen()) return;
      // What waits already counts, not this frame: one large bag must not close everybody.
      if (line.writableLength > limits.queuedBytes) close(CLOSE.tooSlow);
      else line.write(frame);
    },
  };
}

/** Admits `perSecond` in the long run and `burst` at once. */
export function createAdmission(deps: { burst: number; perSecond: number; nowMs: () => number }): () => boolean {
  let tokens = deps.burst;
  let atMs = deps.nowMs();
  return () => {
    const nowMs = deps.nowMs();
    tokens = Math.min(deps.burst, tokens + (Math.max(0, nowMs - atMs) / 1000) * deps.perSecond);
    atMs = nowMs;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
