/**
 * What a device keeps of what it films: the last half minute in memory, and for good what was filmed around trouble
 * with the line, since that is what viewers may have missed. Trouble is noticed seconds late, so what came before it is
 * kept too. Pure.
 */
import { packPart } from '@nacre/contract/healing';

/** Before trouble: a lost line is noticed within 10 s, and a new one takes as long to be found broken again. */
export const ringMs = 30_000;
/** After it: the picture is back a moment after the connection. */
export const afterMs = 6_000;
/** A piece is what one crash of the page may cost, and what is sent at once. Shorter ones are more of them. */
const pieceMs = 8_000;
const pieceBytes = 2_500_000;
/** Sound without a picture, as of a camera that another app took: more is of no use in a replay, and has no end. */
const soundAloneMs = 10_000;

/** One key picture and what follows it, with its sound: messages of contract/src/publish.ts on the server's clock. */
interface Group {
  fromMs: number;
  toMs: number;
  messages: Uint8Array[];
  bytes: number;
}

export interface KeptPiece {
  /** When its first picture was captured, and its last: Unix epoch in ms, by the server's clock. */
  startedAtMs: number;
  endedAtMs: number;
  /** As `packPart` makes it. */
  body: Uint8Array<ArrayBuffer>;
}

export interface KeptRing {
  /** One encoded message. Before the first key picture nothing is kept. */
  add(message: { kind: 'picture' | 'sound'; isKey: boolean; atMs: number; bytes: Uint8Array }): void;
  /** Whether viewers may be missing what is filmed now. */
  setTrouble(isTrouble: boolean, nowMs: number): void;
  /** Nothing follows what came so far: the show is over, or the clock was set. */
  end(): void;
  bytes(): number;
}

export function createKeptRing(onPiece: (piece: KeptPiece) => void): KeptRing {
  let ring: Group[] = [];
  let piece: Group[] = [];
  let open: Group | null = null;
  /** Until when what comes is kept; null: not at all. */
  let keepUntilMs: number | null = null;

  const flush = (): void => {
    const [first] = piece;
    const last = piece.at(-1);
    if (first && last) {
      const body = packPart(piece.flatMap(({ messages }) => messages));
      onPiece({ startedAtMs: first.fromMs, endedAtMs: last.toMs, body });
    }
    piece = [];
  };
  const keep = (group: Group): void => {
    const bytes = piece.reduce((sum, one) => sum + one.bytes, 0);
    const begunMs = piece[0]?.fromMs ?? group.fromMs;
    if (bytes + group.bytes > pieceBytes || group.toMs - begunMs > pieceMs) flush();
    piece.push(group);
  };
  const close = (): void => {
    if (!open) return;
    const group = open;
    open = null;
    if (keepUntilMs !== null) {
      keep(group);
      if (group.toMs >= keepUntilMs) {
        keepUntilMs = null;
        flush();
      }
      return;
    }
    ring.push(group);
    ring = ring.filter(({ toMs }) => group.toMs - toMs < ringMs);
  };

  return {
    add({ kind, isKey, atMs, bytes }) {
      if (kind === 'picture' && isKey) {
        close();
        open = { fromMs: atMs, toMs: atMs, messages: [], bytes: 0 };
      }
      if (!open || (kind === 'sound' && atMs - open.toMs > soundAloneMs)) return;
      open.messages.push(bytes);
      open.bytes += bytes.length + 4;
      if (kind === 'picture') open.toMs = atMs;
    },
    setTrouble(isTrouble, nowMs) {
      if (isTrouble) {
        for (const group of ring.splice(0)) keep(group);
        keepUntilMs = Infinity;
      } else if (keepUntilMs === Infinity) keepUntilMs = nowMs + afterMs;
    },
    end() {
      close();
      flush();
      ring = [];
      keepUntilMs = null;
    },
    bytes: () => [...ring, ...piece, ...(open ? [open] : [])].reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
