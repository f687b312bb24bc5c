/** The hub's packets as `contract/src/live.ts` lays them out, each a whole WebSocket frame. */
import { encodeLiveFragmentHeader, encodeLiveInitHeader } from '@nacre/contract/live';
import type { LiveServerMessage } from '@nacre/contract/live';
import type { StreamWire } from '@nacre/media/stream/hub';
import { binaryFrame, textFrame } from '../http/websocket-frame.ts';

export const liveWire: StreamWire = {
  init(init, epoch) {
    const header = encodeLiveInitHeader({ ...init, isSmall: init.layer === 'small', epoch });
    return binaryFrame([header, init.initSegment]);
  },
  fragments(fragments) {
    const lead = fragments.find((fragment) => fragment.track === 'video') ?? fragments[0];
    const last = fragments.at(-1);
    if (!lead || !last) throw new Error('a packet without fragments');
    const header = encodeLiveFragmentHeader({
      hasVideo: lead.track === 'video',
      hasAudio: fragments.some((fragment) => fragment.track === 'audio'),
      isKey: lead.track === 'video' && lead.isKey,
      timeMs: lead.timeMs,
      durationMs: lead.track === 'video' ? lead.durationMs : last.timeMs + last.durationMs - lead.timeMs,
      arrivedAtMs: lead.arrivedAtMs,
    });
    return binaryFrame([header, ...fragments.map((fragment) => fragment.data)]);
  },
  state: (state, uplinkMs) =>
    liveText({ type: 'state', state, uplinkMs: uplinkMs === null ? null : Math.round(uplinkMs) }),
};

export function liveText(message: LiveServerMessage): Buffer {
  return textFrame(JSON.stringify(message));
}
