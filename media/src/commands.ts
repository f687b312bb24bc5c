/** Heads of the messages on the pipe. Events go up as `MediaEvent` with their bytes as the body (see `hooks.ts`). */
import type { MediaStats, PublishRefusalCode } from './hooks.ts';

export type Command =
  | { type: 'start'; udpPort: number; bindAddress?: string; addresses?: readonly string[] }
  | { type: 'publish'; id: number; streamId: string; sessionId: string; offerSdp: string }
  | { type: 'patch'; id: number; sessionId: string; sdpFragment: string }
  | { type: 'remove'; id: number; sessionId: string }
  | { type: 'stats'; id: number }
  | { type: 'ping' }
  | { type: 'stop' };

/** What the media process knows of itself; the supervisor adds the rest. */
export type ProcessStats = Omit<MediaStats, 'restarts'>;

export type Reply =
  | { type: 'ready'; udpPort: number }
  /** It cannot work: the process ends after this. `code` is the system's, e.g. EADDRINUSE. */
  | { type: 'fatal'; code: string; message: string }
  | { type: 'pong' }
  | { type: 'reply'; id: number; answerSdp: string }
  | { type: 'reply'; id: number; isFound: boolean }
  | { type: 'reply'; id: number; stats: ProcessStats }
  | { type: 'refusal'; id: number; code: PublishRefusalCode; message: string }
  | { type: 'log'; level: 'info' | 'warn' | 'error'; fields: object; message: string };
