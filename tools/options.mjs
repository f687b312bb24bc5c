/**
 * The options of `npm start`, known before anything is installed: a misspelt one is refused in a moment, not after a
 * minute of installing. Plain JavaScript for any Node; server/src/config.ts holds the same and checks the values
 * (a test of it keeps the two in step).
 */

export const START_OPTIONS = [
  { name: '--port', value: 'PORT', text: 'TCP port for browsers and encoders; 0 takes any free one (default 3000)' },
  { name: '--udp-port', value: 'PORT', text: 'UDP port for publishers; 0 takes any free one (default: as --port)' },
  { name: '--rtmp-port', value: 'PORT', text: 'TCP port for encoders by RTMP; off for none (default 1935)' },
  { name: '--data', value: 'DIR', text: 'folder for database, pictures and secrets (default data)' },
  { name: '--empty', value: null, text: 'start without the demo market' },
  { name: '--lan', value: null, text: 'for phones in the same network: all addresses, https, certificate made here' },
  { name: '--cert', value: 'FILE', text: 'speak https with a certificate of your own (PEM)' },
  { name: '--key', value: 'FILE', text: 'its private key (PEM)' },
  { name: '--public-url', value: 'URL', text: 'how browsers reach it from outside: https://live.example.org' },
  { name: '--public-ip', value: 'ADDRESS', text: 'how pictures reach its UDP port from outside, behind NAT' },
  { name: '--help', value: null, text: 'this text' },
];

export function startHelp() {
  const lines = START_OPTIONS.map(({ name, value, text }) => `  ${`${name} ${value ?? ''}`.padEnd(20)} ${text}`);
  return `Nacre: live shopping that you host yourself.

npm start -- [options]

${lines.join('\n')}

DATABASE_URL=postgres://… uses a PostgreSQL of your own, 15 or newer.
All settings: docs/configuration.md`;
}

/** The sentence about the first option that does not exist, or null. */
export function wrongOption(args) {
  for (let index = 0; index < args.length; index += 1) {
    const [name] = args[index].split('=');
    const option = START_OPTIONS.find((known) => known.name === name);
    if (!option) {
      const meant = nearest(name, START_OPTIONS.map((known) => known.name));
      return `There is no option ${args[index]}.${meant ? ` Did you mean ${meant}?` : ''} See npm start -- --help`;
    }
    if (option.value && !args[index].includes('=')) index += 1;
  }
  return null;
}

/** The candidate with the fewest changed letters, when it is near enough to be meant. */
export function nearest(word, candidates) {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.ceil(word.length / 3)) ? best.candidate : null;
}

function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      next.push(Math.min(row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1), row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
