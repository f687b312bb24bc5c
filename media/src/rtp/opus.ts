/** Opus in RTP (RFC 7587): one packet is one payload; its length in time stands in the first bytes (RFC 6716 §3.1). */

export const opusClockRate = 48_000;
/** 20 ms of silence, in CELT full band. Decoders take it between any other packets. */
export const opusSilence = Buffer.from([0xf8, 0xff, 0xfe]);
export const opusSilenceTicks = 960;
/** RFC 6716 §3.2.5: no packet is longer than 120 ms. */
const maxPacketTicks = 5760;

/** Length of a packet in ticks of 48 kHz; null for what is not an Opus packet. */
export function opusTicks(packet: Uint8Array): number | null {
  const toc = packet[0];
  if (toc === undefined) return null;
  const config = toc >> 3;
  let frameTicks = 0;
  if (config < 12) frameTicks = [480, 960, 1920, 2880][config & 3]!;
  else if (config < 16) frameTicks = [480, 960][config & 1]!;
  else frameTicks = [120, 240, 480, 960][config & 3]!;
  let frames = [1, 2, 2, 0][toc & 3]!;
  if (frames === 0) {
    const second = packet[1];
    if (second === undefined) return null;
    frames = second & 0x3f;
  }
  const ticks = frames * frameTicks;
  return ticks === 0 || ticks > maxPacketTicks ? null : ticks;
}
