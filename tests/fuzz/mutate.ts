/** Seeded changes to real messages: what a broken or malicious sender might make of them. */
import type { Chance } from '../simulation/world.ts';

/** Larger inputs only take time. */
const maxBytes = 256 * 1024;
const maxChanges = 6;
/** Values at the edges of fields. */
const edges = [0, 1, 2, 0x0f, 0x10, 0x1f, 0x20, 0x7f, 0x80, 0xbe, 0xc0, 0xde, 0xfe, 0xff];

type Change = (input: Buffer, chance: Chance, other: Buffer) => Buffer;

const placeIn = (input: Buffer, chance: Chance): number => chance.whole(0, Math.max(0, input.length - 1));

function patched(input: Buffer, at: number, patch: Buffer): Buffer {
  const output = Buffer.from(input);
  patch.copy(output, at);
  return output;
}

const changes: readonly Change[] = [
  (input, chance) => {
    const at = placeIn(input, chance);
    return patched(input, at, Buffer.from([(input[at] ?? 0) ^ (1 << chance.whole(0, 7))]));
  },
  (input, chance) => patched(input, placeIn(input, chance), Buffer.from([chance.pick(edges)])),
  (input, chance) => patched(input, placeIn(input, chance), Buffer.from([chance.pick(edges), chance.pick(edges)])),
  (input, chance) => patched(input, placeIn(input, chance), Buffer.alloc(4, chance.pick([0, 0x7f, 0xff]))),
  (input, chance) => input.subarray(0, placeIn(input, chance)),
  (input, chance) => {
    const from = placeIn(input, chance);
    return Buffer.concat([input.subarray(0, from), input.subarray(from + chance.whole(1, 64))]);
  },
  (input, chance) => {
    const from = placeIn(input, chance);
    const piece = input.subarray(from, from + chance.whole(1, 2048));
    return Buffer.concat([input.subarray(0, from), piece, input.subarray(from)]);
  },
  (input, chance) => {
    const noise = Buffer.from(Array.from({ length: chance.whole(1, 32) }, () => chance.whole(0, 255)));
    const at = placeIn(input, chance);
    return Buffer.concat([input.subarray(0, at), noise, input.subarray(at)]);
  },
  (input, chance, other) => (
    Buffer.concat([input.subarray(0, placeIn(input, chance)), other.subarray(placeIn(other, chance))])
  ),
];

/** One message changed in one to a few places. */
export function mutateBytes(input: Buffer, chance: Chance, other: Buffer): Buffer {
  let output = input;
  for (let left = chance.whole(1, maxChanges); left > 0; left -= 1) {
    output = chance.pick(changes)(output, chance, other);
  }
  return output.subarray(0, maxBytes);
}

/** Items of a list lost, doubled, swapped, or changed themselves. */
export function mutateList(items: readonly Buffer[], chance: Chance, others: readonly Buffer[]): Buffer[] {
  const output = [...items];
  for (let left = chance.whole(1, maxChanges); left > 0 && output.length > 0; left -= 1) {
    const at = chance.whole(0, output.length - 1);
    const to = chance.whole(0, output.length - 1);
    const kind = chance.whole(0, 7);
    if (kind === 0) output.splice(at, chance.whole(1, 4));
    else if (kind === 1) output.splice(to, 0, output[at]!);
    else if (kind === 2) output.splice(to, 0, ...output.splice(at, chance.whole(1, 8)));
    else if (kind === 3 && others.length > 0) output.splice(at, 0, chance.pick(others));
    else output[at] = mutateBytes(output[at]!, chance, chance.pick(items));
  }
  return output;
}

/** Packets one after the other, each behind its length in two bytes (RFC 4571 §2). */
export function joinPackets(packets: readonly Buffer[]): Buffer {
  return Buffer.concat(packets.flatMap((packet) => {
    const size = Math.min(packet.length, 0xffff);
    return [Buffer.from([size >> 8, size & 0xff]), packet.subarray(0, size)];
  }));
}

export function splitPackets(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  for (let at = 0; at + 2 <= bytes.length; ) {
    const size = bytes.readUInt16BE(at);
    packets.push(bytes.subarray(at + 2, at + 2 + size));
    at += 2 + size;
  }
  return packets;
}

/** Lines of a text. */
export const splitLines = (bytes: Buffer): Buffer[] => (
  bytes.toString('latin1').split('\r\n').map((line) => Buffer.from(line, 'latin1'))
);
export const joinLines = (lines: readonly Buffer[]): Buffer => (
  Buffer.from(lines.map((line) => line.toString('latin1')).join('\r\n'), 'latin1')
);
