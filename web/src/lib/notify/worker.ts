/** The service worker, registered once the page has come to rest, and told who reads. */

export async function startWorker(theme: string): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  try {
    await navigator.serviceWorker.register('/service-worker.js', { updateViaCache: 'none' });
    const { active } = await navigator.serviceWorker.ready;
    active?.postMessage({ lang: document.documentElement.lang, theme });
  } catch {
    // Private windows, and certificates that nobody vouches for: the pages do without it.
  }
}
