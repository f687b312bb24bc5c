/**
 * A show's small picture with the sound as a stream of its own, for HLS: from the first small picture on. While none is
 * sent (any more), the full one is in its place, from a key picture on, so that who plays it never stands still. It has
 * the whole's times and counts init segments by itself.
 */
import type { MediaEvent, PictureLayer, StreamInit } from '../hooks.ts';

interface SmallState {
  full: StreamInit | null;
  /** When the session's pictures count from (Unix epoch, ms), as the whole has it. */
  startedAtMs: number | null;
  /** Null before the first small picture of all. */
  source: PictureLayer | null;
  /** The full picture takes the place at its next key picture. */
  awaitsFullKey: boolean;
  generation: number;
}

export interface SmallRendition {
  /** What this event of a stream is to the rendition: nothing, one, or an init segment and what belongs to it. */
  eventsOf(event: MediaEvent): MediaEvent[];
  forget(streamId: string): void;
}

export function createSmallRendition(): SmallRendition {
  const states = new Map<string, SmallState>();

  const begin = (state: SmallState, init: StreamInit): MediaEvent => {
    state.generation += 1;
    state.awaitsFullKey = false;
    return { type: 'init', ...init, generation: state.generation };
  };

  const takeInit = (event: MediaEvent & { type: 'init' }): MediaEvent[] => {
    const { streamId, sessionId, layer } = event;
    const known = states.get(streamId);
    const state: SmallState = known ?? {
      full: null, startedAtMs: null, source: null, awaitsFullKey: false, generation: 0,
    };
    states.set(streamId, state);
    if (layer === 'small') {
      if (state.full?.sessionId !== sessionId) return [];
      state.source = 'small';
      return [begin(state, event)];
    }
    const isNew = state.full?.sessionId !== sessionId;
    if (isNew) state.startedAtMs = null;
    state.full = event;
    if (state.source === null || (state.source === 'small' && !isNew)) return [];
    state.source = 'full';
    return [begin(state, event)];
  };

  const takeFragment = (event: MediaEvent & { type: 'fragment' }): MediaEvent[] => {
    const state = states.get(event.streamId);
    if (state?.full?.sessionId !== event.sessionId) return [];
    const isPicture = event.track === 'video';
    if (isPicture && event.layer === 'full') state.startedAtMs ??= event.arrivedAtMs - event.timeMs;
    if (state.source === null || (isPicture && event.layer !== state.source)) return [];
    const { startedAtMs } = state;
    const arrivedAtMs = startedAtMs === null ? event.arrivedAtMs : startedAtMs + event.timeMs;
    if (!isPicture || !state.awaitsFullKey) return [{ ...event, generation: state.generation, arrivedAtMs }];
    return event.isKey ? [begin(state, state.full), { ...event, generation: state.generation, arrivedAtMs }] : [];
  };

  return {
    eventsOf(event) {
      if (event.type === 'init') return takeInit(event);
      if (event.type === 'fragment') return takeFragment(event);
      if (event.type === 'child-restarted') return [];
      const state = states.get(event.streamId);
      if (state === undefined) return [];
      if (event.type === 'layer-down') {
        if (state.source === 'small') Object.assign(state, { source: 'full', awaitsFullKey: true });
        return [];
      }
      if (event.type === 'down' && state.full?.sessionId === event.sessionId) {
        if (state.source === null) states.delete(event.streamId);
        else Object.assign(state, { source: 'full', awaitsFullKey: false, full: null });
      }
      return state.source === null ? [] : [event];
    },
    forget: (streamId) => void states.delete(streamId),
  };
}
