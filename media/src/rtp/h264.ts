/**
 * H.264 out of RTP (RFC 6184, packetization modes 0 and 1): single NAL units, STAP-A and FU-A become access units.
 *
 * Packets come in order; a gap is announced by `lost`. Invariants: an access unit is passed on only when every packet
 * of it arrived, and after a loss nothing until the next key picture, so that a decoder never sees a broken reference.
 * Garbage never throws: it counts as a loss.
 */

export interface NalUnit {
  /** nal_unit_type (ITU-T H.264 table 7-1). */
  type: number;
  size: number;
  /** Pieces to be written one after the other; views of received packets. */
  chunks: Buffer[];
}

export interface AccessUnit {
  /** Extended, 90 kHz. */
  timestamp: number;
  /** From decoding to showing, in the same ticks; left out where pictures are shown as they are decoded. */
  compositionOffset?: number;
  isKey: boolean;
  nals: NalUnit[];
  /** Of its first packet, steady clock, ms. */
  arrivedMs: number;
}

export interface H264Packet {
  payload: Buffer;
  timestamp: number;
  marker: boolean;
  arrivedMs: number;
}

export interface H264DepacketiserDeps {
  /** The first packet of a picture that will be passed on, unless a packet of it is lost. */
  onStart(timestamp: number): void;
  onUnit(unit: AccessUnit): void;
  /** A picture was dropped; `until` the next key picture all are. */
  onDropped(): void;
  /** A loss made a key picture necessary. */
  onKeyNeeded(): void;
}

export interface H264Depacketiser {
  push(packet: H264Packet): void;
  lost(): void;
}

export const nalType = { slice: 1, idr: 5, sei: 6, sps: 7, pps: 8, delimiter: 9, filler: 12 } as const;
const stapA = 24;
const fuA = 28;
/** Larger pictures are an attack or a mistake: a key picture of 4K at 20 Mbit/s stays below. */
const maxUnitBytes = 4 * 1024 * 1024;
const maxUnitNals = 512;

interface UnitInProgress {
  timestamp: number;
  arrivedMs: number;
  nals: NalUnit[];
  bytes: number;
  /** The FU-A NAL unit that is being put together. */
  fragment: NalUnit | null;
  isBroken: boolean;
  isKey: boolean;
  wasAnnounced: boolean;
}

export function createH264Depacketiser(deps: H264DepacketiserDeps): H264Depacketiser {
  let needsKey = true;
  let unit: UnitInProgress | null = null;

  const requireKey = (): void => {
    if (needsKey) return;
    needsKey = true;
    deps.onKeyNeeded();
  };

  const finish = (): void => {
    const done = unit;
    unit = null;
    if (done === null) return;
    if (done.isBroken || done.fragment !== null) {
      deps.onDropped();
      requireKey();
      return;
    }
    if (!done.nals.some((nal) => nal.type >= nalType.slice && nal.type <= nalType.idr)) return;
    if (needsKey && !done.isKey) {
      deps.onDropped();
      return;
    }
    needsKey = false;
    deps.onUnit({ timestamp: done.timestamp, isKey: done.isKey, nals: done.nals, arrivedMs: done.arrivedMs });
  };

  const announce = (current: UnitInProgress): void => {
    if (current.wasAnnounced || current.isBroken || (needsKey && !current.isKey)) return;
    current.wasAnnounced = true;
    deps.onStart(current.timestamp);
  };

  return {
    push(packet) {
      if (unit !== null && unit.timestamp !== packet.timestamp) finish();
      // Padding only: it fills a sequence number and carries nothing.
      if (packet.payload.length === 0) return;
      unit ??= {
        timestamp: packet.timestamp,
        arrivedMs: packet.arrivedMs,
        nals: [],
        bytes: 0,
        fragment: null,
        isBroken: false,
        isKey: false,
        wasAnnounced: false,
      };
      unit.arrivedMs = Math.min(unit.arrivedMs, packet.arrivedMs);
      if (!unit.isBroken && !addPayload(unit, packet.payload)) unit.isBroken = true;
      announce(unit);
      if (packet.marker) finish();
    },
    lost() {
      if (unit !== null) {
        unit = null;
        deps.onDropped();
      }
      requireKey();
    },
  };
}

/** False when the payload cannot be part of a sound picture. */
function addPayload(unit: UnitInProgress, payload: Buffer): boolean {
  const type = payload[0]! & 0x1f;
  unit.bytes += payload.length;
  if (unit.bytes > maxUnitBytes || unit.nals.length >= maxUnitNals) return false;
  if (type === fuA) return addFragment(unit, payload);
  // Anything else between two fragments means that the end of the first is missing.
  if (unit.fragment !== null) return false;
  if (type === stapA) return addAggregate(unit, payload);
  if (type === 0 || type > 23) return false;
  addNal(unit, { type, size: payload.length, chunks: [payload] });
  return true;
}

function addNal(unit: UnitInProgress, nal: NalUnit): void {
  if (nal.type === nalType.idr || nal.type === nalType.sps) unit.isKey = true;
  unit.nals.push(nal);
}

/** STAP-A (RFC 6184 §5.7.1). */
function addAggregate(unit: UnitInProgress, payload: Buffer): boolean {
  let offset = 1;
  while (offset < payload.length) {
    if (offset + 2 > payload.length) return false;
    const size = payload.readUInt16BE(offset);
    offset += 2;
    if (size === 0 || offset + size > payload.length || unit.nals.length >= maxUnitNals) return false;
    const nal = payload.subarray(offset, offset + size);
    const type = nal[0]! & 0x1f;
    if (type === 0 || type > 23) return false;
    addNal(unit, { type, size, chunks: [nal] });
    offset += size;
  }
  return offset > 1;
}

/** FU-A (RFC 6184 §5.8). */
function addFragment(unit: UnitInProgress, payload: Buffer): boolean {
  if (payload.length < 3) return false;
  const header = payload[1]!;
  const type = header & 0x1f;
  const isStart = (header & 0x80) !== 0;
  const isEnd = (header & 0x40) !== 0;
  if (type === 0 || type > 23 || (isStart && isEnd)) return false;
  const data = payload.subarray(2);
  if (isStart) {
    if (unit.fragment !== null) return false;
    const first = Buffer.from([(payload[0]! & 0xe0) | type]);
    unit.fragment = { type, size: 1 + data.length, chunks: [first, data] };
    if (type === nalType.idr) unit.isKey = true;
    return true;
  }
  const fragment = unit.fragment;
  if (fragment === null || fragment.type !== type) return false;
  fragment.chunks.push(data);
  fragment.size += data.length;
  if (isEnd) {
    unit.fragment = null;
    addNal(unit, fragment);
  }
  return true;
}
