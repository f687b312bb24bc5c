/** RTP packets that name the size of the picture that they are of (RFC 8852), as publishers of several sizes send. */

/** @param extensions texts by their id; the packet has no extensions so far (RFC 8285 §4.2) */
export function withNames(packet: Buffer, extensions: Record<number, string>): Buffer {
  const data = Buffer.concat(Object.entries(extensions).map(([id, text]) => (
    Buffer.concat([Buffer.from([(Number(id) << 4) | (text.length - 1)]), Buffer.from(text)])
  )));
  const words = Math.ceil(data.length / 4);
  const head = Buffer.from(packet.subarray(0, 12));
  head[0] = head[0]! | 0x10;
  const begin = Buffer.from([0xbe, 0xde, words >> 8, words & 0xff]);
  return Buffer.concat([head, begin, data, Buffer.alloc(words * 4 - data.length), packet.subarray(12)]);
}
