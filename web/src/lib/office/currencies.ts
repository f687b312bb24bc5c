/** Currencies a shop can sell in, and the likely one for a reader's region. */
export const currencies = [
  'AED', 'ARS', 'AUD', 'BDT', 'BGN', 'BHD', 'BRL', 'CAD', 'CHF', 'CLP', 'CNY', 'COP', 'CZK', 'DKK', 'DZD', 'EGP', 'EUR',
  'GBP', 'GHS', 'HKD', 'HUF', 'IDR', 'ILS', 'INR', 'IQD', 'ISK', 'JOD', 'JPY', 'KES', 'KRW', 'KWD', 'KZT', 'LBP', 'LKR',
  'LYD', 'MAD', 'MOP', 'MXN', 'MYR', 'NGN', 'NOK', 'NPR', 'NZD', 'OMR', 'PEN', 'PHP', 'PKR', 'PLN', 'QAR', 'RON', 'SAR',
  'SEK', 'SGD', 'THB', 'TND', 'TRY', 'TWD', 'UAH', 'USD', 'VND', 'YER', 'ZAR',
] as const;

const byRegion: Record<string, string> = {
  AE: 'AED', AR: 'ARS', AT: 'EUR', AU: 'AUD', BD: 'BDT', BE: 'EUR', BG: 'BGN', BH: 'BHD', BR: 'BRL', CA: 'CAD', CH: 'CHF',
  CL: 'CLP', CN: 'CNY', CO: 'COP', CZ: 'CZK', DE: 'EUR', DK: 'DKK', DZ: 'DZD', EG: 'EGP', ES: 'EUR', FI: 'EUR', FR: 'EUR',
  GB: 'GBP', GH: 'GHS', GR: 'EUR', HK: 'HKD', HU: 'HUF', ID: 'IDR', IE: 'EUR', IL: 'ILS', IN: 'INR', IQ: 'IQD', IS: 'ISK',
  IT: 'EUR', JO: 'JOD', JP: 'JPY', KE: 'KES', KR: 'KRW', KW: 'KWD', KZ: 'KZT', LB: 'LBP', LK: 'LKR', LY: 'LYD', MA: 'MAD',
  MO: 'MOP', MX: 'MXN', MY: 'MYR', NG: 'NGN', NL: 'EUR', NO: 'NOK', NP: 'NPR', NZ: 'NZD', OM: 'OMR', PE: 'PEN', PH: 'PHP',
  PK: 'PKR', PL: 'PLN', PT: 'EUR', QA: 'QAR', RO: 'RON', SA: 'SAR', SE: 'SEK', SG: 'SGD', TH: 'THB', TN: 'TND', TR: 'TRY',
  TW: 'TWD', UA: 'UAH', US: 'USD', VN: 'VND', YE: 'YER', ZA: 'ZAR',
};

/** `locale` is the reader's tag with a region, such as `zh-CN` or `ar-SA-u-ca-gregory`. */
export function likelyCurrency(locale: string): string {
  return byRegion[new Intl.Locale(locale).region ?? ''] ?? 'USD';
}

/** Names in the reader's language, the likely one first. */
export function currencyChoices(locale: string): { value: string; label: string }[] {
  const names = new Intl.DisplayNames([locale], { type: 'currency' });
  const likely = likelyCurrency(locale);
  const choices = currencies.map((value) => ({ value: value as string, label: `${names.of(value) ?? value} · ${value}` }));
  const order = new Intl.Collator(locale);
  return choices.sort((a, b) => Number(b.value === likely) - Number(a.value === likely) || order.compare(a.label, b.label));
}
