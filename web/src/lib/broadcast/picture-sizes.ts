/**
 * The sizes in which a publication sends its picture (simulcast by RID: RFC 8853, RFC 8851): the full one, and a small
 * one beside it that comes and goes.
 */
import { fullFrameRate } from './economy.ts';
import type { PictureShape } from './picture-encoder.ts';
import { searchBps, smallPicture } from './small-picture.ts';

export const fullRid = 'f';
const smallRid = 's';

export interface PictureSizes {
  /** Of the full picture. While less of it is sent than there could be the small one is not. */
  setShape(shape: PictureShape): Promise<void>;
  /** Whether `setShape` asks for all that there is. */
  isWhole(): boolean;
  /**
   * Does nothing where the browser or the server has one size only.
   * @param bps what the small one may take; 0: it is not sent
   */
  setSmall(bps: number): Promise<void>;
}

/** Offers both sizes, the small one thin (`searchBps`), where the browser can; else the full one alone. */
export function addPicture(
  connection: RTCPeerConnection, source: MediaStreamTrack | 'video', init: RTCRtpTransceiverInit, maxBitrateBps: number,
): RTCRtpTransceiver {
  const full: RTCRtpEncodingParameters = { maxBitrate: maxBitrateBps, maxFramerate: fullFrameRate };
  const { framesPerSecond, scale } = smallPicture;
  const small: RTCRtpEncodingParameters = {
    rid: smallRid, maxBitrate: searchBps, maxFramerate: framesPerSecond, scaleResolutionDownBy: 1 / scale,
  };
  if (canSendTwo()) {
    try {
      // From the smallest up: the other way round Chromium fills the line with empty packets, up to the full one.
      const sendEncodings = [small, { rid: fullRid, ...full, scaleResolutionDownBy: 1 }];
      return connection.addTransceiver(source, { ...init, sendEncodings });
    } catch {
      // A browser that knows of no sizes: as ever.
    }
  }
  return connection.addTransceiver(source, { ...init, sendEncodings: [full] });
}

/**
 * Firefox tells no estimate of the line, without which the small one is never sent; and before its version 136 it
 * offers two sizes of H.264 and sends one of them, of the wrong size (bugzilla.mozilla.org, bug 1210175).
 */
function canSendTwo(): boolean {
  return !navigator.userAgent.includes('Firefox/');
}

export function createPictureSizes(sender: RTCRtpSender, maxBitrateBps: number): PictureSizes {
  let shape: PictureShape = { bitrateBps: maxBitrateBps, framesPerSecond: fullFrameRate, scale: 1 };
  let smallBps: number = searchBps;
  let turn: Promise<void> = Promise.resolve();
  const isWhole = (): boolean => (
    shape.bitrateBps >= maxBitrateBps && shape.framesPerSecond >= fullFrameRate && shape.scale === 1
  );

  const tell = async (): Promise<void> => {
    const parameters = sender.getParameters();
    const { encodings } = parameters;
    // Alone it may have no name; a server that takes one size is sent the first one.
    const full = encodings.find(({ rid }) => rid === fullRid) ?? encodings[0];
    if (!full) return;
    for (const encoding of encodings) {
      encoding.active = encoding === full || (smallBps > 0 && isWhole());
      if (encoding !== full && smallBps > 0) encoding.maxBitrate = smallBps;
    }
    full.maxBitrate = shape.bitrateBps;
    full.maxFramerate = shape.framesPerSecond;
    full.scaleResolutionDownBy = 1 / shape.scale;
    await sender.setParameters(parameters);
  };
  /** One after another: parameters that were read before another change are refused. */
  const tellInTurn = (): Promise<void> => {
    // A browser that does not do it sends what it sends.
    turn = turn.then(tell).catch(() => undefined);
    return turn;
  };

  return {
    isWhole,
    setShape(next) {
      shape = next;
      return tellInTurn();
    },
    async setSmall(bps) {
      if (bps === smallBps) return;
      smallBps = bps;
      await tellInTurn();
    },
  };
}
