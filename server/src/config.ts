/**
 * Everything that can be set, in one schema: name, default, unit, explanation.
 *
 * Sources, the later one wins: default, environment (`NACRE_*`, `DATABASE_URL`, `PORT`), command line. An unknown
 * `NACRE_*` variable or option is refused with the nearest known name, because a misspelt setting that is silently
 * ignored is found on the worst day. docs/configuration.md is generated from here (`npm run generate`).
 */
import { isIP } from 'node:net';
import { usualRtmpPort } from '@nacre/contract/encoder';
import { Type } from 'typebox';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { nearest } from './lib/nearest.ts';
import { EXIT_WRONG_USE, StartRefusal } from './platform/start-refusal.ts';
import { PLAIN_BODY } from './platform/texter.ts';

interface SettingMeta {
  /** Environment variables, the first is documented first and wins. */
  env: string[];
  /** Command line option without the dashes. */
  option?: string;
  /** What a number counts in. */
  unit?: string;
  /** Never printed or logged. */
  secret?: boolean;
  /** What holds when nothing is set, where the default alone does not say it. */
  unset?: string;
}

const MAX_PORT = 65_535;

function setting<T extends TSchema>(schema: T, meta: SettingMeta & { description: string }): T {
  return { ...schema, ...meta };
}

const text = (pattern?: string) => Type.Union([Type.Null(), Type.String({ minLength: 1, ...(pattern && { pattern }) })],
  { default: null });

export const configSchema = Type.Object({
  port: setting(Type.Integer({ default: 3000, minimum: 0, maximum: MAX_PORT }), {
    env: ['NACRE_PORT', 'PORT'], option: 'port',
    description: 'TCP port for everything that browsers and encoders ask over HTTP. 0 takes any free one.',
  }),
  host: setting(Type.String({ default: 'localhost', minLength: 1 }), {
    env: ['NACRE_HOST'],
    description: 'Name or address to listen on. `localhost` is reachable from this machine only, or with `--lan` from '
      + 'everywhere; `0.0.0.0` from everywhere, behind a reverse proxy that speaks HTTPS (browsers give no camera to a '
      + 'page without it).',
  }),
  lan: setting(Type.Boolean({ default: false }), {
    env: ['NACRE_LAN'], option: 'lan',
    description: 'For phones in the same network: listens on all addresses and speaks https with a certificate that is '
      + 'made on the spot and kept in the data folder. Browsers warn of it once. Without the demo market.',
  }),
  certificateFile: setting(text(), {
    env: ['NACRE_CERT'], option: 'cert', unset: 'none, or with `--lan` one made on the spot',
    description: 'File with a certificate of your own and its chain, in PEM: https is spoken with it. Read at the '
      + 'start.',
  }),
  keyFile: setting(text(), {
    env: ['NACRE_KEY'], option: 'key', unset: 'none',
    description: 'File with the private key of that certificate, in PEM, without a password.',
  }),
  udpPort: setting(Type.Union([Type.Null(), Type.Integer({ minimum: 0, maximum: MAX_PORT })], { default: null }), {
    env: ['NACRE_UDP_PORT'], option: 'udp-port', unset: 'the same number as the TCP port',
    description: 'UDP port on which the pictures of all publishers arrive. 0 takes any free one.',
  }),
  rtmpPort: setting(Type.Union([
    Type.Null(), Type.Literal('off'), Type.Integer({ minimum: 0, maximum: MAX_PORT }),
  ], { default: null }), {
    env: ['NACRE_RTMP_PORT'], option: 'rtmp-port', unset: '1935, or none while another program has it',
    description: 'TCP port on which encoders publish by RTMP, on the same addresses as everything else. 0 takes any '
      + 'free one, `off` none: WHIP is the better way for who has it (`docs/operating/encoders.md`).',
  }),
  publicIp: setting(text(), {
    env: ['NACRE_PUBLIC_IP', 'NACRE_MEDIA_HOST'], option: 'public-ip', unset: 'found out from the network',
    description: 'IP addresses under which publishers reach the UDP port from outside, with commas, for a server whose '
      + 'own address is a private one (behind NAT).',
  }),
  turnUrls: setting(text(), {
    env: ['NACRE_TURN_URLS'], unset: 'none',
    description: 'TURN servers that publishers may send through where the UDP port is out of their reach, with commas: '
      + '`turn:turn.example.org:3478?transport=udp`. Needs `NACRE_TURN_SECRET`. `docs/operating/turn.md` sets one up.',
  }),
  turnSecret: setting(text(), {
    env: ['NACRE_TURN_SECRET'], secret: true, unset: 'none',
    description: 'The secret that Nacre shares with them (coturn: `static-auth-secret`); publishers get names and '
      + 'passwords made from it that hold for some hours.',
  }),
  dataFolder: setting(Type.String({ default: 'data', minLength: 1 }), {
    env: ['NACRE_DATA_FOLDER'], option: 'data',
    description: 'Folder for the database, pictures and secrets, relative to the folder of Nacre. This is what to back '
      + 'up.',
  }),
  empty: setting(Type.Boolean({ default: false }), {
    env: ['NACRE_EMPTY'], option: 'empty',
    description: 'Start without the demo market. It is only ever made in a new data folder with the built-in database.',
  }),
  databaseUrl: setting(text('^postgres(ql)?://'), {
    env: ['DATABASE_URL'], secret: true, unset: 'the built-in PostgreSQL in the data folder',
    description: 'Your own PostgreSQL, 15 or newer, as the role that owns the database: '
      + '`postgres://user:password@host:5432/database`. One Nacre works in a database at a time.',
  }),
  databaseServerUrl: setting(text('^postgres(ql)?://'), {
    env: ['NACRE_DATABASE_SERVER_URL'], secret: true, unset: 'a role `<database>_server`, made by the owner',
    description: 'The same database as a login role that owns nothing: the server works as this one. Needed when the '
      + 'role of `DATABASE_URL` may not make roles.',
  }),
  databasePoolSize: setting(Type.Integer({ default: 16, minimum: 2, maximum: 500 }), {
    env: ['NACRE_DATABASE_POOL_SIZE'], unit: 'connections',
    description: 'Connections to the database. More make hot rows slower, not faster.',
  }),
  publicUrl: setting(text('^https?://[^/]+$'), {
    env: ['NACRE_PUBLIC_URL'], option: 'public-url', unset: 'the address of this machine, with the port',
    description: 'How browsers reach this server: `https://live.example.org`, without a path.',
  }),
  trustedProxies: setting(text(), {
    env: ['NACRE_TRUSTED_PROXIES'], unset: 'none',
    description: 'Addresses or networks of reverse proxies whose X-Forwarded-* headers are believed, with commas.',
  }),
  smtpUrl: setting(text('^smtps?://[^\\s]+$'), {
    env: ['NACRE_SMTP_URL'], secret: true, unset: 'mails are written to the log',
    description: 'The server that mails are handed to: `smtps://user:password@mail.example.org` (TLS from the first '
      + 'byte), or `smtp://…:587` (TLS as soon as the server offers it; `?requireTLS=true` insists). Needs '
      + '`NACRE_MAIL_FROM` and, because links in mails lead there, `NACRE_PUBLIC_URL`.',
  }),
  mailFrom: setting(text('^[^\\r\\n@]+@[^\\r\\n@]+$'), {
    env: ['NACRE_MAIL_FROM'], unset: 'no mail is sent',
    description: 'Who mails come from: `Silk Road <hello@example.org>`, or the address alone.',
  }),
  smsUrl: setting(text('^https://[^\\s]+$|^http://(localhost|127\\.0\\.0\\.1|\\[::1\\])[:/][^\\s]*$'), {
    env: ['NACRE_SMS_URL'], secret: true, unset: 'text messages are written to the log',
    description: 'Where the gateway for text messages (SMS) takes them, by a POST: `https://sms.example.org/send`. '
      + 'A `user:password@` in it is sent as HTTP Basic. How gateways are attached: `docs/operating/sms.md`.',
  }),
  smsBody: setting(Type.String({ default: PLAIN_BODY, pattern: '\\{to\\}.*\\{text\\}|\\{text\\}.*\\{to\\}' }), {
    env: ['NACRE_SMS_BODY'],
    description: 'What is sent there, with `{to}` and `{text}` in it: JSON when it begins with a brace, else a form, '
      + 'such as `From=Nacre&To={to}&Body={text}`.',
  }),
  smsAuthorization: setting(text('^[^\\r\\n]+$'), {
    env: ['NACRE_SMS_AUTHORIZATION'], secret: true, unset: 'none, or what stands in `NACRE_SMS_URL`',
    description: 'The `Authorization` header for the gateway: `Bearer …`.',
  }),
  smsPerDay: setting(Type.Integer({ default: 500, minimum: 1, maximum: 1_000_000 }), {
    env: ['NACRE_SMS_PER_DAY'], unit: 'messages',
    description: 'Text messages in 24 hours, in all. Each costs money and strangers can ask for them; when as many '
      + 'were sent, signing in by telephone waits and everything else goes on.',
  }),
  deliveredAfterDays: setting(Type.Integer({ default: 10, minimum: 1, maximum: 365 }), {
    env: ['NACRE_DELIVERED_AFTER_DAYS'], unit: 'days',
    description: 'A shipped order counts as delivered after so long, when its buyer has not said so before.',
  }),
  keepRecordingsDays: setting(Type.Integer({ default: 1_096, minimum: 1, maximum: 36_500 }), {
    env: ['NACRE_KEEP_RECORDINGS_DAYS'], unit: 'days',
    description: 'How long recordings of shows are kept, from the end of the show. Three years is what Chinese law '
      + 'asks of live sales; a shop can take a replay away sooner.',
  }),
  keepFreeMb: setting(Type.Integer({ default: 1_024, minimum: 0, maximum: 1_000_000 }), {
    env: ['NACRE_KEEP_FREE_MB'], unit: 'MB',
    description: 'Room on the disk of the data folder that recordings leave free, for orders and everything else. With '
      + 'less, shows go on and nothing of them is recorded until there is room again.',
  }),
  s3Url: setting(text('^https?://[^/]+$'), {
    env: ['NACRE_S3_URL'], unset: 'pictures and recordings are in the data folder',
    description: 'An object store that speaks S3’s protocol (MinIO, Garage, Ceph, AWS, R2), without the bucket: '
      + '`https://s3.example.org`. Pictures and recordings of shows are then kept there. Needs the three below; '
      + '`docs/operating/storage.md` tells of rights, moving and backing up.',
  }),
  s3Bucket: setting(text('^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$'), {
    env: ['NACRE_S3_BUCKET'], unset: 'none',
    description: 'The bucket there. It belongs to this Nacre alone and nobody else may read it.',
  }),
  s3Key: setting(text('^[^\\s/,]+$'), {
    env: ['NACRE_S3_KEY'], secret: true, unset: 'none',
    description: 'The access key id that opens the bucket.',
  }),
  s3Secret: setting(text('^\\S+$'), {
    env: ['NACRE_S3_SECRET'], secret: true, unset: 'none', description: 'The secret that belongs to this key.',
  }),
  s3Region: setting(Type.String({ default: 'us-east-1', pattern: '^[a-z0-9-]+$' }), {
    env: ['NACRE_S3_REGION'],
    description: 'The region that requests are signed for. At AWS the bucket’s; R2 takes `auto`, Garage `garage` '
      + 'unless it is set otherwise there; others do not care.',
  }),
  completedAfterDays: setting(Type.Integer({ default: 7, minimum: 1, maximum: 365 }), {
    env: ['NACRE_COMPLETED_AFTER_DAYS'], unit: 'days',
    description: 'A delivered order is completed after so long.',
  }),
  logLevel: setting(
    Type.Union(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'].map((level) => Type.Literal(level)),
      { default: 'info' }),
    { env: ['NACRE_LOG_LEVEL'], description: 'How much is logged.' },
  ),
  metricsToken: setting(text(), {
    env: ['NACRE_METRICS_TOKEN'], secret: true, unset: 'only this machine may read `/metrics`',
    description: 'Bearer token with which `/metrics` may be read from elsewhere.',
  }),
  stopTimeoutMs: setting(Type.Integer({ default: 10_000, minimum: 100, maximum: 600_000 }), {
    env: ['NACRE_STOP_TIMEOUT_MS'], unit: 'ms',
    description: 'How long a stop waits for requests under way. Shorter cuts answers off; longer delays a restart.',
  }),
});

export type Config = Static<typeof configSchema>;
type Name = keyof Config & string;

/** Variables that only tests and development tools read; the server lets them be. */
const NOT_OURS = /^NACRE_(TEST_.*|CLIPS|BENCH_.*|DEV_.*)$/;

interface Setting extends SettingMeta {
  name: Name;
  description: string;
  default: unknown;
  schema: TSchema;
}

function settings(): Setting[] {
  return Object.entries(configSchema.properties).map(([name, schema]) => {
    const meta = schema as unknown as SettingMeta & { description: string; default: unknown };
    return { ...meta, name: name as Name, schema };
  });
}

/** The whole configuration; throws a StartRefusal (exit code 2) that names the setting and what it takes. */
export function readConfig(sources: { args: string[]; env: NodeJS.ProcessEnv }): Config {
  const values: Record<string, unknown> = {};
  for (const { name, default: fallback } of settings()) values[name] = fallback;
  readEnvironment(sources.env, values);
  readOptions(sources.args, values);
  const config = values as Config;
  if (config.databaseServerUrl !== null && config.databaseUrl === null) {
    throw wrongUse('NACRE_DATABASE_SERVER_URL is set without DATABASE_URL. Set both, or neither.');
  }
  if ((config.certificateFile === null) !== (config.keyFile === null)) {
    throw wrongUse('A certificate needs its key, and a key its certificate. Name both: --cert FILE --key FILE');
  }
  const noAddress = addressesOf(config.publicIp).find((address) => isIP(address) === 0);
  if (noAddress !== undefined) {
    throw wrongUse(`--public-ip "${noAddress}" is not usable: it takes IP addresses, such as 203.0.113.7, with commas. `
      + 'A name goes into --public-url.');
  }
  checkTurn(config);
  const s3 = [config.s3Url, config.s3Bucket, config.s3Key, config.s3Secret];
  if (s3.includes(null) && s3.some((one) => one !== null)) {
    throw wrongUse('An object store needs NACRE_S3_URL, NACRE_S3_BUCKET, NACRE_S3_KEY and NACRE_S3_SECRET. '
      + 'Set all four, or none.');
  }
  if (config.smtpUrl !== null && (config.mailFrom === null || config.publicUrl === null)) {
    throw wrongUse('NACRE_SMTP_URL is set without NACRE_MAIL_FROM and NACRE_PUBLIC_URL. A mail needs a sender, and its '
      + 'link an address that leads here. Set all three, or none.');
  }
  return config;
}

/** RFC 7065, without user information: names and passwords are made for each publisher. */
const TURN_URL = /^turns?:([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(\?transport=(udp|tcp))?$/i;

function checkTurn(config: Config): void {
  if ((config.turnUrls === null) !== (config.turnSecret === null)) {
    throw wrongUse('NACRE_TURN_URLS needs NACRE_TURN_SECRET, and the secret the URLs. Set both, or neither.');
  }
  const wrong = addressesOf(config.turnUrls).find((url) => !TURN_URL.test(url));
  if (wrong !== undefined) {
    throw wrongUse(`NACRE_TURN_URLS: "${wrong}" is not usable. It takes turn:HOST:PORT or turns:HOST:PORT, if wanted `
      + 'with ?transport=udp or ?transport=tcp, several with commas.');
  }
}

/** The port to try; null for none. A server on any free port is a trial of somebody's, and so is its RTMP port. */
export function rtmpPortOf({ rtmpPort, port }: Pick<Config, 'rtmpPort' | 'port'>): number | null {
  return rtmpPort === 'off' ? null : rtmpPort ?? (port === 0 ? 0 : usualRtmpPort);
}

export function turnOf({ turnUrls, turnSecret }: Config): { urls: string[]; secret: string } | null {
  return turnUrls === null || turnSecret === null ? null : { urls: addressesOf(turnUrls), secret: turnSecret };
}

/** The addresses in a list with commas. */
export function addressesOf(list: string | null): string[] {
  return list === null ? [] : list.split(',').map((address) => address.trim());
}

function readEnvironment(env: NodeJS.ProcessEnv, values: Record<string, unknown>): void {
  const known = new Map(settings().flatMap((entry) => entry.env.map((variable) => [variable, entry] as const)));
  for (const variable of Object.keys(env)) {
    if (!variable.startsWith('NACRE_') || NOT_OURS.test(variable) || known.has(variable)) continue;
    const meant = nearest(variable, [...known.keys()]);
    throw wrongUse(`There is no setting ${variable}.${meant ? ` Did you mean ${meant}?` : ''} `
      + 'All settings are in docs/configuration.md.');
  }
  for (const entry of settings()) {
    for (const variable of entry.env.toReversed()) {
      const given = env[variable];
      // An empty variable is how many tools write "not set".
      if (given !== undefined && given !== '') values[entry.name] = convert(entry, given, variable);
    }
  }
}

function readOptions(args: string[], values: Record<string, unknown>): void {
  const options = new Map(settings().flatMap((entry) => entry.option ? [[entry.option, entry] as const] : []));
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    const [, option = '', , inline] = /^--([^=]+)(=(.*))?$/s.exec(arg) ?? [];
    const entry = options.get(option);
    if (!entry) {
      const meant = nearest(arg, [...options.keys()].map((name) => `--${name}`));
      throw wrongUse(`There is no option ${arg}.${meant ? ` Did you mean ${meant}?` : ''} See npm start -- --help`);
    }
    if (typeof entry.default === 'boolean') {
      values[entry.name] = inline === undefined ? true : convert(entry, inline, `--${option}`);
      continue;
    }
    const given = inline ?? queue.shift();
    if (given === undefined || given === '') throw wrongUse(`--${option} needs a value. ${entry.description}`);
    values[entry.name] = convert(entry, given, `--${option}`);
  }
}

function convert(entry: Setting, given: string, source: string): unknown {
  const candidates: unknown[] = [given];
  if (/^-?\d+$/.test(given)) candidates.unshift(Number(given));
  if (/^(true|1|yes)$/i.test(given)) candidates.unshift(true);
  if (/^(false|0|no)$/i.test(given)) candidates.unshift(false);
  const value = candidates.find((candidate) => Value.Check(entry.schema, candidate));
  if (value !== undefined) return value;
  const shown = entry.secret ? '' : ` "${given}"`;
  throw wrongUse(`${source}${shown} is not usable: it takes ${takes(entry.schema)}. ${entry.description}`);
}

function wrongUse(message: string): StartRefusal {
  return new StartRefusal(message, { exitCode: EXIT_WRONG_USE });
}

/** What a value may be, in words. */
function takes(schema: TSchema): string {
  const kinds = schema as { type?: string; anyOf?: TSchema[]; const?: unknown; minimum?: number; maximum?: number;
    pattern?: string };
  if (kinds.anyOf) return kinds.anyOf.map(takes).filter((words) => words !== '').join(', ');
  if (kinds.const !== undefined) return `\`${String(kinds.const)}\``;
  if (kinds.type === 'integer') return `a whole number from ${kinds.minimum} to ${kinds.maximum}`;
  if (kinds.type === 'boolean') return '`true` or `false`';
  if (kinds.pattern?.startsWith('^postgres')) return 'an address that begins with `postgres://`';
  if (kinds.pattern?.startsWith('^https://')) return 'an address that begins with `https://` (`http://` on this machine)';
  if (kinds.pattern?.includes('text')) return 'text with `{to}` and `{text}` in it';
  if (kinds.pattern?.startsWith('^https?')) return 'an address that begins with `https://` or `http://`, without a path';
  if (kinds.pattern?.startsWith('^smtp')) return 'an address that begins with `smtps://` or `smtp://`';
  if (kinds.pattern?.includes('@')) return 'an e-mail address, with a name before it or without';
  return kinds.type === 'string' ? 'text' : '';
}

/** docs/configuration.md. */
export function configurationDocument(): string {
  const sections = settings().map((entry) => {
    const names = [...entry.env.map((name) => `\`${name}\``), ...(entry.option ? [`\`--${entry.option}\``] : [])];
    const fallback = entry.default === null ? `unset: ${entry.unset}` : `\`${String(entry.default)}\``;
    const unit = entry.unit ? ` (${entry.unit})` : '';
    const secret = entry.secret ? '\n- A secret: never logged.' : '';
    return `## ${names.join(', ')}\n\n${entry.description}\n\n- Takes: ${takes(entry.schema)}${unit}\n`
      + `- Default: ${fallback}${secret}\n`;
  });
  return '# Configuration\n\nGenerated from `server/src/config.ts` by `npm run generate`; do not edit.\n\n'
    + 'Settings come from the environment or the command line (`npm start -- --port 8080`); the command line wins. '
    + 'An unknown `NACRE_*` variable or option is refused. `npm run nacre -- check-config` says what holds.\n\n'
    + sections.join('\n');
}

/** Every setting with its value, secrets hidden: for people who ask what holds. */
export function describeConfig(config: Config): string[] {
  return settings().map((entry) => {
    const value = config[entry.name];
    const shown = value === null ? `(${entry.unset})` : entry.secret ? '(set, secret)' : String(value);
    return `${entry.env[0]} = ${shown}`;
  });
}
