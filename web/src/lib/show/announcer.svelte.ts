/**
 * One polite voice for a page: sentences that come quickly are joined, so that a screen reader is not cut off. The
 * chat never speaks here.
 */
// Shorter cuts sentences apart; longer tells the price when it has changed again.
const joinMs = 600;

export function createAnnouncer() {
  let spoken = $state('');
  let waiting: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  return {
    get spoken() {
      return spoken;
    },
    say(sentence: string): void {
      waiting.push(sentence);
      timer ??= setTimeout(() => {
        spoken = waiting.join(' ');
        waiting = [];
        timer = undefined;
      }, joinMs);
    },
    stop(): void {
      clearTimeout(timer);
    },
  };
}
