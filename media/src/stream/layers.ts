/** A stream whose picture comes in two sizes, as one that comes in one. */
import type { MediaEvent } from '../hooks.ts';

/** What this event is to who takes the full picture; null for what is of the small one alone. */
export function wholeOf(event: MediaEvent): MediaEvent | null {
  return 'layer' in event && event.layer === 'small' ? null : event;
}
