/** Pushes to this browser: whether it can, may and does, and switching them on and off. */
import { api, ask } from '#lib/api.ts';

/** `home`: only as an app of the home screen (iPhone, iPad). `refused`: the person said no, to the browser. */
export type PushState = 'unsupported' | 'home' | 'refused' | 'off' | 'on';

/** An iPad calls itself a Mac. */
const isApple = () =>
  /iPhone|iPad/.test(navigator.userAgent) || (/Mac/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

/** @param pushHere what the server says of this session */
export async function pushState(pushHere: boolean): Promise<PushState> {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) {
    return isApple() && !matchMedia('(display-mode: standalone)').matches ? 'home' : 'unsupported';
  }
  if (Notification.permission === 'denied') return 'refused';
  if (!pushHere || Notification.permission !== 'granted') return 'off';
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ? 'on' : 'off';
}

/**
 * Right in a tap: the browser asks its question only then.
 * @returns `off` when the question was left open
 * @throws what the push service of the browser, or the server, could not do
 */
export async function switchOn(): Promise<PushState> {
  const permission = await Notification.requestPermission();
  if (permission !== 'granted') return permission === 'denied' ? 'refused' : 'off';
  const { pushKey } = await ask(api.GET('/api/me/notification-settings'));
  const { pushManager } = await navigator.serviceWorker.ready;
  // One that was made with other keys takes nothing of ours.
  await (await pushManager.getSubscription())?.unsubscribe();
  const made = await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: pushKey });
  const { endpoint = '', keys = {} } = made.toJSON();
  const body = { endpoint, keys: { p256dh: keys.p256dh ?? '', auth: keys.auth ?? '' } };
  await ask(api.PUT('/api/me/push-subscription', { body }));
  return 'on';
}

export async function switchOff(): Promise<PushState> {
  await ask(api.DELETE('/api/me/push-subscription'));
  const registration = await navigator.serviceWorker.getRegistration();
  await (await registration?.pushManager.getSubscription())?.unsubscribe();
  return 'off';
}
