import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isListed, isStillNews } from './freshness.ts';
import { pushContact, vapidKeys } from './pusher.ts';
import { pushOf } from './words.ts';

const at = new Date('2026-11-11T12:00:00Z');
const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000);
const startsAt = later(180);

it('[N4] that a show has begun is news for 15 minutes, while it runs', () => {
  const told = { at, startsAt: at };
  const show = (state: 'live' | 'interrupted' | 'ended') => ({ state, startsAt: at.toISOString() });
  assert.ok(isStillNews('live', show('live'), told, later(15)));
  assert.ok(isStillNews('live', show('interrupted'), told, later(1)));
  assert.ok(!isStillNews('live', show('live'), told, later(15.1)));
  assert.ok(!isStillNews('live', show('ended'), told, later(1)));
  assert.ok(!isStillNews('live', undefined, told, later(1)));
});

it('[N4] of several changes of a plan the last one is told, and only beforehand', () => {
  const told = { at, startsAt };
  const show = { state: 'planned', startsAt: startsAt.toISOString() } as const;
  assert.ok(isStillNews('moved', show, told, later(1)));
  assert.ok(!isStillNews('moved', { ...show, startsAt: later(60).toISOString() }, told, later(1)));
  assert.ok(!isStillNews('moved', { ...show, state: 'cancelled' }, told, later(1)));
  assert.ok(!isStillNews('moved', show, told, later(180)));
  assert.ok(isStillNews('cancelled', { ...show, state: 'cancelled' }, told, later(1)));
  assert.ok(!isStillNews('cancelled', { ...show, state: 'cancelled' }, told, later(181)));
});

it('[N5] the list leaves out what no longer is so', () => {
  assert.ok(isListed('live', 'ended') && !isListed('moved', 'cancelled') && !isListed('moved', 'live'));
  assert.ok(isListed('cancelled', 'cancelled'));
});

it('[N9] a push speaks the language of the person and the clock on their wall', () => {
  const news = {
    kind: 'moved', at, shopName: '兰州 Dresses', about: 'Summer', startsAt, id: 'x', path: '/shows/x',
  } as const;
  const english = pushOf(news, { locale: 'en', timeZone: 'America/New_York' });
  assert.match(english.body, /Summer.*Wed.*10:00/);
  assert.match(pushOf(news, { locale: 'zh', timeZone: 'Asia/Shanghai' }).body, /23:00/);
  const arabic = pushOf(news, { locale: 'ar', timeZone: 'Asia/Riyadh' });
  assert.equal(arabic.dir, 'rtl');
  assert.match(arabic.title, /\u2068兰州 Dresses\u2069/);
  assert.equal(english.url, '/shows/x');
  const shipped = { ...news, kind: 'order_shipped', path: '/orders/x', startsAt: null } as const;
  const order = pushOf(shipped, { locale: 'en', timeZone: 'UTC' });
  assert.deepEqual([order.url, order.tag], ['/orders/x', 'order/x']);
});

it('[N9] the longest names fit into a push', () => {
  const [shopName, about, id] = ['店'.repeat(60), '裙'.repeat(120), 'x'.repeat(36)] as const;
  const news = { kind: 'live', at, shopName, about, startsAt, id, path: `/shows/${id}` } as const;
  const bytes = Buffer.byteLength(JSON.stringify(pushOf(news, { locale: 'ar', timeZone: 'UTC' })));
  assert.ok(bytes < 3_000, String(bytes));
});

it('[N15] the same secret gives the same keys, another one others', () => {
  const secret = Buffer.alloc(32, 7).toString('base64url');
  assert.deepEqual(vapidKeys(secret), vapidKeys(secret));
  assert.equal(Buffer.from(vapidKeys(secret).publicKey, 'base64url').length, 65);
  assert.notEqual(vapidKeys(Buffer.alloc(32, 8).toString('base64url')).publicKey, vapidKeys(secret).publicKey);
  // Above the order of the curve: no key by itself.
  assert.equal(vapidKeys(Buffer.alloc(32, 255).toString('base64url')).publicKey.length, 87);
});

it('[N15] the contact is the site, else whoever sends its mails', () => {
  assert.equal(pushContact({ publicUrl: 'https://live.example.org', mailFrom: null }), 'https://live.example.org');
  assert.equal(pushContact({ publicUrl: null, mailFrom: 'Silk <hi@example.org>' }), 'mailto:hi@example.org');
  assert.match(pushContact({ publicUrl: 'http://127.0.0.1', mailFrom: null }), /^mailto:.+@.+/);
});
