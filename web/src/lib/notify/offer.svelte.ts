/**
 * After somebody followed a shop: the question whether this device may tell when it is live. Asked by a sheet of ours
 * first, because a browser that was told "no" never asks again.
 */
import type { I18n } from '#lib/i18n/i18n.svelte.ts';
import { say } from '#lib/toast.svelte.ts';

/** Who has just been followed and is offered; null while there is no question. */
export const offer = $state<{ shop: string | null }>({ shop: null });

const askedKey = 'nacre.push-offered-at';
/** Sooner is pestering; never again would leave those who said "not now" without a way but the account page. */
const againMs = 30 * 24 * 3_600_000;

/** Whether this browser could push and was never asked, and neither were we lately. */
function isWorthAsking(nowMs: number): boolean {
  if (!('serviceWorker' in navigator) || !('PushManager' in window) || !('Notification' in window)) return false;
  if (Notification.permission !== 'default') return false;
  try {
    if (nowMs - Number(localStorage.getItem(askedKey) ?? 0) < againMs) return false;
    localStorage.setItem(askedKey, String(nowMs));
    return true;
  } catch {
    // Without a memory it would be asked each time.
    return false;
  }
}

/** Says that the shop is followed, or no longer; who follows is offered to be told on this device. */
export function sayFollowing(following: boolean, shop: string, i18n: I18n): void {
  say(i18n.t(following ? 'viewer.followed_toast' : 'viewer.unfollowed_toast', { shop }));
  if (following && isWorthAsking(Date.now())) offer.shop = shop;
}
