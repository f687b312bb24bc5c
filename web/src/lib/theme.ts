/** Light, dark, or whatever the system says. Kept in a cookie so that the first paint is already right. */
export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
export const themeCookie = 'nacre_theme';

export function isTheme(value: unknown): value is Theme {
  return themes.some((theme) => theme === value);
}
