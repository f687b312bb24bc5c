/** Which browser this is, as far as what to tap differs when it refuses the camera. */

export type HelpFor =
  | 'in_app'
  | 'chrome_ios'
  | 'safari_ios'
  | 'samsung'
  | 'firefox_android'
  | 'chrome_android'
  | 'firefox'
  | 'safari'
  | 'chrome'
  | 'other';

/** Browsers inside other programs: most get no camera at all. Android's WebView calls itself "; wv)". */
const inApp = new RegExp(
  [
    'MicroMessenger|QQ/|Weibo|AlipayClient|DingTalk|BytedanceWebview|TikTok|musical_ly',
    'Instagram|FBAN|FBAV|Line/|Snapchat|Pinterest|; wv\\)',
  ].join('|'),
  'i',
);

const rules: readonly [HelpFor, RegExp][] = [
  ['in_app', inApp],
  ['chrome_ios', /(iPhone|iPad|iPod).*(CriOS|EdgiOS|FxiOS)/],
  ['safari_ios', /iPhone|iPad|iPod/],
  ['samsung', /SamsungBrowser/],
  ['firefox_android', /Android.*Firefox/],
  ['chrome_android', /Android.*Chrome/],
  ['firefox', /Firefox/],
  ['chrome', /Chrome|Chromium/],
  ['safari', /Safari/],
];

/** @param touchPoints `navigator.maxTouchPoints`: iPads call themselves Macs, which have none */
export function helpFor(userAgent: string, touchPoints = 0): HelpFor {
  if (/Macintosh.*Safari/.test(userAgent) && !/Chrome/.test(userAgent) && touchPoints > 1) return 'safari_ios';
  return rules.find(([, pattern]) => pattern.test(userAgent))?.[0] ?? 'other';
}

/**
 * An address that opens this page in the phone's own browser; null where no such address is known.
 * Android: Chrome's intent scheme; iPhone: Safari's own, since iOS 17.
 */
export function outsideUrl(href: string, userAgent: string): string | null {
  const { protocol, host, pathname, search } = new URL(href);
  if (protocol !== 'https:') return null;
  if (/Android/.test(userAgent)) return `intent://${host}${pathname}${search}#Intent;scheme=https;end`;
  return /iPhone|iPad|iPod/.test(userAgent) ? `x-safari-https://${host}${pathname}${search}` : null;
}

/**
 * Calls back with what the browser says of the camera's permission, now and whenever it changes; `null` where it does
 * not tell (Firefox before 131, older Safari). Returns the way out.
 */
export function watchCameraPermission(onState: (state: PermissionState | null) => void): () => void {
  const gone = new AbortController();
  const query = async (): Promise<void> => {
    try {
      const status = await navigator.permissions.query({ name: 'camera' as PermissionName });
      if (gone.signal.aborted) return;
      onState(status.state);
      status.addEventListener('change', () => onState(status.state), { signal: gone.signal });
    } catch {
      onState(null);
    }
  };
  void query();
  return () => gone.abort();
}
