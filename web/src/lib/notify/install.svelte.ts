/** Putting Nacre among the device's apps, where the browser offers it (Chromium); its own banner is held back. */

/** https://developer.mozilla.org/docs/Web/API/BeforeInstallPromptEvent; not in TypeScript's library. */
interface InstallPrompt extends Event {
  prompt(): Promise<{ outcome: 'accepted' | 'dismissed' }>;
}

/** What the browser offered; null where it does not, and once Nacre is installed. */
export const install = $state<{ prompt: InstallPrompt | null }>({ prompt: null });

/** To be called once, early: the browser tells of it a single time. Returns what undoes it. */
export function watchInstall(): () => void {
  const take = (event: Event) => {
    event.preventDefault();
    install.prompt = event as InstallPrompt;
  };
  const installed = () => (install.prompt = null);
  addEventListener('beforeinstallprompt', take);
  addEventListener('appinstalled', installed);
  return () => {
    removeEventListener('beforeinstallprompt', take);
    removeEventListener('appinstalled', installed);
  };
}

/** Right in a tap. An offer can be used once; the browser makes another one when it wants to. */
export async function installApp(): Promise<void> {
  const { prompt } = install;
  install.prompt = null;
  await prompt?.prompt();
}
