import assert from 'node:assert/strict';
import test from 'node:test';
import { START_OPTIONS } from '../../tools/options.mjs';
import { addressesOf, configSchema, configurationDocument, describeConfig, readConfig, turnOf } from './config.ts';
import { StartRefusal } from './platform/start-refusal.ts';

const read = (args: string[], env: Record<string, string> = {}) => readConfig({ args, env });

test('without any setting the defaults hold', () => {
  const config = read([]);
  assert.equal(config.port, 3000);
  assert.equal(config.host, 'localhost');
  assert.equal(config.udpPort, null);
  assert.equal(config.empty, false);
  assert.equal(config.databaseUrl, null);
});

test('the command line wins over the environment, NACRE_PORT over PORT', () => {
  assert.equal(read([], { PORT: '80' }).port, 80);
  assert.equal(read([], { PORT: '80', NACRE_PORT: '81' }).port, 81);
  assert.equal(read(['--port', '82'], { PORT: '80', NACRE_PORT: '81' }).port, 82);
  assert.equal(read(['--port=83']).port, 83);
});

test('TURN servers come with their secret, and as URLs of RFC 7065', () => {
  const urls = 'turn:turn.example.org:3478, turns:[2001:db8::7]?transport=tcp';
  assert.deepEqual(turnOf(read([], { NACRE_TURN_URLS: urls, NACRE_TURN_SECRET: 's' })), {
    urls: ['turn:turn.example.org:3478', 'turns:[2001:db8::7]?transport=tcp'], secret: 's',
  });
  assert.equal(turnOf(read([])), null);
  assert.throws(() => read([], { NACRE_TURN_SECRET: 's' }), StartRefusal);
  for (const wrong of ['turn.example.org', 'stun:turn.example.org', 'turn:user@turn.example.org', 'turn:a>; rel="x']) {
    assert.throws(() => read([], { NACRE_TURN_URLS: wrong, NACRE_TURN_SECRET: 's' }), StartRefusal, wrong);
  }
});

test('an empty variable counts as not set', () => {
  assert.equal(read([], { NACRE_PORT: '', DATABASE_URL: '' }).databaseUrl, null);
});

test('public addresses come with commas, and by the name that the setting had before', () => {
  const two = ['203.0.113.7', '2001:db8::7'];
  assert.deepEqual(addressesOf(read(['--public-ip', two.join(', ')]).publicIp), two);
  assert.deepEqual(addressesOf(read([], { NACRE_MEDIA_HOST: '203.0.113.7' }).publicIp), ['203.0.113.7']);
  assert.deepEqual(addressesOf(read([]).publicIp), []);
});

test('a switch needs no value and takes one', () => {
  assert.equal(read(['--empty']).empty, true);
  assert.equal(read(['--empty=false'], { NACRE_EMPTY: '1' }).empty, false);
});

test('what looks like a number stays text where text is meant', () => {
  assert.equal(read(['--data', '2026']).dataFolder, '2026');
});

const refused: [string, string[], Record<string, string>, RegExp][] = [
  ['an unknown option', ['--prot', '1'], {}, /There is no option --prot\. Did you mean --port\?/],
  ['an unknown word', ['serve'], {}, /There is no option serve\./],
  ['an unknown variable', [], { NACRE_PROT: '1' }, /There is no setting NACRE_PROT\. Did you mean NACRE_PORT\?/],
  ['a value out of range', ['--port', '70000'], {}, /a whole number from 0 to 65535/],
  ['a missing value', ['--port'], {}, /--port needs a value/],
  ['half a pair', [], { NACRE_DATABASE_SERVER_URL: 'postgres://a@b/c' }, /without DATABASE_URL/],
  ['a certificate without its key', ['--cert', 'c.pem'], {}, /Name both: --cert FILE --key FILE/],
  ['a name for an address', ['--public-ip', '203.0.113.7, me.example'], {}, /"me\.example" is not usable/],
  ['mail without a sender', [], { NACRE_SMTP_URL: 'smtp://a:hush@b', NACRE_PUBLIC_URL: 'https://b' }, /NACRE_MAIL_FROM/],
  ['mail from nobody', [], { NACRE_MAIL_FROM: 'Silk Road' }, /an e-mail address, with a name before it or without/],
  ['mail by http', [], { NACRE_SMTP_URL: 'https://b' }, /begins with `smtps:\/\/` or `smtp:\/\/`/],
  ['half an object store', [], { NACRE_S3_URL: 'https://s3.b', NACRE_S3_SECRET: 'hush' }, /Set all four, or none/],
  ['a bucket in the address', [], { NACRE_S3_URL: 'https://s3.b/pearls' }, /without a path/],
  ['a level that is none', [], { NACRE_LOG_LEVEL: 'loud' }, /`debug`/],
];
for (const [what, args, env, sentence] of refused) {
  test(`${what} is refused in words, with exit code 2`, () => {
    assert.throws(() => read(args, env), (error) => {
      assert.ok(error instanceof StartRefusal);
      assert.match(error.message, sentence);
      assert.equal(error.exitCode, 2);
      return true;
    });
  });
}

test('a secret is neither in a refusal nor in the description', () => {
  assert.throws(() => read([], { DATABASE_URL: 'mysql://a:hush@b/c' }), (error) => {
    assert.doesNotMatch(String(error), /hush/);
    return true;
  });
  const config = read([], { DATABASE_URL: 'postgres://a:hush@b/c', NACRE_METRICS_TOKEN: 'hush',
    NACRE_S3_URL: 'https://s3.b', NACRE_S3_BUCKET: 'pearls', NACRE_S3_KEY: 'hush', NACRE_S3_SECRET: 'hush',
  });
  assert.doesNotMatch(describeConfig(config).join('\n'), /hush/);
});

test('variables of tests and other programs are left alone', () => {
  read([], { NACRE_CLIPS: '/clips', NACRE_TEST_POSTGRES: '15', HOME: '/home' });
});

test('every setting is explained in the document', () => {
  const text = configurationDocument();
  for (const schema of Object.values(configSchema.properties)) {
    const { env, description } = schema as unknown as { env: string[]; description: string };
    assert.ok(env.every((name) => text.includes(`\`${name}\``)));
    assert.ok(description.length > 10 && text.includes(description));
  }
  assert.doesNotMatch(text, /undefined/);
});

test('the options known before installing are those of the schema', () => {
  const ours = Object.values(configSchema.properties)
    .map((schema) => (schema as unknown as { option?: string }).option)
    .filter((name) => name !== undefined).map((name) => `--${name}`);
  const early = START_OPTIONS.map((option) => option.name).filter((name) => name !== '--help');
  assert.deepEqual(early.sort(), ours.sort());
});
