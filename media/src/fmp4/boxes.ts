/** ISO base media file format (ISO/IEC 14496-12): boxes as bytes. Leaf: knows no codec and no stream. */

/** A box with its size and four-letter type in front of `parts`. */
export function box(type: string, ...parts: readonly Uint8Array[]): Buffer {
  let size = 8;
  for (const part of parts) size += part.length;
  const buffer = Buffer.allocUnsafe(size);
  buffer.writeUInt32BE(size, 0);
  buffer.write(type, 4, 'latin1');
  let offset = 8;
  for (const part of parts) {
    buffer.set(part, offset);
    offset += part.length;
  }
  return buffer;
}

/** A box with version and flags (§4.2). */
export function fullBox(type: string, version: number, flags: number, ...parts: readonly Uint8Array[]): Buffer {
  return box(type, u32(version * 0x1000000 + flags), ...parts);
}

export function u8(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function u16(...values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16BE(value, index * 2));
  return buffer;
}

export function u32(...values: readonly number[]): Buffer {
  const buffer = Buffer.allocUnsafe(values.length * 4);
  values.forEach((value, index) => buffer.writeUInt32BE(value, index * 4));
  return buffer;
}

export function zeros(count: number): Buffer {
  return Buffer.alloc(count);
}

/** Zero-terminated, as `hdlr` wants it. */
export function text(value: string): Buffer {
  return Buffer.from(`${value}\0`, 'latin1');
}

/**
 * The boxes that follow each other in `bytes`, each with its head.
 * @throws RangeError when one is longer than what is there, or has no head: our own boxes are whole
 */
export function boxesOf(bytes: Buffer): Buffer[] {
  const boxes: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    if (size < 8 || at + size > bytes.length) throw new RangeError('no box of ours');
    boxes.push(bytes.subarray(at, at + size));
    at += size;
  }
  return boxes;
}

export const typeOf = (whole: Buffer): string => whole.toString('latin1', 4, 8);
