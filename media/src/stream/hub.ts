/**
 * Carries each stream from its publisher to its viewers, inside the main process.
 *
 * Keeps per stream what a newcomer needs for a picture at once: the init segment and the current group of pictures
 * (everything since the last key picture, with the sound that belongs to it). A packet is built once, by `wire`, and
 * the same bytes are written to every viewer. The hub knows neither sockets nor the protocol's bytes.
 *
 * Invariants:
 * - A viewer gets, after an init, first a packet that begins with a key picture, then every packet in order; when it is
 *   too slow it misses whole stretches up to a later key picture, never single packets.
 * - A viewer stays through takeover, loss and return of the publisher; only `end`, `dismiss`, `stop` or its slowness
 *   closes it.
 * - What waits for one viewer is bounded by `limits`, so that one bad line costs nobody else anything.
 */
import type { MediaEvent, StreamFragment, StreamInit } from '../hooks.ts';

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
  /** Times that a viewer was made to skip, and viewers closed for being too slow. */
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
   * stream that nobody publishes (yet) may be joined. Null when a limit is reached: nothing was written then.
   */
  join(streamId: string, sink: ViewerSink): Viewer | null;
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

interface ViewerEntry {
  sink: ViewerSink;
  mode: 'flowing' | 'awaiting-key' | 'paused';
  /** When it began to skip; null when it waits for a key picture for another reason. */
  skippingSinceMs: number | null;
  /** What joining put into its line at once, and does not count as slowness until it has drained. */
  allowanceBytes: number;
}

interface Group {
  packets: Buffer[];
  bytes: number;
}

interface Stream {
  state: HubState;
  uplinkMs: number | null;
  sessionId: string | null;
  generation: number;
  epoch: number;
  initPacket: Buffer | null;
  hasPicture: boolean;
  group: Group | null;
  /** Sound that has not been sent: it travels with the next picture. */
  waitingSound: StreamFragment[];
  /** The last second of sound, of which a key picture takes along what belongs to it. */
  recentSound: StreamFragment[];
  viewers: Set<ViewerEntry>;
}

/** A key picture is passed on once the next picture begins, so its sound came a little earlier; a second is plenty. */
const recentSoundMs = 1_000;

/** Of a stream of sound alone, packets that a newcomer gets: half a second. */
const soundAtOnce = 3;

interface HubCore {
  wire: StreamWire;
  now: () => number;
  limits: StreamHubLimits;
  streams: Map<string, Stream>;
  stats: StreamHubStats;
  stopped: boolean;
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
      skips: 0,
      closedTooSlow: 0,
      turnedAway: 0,
    },
    stopped: false,
  };

  function hasRoom(streamId: string): boolean {
    const viewers = hub.streams.get(streamId)?.viewers.size ?? 0;
    return !hub.stopped && viewers < hub.limits.viewersPerStream && hub.stats.viewers < hub.limits.viewers;
  }

  return {
    onMediaEvent: (event) => handle(hub, event),
    hasRoom,
    join(streamId, sink) {
      if (hasRoom(streamId)) return join(hub, streamId, sink);
      hub.stats.turnedAway += 1;
      return null;
    },
    end: (streamId) => endStream(hub, streamId, 'ended'),
    dismiss: (streamId) => dismiss(hub, streamId),
    viewers: (streamId) => hub.streams.get(streamId)?.viewers.size ?? 0,
    stats: () => ({ ...hub.stats, streams: [...hub.streams.values()].filter(isOnAir).length }),
    stop() {
      hub.stopped = true;
      for (const streamId of hub.streams.keys()) endStream(hub, streamId, 'going-away');
    },
  };
}

const isOnAir = ({ initPacket, hasPicture }: Stream): boolean => initPacket !== null && hasPicture;

function streamOf(hub: HubCore, streamId: string): Stream {
  const known = hub.streams.get(streamId);
  if (known) return known;
  const stream: Stream = {
    state: 'waiting',
    uplinkMs: null,
    sessionId: null,
    generation: 0,
    epoch: 0,
    initPacket: null,
    hasPicture: true,
    group: null,
    waitingSound: [],
    recentSound: [],
    viewers: new Set(),
  };
  hub.streams.set(streamId, stream);
  return stream;
}

function join(hub: HubCore, streamId: string, sink: ViewerSink): Viewer {
  const stream = streamOf(hub, streamId);
  const viewer: ViewerEntry = { sink, mode: 'awaiting-key', skippingSinceMs: null, allowanceBytes: 0 };
  stream.viewers.add(viewer);
  hub.stats.viewers += 1;
  write(hub, viewer, hub.wire.state(stream.state, stream.uplinkMs));
  catchUp(hub, stream, viewer);
  return {
    pause() {
      viewer.mode = 'paused';
    },
    resume() {
      if (viewer.mode === 'paused' && stream.viewers.has(viewer)) catchUp(hub, stream, viewer);
    },
    leave() {
      remove(hub, stream, viewer);
      forgetIdle(hub, streamId, stream);
    },
  };
}

function catchUp(hub: HubCore, stream: Stream, viewer: ViewerEntry): void {
  viewer.mode = 'awaiting-key';
  viewer.skippingSinceMs = null;
  if (!stream.initPacket) return;
  const packets = [stream.initPacket, ...(stream.group?.packets ?? [])];
  if (stream.group) viewer.mode = 'flowing';
  viewer.sink.writeAll(packets);
  hub.stats.packetsWritten += packets.length;
  const bytes = stream.initPacket.length + (stream.group?.bytes ?? 0);
  hub.stats.bytesWritten += bytes;
  viewer.allowanceBytes = bytes;
}

function remove(hub: HubCore, stream: Stream, viewer: ViewerEntry): void {
  if (stream.viewers.delete(viewer)) hub.stats.viewers -= 1;
}

function forgetIdle(hub: HubCore, streamId: string, stream: Stream): void {
  if (stream.viewers.size > 0 || stream.sessionId !== null || hub.streams.get(streamId) !== stream) return;
  if (stream.state === 'waiting') hub.streams.delete(streamId);
  if (hub.streams.size <= hub.limits.idleStreams) return;
  for (const [id, other] of hub.streams) {
    if (other.viewers.size > 0 || other.sessionId !== null) continue;
    hub.streams.delete(id);
    if (hub.streams.size <= hub.limits.idleStreams) return;
  }
}

function endStream(hub: HubCore, streamId: string, reason: 'ended' | 'going-away'): void {
  const stream = hub.streams.get(streamId);
  if (!stream) return;
  hub.streams.delete(streamId);
  const notice = reason === 'ended' ? hub.wire.state('ended', null) : null;
  for (const viewer of stream.viewers) {
    if (notice) write(hub, viewer, notice);
    remove(hub, stream, viewer);
    viewer.sink.close(reason);
  }
}

function dismiss(hub: HubCore, streamId: string): void {
  const stream = hub.streams.get(streamId);
  if (!stream) return;
  for (const viewer of stream.viewers) {
    remove(hub, stream, viewer);
    viewer.sink.close('going-away');
  }
  forgetIdle(hub, streamId, stream);
}

function handle(hub: HubCore, event: MediaEvent): void {
  if (event.type === 'child-restarted' || hub.stopped) return;
  if (event.type === 'up') {
    streamOf(hub, event.streamId).sessionId = event.sessionId;
    return;
  }
  const stream = hub.streams.get(event.streamId);
  if (event.type === 'init') begin(hub, streamOf(hub, event.streamId), event);
  else if (stream && event.type === 'down') wentDown(hub, event.streamId, stream, event);
  else if (stream && event.type === 'uplink') {
    if (event.sessionId === stream.sessionId) tell(hub, stream, stream.state, event.uplinkMs);
  } else if (stream && event.type === 'fragment') {
    if (event.sessionId !== stream.sessionId || event.generation !== stream.generation) return;
    if (event.track === 'audio') addSound(hub, stream, event);
    else addPicture(hub, stream, event);
  }
}

/** A picture begins: first of all, after a return, of a new publisher, or in a new resolution. */
function begin(hub: HubCore, stream: Stream, init: StreamInit): void {
  if (stream.epoch === 0 || init.sessionId !== stream.sessionId || stream.initPacket === null) {
    // In seconds, so that it also grows from one run of the server to the next.
    stream.epoch = Math.max(stream.epoch + 1, Math.floor(hub.now() / 1000)) >>> 0;
  }
  stream.sessionId = init.sessionId;
  stream.generation = init.generation;
  stream.initPacket = hub.wire.init(init, stream.epoch);
  stream.hasPicture = init.hasVideo;
  stream.group = null;
  stream.waitingSound = [];
  stream.recentSound = [];
  tell(hub, stream, 'live', stream.uplinkMs);
  for (const viewer of stream.viewers) {
    if (viewer.mode === 'paused') continue;
    viewer.mode = 'awaiting-key';
    write(hub, viewer, stream.initPacket);
  }
}

function wentDown(hub: HubCore, streamId: string, stream: Stream, event: MediaEvent & { type: 'down' }): void {
  // Of a publisher that never came up, or of one that has been taken over already.
  if (stream.sessionId !== null && stream.sessionId !== event.sessionId) return;
  stream.sessionId = null;
  stream.initPacket = null;
  stream.group = null;
  stream.waitingSound = [];
  stream.recentSound = [];
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
  for (const viewer of stream.viewers) write(hub, viewer, notice);
}

function addSound(hub: HubCore, stream: Stream, sound: StreamFragment): void {
  stream.recentSound.push(sound);
  const oldest = sound.timeMs - recentSoundMs;
  while (stream.recentSound[0] && stream.recentSound[0].timeMs < oldest) stream.recentSound.shift();
  stream.waitingSound.push(sound);
  const first = stream.waitingSound[0] ?? sound;
  const { soundRunMs, soundAloneMs } = hub.limits;
  if (sound.timeMs + sound.durationMs - first.timeMs < (stream.hasPicture ? soundRunMs : soundAloneMs)) return;
  const packet = hub.wire.fragments(stream.waitingSound);
  stream.waitingSound = [];
  if (!stream.hasPicture) {
    // Whoever joins can begin with any of it; a little more is there to play at once.
    const packets = [...(stream.group?.packets ?? []), packet].slice(-soundAtOnce);
    stream.group = { packets, bytes: packets.reduce((bytes, { length }) => bytes + length, 0) };
    return deliver(hub, stream, packet, packet);
  }
  keep(hub, stream, packet);
  deliver(hub, stream, packet, null);
}

function addPicture(hub: HubCore, stream: Stream, picture: StreamFragment): void {
  const travelling = [...stream.waitingSound, picture];
  stream.waitingSound = [];
  const packet = hub.wire.fragments(travelling);
  if (!picture.isKey) {
    keep(hub, stream, packet);
    deliver(hub, stream, packet, null);
    return;
  }
  // Newcomers begin here: they also need the sound of this picture that went out before it.
  const own = stream.recentSound.filter((sound) => sound.timeMs + sound.durationMs > picture.timeMs);
  const head = own.length === travelling.length - 1 && own[0] === travelling[0]
    ? packet
    : hub.wire.fragments([...own, picture]);
  stream.group = { packets: [head], bytes: head.length };
  deliver(hub, stream, packet, head);
}

function keep(hub: HubCore, stream: Stream, packet: Buffer): void {
  const group = stream.group;
  if (!group) return;
  group.packets.push(packet);
  group.bytes += packet.length;
  if (group.bytes > hub.limits.groupBytes || group.packets.length > hub.limits.groupPackets) stream.group = null;
}

/** `head` is set when decoding can start with this packet: what a viewer gets that waits for a key picture. */
function deliver(hub: HubCore, stream: Stream, packet: Buffer, head: Buffer | null): void {
  const { skipAboveBytes, resumeBelowBytes, closeAfterSkippingMs } = hub.limits;
  for (const viewer of stream.viewers) {
    if (viewer.mode === 'paused') continue;
    const queued = viewer.sink.queuedBytes();
    if (viewer.mode === 'flowing') {
      if (queued <= skipAboveBytes) viewer.allowanceBytes = 0;
      if (queued <= skipAboveBytes + viewer.allowanceBytes) {
        write(hub, viewer, packet);
        continue;
      }
      viewer.mode = 'awaiting-key';
      viewer.skippingSinceMs = hub.now();
      hub.stats.skips += 1;
    } else if (head && queued <= resumeBelowBytes) {
      viewer.mode = 'flowing';
      viewer.skippingSinceMs = null;
      viewer.allowanceBytes = 0;
      write(hub, viewer, head);
    } else if (viewer.skippingSinceMs !== null && hub.now() - viewer.skippingSinceMs > closeAfterSkippingMs) {
      hub.stats.closedTooSlow += 1;
      remove(hub, stream, viewer);
      viewer.sink.close('too-slow');
    } else if (viewer.skippingSinceMs === null && queued > skipAboveBytes) {
      viewer.skippingSinceMs = hub.now();
    }
  }
}

function write(hub: HubCore, viewer: ViewerEntry, packet: Buffer): void {
  viewer.sink.write(packet);
  hub.stats.packetsWritten += 1;
  hub.stats.bytesWritten += packet.length;
}
