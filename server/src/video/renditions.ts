/** A show's streams in the hub: the whole as it comes, by the show's id, and its sound alone beside it. */
import type { LiveRendition } from '@nacre/contract/live';
import type { MediaEvent } from '@nacre/media/hooks';
import type { StreamHub } from '@nacre/media/stream/hub';
import { wholeOf } from '@nacre/media/stream/layers';
import { soundOf } from '@nacre/media/stream/sound-rendition';

export interface Renditions {
  /** Feed it every event of the media supervisor, in order. */
  onMediaEvent(event: MediaEvent): void;
  /** The stream to join; of a show without sound the whole, whatever is asked for. */
  streamOf(showId: string, rendition: LiveRendition): string;
  end(showId: string): void;
  dismiss(showId: string): void;
  viewers(showId: string): number;
}

const soundId = (showId: string): string => `${showId}/sound`;

export function createRenditions(hub: StreamHub): Renditions {
  /** Shows whose publisher sends no sound. */
  const silent = new Set<string>();

  return {
    onMediaEvent(anyEvent) {
      const event = wholeOf(anyEvent);
      if (event === null) return;
      hub.onMediaEvent(event);
      if (event.type === 'child-restarted') return;
      const { streamId } = event;
      if (event.type === 'init') {
        if (event.hasAudio) silent.delete(streamId);
        else {
          silent.add(streamId);
          // Who listened comes back, and gets the picture.
          hub.dismiss(soundId(streamId));
        }
      }
      const heard = soundOf(event);
      if (heard !== null) hub.onMediaEvent({ ...heard, streamId: soundId(streamId) } as MediaEvent);
    },
    streamOf: (showId, rendition) => (rendition === 'whole' || silent.has(showId) ? showId : soundId(showId)),
    end(showId) {
      silent.delete(showId);
      hub.end(showId);
      hub.end(soundId(showId));
    },
    dismiss(showId) {
      hub.dismiss(showId);
      hub.dismiss(soundId(showId));
    },
    viewers: (showId) => hub.viewers(showId) + hub.viewers(soundId(showId)),
  };
}
