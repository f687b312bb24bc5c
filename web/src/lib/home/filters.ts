/** What the home page is narrowed to, as it stands in its address. Pure. */
import { SPOKEN_LANGUAGES, type SpokenLanguage } from '@nacre/contract/languages';
import type { ShopCategory } from '@nacre/contract/shops';

export interface HomeFilters {
  category?: ShopCategory;
  region?: string;
  language?: SpokenLanguage;
}

/** Every category, in the order in which shops choose them. A record, so that none can be forgotten. */
const known: Record<ShopCategory, true> = {
  clothes: true,
  jewellery: true,
  kitchen: true,
  beauty: true,
  food: true,
  crafts: true,
  home: true,
  books: true,
  plants: true,
  toys: true,
  other: true,
};
export const categories = Object.keys(known) as ShopCategory[];

const regionMax = 60;

/** What is not understood is left out: an old link shows more rather than nothing. */
export function readFilters(params: URLSearchParams): HomeFilters {
  const category = categories.find((name) => name === params.get('category'));
  const language = SPOKEN_LANGUAGES.find((tag) => tag === params.get('language'));
  const region = params.get('region')?.trim().slice(0, regionMax);
  return { ...(category && { category }), ...(region && { region }), ...(language && { language }) };
}

/** The address with one thing changed; undefined takes it away. */
export function filtersHref(
  filters: HomeFilters,
  change: { [Name in keyof HomeFilters]?: HomeFilters[Name] | undefined },
): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...filters, ...change })) if (value) params.set(name, value);
  const text = params.toString();
  return text === '' ? '/' : `/?${text}`;
}

/** With the chosen one among them, also when no show has it any more. */
export function withChosen<T extends string>(values: readonly T[], chosen: T | undefined): T[] {
  const isThere = chosen === undefined || values.some((value) => value.toLowerCase() === chosen.toLowerCase());
  return isThere ? [...values] : [chosen, ...values];
}
