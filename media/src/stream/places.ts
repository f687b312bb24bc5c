/**
 * The viewers of a stream by what they get: each is in one rendition's place, and goes from one to another by its own
 * choice, by what its line carries, and by what the publisher sends.
 */
import type { HubState, Rendition, StreamHubLimits, StreamHubStats, StreamWire, ViewerSink } from './hub.ts';
import type { Lane, Outgoing } from './lane.ts';

/**
 * A picture goes out when the next one begins, so that of a smaller size with fewer pictures goes out later. From a key
 * picture on who goes over to the other size gets what it has so much later, in ms of the stream: what the other size
 * brings must not lie before what the browser has, which would show nothing until the key picture after. Shorter misses
 * the other's key picture, longer eats up what is buffered.
 */
const holdMs = 200;
/** Pictures of two sizes that were taken at one moment lie so far from each other at most (media/README.md, M160). */
const togetherMs = 20;
/**
 * Who skips waits so long for a small key picture, and then takes a large one again: on its own line of a few kbit/s,
 * before it is known what a host's line carries, a small one may take ten seconds to come. Shorter gives lines a large
 * picture that is too much for them, longer is a picture that stands.
 */
const preferSmallMs = 2_500;
/** So long a key picture is waited for that lies behind what was sent. Longer: a choice that seems to do nothing. */
const comeOverWithinMs = 6_000;

export interface ViewerEntry {
  sink: ViewerSink;
  wanted: Rendition;
  /** What it gets packets of … */
  place: Place;
  /** … and what it goes over to at the next key picture of that; null when it is where it is to be. */
  next: Place | null;
  nextSinceMs: number;
  /** What is held back of its place, the oldest first, while it is about to go over. */
  held: Outgoing[];
  mode: 'flowing' | 'awaiting-key' | 'paused';
  /** When it began to skip; null when it waits for a key picture for another reason. */
  skippingSinceMs: number | null;
  /** What joining put into its line at once, and does not count as slowness until it has drained. */
  allowanceBytes: number;
  /** So long it gets the small picture in place of the whole, and when that ends or ended. */
  easeMs: number;
  easedUntilMs: number;
}

/** A rendition and who gets it. */
export interface Place {
  lane: Lane;
  viewers: Set<ViewerEntry>;
  /** Who goes over to it at its next key picture. */
  coming: Set<ViewerEntry>;
  /** Where what went out ends, on the session's timeline, in ms. */
  endMs: number;
}

export interface Stream {
  state: HubState;
  uplinkMs: number | null;
  sessionId: string | null;
  epoch: number;
  /** Its publisher sends no sound. */
  isSilent: boolean;
  places: Record<Rendition, Place>;
}

export interface HubCore {
  wire: StreamWire;
  now: () => number;
  limits: StreamHubLimits;
  streams: Map<string, Stream>;
  stats: StreamHubStats;
  stopped: boolean;
}

export const placesOf = ({ places }: Stream): Place[] => Object.values(places);
export const viewersOf = (stream: Stream): number => (
  placesOf(stream).reduce((sum, { viewers }) => sum + viewers.size, 0)
);
export const isSent = ({ lane }: Place): boolean => lane.initPacket !== null;

/** What it gets of what is sent. */
export function placeFor(hub: HubCore, { places, isSilent }: Stream, viewer: ViewerEntry): Place {
  const { whole, small, sound } = places;
  if (viewer.wanted === 'sound') return isSilent ? whole : sound;
  const wantsSmall = viewer.wanted === 'small' || hub.now() < viewer.easedUntilMs;
  return wantsSmall && isSent(small) ? small : whole;
}

/**
 * Sees to it that a viewer gets what it is to get: between the sizes it goes on with the one until the other's next
 * key picture, so that nothing stands still; to and from the sound alone, and from nothing, it goes at once.
 */
export function settle(hub: HubCore, stream: Stream, viewer: ViewerEntry): void {
  const place = placeFor(hub, stream, viewer);
  if (place === viewer.next) return;
  stay(hub, viewer);
  if (place === viewer.place) return;
  const { sound } = stream.places;
  if (place === sound || viewer.place === sound || !isSent(viewer.place)) return enter(hub, stream, viewer, place);
  viewer.next = place;
  viewer.nextSinceMs = hub.now();
  place.coming.add(viewer);
}

/** It goes over to nothing (any more). */
export function stay(hub: HubCore, viewer: ViewerEntry): void {
  viewer.next?.coming.delete(viewer);
  viewer.next = null;
  flush(hub, viewer);
}

/** What was held back goes out. */
function flush(hub: HubCore, viewer: ViewerEntry): void {
  for (const { packet } of viewer.held.splice(0)) write(hub, viewer, packet);
}

/** As a newcomer: init and everything since the last key picture. */
export function enter(hub: HubCore, stream: Stream, viewer: ViewerEntry, place = placeFor(hub, stream, viewer)): void {
  move(hub, viewer, place);
  viewer.mode = 'awaiting-key';
  // A line that is full stays one that skips, whatever its viewer chooses.
  const isFull = viewer.sink.queuedBytes() > hub.limits.skipAboveBytes;
  if (!isFull) viewer.skippingSinceMs = null;
  const { initPacket } = place.lane;
  if (initPacket === null) return;
  const group = isFull ? null : place.lane.group();
  if (group !== null) viewer.mode = 'flowing';
  viewer.allowanceBytes = writeAll(hub, viewer, [initPacket, ...(group?.packets ?? [])]);
}

export function move(hub: HubCore, viewer: ViewerEntry, place: Place): void {
  stay(hub, viewer);
  viewer.place.viewers.delete(viewer);
  viewer.place = place;
  place.viewers.add(viewer);
}

export function remove(hub: HubCore, viewer: ViewerEntry): void {
  stay(hub, viewer);
  if (viewer.place.viewers.delete(viewer)) hub.stats.viewers -= 1;
}

/** What comes now has this before it, and is shown from a key picture on. */
export function beginAnew(hub: HubCore, viewer: ViewerEntry, initPacket: Buffer | null): void {
  if (viewer.mode === 'paused') return;
  flush(hub, viewer);
  viewer.mode = 'awaiting-key';
  if (initPacket !== null) write(hub, viewer, initPacket);
}

export function settleAll(hub: HubCore, stream: Stream, { viewers }: Place): void {
  for (const viewer of viewers) if (viewer.mode !== 'paused') settle(hub, stream, viewer);
}

export function deliver(hub: HubCore, stream: Stream, place: Place, outgoing: Outgoing): void {
  for (const viewer of place.viewers) {
    if (viewer.mode === 'awaiting-key') waitForKey(hub, viewer, outgoing.head);
    else if (viewer.mode !== 'flowing') continue;
    else if (viewer.held.length > 0 || (viewer.next !== null && outgoing.head !== null)) hold(hub, viewer, outgoing);
    else flow(hub, stream, viewer, outgoing);
  }
  if (outgoing.endMs !== null) place.endMs = outgoing.endMs;
  if (outgoing.head !== null && place.coming.size > 0) comeOver(hub, place, outgoing);
}

function hold(hub: HubCore, viewer: ViewerEntry, outgoing: Outgoing): void {
  viewer.held.push(outgoing);
  const [oldest] = viewer.held;
  if (oldest && (outgoing.endMs ?? outgoing.timeMs) - oldest.timeMs > holdMs) flush(hub, viewer);
}

function flow(hub: HubCore, stream: Stream, viewer: ViewerEntry, { packet, head }: Outgoing): void {
  const { skipAboveBytes, easeAboveBytes } = hub.limits;
  const queued = viewer.sink.queuedBytes();
  if (queued <= Math.min(easeAboveBytes, skipAboveBytes)) viewer.allowanceBytes = 0;
  if (queued > easeAboveBytes + viewer.allowanceBytes) ease(hub, stream, viewer);
  // Once in a while: it may be that the line carries the whole again.
  else if (head !== null && viewer.place === stream.places.small && viewer.next === null) settle(hub, stream, viewer);
  if (queued <= skipAboveBytes + viewer.allowanceBytes) return write(hub, viewer, packet);
  viewer.mode = 'awaiting-key';
  viewer.skippingSinceMs = hub.now();
  hub.stats.skips += 1;
}

/** The line does not carry what it gets: the small picture for a while, where there is one. */
function ease(hub: HubCore, stream: Stream, viewer: ViewerEntry): void {
  const { whole, small } = stream.places;
  if (viewer.wanted !== 'whole' || !isSent(small)) return;
  const nowMs = hub.now();
  if (viewer.place === small) {
    viewer.easedUntilMs = Math.max(viewer.easedUntilMs, nowMs + viewer.easeMs);
    settle(hub, stream, viewer);
  }
  if (viewer.place !== whole || viewer.next !== null) return;
  const { easeMs, longestEaseMs } = hub.limits;
  const didNotHold = nowMs - viewer.easedUntilMs < 2 * viewer.easeMs;
  viewer.easeMs = didNotHold ? Math.min(longestEaseMs, 2 * viewer.easeMs) : easeMs;
  viewer.easedUntilMs = nowMs + viewer.easeMs;
  hub.stats.eased += 1;
  settle(hub, stream, viewer);
}

function waitForKey(hub: HubCore, viewer: ViewerEntry, head: Buffer | null): void {
  const queued = viewer.sink.queuedBytes();
  // Who skips and goes over to the small picture has little use for a large one.
  const { next, skippingSinceMs } = viewer;
  const isForIt = next === null || skippingSinceMs === null || hub.now() - skippingSinceMs > preferSmallMs;
  if (head === null || !isForIt || queued > hub.limits.resumeBelowBytes) return watchSkipping(hub, viewer, queued);
  viewer.mode = 'flowing';
  viewer.skippingSinceMs = null;
  viewer.allowanceBytes = 0;
  write(hub, viewer, head);
}

function watchSkipping(hub: HubCore, viewer: ViewerEntry, queued: number): void {
  const { closeAfterSkippingMs, skipAboveBytes } = hub.limits;
  if (viewer.skippingSinceMs === null) {
    if (queued > skipAboveBytes) viewer.skippingSinceMs = hub.now();
  } else if (hub.now() - viewer.skippingSinceMs > closeAfterSkippingMs) {
    hub.stats.closedTooSlow += 1;
    remove(hub, viewer);
    viewer.sink.close('too-slow');
  }
}

/** A key picture: who waited to go over to it does, where it lies behind what they have. */
function comeOver(hub: HubCore, place: Place, outgoing: Outgoing): void {
  const { initPacket } = place.lane;
  if (initPacket === null) return;
  const arrival = outgoing.arrival();
  for (const viewer of place.coming) {
    const fromMs = outgoing.timeMs + togetherMs;
    if (viewer.mode === 'flowing') {
      const sentUntilMs = viewer.held[0]?.timeMs ?? viewer.place.endMs;
      if (sentUntilMs > fromMs && hub.now() - viewer.nextSinceMs < comeOverWithinMs) continue;
      viewer.held = viewer.held.filter(({ endMs, timeMs }) => (endMs ?? timeMs) <= fromMs);
    } else if (viewer.sink.queuedBytes() > hub.limits.resumeBelowBytes) continue;
    move(hub, viewer, place);
    viewer.mode = 'flowing';
    viewer.skippingSinceMs = null;
    // What waits is of the other rendition, and drains.
    const waitingBytes = Math.min(viewer.sink.queuedBytes(), hub.limits.skipAboveBytes);
    viewer.allowanceBytes = waitingBytes + writeAll(hub, viewer, [initPacket, arrival]);
  }
}

export function write(hub: HubCore, viewer: ViewerEntry, packet: Buffer): void {
  viewer.sink.write(packet);
  hub.stats.packetsWritten += 1;
  hub.stats.bytesWritten += packet.length;
}

/** @returns how many bytes */
function writeAll(hub: HubCore, viewer: ViewerEntry, packets: readonly Buffer[]): number {
  const bytes = packets.reduce((sum, { length }) => sum + length, 0);
  viewer.sink.writeAll(packets);
  hub.stats.packetsWritten += packets.length;
  hub.stats.bytesWritten += bytes;
  return bytes;
}
