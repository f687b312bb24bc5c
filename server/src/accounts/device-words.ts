/**
 * A browser and its system by the names that people know, from its `User-Agent` header (RFC 9110, section 10.1.5).
 * Only names of this list come out, never what the header says. Pure.
 */

/** Every browser names those before it that it wants to pass for, so the more particular name comes first. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/MicroMessenger\//, 'WeChat'],
  [/AlipayClient\//, 'Alipay'],
  [/\bEdg(A|iOS)?\//, 'Edge'],
  [/\bOPR\/|\bOPT\//, 'Opera'],
  [/SamsungBrowser\//, 'Samsung Internet'],
  [/HuaweiBrowser\//, 'Huawei Browser'],
  [/MiuiBrowser\//, 'Mi Browser'],
  [/UCBrowser\//, 'UC Browser'],
  [/MQQBrowser\//, 'QQ Browser'],
  [/YaBrowser\//, 'Yandex Browser'],
  [/\bFirefox\/|FxiOS\//, 'Firefox'],
  [/(Headless)?Chrome\/|CriOS\/|Chromium\//, 'Chrome'],
  [/Version\/[\d.]+ .*Safari\//, 'Safari'],
];

const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/iPhone|iPod/, 'iPhone'],
  [/iPad/, 'iPad'],
  [/HarmonyOS|OpenHarmony/, 'HarmonyOS'],
  [/Android/, 'Android'],
  [/Windows/, 'Windows'],
  [/CrOS/, 'ChromeOS'],
  [/Macintosh|Mac OS X/, 'macOS'],
  [/Linux|X11/, 'Linux'],
];

export function browserOf(userAgent: string): string | null {
  return BROWSERS.find(([sign]) => sign.test(userAgent))?.[1] ?? null;
}

export function systemOf(userAgent: string): string | null {
  return SYSTEMS.find(([sign]) => sign.test(userAgent))?.[1] ?? null;
}
