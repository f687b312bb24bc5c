/** Access units to RTP payloads (RFC 6184, packetization mode 1): STAP-A for small units, FU-A for large ones. */

/** Room for IP, UDP, SRTP and the header extension within a path of 1280 bytes, the least that IPv6 promises. */
export const maxPayloadBytes = 1160;
const stapA = 24;
const fuA = 28;

/** Payloads of one access unit, in order; each is a list of pieces to be joined. The last one carries the marker. */
export function packetiseH264(nals: readonly Buffer[], maxBytes = maxPayloadBytes): Buffer[][] {
  const payloads: Buffer[][] = [];
  let small: Buffer[] = [];
  let smallBytes = 1;
  const flushSmall = (): void => {
    if (small.length === 1) payloads.push([small[0]!]);
    if (small.length > 1) payloads.push(aggregate(small));
    small = [];
    smallBytes = 1;
  };
  for (const nal of nals) {
    if (smallBytes + 2 + nal.length > maxBytes) flushSmall();
    if (nal.length > maxBytes) {
      payloads.push(...fragment(nal, maxBytes));
    } else {
      small.push(nal);
      smallBytes += 2 + nal.length;
    }
  }
  flushSmall();
  return payloads;
}

function aggregate(nals: readonly Buffer[]): Buffer[] {
  const importance = Math.max(...nals.map((nal) => nal[0]! & 0x60));
  const pieces: Buffer[] = [Buffer.from([importance | stapA])];
  for (const nal of nals) pieces.push(Buffer.from([nal.length >> 8, nal.length & 0xff]), nal);
  return pieces;
}

function fragment(nal: Buffer, maxBytes: number): Buffer[][] {
  const indicator = (nal[0]! & 0xe0) | fuA;
  const type = nal[0]! & 0x1f;
  const room = maxBytes - 2;
  const payloads: Buffer[][] = [];
  for (let offset = 1; offset < nal.length; offset += room) {
    const isStart = offset === 1;
    const isEnd = offset + room >= nal.length;
    const header = (isStart ? 0x80 : 0) | (isEnd ? 0x40 : 0) | type;
    payloads.push([Buffer.from([indicator, header]), nal.subarray(offset, offset + room)]);
  }
  return payloads;
}
