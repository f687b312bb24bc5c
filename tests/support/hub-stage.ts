/** A hub with one show, and viewers whose lines say what they got, in words. */
import assert from 'node:assert/strict';
import type { MediaEvent, PictureLayer, StreamDownReason, StreamFragment } from '@nacre/media/hooks';
import { createStreamHub } from '@nacre/media/stream/hub';
import type { Rendition, StreamHubLimits, StreamWire, ViewerSink } from '@nacre/media/stream/hub';

/** Packets as words, so that a test can read what a viewer got: `init 1`, `v0k+a0+a20`, `state live`. */
export const wire: StreamWire = {
  init: (init) => Buffer.from(`${init.layer === 'small' ? 'small' : 'init'} ${init.sessionId}.${init.generation}`),
  fragments(fragments) {
    const letter = (f: StreamFragment) => (f.layer === 'small' ? 's' : f.track[0]);
    const name = (f: StreamFragment) => `${letter(f)}${f.timeMs}${f.track === 'video' && f.isKey ? 'k' : ''}`;
    return Buffer.from(fragments.map(name).join('+'));
  },
  state: (state, uplinkMs) => Buffer.from(`state ${state}${uplinkMs === null ? '' : ` ${uplinkMs}`}`),
};

export interface Line extends ViewerSink {
  got: string[];
  closed: string | null;
  queued: number;
  /** What was received since the last call. */
  fresh(): string[];
}

export function line(): Line {
  let read = 0;
  const it: Line = {
    got: [],
    closed: null,
    queued: 0,
    write: (packet) => void it.got.push(packet.toString()),
    writeAll: (packets) => packets.forEach(it.write),
    queuedBytes: () => it.queued,
    close: (reason) => {
      it.closed = reason;
    },
    fresh: () => it.got.slice(read, (read = it.got.length)),
  };
  return it;
}

export function hubStage(limits: Partial<StreamHubLimits> = {}) {
  const clock = { nowMs: 1_000_000 };
  const hub = createStreamHub({ wire, now: () => clock.nowMs, limits });
  const send = (event: MediaEvent) => hub.onMediaEvent(event);
  const init = (sessionId = '1', generation = 1, layer: PictureLayer = 'full') =>
    send({
      type: 'init', layer,
      streamId: 'show',
      sessionId,
      generation,
      mime: 'video/mp4; codecs="avc1.42e01f,opus"',
      width: 720,
      height: 1280,
      hasVideo: true,
      hasAudio: true,
      initSegment: Buffer.alloc(0),
    });
  const fragment = (
    track: 'video' | 'audio', timeMs: number, isKey: boolean, sessionId = '1', generation = 1,
    layer: PictureLayer = 'full',
  ) =>
    send({
      type: 'fragment', layer,
      streamId: 'show',
      sessionId,
      generation,
      track,
      isKey,
      timeMs,
      durationMs: track === 'video' ? 40 : 20,
      arrivedAtMs: 0,
      data: Buffer.alloc(1),
    });
  return {
    hub,
    clock,
    uplink: (uplinkMs: number, sessionId = '1') => (
      send({ type: 'uplink', streamId: 'show', sessionId, uplinkMs, placedMs: uplinkMs })
    ),
    up: (sessionId = '1') => send({ type: 'up', streamId: 'show', sessionId }),
    down: (reason: StreamDownReason, sessionId = '1') => send({ type: 'down', streamId: 'show', sessionId, reason }),
    init,
    key: (timeMs: number, sessionId?: string, generation?: number) =>
      fragment('video', timeMs, true, sessionId, generation),
    picture: (timeMs: number, sessionId?: string) => fragment('video', timeMs, false, sessionId),
    sound: (timeMs: number) => fragment('audio', timeMs, true),
    small: {
      init: (generation = 1) => init('1', generation, 'small'),
      key: (timeMs: number) => fragment('video', timeMs, true, '1', 1, 'small'),
      picture: (timeMs: number) => fragment('video', timeMs, false, '1', 1, 'small'),
      down: () => send({ type: 'layer-down', streamId: 'show', sessionId: '1', layer: 'small' }),
    },
    join(wanted?: Rendition) {
      const it = line();
      const viewer = hub.join('show', it, wanted);
      assert.ok(viewer);
      return { line: it, viewer };
    },
  };
}
