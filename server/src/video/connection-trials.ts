/**
 * Connections that a host's page tries before going live: the whole way of a publication (offer, ICE, DTLS on the UDP
 * port), of which no show knows. Without media each ends by itself, within the media process's timeouts.
 */
import { randomUUID } from 'node:crypto';
import type { RefusalCode } from '@nacre/contract/refusals';
import { PublishRefusal } from '@nacre/media/hooks';
import type { MediaEvent, MediaSupervisor, PublishRefusalCode } from '@nacre/media/hooks';
import { Refusal } from '../lib/refusal.ts';

/** At a time. More would take publishers' places in the media process; fewer turn hosts away who try at once. */
export const maxTrials = 8;
const prefix = 'trial:';

export interface ConnectionTrials {
  /** The answer. @throws Refusal as for publishing, and `server.busy` when too many try at once */
  open(offerSdp: string): Promise<string>;
  /** True for an event of a trial, which is nobody else's business. */
  takes(event: MediaEvent): boolean;
}

export function createConnectionTrials(
  supervisor: () => Pick<MediaSupervisor, 'publish'>,
  codeOf: (code: PublishRefusalCode) => RefusalCode,
): ConnectionTrials {
  const open = new Set<string>();
  return {
    async open(offerSdp) {
      if (open.size >= maxTrials) throw new Refusal('server.busy', { retryAfterSeconds: 5 });
      const streamId = `${prefix}${randomUUID()}`;
      open.add(streamId);
      try {
        return (await supervisor().publish({ streamId, offerSdp })).answerSdp;
      } catch (error) {
        open.delete(streamId);
        throw error instanceof PublishRefusal ? new Refusal(codeOf(error.code)) : error;
      }
    },
    takes(event) {
      if (event.type === 'child-restarted' || !event.streamId.startsWith(prefix)) return false;
      if (event.type === 'down') open.delete(event.streamId);
      return true;
    },
  };
}
