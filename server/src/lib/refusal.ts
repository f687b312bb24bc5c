/**
 * An expected "no": thrown, because a throw rolls the transaction back, and answered as RFC 9457 problem details.
 * A bug is an assertion instead; anything else that is thrown becomes a 500 whose text stays in the log.
 */
import { REFUSALS, type RefusalCode } from '@nacre/contract/refusals';

/** Facts that go with a refusal; they reach the person, so never a secret. */
export type RefusalDetails = Record<string, unknown>;

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly status: number;
  readonly details: RefusalDetails | undefined;
  /** Seconds after which trying again makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: RefusalCode, options: { details?: RefusalDetails; retryAfterSeconds?: number } = {}) {
    super(REFUSALS[code].title);
    this.name = 'Refusal';
    this.code = code;
    this.status = REFUSALS[code].status;
    this.details = options.details;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
