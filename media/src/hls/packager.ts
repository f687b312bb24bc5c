/**
 * Cuts one stream's fragments into the partial segments ("parts") and segments of Low-Latency HLS
 * (draft-pantos-hls-rfc8216bis-20), from the bytes that viewers' sockets get. Pure: no clock, no timers.
 *
 * A stream without pictures is cut in the same way, by its sound.
 *
 * Invariants: a segment begins with a key picture wherever the publisher sends one in time; no part is longer than
 * `partTargetMs` and none but a segment's last is shorter than 85 % of it (§4.4.3.7), as long as a picture is shown for
 * no more than `partTargetMs` × 0.15; numbers of segments and parts only grow, also over a restart of the server.
 */
import { joinFragments } from '../fmp4/fragment.ts';
import type { StreamFragment, StreamInit } from '../hooks.ts';

/**
 * Longer parts are delay; shorter ones cannot hold the 85 % at the rates that cameras have (10, 12, 15, 20, 24, 25 and
 * 30 pictures a second fit), and cost each viewer two requests.
 */
export const partTargetMs = 350;
const shortestPart = 0.85;
/** EXT-X-TARGETDURATION. A key picture comes every 2 s or so; longer segments are what newcomers wait for. */
export const targetDurationSeconds = 3;
/** A key picture sooner than this (two newcomers, a loss) does not begin a segment of its own. */
const minSegmentMs = 1_000;
/** Sound alone can be cut anywhere: as long as a phone's groups of pictures are. */
const soundSegmentMs = 2_000;
/** Without a key picture for so long a segment ends all the same: rounded, none may exceed the target duration. */
const maxSegmentMs = targetDurationSeconds * 1_000 + 400;
/** What a playlist holds at least; the delta updates reach back over it. */
const windowMs = 20_000;
/** What left the playlist is served for as long as a playlist that still names it may be in use (§6.2.2). */
const retiredMs = windowMs + targetDurationSeconds * 1_000;

export interface HlsMap {
  /** Unique for the stream, also over restarts. */
  name: string;
  init: StreamInit;
}

export interface HlsPart {
  /** Counts on over all segments, so that the next part has one name whether or not it begins a segment. */
  number: number;
  durationMs: number;
  /** Decoding can start here. */
  isIndependent: boolean;
  data: Buffer;
}

export interface HlsSegment {
  sequence: number;
  map: HlsMap;
  /** What came before is of another publisher's session, and so of another clock; another size is not enough. */
  isDiscontinuous: boolean;
  /** When its first picture reached the server (Unix epoch, ms). */
  startedAtMs: number;
  durationMs: number;
  /** In it so far; 0 of sound alone. */
  pictures: number;
  /** How long after it was captured what it shows lies on its timeline, in ms; null while unknown (rtp/uplink.ts). */
  placedMs: number | null;
  parts: HlsPart[];
  isComplete: boolean;
}

export interface Packager {
  /** The playlist's segments, oldest first; the last may be growing. */
  readonly segments: readonly HlsSegment[];
  /** Of the segments that left the playlist, how many were discontinuous (EXT-X-DISCONTINUITY-SEQUENCE). */
  readonly discontinuitySequence: number;
  /** Of what comes next, how many lie before it. */
  readonly discontinuities: number;
  /** The number that the next part will have. */
  readonly nextPart: number;
  /**
   * `goes-on`: the next part has the map of the last; `new-map`: the same publisher's next part has one of its own;
   * `cut`: nobody publishes, or another publisher is about to.
   */
  readonly state: 'goes-on' | 'new-map' | 'cut';
  begin(init: StreamInit): void;
  /** As the event `uplink` tells it of the publisher. */
  placed(sessionId: string, placedMs: number): void;
  /** True when the playlist has changed. */
  add(fragment: StreamFragment): boolean;
  /** The publisher is gone: what is there is complete. */
  finish(): void;
  /**
   * From the last whole segment of the present init segment that decoding can start with on (before there is one, from
   * the first that it can), to the last picture that came; null when there is none.
   */
  recent(): { init: StreamInit; startedAtMs: number; chunks: Buffer[] } | null;
  part(number: number): HlsPart | null;
  segment(sequence: number): HlsSegment | null;
  map(name: string): HlsMap | null;
}

/**
 * The part that is growing. Sound that comes ahead of its first picture waits in it, and goes behind that picture:
 * players that tell where a part lies by its first fragment (Shaka Player) take it for the picture's.
 */
interface OpenPart {
  durationMs: number;
  isIndependent: boolean;
  hasPicture: boolean;
  chunks: Buffer[];
}

const emptyPart = (): OpenPart => ({ durationMs: 0, isIndependent: false, hasPicture: false, chunks: [] });

export function createPackager(deps: {
  /** Unix epoch, ms: numbers begin with it, so that none is used again after a restart. */
  startedAtMs: number;
  /** How many discontinuities lay before its beginning in the other renditions. */
  discontinuities?: number;
  /** A part is whole; `segment` has it. */
  onPart?: (segment: HlsSegment, part: HlsPart) => void;
  /** A segment has all its parts. */
  onSegment?: (segment: HlsSegment) => void;
}): Packager {
  // At most one segment and five parts a second: a later start begins beyond all that an earlier one can have used.
  let nextSequence = Math.floor(deps.startedAtMs / 1_000);
  let nextPart = nextSequence * 5;
  let nextFragment = 1;
  const segments: HlsSegment[] = [];
  const retired: HlsSegment[] = [];
  let discontinuitySequence = deps.discontinuities ?? 0;
  let map: HlsMap | null = null;
  let mapIsNew = false;
  let epochStartMs: number | null = null;
  let placedMs: number | null = null;
  let open: OpenPart = emptyPart();

  const current = (): HlsSegment | null => {
    const last = segments.at(-1);
    return last === undefined || last.isComplete ? null : last;
  };

  const closePart = (): boolean => {
    const segment = current();
    if (!open.hasPicture || segment === null) return false;
    const { durationMs, isIndependent, chunks } = open;
    const part = { number: nextPart, durationMs, isIndependent, data: joinFragments(chunks, nextFragment) };
    segment.parts.push(part);
    segment.durationMs += durationMs;
    nextPart += 1;
    nextFragment += chunks.length;
    open = emptyPart();
    deps.onPart?.(segment, part);
    return true;
  };

  const closeSegment = (): boolean => {
    const changed = closePart();
    const segment = current();
    if (segment === null) return changed;
    segment.isComplete = true;
    deps.onSegment?.(segment);
    retire();
    return true;
  };

  const retire = (): void => {
    const durations = segments.map(({ durationMs }) => durationMs);
    let totalMs = durations.reduce((sum, ms) => sum + ms, 0);
    while (segments.length > 1 && totalMs - segments[0]!.durationMs >= windowMs) {
      const [oldest] = segments.splice(0, 1) as [HlsSegment];
      totalMs -= oldest.durationMs;
      if (oldest.isDiscontinuous) discontinuitySequence += 1;
      retired.push(oldest);
    }
    let keptMs = retired.reduce((sum, { durationMs }) => sum + durationMs, 0);
    while (retired[0] && keptMs - retired[0].durationMs >= retiredMs) keptMs -= retired.shift()!.durationMs;
  };

  const isOfLastSession = (next: HlsMap): boolean => segments.at(-1)?.map.init.sessionId === next.init.sessionId;

  const openSegment = (picture: StreamFragment, ofMap: HlsMap): void => {
    epochStartMs ??= picture.arrivedAtMs - picture.timeMs;
    segments.push({
      sequence: nextSequence,
      map: ofMap,
      isDiscontinuous: segments.length > 0 && !isOfLastSession(ofMap),
      startedAtMs: epochStartMs + picture.timeMs,
      durationMs: 0,
      pictures: 0,
      placedMs,
      parts: [],
      isComplete: false,
    });
    nextSequence += 1;
    mapIsNew = false;
  };

  const addPicture = (picture: StreamFragment, ofMap: HlsMap): boolean => {
    let changed = false;
    const segment = current();
    const lengthMs = (segment?.durationMs ?? 0) + open.durationMs;
    const shortestMs = ofMap.init.hasVideo ? minSegmentMs : soundSegmentMs;
    const isCut = segment === null
      || (picture.isKey && lengthMs >= shortestMs) || lengthMs + picture.durationMs > maxSegmentMs;
    if (isCut) {
      changed = closeSegment();
      openSegment(picture, ofMap);
    } else if (open.hasPicture && open.durationMs + picture.durationMs > partTargetMs) {
      changed = closePart();
    }
    if (open.hasPicture) {
      open.chunks.push(picture.data);
    } else {
      open.chunks.unshift(picture.data);
      open.isIndependent = picture.isKey;
      open.hasPicture = true;
    }
    open.durationMs += picture.durationMs;
    if (ofMap.init.hasVideo) current()!.pictures += 1;
    // Another picture of this length would be too much: no need to wait for it.
    const isFull = open.durationMs >= partTargetMs * shortestPart
      && open.durationMs + picture.durationMs > partTargetMs;
    return (isFull && closePart()) || changed;
  };

  const find = (test: (segment: HlsSegment) => boolean): HlsSegment | null =>
    segments.findLast(test) ?? retired.findLast(test) ?? null;

  return {
    get segments() {
      return segments;
    },
    get discontinuitySequence() {
      return discontinuitySequence;
    },
    get discontinuities() {
      const isNext = map !== null && segments.length > 0 && !isOfLastSession(map);
      return discontinuitySequence + segments.filter(({ isDiscontinuous }) => isDiscontinuous).length + Number(isNext);
    },
    get nextPart() {
      return nextPart;
    },
    get state() {
      if (map === null) return 'cut';
      if (!mapIsNew) return 'goes-on';
      return isOfLastSession(map) ? 'new-map' : 'cut';
    },
    begin(init) {
      closeSegment();
      // Sound of the same publisher waits for the picture of the new map.
      if (map?.init.sessionId !== init.sessionId) open = emptyPart();
      if (map?.init.sessionId !== init.sessionId) epochStartMs = placedMs = null;
      map = { name: `init-${nextSequence}-${init.generation}`, init };
      mapIsNew = true;
    },
    placed(sessionId, ms) {
      if (map === null || sessionId !== map.init.sessionId) return;
      placedMs = ms;
      const segment = current();
      if (segment !== null) segment.placedMs = ms;
    },
    add(fragment) {
      if (map === null || fragment.sessionId !== map.init.sessionId || fragment.generation !== map.init.generation) {
        return false;
      }
      if (fragment.track === 'video' || !map.init.hasVideo) return addPicture(fragment, map);
      // Sound before the first picture belongs to nothing.
      if (segments.at(-1)?.map.init.sessionId === map.init.sessionId) open.chunks.push(fragment.data);
      return false;
    },
    finish() {
      closeSegment();
      open = emptyPart();
      map = null;
    },
    recent() {
      const ofMap = segments.filter((segment) => segment.map === map);
      const canStart = ({ parts }: HlsSegment): boolean => (parts[0] ?? open).isIndependent;
      const whole = ofMap.findLastIndex((segment) => segment.isComplete && canStart(segment));
      const start = whole === -1 ? ofMap.findIndex(canStart) : whole;
      const from = start === -1 ? [] : ofMap.slice(start);
      const [first] = from;
      if (map === null || first === undefined) return null;
      const chunks = from.flatMap(({ parts }) => parts.map(({ data }) => data));
      return { init: map.init, startedAtMs: first.startedAtMs, chunks: [...chunks, ...open.chunks] };
    },
    part(number) {
      const segment = find(({ parts }) => parts.some((part) => part.number === number));
      return segment?.parts.find((part) => part.number === number) ?? null;
    },
    segment: (sequence) => find((segment) => segment.sequence === sequence && segment.isComplete),
    map: (name) => (map?.name === name ? map : null) ?? find((segment) => segment.map.name === name)?.map ?? null,
  };
}
