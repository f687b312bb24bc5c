/**
 * What compiled messages call. Takes the place of @messageformat/runtime so that digits follow the reader's region
 * (Arabic of the Emirates writes 012, of Saudi Arabia ٠١٢) and not the language alone.
 *
 * The formatter is set right before a message is called and messages are synchronous, so requests that are rendered at
 * the same time do not mix.
 */
type Rule = (value: number, ordinal?: boolean) => string;

let format: (value: number) => string = String;

export function withNumbers(next: (value: number) => string): void {
  format = next;
}

export function number(_locale: string, value: number, offset: number): string {
  return format(value - offset);
}

export function plural(value: number, offset: number, rule: Rule, forms: Record<string, string>): string {
  return forms[String(value)] ?? forms[rule(value - offset)] ?? forms.other ?? '';
}

export function select(value: string, forms: Record<string, string>): string {
  return Object.hasOwn(forms, value) ? (forms[value] ?? '') : (forms.other ?? '');
}
