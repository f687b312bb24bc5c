/**
 * Carries each stream from its publisher to its viewers, inside the main process.
 *
 * A stream goes out in up to three renditions, none of which is made anew: the whole as it came, the small picture
 * where the publisher sends one, and the sound alone. Per rendition `lane.ts` keeps what a newcomer needs for a picture
 * at once: the init segment and the current group of pictures (everything since the last key picture, with the sound
 * that belongs to it). `places.ts` has who gets which. A packet is built once, by `wire`, and the same bytes are
 * written to every viewer. The hub knows neither sockets nor the protocol's bytes.
 *
 * Invariants:
 * - A viewer gets, after an init, first a packet that begins with a key picture, then every packet in order; when it is
 *   too slow it misses whole stretches up to a later key picture, never single packets.
 * - All renditions of a publisher's session have one epoch: a viewer goes from one size to the other at a key picture,
 *   on the timeline that it has.
 * - A viewer stays through takeover, loss and return of the publisher; only `end`, `dismiss`, `stop` or its slowness
 *   closes it.
 * - What waits for one viewer is bounded by `limits`, so that one bad line costs nobody else anything.
 */
import type { MediaEvent, StreamFragment, StreamInit } from '../hooks.ts';
import { createLane } from './lane.ts';
import {
  beginAnew, deliver, enter, isSent, move, placesOf, remove, settle, settleAll, stay, viewersOf, write,
  type HubCore, type Place, type Stream, type ViewerEntry,
} from './places.ts';
import { soundOf } from './sound-rendition.ts';

export type HubState = 'waiting' | 'live' | 'interrupted' | 'ended';

/** Builds what is written to viewers. Each result is written many times and must not be changed afterwards. */
export interface StreamWire {
  /** `epoch` grows with each publisher's session of the stream, also across restarts of the process. */
  init(init: StreamInit, epoch: number): Buffer;
  /** At least one fragment; at most one of them is a picture. */
  fragments(fragments: readonly StreamFragment[]): Buffer;
  /** `uplinkMs`: from the publisher's camera to the arrival here; null while unknown. */
  state(state: HubState, uplinkMs: number | null): Buffer;
}

/** `whole`: as it comes; `small`: the smaller of two pictures, with the same sound; `sound`: that alone. */
export type Rendition = 'whole' | 'small' | 'sound';

export type ViewerCloseReason = 'ended' | 'going-away' | 'too-slow';

/** One viewer's line. Calls must not throw and must not call back into the hub before they return. */
export interface ViewerSink {
  write(packet: Buffer): void;
  /** As `write` for each, in one go. */
  writeAll(packets: readonly Buffer[]): void;
  /** Bytes written and not yet taken by the line. */
  queuedBytes(): number;
  close(reason: ViewerCloseReason): void;
}

export interface Viewer {
  /** No pictures and no sound until `resume`. Notices of state go on. */
  pause(): void;
  /** As on joining: init and current group of pictures. */
  resume(): void;
  /** Another rendition from now on; between the two sizes from the next key picture on. Ends a pause. */
  choose(rendition: Rendition): void;
  /** Idempotent. */
  leave(): void;
}

export interface StreamHubLimits {
  /**
   * Viewers of one stream. Fewer turn a popular show's viewers away; more than one process can write for starve all.
   */
  viewersPerStream: number;
  /** Viewers of all streams. One core carries about 3,500 at 1.5 Mbit/s. */
  viewers: number;
  /**
   * A viewer with more waiting skips to the next key picture. Less skips on every hiccup, more means seconds of
   * delay.
   */
  skipAboveBytes: number;
  /**
   * A viewer of the whole with more waiting goes over to the small picture, where there is one. Less takes the large
   * picture from lines with a hiccup, more lets it come late first.
   */
  easeAboveBytes: number;
  /**
   * After so long it gets the whole again, on trial; twice as long each time that it does not hold, up to the longest.
   * Shorter tries lines that cannot carry it too often, longer shows a small picture for nothing.
   */
  easeMs: number;
  longestEaseMs: number;
  /** It gets that key picture only when less than this waits. More would make it skip again at once. */
  resumeBelowBytes: number;
  /** A viewer that skips for so long is closed. Shorter cuts phones in a lift, longer keeps dead lines and memory. */
  closeAfterSkippingMs: number;
  /** A longer group of pictures is not kept; newcomers then wait for the next key picture. Bounds memory per stream. */
  groupBytes: number;
  groupPackets: number;
  /** Sound waits so long for the next picture to travel with. Longer delays sound when the picture stalls. */
  soundRunMs: number;
  /** In a stream of sound alone so much travels at once. Shorter costs messages and bytes, longer is delay. */
  soundAloneMs: number;
  /** Interrupted streams without viewers that are remembered. Fewer call an interrupted show "not begun". */
  idleStreams: number;
}

export const defaultStreamHubLimits: StreamHubLimits = {
  viewersPerStream: 5_000,
  viewers: 10_000,
  // Two seconds at 2 Mbit/s.
  skipAboveBytes: 512 * 1024,
  easeAboveBytes: 192 * 1024,
  easeMs: 15_000,
  longestEaseMs: 5 * 60_000,
  resumeBelowBytes: 64 * 1024,
  closeAfterSkippingMs: 15_000,
  // Ten seconds at 6 Mbit/s: an encoder set to one key picture each ten seconds still lets newcomers in at once.
  groupBytes: 8 * 1024 * 1024,
  groupPackets: 1_000,
  soundRunMs: 60,
  soundAloneMs: 180,
  idleStreams: 10_000,
};

export interface StreamHubStats {
  /** Streams with a picture now. */
  streams: number;
  viewers: number;
  /** Since the start, over all viewers. */
  packetsWritten: number;
  bytesWritten: number;
  /** Times that a viewer was taken to the small picture or made to skip, and viewers closed for being too slow. */
  eased: number;
  skips: number;
  closedTooSlow: number;
  /** Newcomers turned away because a limit was reached. */
  turnedAway: number;
}

export interface StreamHub {
  /** Feed it every event of the media supervisor, in order. Never throws. */
  onMediaEvent(event: MediaEvent): void;
  /**
   * Adds a viewer; it gets the state and, when there is a picture, init and group of pictures before this returns. A
   * stream that nobody publishes (yet) may be joined. Where what it wants is not sent, it gets the whole. Null when a
   * limit is reached: nothing was written then.
   */
  join(streamId: string, sink: ViewerSink, wanted?: Rendition): Viewer | null;
  /** Whether a viewer more would be let in. */
  hasRoom(streamId: string): boolean;
  /** The show is over: its viewers are told and closed with `ended`. */
  end(streamId: string): void;
  /** Closes the stream's viewers with `going-away`: whoever still may watch comes back. The stream goes on. */
  dismiss(streamId: string): void;
  viewers(streamId: string): number;
  stats(): StreamHubStats;
  /** Closes every viewer with `going-away`. Idempotent; afterwards nobody can join. */
  stop(): void;
}

export function createStreamHub(deps: {
  wire: StreamWire;
  /** Unix epoch, ms. */
  now: () => number;
  limits?: Partial<StreamHubLimits>;
}): StreamHub {
  const hub: HubCore = {
    wire: deps.wire,
    now: deps.now,
    limits: { ...defaultStreamHubLimits, ...deps.limits },
    streams: new Map(),
    stats: {
      streams: 0,
      viewers: 0,
      packetsWritten: 0,
      bytesWritten: 0,
      eased: 0,
      skips: 0,
      closedTooSlow: 0,
      turnedAway: 0,
    },
    stopped: false,
  };

  const viewers = (streamId: string): number => {
    const stream = hub.streams.get(streamId);
    return stream === undefined ? 0 : viewersOf(stream);
  };

  function hasRoom(streamId: string): boolean {
    const isFull = viewers(streamId) >= hub.limits.viewersPerStream || hub.stats.viewers >= hub.limits.viewers;
    return !hub.stopped && !isFull;
  }

  return {
    onMediaEvent: (event) => handle(hub, event),
    hasRoom,
    join(streamId, sink, wanted = 'whole') {
      if (hasRoom(streamId)) return join(hub, streamId, sink, wanted);
      hub.stats.turnedAway += 1;
      return null;
    },
    end: (streamId) => endStream(hub, streamId, 'ended'),
    dismiss: (streamId) => dismiss(hub, streamId),
    viewers,
    stats: () => ({ ...hub.stats, streams: [...hub.streams.values()].filter(isOnAir).length }),
    stop() {
      hub.stopped = true;
      for (const streamId of hub.streams.keys()) endStream(hub, streamId, 'going-away');
    },
  };
}

const isOnAir = ({ places }: Stream): boolean => isSent(places.whole);

function streamOf(hub: HubCore, streamId: string): Stream {
  const known = hub.streams.get(streamId);
  if (known) return known;
  const place = (): Place => ({
    lane: createLane(hub.wire, hub.limits), viewers: new Set(), coming: new Set(), endMs: 0,
  });
  const stream: Stream = {
    state: 'waiting',
    uplinkMs: null,
    sessionId: null,
    epoch: 0,
    isSilent: false,
    places: { whole: place(), small: place(), sound: place() },
  };
  hub.streams.set(streamId, stream);
  return stream;
}

function join(hub: HubCore, streamId: string, sink: ViewerSink, wanted: Rendition): Viewer {
  const stream = streamOf(hub, streamId);
  const viewer: ViewerEntry = {
    sink, wanted, place: stream.places.whole, next: null, nextSinceMs: 0, held: [], mode: 'awaiting-key',
    skippingSinceMs: null, allowanceBytes: 0, easeMs: 0, easedUntilMs: Number.NEGATIVE_INFINITY,
  };
  hub.stats.viewers += 1;
  write(hub, viewer, hub.wire.state(stream.state, stream.uplinkMs));
  enter(hub, stream, viewer);
  const isHere = (): boolean => viewer.place.viewers.has(viewer);
  return {
    pause() {
      if (!isHere()) return;
      stay(hub, viewer);
      viewer.mode = 'paused';
    },
    resume() {
      if (viewer.mode === 'paused' && isHere()) enter(hub, stream, viewer);
    },
    choose(rendition) {
      if (!isHere()) return;
      viewer.wanted = rendition;
      viewer.easedUntilMs = Number.NEGATIVE_INFINITY;
      if (viewer.mode === 'paused') enter(hub, stream, viewer);
      else settle(hub, stream, viewer);
    },
    leave() {
      remove(hub, viewer);
      forgetIdle(hub, streamId, stream);
    },
  };
}

function forgetIdle(hub: HubCore, streamId: string, stream: Stream): void {
  const isIdle = (one: Stream): boolean => one.sessionId === null && viewersOf(one) === 0;
  if (!isIdle(stream) || hub.streams.get(streamId) !== stream) return;
  if (stream.state === 'waiting') hub.streams.delete(streamId);
  if (hub.streams.size <= hub.limits.idleStreams) return;
  for (const [id, other] of hub.streams) {
    if (!isIdle(other)) continue;
    hub.streams.delete(id);
    if (hub.streams.size <= hub.limits.idleStreams) return;
  }
}

function endStream(hub: HubCore, streamId: string, reason: 'ended' | 'going-away'): void {
  const stream = hub.streams.get(streamId);
  if (!stream) return;
  hub.streams.delete(streamId);
  closeAll(hub, stream, reason, reason === 'ended' ? hub.wire.state('ended', null) : null);
}

function dismiss(hub: HubCore, streamId: string): void {
  const stream = hub.streams.get(streamId);
  if (!stream) return;
  closeAll(hub, stream, 'going-away', null);
  forgetIdle(hub, streamId, stream);
}

function closeAll(hub: HubCore, stream: Stream, reason: 'ended' | 'going-away', notice: Buffer | null): void {
  for (const { viewers } of placesOf(stream)) {
    for (const viewer of viewers) {
      if (notice) write(hub, viewer, notice);
      remove(hub, viewer);
      viewer.sink.close(reason);
    }
  }
}

function handle(hub: HubCore, event: MediaEvent): void {
  if (event.type === 'child-restarted' || hub.stopped) return;
  if (event.type === 'up') {
    streamOf(hub, event.streamId).sessionId = event.sessionId;
    return;
  }
  if (event.type === 'init') return begin(hub, streamOf(hub, event.streamId), event);
  const stream = hub.streams.get(event.streamId);
  if (stream === undefined) return;
  if (event.type === 'down') return wentDown(hub, event.streamId, stream, event);
  if (event.sessionId !== stream.sessionId) return;
  if (event.type === 'uplink') tell(hub, stream, stream.state, event.uplinkMs);
  else if (event.type === 'layer-down') endSmall(hub, stream);
  else if (event.track === 'audio') addSound(hub, stream, event);
  else addPicture(hub, stream, event);
}

/** A picture begins: first of all, after a return, of a new publisher, or in a new resolution. */
function begin(hub: HubCore, stream: Stream, init: StreamInit): void {
  const { whole, small, sound } = stream.places;
  if (init.layer === 'small') {
    if (init.sessionId !== stream.sessionId || !isSent(whole)) return;
    beginLane(hub, stream, small, init);
    settleAll(hub, stream, whole);
    return;
  }
  if (stream.epoch === 0 || init.sessionId !== stream.sessionId || !isSent(whole)) {
    // In seconds, so that it also grows from one run of the server to the next.
    stream.epoch = Math.max(stream.epoch + 1, Math.floor(hub.now() / 1000)) >>> 0;
    endSmall(hub, stream);
  }
  stream.sessionId = init.sessionId;
  stream.isSilent = !init.hasAudio;
  tell(hub, stream, 'live', stream.uplinkMs);
  beginLane(hub, stream, whole, init);
  const heard = soundOf({ type: 'init', ...init });
  if (heard?.type === 'init') beginLane(hub, stream, sound, heard);
  else sound.lane.end();
  settleAll(hub, stream, whole);
  settleAll(hub, stream, sound);
}

function beginLane(hub: HubCore, stream: Stream, { lane, viewers }: Place, init: StreamInit): void {
  const packet = lane.begin(init, stream.epoch);
  for (const viewer of viewers) beginAnew(hub, viewer, packet);
}

/** Its viewers get the whole, from the next key picture on. */
function endSmall(hub: HubCore, { places: { whole, small } }: Stream): void {
  small.lane.end();
  for (const viewer of small.coming) stay(hub, viewer);
  for (const viewer of small.viewers) {
    move(hub, viewer, whole);
    beginAnew(hub, viewer, whole.lane.initPacket);
  }
}

function wentDown(hub: HubCore, streamId: string, stream: Stream, event: MediaEvent & { type: 'down' }): void {
  // Of a publisher that never came up, or of one that has been taken over already.
  if (stream.sessionId !== null && stream.sessionId !== event.sessionId) return;
  stream.sessionId = null;
  const { whole, sound } = stream.places;
  whole.lane.end();
  sound.lane.end();
  for (const viewer of whole.coming) stay(hub, viewer);
  endSmall(hub, stream);
  // A takeover brings the next picture within moments: viewers keep the last one and are not alarmed.
  const isInterrupted = event.reason !== 'replaced' && stream.state === 'live';
  tell(hub, stream, isInterrupted ? 'interrupted' : stream.state, null);
  forgetIdle(hub, streamId, stream);
}

function tell(hub: HubCore, stream: Stream, state: HubState, uplinkMs: number | null): void {
  if (stream.state === state && stream.uplinkMs === uplinkMs) return;
  stream.state = state;
  stream.uplinkMs = uplinkMs;
  const notice = hub.wire.state(state, uplinkMs);
  for (const { viewers } of placesOf(stream)) for (const viewer of viewers) write(hub, viewer, notice);
}

function addSound(hub: HubCore, stream: Stream, sound: StreamFragment): void {
  const { whole, small, sound: alone } = stream.places;
  if (!whole.lane.takes(sound)) return;
  for (const place of [whole, small, alone]) {
    if (!isSent(place)) {
      place.lane.hear(sound);
      continue;
    }
    const outgoing = place.lane.sound(sound);
    if (outgoing !== null) deliver(hub, stream, place, outgoing);
  }
}

function addPicture(hub: HubCore, stream: Stream, picture: StreamFragment): void {
  const place = stream.places[picture.layer === 'small' ? 'small' : 'whole'];
  if (place.lane.takes(picture)) deliver(hub, stream, place, place.lane.picture(picture));
}
