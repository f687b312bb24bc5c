/** Until when the direct way is taken for blocked, kept on this device: a host who comes back need not wait again. */
const name = 'nacre.direct-blocked-until';

/** Unix epoch, ms; 0 when it is not. */
export function rememberedBlocked(): number {
  try {
    return Number(localStorage.getItem(name) ?? 0) || 0;
  } catch {
    // A browser that keeps nothing forgets this too.
    return 0;
  }
}

export function rememberBlocked(untilMs: number): void {
  try {
    if (untilMs > 0) localStorage.setItem(name, String(untilMs));
    else localStorage.removeItem(name);
  } catch {
    // As above.
  }
}
