/** Handing a page on: by the system's share sheet where there is one, else by copying the address. */
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { say } from '#lib/toast.svelte.ts';

/** @param path of the page; its absolute address is handed on */
export async function share(origin: string, path: string, title: string, { t }: I18n): Promise<void> {
  const url = new URL(path, origin).href;
  try {
    if (navigator.share) await navigator.share({ title, url });
    else {
      await navigator.clipboard.writeText(url);
      say(t('viewer.shared'));
    }
  } catch (error) {
    // Closing the system's share sheet is no fault. Where nothing may be copied, the address is there to read.
    if (!(error instanceof DOMException && error.name === 'AbortError')) say(url);
  }
}
