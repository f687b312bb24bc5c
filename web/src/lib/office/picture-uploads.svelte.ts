/** Pictures on their way to the server: a few at once, each with its progress and, when refused, the reason. */
import type { Image } from '@nacre/contract/common';
import { sayError } from '#lib/problem.ts';
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { uploadImage } from './upload-image.ts';

export interface Upload {
  id: number;
  name: string;
  /** 0…1 */
  share: number;
  /** A sentence when it was refused. */
  error: string | null;
}

// Two at once fill a phone's uplink; more only make each slower.
const atOnce = 2;

export function createPictureUploads(i18n: I18n, onimage: (image: Image, turn: number) => void) {
  let uploads = $state<Upload[]>([]);
  const waiting: { upload: Upload; file: File }[] = [];
  const running = new Map<number, () => void>();
  let count = 0;

  function drop(id: number): void {
    uploads = uploads.filter((upload) => upload.id !== id);
  }

  function next(): void {
    while (running.size < atOnce) {
      const entry = waiting.shift();
      if (!entry) return;
      void send(entry.upload, entry.file);
    }
  }

  async function send(upload: Upload, file: File): Promise<void> {
    const { done, stop } = uploadImage(file, (share) => (upload.share = share));
    running.set(upload.id, stop);
    try {
      onimage(await done, upload.id);
      drop(upload.id);
    } catch (error) {
      upload.error = await sayError(error, i18n);
    } finally {
      running.delete(upload.id);
      next();
    }
  }

  return {
    get list() {
      return uploads;
    },
    /** Not refused ones: these will become pictures. */
    get pending() {
      return uploads.filter((upload) => upload.error === null).length;
    },
    add(files: readonly File[]): void {
      for (const file of files) {
        uploads.push({ id: ++count, name: file.name, share: 0, error: null });
        const upload = uploads.at(-1);
        if (upload) waiting.push({ upload, file });
      }
      next();
    },
    drop,
    stop(): void {
      waiting.length = 0;
      for (const stop of running.values()) stop();
    },
  };
}

/** Pictures among what was dropped or pasted. */
export function filesOf(transfer: DataTransfer | null): File[] {
  return [...(transfer?.files ?? [])];
}
