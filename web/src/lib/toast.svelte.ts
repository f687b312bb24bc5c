/** One short word to the person at a time, for four seconds. What needs an answer is a sheet, not a toast. */
export const toast = $state<{ text: string | null; href: string | null; shownAt: number }>({
  text: null,
  href: null,
  shownAt: 0,
});

// Shorter is not read; longer lies over the dock when the hand is already there.
const toastMs = 4000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** With `href` it leads there. Only in the browser: module state on the server would be shared by everybody. */
export function say(text: string, href: string | null = null): void {
  clearTimeout(timer);
  toast.text = text;
  toast.href = href;
  toast.shownAt += 1;
  timer = setTimeout(() => (toast.text = null), toastMs);
}
