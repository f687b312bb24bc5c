/**
 * Whole WebSocket frames (RFC 6455 §5.2) as a server sends them: one final frame, not masked, not compressed.
 *
 * A frame built once is written raw to every viewer's connection, beside the `ws` object that owns it. That is sound
 * because `ws` writes each frame of its own synchronously and in one piece when compression is off.
 */
const finalText = 0x81;
const finalBinary = 0x82;

export function textFrame(text: string): Buffer {
  return frame(finalText, [Buffer.from(text)]);
}

/** The parts become one message; they are copied. */
export function binaryFrame(parts: readonly Uint8Array[]): Buffer {
  return frame(finalBinary, parts);
}

/** The payload of a frame made here, without copying it. */
export function payloadOf(bytes: Buffer): Buffer {
  const length = bytes[1] ?? 0;
  return bytes.subarray(length < 126 ? 2 : length === 126 ? 4 : 10);
}

function frame(firstByte: number, parts: readonly Uint8Array[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headerBytes + length);
  bytes[0] = firstByte;
  if (headerBytes === 2) bytes[1] = length;
  else if (headerBytes === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeUInt32BE(0, 2);
    bytes.writeUInt32BE(length, 6);
  }
  let at = headerBytes;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
