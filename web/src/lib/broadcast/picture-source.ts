/**
 * The pictures of a camera's track, one by one. Chromium hands them out (MediaStreamTrackProcessor); elsewhere a
 * `<video>` that is not in the page shows them, and each is taken from there.
 */
import { createPageClock } from './page-clock.ts';

/** @param onPicture closes the frame; its timestamp, in µs, is on the page's clock */
export type ReadPictures = (track: MediaStreamTrack, onPicture: (frame: VideoFrame) => void) => () => void;

interface TrackProcessor {
  readable: ReadableStream<VideoFrame>;
}

/** Chromium's, in the page; the standard has it in workers alone. */
const { MediaStreamTrackProcessor: Processor } = globalThis as {
  MediaStreamTrackProcessor?: new (init: { track: MediaStreamTrack }) => TrackProcessor;
};

export const readPictures: ReadPictures = (track, onPicture) =>
  Processor === undefined ? readFromVideo(track, onPicture) : readFromProcessor(new Processor({ track }), onPicture);

function readFromProcessor(processor: TrackProcessor, onPicture: (frame: VideoFrame) => void): () => void {
  const reader = processor.readable.getReader();
  const clock = createPageClock();
  let isOver = false;
  const read = async (): Promise<void> => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const capturedMs = clock(value.timestamp / 1_000, performance.now());
      const frame = isOver ? null : new VideoFrame(value, { timestamp: Math.round(capturedMs * 1_000) });
      value.close();
      if (frame === null) return;
      onPicture(frame);
    }
  };
  // It ends with its track.
  read().catch(() => undefined);
  return () => {
    isOver = true;
    reader.cancel().catch(() => undefined);
  };
}

function readFromVideo(track: MediaStreamTrack, onPicture: (frame: VideoFrame) => void): () => void {
  const video = document.createElement('video');
  video.muted = video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  let isOver = false;
  const onFrame = (nowMs: number): void => {
    if (isOver) return;
    if (video.videoWidth > 0) onPicture(new VideoFrame(video, { timestamp: Math.round(nowMs * 1_000) }));
    video.requestVideoFrameCallback(onFrame);
  };
  video.requestVideoFrameCallback(onFrame);
  video.play().catch(() => undefined);
  return () => {
    isOver = true;
    video.srcObject = null;
  };
}
