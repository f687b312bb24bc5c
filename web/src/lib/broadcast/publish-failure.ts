/** Why publishing failed, by whichever way. */
import type { BroadcastReason } from './face.ts';

export class PublishFailure extends Error {
  readonly reason: Exclude<BroadcastReason, null>;
  /** Whether trying again by itself makes sense. */
  readonly mayRetry: boolean;
  constructor(reason: Exclude<BroadcastReason, null>, mayRetry: boolean, detail = '') {
    super(detail);
    this.name = 'PublishFailure';
    this.reason = reason;
    this.mayRetry = mayRetry;
  }
}
