/**
 * Every documented route, asked by everybody: who gets in is written down here, and a route that is not is a failure.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Product } from '@nacre/contract/catalog';
import type { CartAsk } from '@nacre/contract/carts';
import type { CounterSale, Order } from '@nacre/contract/orders';
import type { Show } from '@nacre/contract/shows';
import { ACCOUNT_ROWS, actorOf, row, type Row, type Stage } from '../../../tests/support/account-rows.ts';
import { dress, unique, type Asked, type SignedInPerson } from '../../../tests/support/api.ts';
import { CLIP_ROWS } from '../../../tests/support/clip-rows.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { ADDRESS, asking } from '../../../tests/support/market.ts';
import { OFFER_ROWS } from '../../../tests/support/offer-rows.ts';
import { mountRecordings } from '../../../tests/support/recordings-api.ts';
import { mountOrders } from '../../../tests/support/orders-api.ts';
import { createShowApi } from '../../../tests/support/show-api.ts';
import {
  all, buyerOr, everybody, goodsPeople, hidden, hiddenFromPeople, hiddenLeaders, hiddenModerators, hiddenRunners,
  leaders, members, moderators, NOT_ALLOWED, operators, orderLeaders, orderPackers, packers, PEOPLE, people, runners,
  SIGN_IN_FIRST, TEAM, team, type Role,
} from '../../../tests/support/who-gets-in.ts';
import { mountNotifications } from '../../../tests/support/notifications-api.ts';

const paymentIdOf = (order: Order) => order.paymentUrl?.split('/').at(-1) ?? '';
const show = (suffix: string, asked: (stage: Stage) => Asked = () => ({})): Row['request'] =>
  (stage) => ({ path: `/api/shows/${stage.show.id}${suffix}`, ...asked(stage) });
const officeShow = (suffix: string, asked: (stage: Stage) => Asked = () => ({})): Row['request'] =>
  (stage) => ({ path: `/api/office/shows/${stage.show.id}${suffix}`, ...asked(stage) });
// Whoever may: there is no replay yet.
const past = { owner: 'recordings.not_healable', manager: 'recordings.not_healable', host: 'recordings.not_healable' };
const [menders, hiddenMenders] = [{ ...runners, ...past }, { ...hiddenRunners, ...past }];
const watching = (asked: Asked = {}): Row['request'] => (
  ({ show: { id } }) => ({ path: `/api/me/watching/${id}`, ...asked })
);
const ofShop = (suffix: string, asked: (stage: Stage) => Asked = () => ({})): Row['request'] =>
  (stage) => ({ path: `/api/office/shops/${stage.shop.id}${suffix}`, ...asked(stage) });

/** Open ones are bounded, so each is taken back once it was tried. */
async function newInvitation({ api, persons, shop }: Stage, role: Role = 'packer'): Promise<string> {
  for (const { id } of await api.team.invitations(persons.owner.id, shop.id)) {
    await api.team.revoke(persons.owner.id, shop.id, id);
  }
  return (await api.team.invite(persons.owner.id, shop.id, { role })).token;
}

/** For the length of one request: a new one takes the place of the one before. */
async function newMute({ api, persons, show }: Stage, person: SignedInPerson): Promise<string> {
  const { id } = await api.moderation.take(actorOf(persons.owner), show.id, {
    kind: 'mute', personId: person.id, reason: 'spam', words: '', minutes: 1,
  });
  return id;
}

function newGoods({ api, persons, shop }: Stage): Promise<Product> {
  return api.newProduct(persons.owner.cookie, shop.id, { title: unique('dress') });
}

async function newSoldOut(stage: Stage): Promise<string> {
  const { id } = (await newGoods(stage)).variants[0]!;
  await stage.api.catalog.changeStock(stage.persons.owner.id, id, { setTo: 0 });
  return id;
}

/** Somebody who was invited and has come. */
async function newMember(stage: Stage, role: Role): Promise<SignedInPerson> {
  const person = await stage.api.newPerson(role);
  await stage.api.team.accept(person.id, await newInvitation(stage, role));
  return person;
}

function newSale(product: Product): CounterSale {
  const { idempotencyKey, lines } = asking(product);
  return { idempotencyKey, lines, method: 'cash' };
}

const newCartLine = ({ variants }: Product): CartAsk => (
  { variantId: variants[0]!.id, quantity: 1, seenPriceMinor: 1, showId: null }
);

/** Paid, with its code. */
async function newPickup({ api, orders, payments, persons: { buyer }, product }: Stage): Promise<Order> {
  const { idempotencyKey, lines, showId } = asking(product);
  const pickup = { name: 'Buyer', phone: '' };
  const { id, paymentUrl } = await orders.place(
    { personId: buyer.id, name: buyer.name }, { idempotencyKey, lines, showId, pickup },
  );
  await payments.decide(buyer.id, paymentUrl?.split('/').at(-1) ?? '', 'succeed');
  await api.platform.outbox.drain();
  return orders.get(buyer.id, id);
}

async function newPaid({ api, orders, payments, persons: { buyer }, newOrder }: Stage): Promise<Order> {
  const order = await newOrder();
  await payments.decide(buyer.id, paymentIdOf(order), 'succeed');
  await api.platform.outbox.drain();
  return orders.get(buyer.id, order.id);
}

const ROWS: Record<string, Row> = {
  ...ACCOUNT_ROWS,
  ...CLIP_ROWS,
  ...OFFER_ROWS,
  uploadImage: row({ ...all('images.not_an_image'), guest: SIGN_IN_FIRST }, async () => {
    const form = new FormData();
    form.set('file', new Blob(['no picture']), 'a.txt');
    const upload = new Response(form);
    const headers = { 'content-type': upload.headers.get('content-type') ?? '' };
    return { path: '/api/images', body: Buffer.from(await upload.arrayBuffer()), headers };
  }),

  createShop: row(people, () => ({
    path: '/api/shops',
    body: {
      name: 'Shop', slug: unique('a-shop'), story: '', imageId: null, region: 'Gansu', category: 'other',
      currency: 'CNY',
    },
  })),
  listShops: row(everybody, () => ({ path: '/api/shops' })),
  getShop: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}` })),
  getOfficeShop: row(members, ofShop('')),
  patchShop: row(leaders, ofShop('', () => ({ method: 'PATCH', body: { region: 'Yunnan' } }))),
  followShop: row(people, ({ shop, show: { id } }) => ({
    path: `/api/shops/${shop.slug}/follow`, method: 'PUT', body: { showId: id },
  }), { hidden: hiddenFromPeople }),
  unfollowShop: row(people, ({ shop }) => ({ path: `/api/shops/${shop.slug}/follow`, method: 'DELETE' })),

  getTeam: row(members, ofShop('/team')),
  changeRole: row(leaders, async (stage) => ({
    path: `/api/office/shops/${stage.shop.id}/team/${(await newMember(stage, 'packer')).id}`,
    method: 'PATCH', body: { role: 'host' },
  })),
  removeMember: row(leaders, async (stage) => ({
    path: `/api/office/shops/${stage.shop.id}/team/${(await newMember(stage, 'packer')).id}`, method: 'DELETE',
  })),
  listInvitations: row(leaders, ofShop('/invitations')),
  invite: row(leaders, ofShop('/invitations', () => ({ body: { role: 'manager' } }))),
  revokeInvitation: row(leaders, async ({ api, persons, shop }) => {
    const { id } = await api.team.invite(persons.owner.id, shop.id, { role: 'packer' });
    return { path: `/api/office/shops/${shop.id}/invitations/${id}`, method: 'DELETE' };
  }),
  getInvitation: row(everybody, async (stage) => ({ path: `/api/invitations/${await newInvitation(stage)}` })),
  acceptInvitation: row({ ...people, ...team('shops.already_member') }, async (stage, who) => ({
    path: `/api/invitations/${await newInvitation(stage)}/accept`, method: 'POST',
    // A person who has just joined would be no stranger to the rows that follow.
    ...(['stranger', 'buyer', 'operator'].includes(who) ? { cookie: (await stage.api.newPerson()).cookie } : {}),
  })),

  listShopProducts: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}/products` })),
  getProduct: row(all('catalog.not_found'), ({ draft }) => ({ path: `/api/products/${draft.id}` })),
  listOfficeProducts: row(goodsPeople, ofShop('/products')),
  createProduct: row(leaders, ofShop('/products', () => ({ body: dress({ title: unique('dress') }) }))),
  listMyWaits: row(people, () => ({ path: '/api/waits' })),
  joinLine: row(people, async (stage) => ({
    path: '/api/waits', body: { variantId: await newSoldOut(stage), quantity: 1 },
  })),
  leaveLine: row(buyerOr('waits.not_found'), async (stage) => {
    const { api: { catalog }, persons: { buyer } } = stage;
    const { id } = await catalog.joinLine(buyer.id, { variantId: await newSoldOut(stage), quantity: 1 });
    return { path: `/api/waits/${id}`, method: 'DELETE' };
  }),
  listLines: row(goodsPeople, ofShop('/waiting')),
  getOfficeProduct: row(goodsPeople, ({ draft }) => ({ path: `/api/office/products/${draft.id}` })),
  patchProduct: row(leaders, ({ draft }) => ({
    path: `/api/office/products/${draft.id}`, method: 'PATCH', body: { description: 'Wool.' },
  })),
  changeStock: row(packers, ({ product }) => ({
    path: `/api/office/variants/${product.variants[0]?.id ?? ''}/stock`, body: { change: 1 },
  })),

  getHome: row(everybody, () => ({ path: '/api/home' })),
  listHomeLive: row(everybody, () => ({ path: '/api/home/live' })),
  search: row(everybody, () => ({ path: '/api/search?q=dress' })),
  searchProducts: row(everybody, () => ({ path: '/api/search/products?q=dress' })),
  searchShows: row(everybody, () => ({ path: '/api/search/shows?q=dress' })),
  searchShops: row(everybody, () => ({ path: '/api/search/shops?q=dress' })),

  listShows: row(everybody, () => ({ path: '/api/shows' })),
  getShow: row(everybody, show(''), { hidden }),
  getShowCalendar: row(everybody, show('/calendar.ics'), { hidden: all('shows.not_found') }),
  getShopCalendar: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}/calendar.ics` })),
  getShowsFeed: row(everybody, () => ({ path: '/api/shows.rss' })),
  getShopFeed: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}/shows.rss` })),
  askToExplain: row(everybody, show('/explain', ({ product }) => ({ body: { productId: product.id } })), { hidden }),
  noteInterest: row(everybody, show('/interest', ({ product }) => (
    { body: { productId: product.id, kind: 'card_opened' } }
  )), { hidden }),
  listAside: row(everybody, show('/aside'), { hidden }),
  takeBack: row(everybody, (stage) => ({
    path: `/api/shows/${stage.show.id}/aside/${stage.product.id}`, method: 'DELETE',
  }), { hidden }),
  like: row(everybody, show('/likes', () => ({ body: { count: 1 } })), { hidden }),
  listChat: row(everybody, show('/chat'), { hidden }),
  sendChat: row(people, show('/chat', () => ({ body: { clientId: unique('message'), text: unique('Hi') } })), {
    hidden: hiddenFromPeople,
  }),
  removeChat: row({
    ...people, stranger: 'chat.not_found', operator: 'chat.not_found', packer: NOT_ALLOWED,
  }, async (stage) => {
    const { api, show: { id }, persons } = stage;
    const of = async (person: SignedInPerson) => api.ask(`/api/shows/${id}/chat`, {
      body: { clientId: unique('message'), text: unique('Hi') }, cookie: person.cookie,
    });
    // In a private show only members can have said something.
    const asBuyer = await of(persons.buyer);
    const said = asBuyer.status === 201 ? asBuyer : await of(persons.owner);
    return { path: `/api/shows/${id}/chat/${String(said.json['id'])}`, method: 'DELETE' };
  }, { hidden: { ...hiddenFromPeople, packer: NOT_ALLOWED } }),

  getStanding: row(everybody, show('/standing'), { hidden }),
  holdTalk: row(moderators, officeShow('/talk', () => ({ method: 'PUT', body: { slowSeconds: 0, isQuiet: false } })), {
    hidden: hiddenModerators,
  }),
  takeMeasure: row(moderators, async (stage) => ({
    path: `/api/office/shows/${stage.show.id}/measures`,
    body: { kind: 'mute', personId: (await stage.api.newPerson()).id, reason: 'spam', words: '', minutes: 1 },
  }), { hidden: hiddenModerators }),
  listMeasures: row(moderators, ofShop('/measures')),
  liftMeasure: row({ ...moderators, operator: 'in' }, async (stage) => ({
    path: `/api/office/measures/${await newMute(stage, await stage.api.newPerson())}/lift`, method: 'POST',
  })),
  listShopReports: row(moderators, ofShop('/reports')),
  getWords: row(leaders, ofShop('/words')),
  setWords: row(leaders, ofShop('/words', () => ({ method: 'PUT', body: { words: [] } }))),
  testWords: row(leaders, ofShop('/words/test', () => ({ body: { text: 'hello' } }))),
  report: row(people, async (stage) => ({
    path: '/api/reports',
    body: { kind: 'product', id: (await newGoods(stage)).id, reason: 'fraud', words: '' },
  })),
  listMyReports: row(people, () => ({ path: '/api/me/reports' })),
  listMyMeasures: row(people, () => ({ path: '/api/me/measures' })),
  appeal: row(buyerOr('moderation.not_found'), async (stage) => ({
    path: `/api/me/measures/${await newMute(stage, stage.persons.buyer)}/appeal`, body: { words: 'Why?' },
  })),
  listReports: row(operators, () => ({ path: '/api/platform/reports' })),
  decideReport: row(operators, async (stage) => {
    const { id } = await stage.api.moderation.report(actorOf(stage.persons.buyer), {
      kind: 'product', id: (await newGoods(stage)).id, reason: 'fraud', words: '',
    });
    return {
      path: `/api/platform/reports/${id}/decide`,
      body: { action: 'nothing', reason: 'fraud', words: '', days: null },
    };
  }),
  endShowAsOperator: row(operators, async ({ api, persons, shop }) => {
    const { id } = await api.newShow(persons.owner, shop.id);
    return { path: `/api/platform/shows/${id}/end`, body: { reason: 'fraud', words: '' } };
  }),
  listDecisions: row(operators, () => ({ path: '/api/platform/decisions' })),
  listAppeals: row(operators, () => ({ path: '/api/platform/appeals' })),
  decideAppeal: row(operators, async (stage) => {
    const measureId = await newMute(stage, stage.persons.buyer);
    const { id } = await stage.api.moderation.appeal(actorOf(stage.persons.buyer), measureId, 'Why?');
    await stage.api.moderation.lift(actorOf(stage.persons.owner), measureId);
    return { path: `/api/platform/appeals/${id}/decide`, body: { grant: false, words: '' } };
  }),

  listOfficeShows: row(runners, ofShop('/shows')),
  planShow: row(leaders, ofShop('/shows', ({ api }) => ({
    body: {
      title: 'Evening', description: '', coverImageId: null, visibility: 'public', productIds: [],
      startsAt: new Date(api.platform.clock.now().getTime() + 3_600_000).toISOString(),
    },
  }))),
  getOfficeShow: row(runners, officeShow(''), { hidden: hiddenRunners }),
  patchShow: row(leaders, officeShow('', () => ({ method: 'PATCH', body: { description: 'Silk.' } })), {
    hidden: hiddenLeaders,
  }),
  cancelShow: row(leaders, async ({ api, persons, shop }) => {
    const { id } = await api.newShow(persons.owner, shop.id);
    return { path: `/api/office/shows/${id}/cancel`, method: 'POST' };
  }),
  setBag: row(leaders, officeShow('/bag', ({ product }) => ({ method: 'PUT', body: { productIds: [product.id] } })), {
    hidden: hiddenLeaders,
  }),
  putOnScreen: row(runners, officeShow('/on-screen', () => ({ method: 'PUT', body: { productId: null } })), {
    hidden: hiddenRunners,
  }),
  endShow: row(runners, async (stage) => {
    const { id } = await stage.newLiveShow();
    return { path: `/api/office/shows/${id}/end`, method: 'POST' };
  }),
  getFigures: row(runners, officeShow('/figures'), { hidden: hiddenRunners }),
  getMinutes: row(runners, officeShow('/figures/minutes'), { hidden: hiddenRunners }),
  getMinutesFile: row(runners, officeShow('/figures/minutes.csv'), { hidden: hiddenRunners }),
  noteVisit: row(everybody, show('/visit', () => ({ body: { source: 'home' } })), { hidden }),
  getReplay: row(everybody, show('/replay'), { hidden }),
  getWatchedUntil: row(people, watching(), { hidden: hiddenFromPeople }),
  setWatchedUntil: row(people, watching({ method: 'PUT', body: { positionMs: 1_000 } }), { hidden: hiddenFromPeople }),
  getRecording: row(runners, officeShow('/recording'), { hidden: hiddenRunners }),
  removeRecording: row(leaders, officeShow('/recording', () => ({ method: 'DELETE' })), { hidden: hiddenLeaders }),
  getRecordingHoles: row(runners, officeShow('/recording/holes'), { hidden: hiddenRunners }),
  healRecording: row(menders, officeShow('/recording/heal', () => ({ method: 'POST' })), { hidden: hiddenMenders }),
  putRecordingPart: row(menders, officeShow('/recording/parts/1', () => ({ method: 'PUT', body: {} })), {
    hidden: hiddenMenders,
  }),
  listTalk: row(everybody, show('/talk?from=2026-01-01T00:00:00.000Z'), { hidden }),
  examineShow: row(runners, officeShow('/examination'), { hidden: hiddenRunners }),
  tryConnection: row(runners, officeShow('/examination/connection', () => ({ body: { sdp: 'v=0' } })), {
    hidden: hiddenRunners,
  }),
  tryUpload: row(runners, officeShow('/examination/upload', () => ({ body: {} })), { hidden: hiddenRunners }),
  issueStreamKey: row(runners, officeShow('/stream-key', () => ({ method: 'POST' })), { hidden: hiddenRunners }),

  placeOrder: row(people, ({ product, show: { id } }) => ({
    path: '/api/orders', body: asking(product, { showId: id }),
  }), { hidden: hiddenFromPeople }),
  getCart: row(people, () => ({ path: '/api/cart' })),
  countCart: row(people, () => ({ path: '/api/cart/count' })),
  putIntoCart: row(people, ({ product }) => ({
    path: '/api/cart/put', body: { putId: crypto.randomUUID(), lines: [newCartLine(product)] },
  })),
  lookAtCart: row(everybody, ({ product }) => ({ path: '/api/cart/look', body: { lines: [newCartLine(product)] } })),
  setCartLine: row(people, ({ product }) => {
    const { variantId, ...line } = newCartLine(product);
    return { path: `/api/cart/lines/${variantId}`, method: 'PUT', body: line };
  }),
  takeFromCart: row(people, ({ product }) => ({
    path: `/api/cart/lines/${newCartLine(product).variantId}`, method: 'DELETE',
  })),
  getShippingOffer: row(everybody, ({ shop }) => ({ path: `/api/shops/${shop.slug}/shipping` })),
  listMyOrders: row(people, () => ({ path: '/api/orders' })),
  getOrder: row(buyerOr('orders.not_found'), ({ order }) => ({ path: `/api/orders/${order.id}` })),
  getPromise: row(buyerOr('orders.not_found'), ({ order }) => ({ path: `/api/orders/${order.id}/promise` })),
  cancelOrder: row(buyerOr('orders.not_found'), async (stage) => {
    const { id } = await stage.newOrder();
    return { path: `/api/orders/${id}/cancel`, method: 'POST' };
  }),
  getPayment: row(buyerOr('payments.not_found'), ({ order }) => ({ path: `/api/payments/${paymentIdOf(order)}` })),
  decideSandboxPayment: row(buyerOr('payments.not_found'), async (stage) => (
    { path: `/api/payments/${paymentIdOf(await stage.newOrder())}/sandbox`, body: { outcome: 'decline' } }
  )),
  listShopOrders: row(packers, ofShop('/orders')),
  countShopOrders: row(packers, ofShop('/order-counts')),
  listNotifications: row(people, () => ({ path: '/api/me/notifications' })),
  countUnread: row(people, () => ({ path: '/api/me/notifications/unread' })),
  noteSeen: row(people, () => (
    { path: '/api/me/notifications/seen', method: 'PUT', body: { until: '2026-11-11T00:00:00.000Z' } }
  )),
  getNotificationSettings: row(people, () => ({ path: '/api/me/notification-settings' })),
  patchNotificationSettings: row(people, () => (
    { path: '/api/me/notification-settings', method: 'PATCH', body: { live: true } }
  )),
  subscribePush: row(people, (_stage, who) => ({
    path: '/api/me/push-subscription', method: 'PUT',
    body: { endpoint: `https://push.example.org/${who}`, keys: { p256dh: 'k'.repeat(87), auth: 'k'.repeat(22) } },
  })),
  unsubscribePush: row(people, () => ({ path: '/api/me/push-subscription', method: 'DELETE' })),
  getShopOrder: row(orderPackers, ({ order }) => ({ path: `/api/office/orders/${order.id}` })),
  getShopPromise: row(orderPackers, ({ order }) => ({ path: `/api/office/orders/${order.id}/promise` })),
  readyOrder: row(orderPackers, async (stage) => ({
    path: `/api/office/orders/${(await newPickup(stage)).id}/ready`, method: 'POST',
  })),
  findPickup: row(packers, async (stage) => ({
    path: `/api/office/shops/${stage.shop.id}/pickups/find`,
    body: { code: (await newPickup(stage)).pickup?.code },
  })),
  handOverOrder: row(orderPackers, async (stage) => {
    const { id, pickup } = await newPickup(stage);
    return { path: `/api/office/orders/${id}/hand-over`, body: { code: pickup?.code } };
  }),
  findCounterGoods: row(packers, ofShop('/counter/goods?text=dress')),
  sellAtCounter: row(packers, ofShop('/counter/sales', ({ product }) => ({ body: newSale(product) }))),
  voidSale: row(orderPackers, async ({ orders, persons, shop, product }) => ({
    path: `/api/office/orders/${(await orders.sellAtCounter(persons.owner.id, shop.id, newSale(product))).id}/void`,
    method: 'POST',
  })),
  getReceipt: row(everybody, async ({ orders, persons, shop, product }) => ({
    path: `/api/receipts/${(await orders.sellAtCounter(persons.owner.id, shop.id, newSale(product))).id}`,
  })),
  shipOrder: row(orderPackers, async (stage) => ({
    path: `/api/office/orders/${(await newPaid(stage)).id}/ship`, body: { carrier: 'SF', trackingNumber: '1' },
  })),
  packOrder: row(orderPackers, async (stage) => (
    { path: `/api/office/orders/${(await newPaid(stage)).id}/pack`, method: 'POST' }
  )),
  cancelShopOrder: row(orderLeaders, async (stage) => ({
    path: `/api/office/orders/${(await newPaid(stage)).id}/cancel`, body: { reason: 'damaged', note: '' },
  })),
  orderArrived: row(buyerOr('orders.not_found'), async (stage) => {
    const { id } = await newPaid(stage);
    await stage.orders.ship(stage.persons.owner.id, id, { carrier: 'SF', trackingNumber: '1' });
    return { path: `/api/orders/${id}/arrived`, method: 'POST' };
  }),
  packOrders: row(packers, ofShop('/orders/pack', () => ({ body: { numbers: ['N-1'] } }))),
  shipOrders: row(packers, ofShop('/orders/ship', () => (
    { body: { parcels: [{ number: 'N-1', carrier: 'SF', trackingNumber: '1' }] } }
  ))),
  selectOrders: row(packers, ofShop('/order-numbers')),
  findOrders: row(packers, ofShop('/orders/find', () => ({ body: { numbers: ['N-1'] } }))),
  getOrdersFile: row(packers, ofShop('/orders.csv')),
};

/** What leaves the buyer with one more unpaid order. */
const PLACING = new Set([
  'placeOrder', 'cancelOrder', 'decideSandboxPayment', 'shipOrder', 'packOrder', 'cancelShopOrder', 'orderArrived',
]);

async function createStage(url: string): Promise<Stage> {
  const made = Promise.withResolvers<ReturnType<typeof mountOrders>>();
  const api = await createShowApi(url, (parts) => {
    mountNotifications(parts);
    mountRecordings(parts);
    made.resolve(mountOrders(parts));
  });
  const { offers, orders, payments } = await made.promise;
  const { owner, shop, products } = await api.newMarket(1);
  const [product] = products;
  if (product === undefined) throw new Error('a market without goods');
  const { name: _, ...address } = ADDRESS;
  await api.shops.patch(owner.id, shop.id, { place: { address, hours: null }, offersPickup: true });
  const draft = await api.newProduct(owner.cookie, shop.id, { state: 'draft' });
  for (const { id } of product.variants) await api.catalog.changeStock(owner.id, id, { setTo: 1_000 });
  const stranger = await api.newPerson('Stranger');
  await api.newShop(stranger.cookie);
  const buyer = await api.newPerson('Buyer');
  const operator = await api.newPerson('Operator');
  await api.accounts.makeOperator(operator.email);
  const newOrder = () => orders.place({ personId: buyer.id, name: buyer.name }, asking(product));
  const stage: Stage = {
    api, offers, orders, payments, shop, product, draft, newOrder,
    persons: { stranger, buyer, operator, owner, manager: owner, host: owner, moderator: owner, packer: owner },
    show: await api.newLiveShow(owner, shop.id, [product]),
    order: await newOrder(),
    newLiveShow: () => api.newLiveShow(owner, shop.id, [product]),
    cookieOf: (who) => (who === 'guest' ? api.newGuest() : stage.persons[who].cookie),
  };
  for (const role of ['manager', 'host', 'moderator', 'packer'] as const) {
    stage.persons[role] = await newMember(stage, role);
  }
  return stage;
}

describe('authorisation', () => {
  let database: TestDatabase;
  let stage: Stage;
  let hiddenShow: Show;

  before(async () => {
    database = await createTestDatabase(import.meta.url);
    stage = await createStage(database.serverUrl);
    const { api, persons, shop, product } = stage;
    const planned = await api.newShow(persons.owner, shop.id, { visibility: 'private', productIds: [product.id] });
    await api.shows.pictureUp(planned.id);
    hiddenShow = await api.shows.forOffice(persons.owner.id, planned.id);
  });
  after(async () => {
    await stage.api.stop();
    await database.drop();
  });

  /** Before the next, so that nobody has too many. What a fact in the outbox ends meanwhile is over as well. */
  async function giveUpOrders(): Promise<void> {
    const { orders, order: kept, persons: { buyer } } = stage;
    await stage.api.platform.outbox.drain();
    for (const order of (await orders.listMine(buyer.id, { limit: 100 })).items) {
      if (order.state === 'held' && order.id !== kept.id) await orders.cancel(buyer.id, order.id);
    }
  }

  async function outcomes(operation: string, of: Row, on: Stage): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const who of PEOPLE) {
      const { path, ...asked } = await of.request(on, who);
      const answer = await on.api.ask(path, { cookie: on.cookieOf(who), ...asked });
      found[who] = answer.status < 300 ? 'in' : String(answer.json['code']);
      if (PLACING.has(operation)) await giveUpOrders();
    }
    return found;
  }

  it('[H16] every documented route has its row, and no row is without its route', () => {
    const file = new URL('../../../docs/openapi.json', import.meta.url);
    const { paths } = JSON.parse(readFileSync(file, 'utf8')) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    const documented = Object.values(paths).flatMap((path) => Object.values(path).map((route) => route.operationId));
    assert.deepEqual(documented.toSorted(), Object.keys(ROWS).toSorted());
  });

  for (const [operation, of] of Object.entries(ROWS)) {
    it(`[H16] ${operation}: who gets in`, async () => {
      assert.deepEqual(await outcomes(operation, of, stage), of.gets);
      if (of.hidden === undefined) return;
      assert.deepEqual(await outcomes(operation, of, { ...stage, show: hiddenShow }), of.hidden, 'of a private show');
    });
  }

  it('[H16] a private show stands in no public list', async () => {
    for (const who of ['guest', 'stranger', ...TEAM] as const) {
      for (const query of ['', `&shopId=${stage.shop.id}`]) {
        const { json } = await stage.api.ask(`/api/shows?state=live${query}`, { cookie: stage.cookieOf(who) });
        const ids = (json['items'] as Show[]).map(({ id }) => id);
        assert.ok(ids.includes(stage.show.id) && !ids.includes(hiddenShow.id), `${who} ${query}`);
      }
    }
  });
});
