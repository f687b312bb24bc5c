import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Home, HomeTile, SearchAnswer } from '@nacre/contract/discovery';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import type { SignedInPerson } from '../../../tests/support/api.ts';
import { createTestDatabase, type TestDatabase } from '../../../tests/support/database.ts';
import { createShowApi, type ShowApi } from '../../../tests/support/show-api.ts';

describe('home and search', () => {
  let database: TestDatabase;
  let api: ShowApi;
  let mei: SignedInPerson;
  before(async () => {
    database = await createTestDatabase(import.meta.url);
    api = await createShowApi(database.serverUrl);
    await api.discovery.start();
    await api.discovery.ready();
    mei = await api.newPerson();
  });
  after(async () => {
    await api.discovery.stop();
    await api.stop();
    await database.drop();
  });

  /** The order holds for a while; facts are on their way for a moment. */
  async function settled(): Promise<void> {
    await api.platform.outbox.drain();
    api.clock.advance(60_000);
  }
  async function home(query = '', cookie?: string): Promise<Home> {
    await settled();
    const answer = await api.ask(`/api/home${query}`, { cookie });
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    return answer.json as unknown as Home;
  }
  async function search(text: string): Promise<SearchAnswer> {
    await api.platform.outbox.drain();
    const answer = await api.ask(`/api/search?q=${encodeURIComponent(text)}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.json));
    return answer.json as unknown as SearchAnswer;
  }
  const titles = (found: SearchAnswer) => found.products.items.map(({ product }) => product.title);
  const ids = (items: Array<{ id: string }>) => items.map(({ id }) => id);
  const newShop = (changes: Parameters<ShowApi['newShop']>[1] = {}) => api.newShop(mei.cookie, changes);
  const live = async (shop: Shop, title: string, changes: Parameters<ShowApi['newShow']>[2] = {}): Promise<Show> => {
    const show = await api.newShow(mei, shop.id, { title, ...changes });
    await api.shows.pictureUp(show.id);
    return show;
  };

  it('[D6] category, region and language narrow every list; a region in any spelling', async () => {
    const books = await newShop({ category: 'books', region: 'Ürümqi', language: 'ug' });
    const toys = await newShop({ category: 'toys', region: 'Lanzhou', language: 'zh' });
    const read = await live(books, 'Reading');
    const talk = await api.newShow(mei, books.id, { title: 'Talk', language: 'kk' });
    const play = await live(toys, 'Playing');
    assert.equal(read.language, 'ug');
    const all = await home();
    assert.ok([read.id, play.id].every((id) => ids(all.live.items).includes(id)));
    for (const [query, running, planned] of [
      ['?category=books', [read.id], [talk.id]], ['?category=toys', [play.id], []],
      ['?region=URUMQI', [read.id], [talk.id]], ['?language=ug', [read.id], []], ['?language=kk', [], [talk.id]],
      ['?category=toys&language=ug', [], []], ['?region=nowhere', [], []],
    ] as const) {
      const { live: now, planned: soon } = await home(query);
      assert.deepEqual([ids(now.items), ids(soon)], [running, planned], query);
    }
    const { facets } = await home();
    assert.ok(facets.regions.includes('Ürümqi') && facets.categories.includes('toys'));
    assert.ok(facets.languages.includes('kk'));
    for (const wrong of ['?category=cars', '?language=xx', '?turn=-1']) {
      assert.equal((await api.ask(`/api/home${wrong}`)).json['code'], 'request.invalid', wrong);
    }
    // The shop moves, and its shows with it.
    const { cookie } = mei;
    await api.ask(`/api/office/shops/${toys.id}`, { method: 'PATCH', body: { region: 'Dunhuang' }, cookie });
    assert.deepEqual(ids((await home('?region=dunhuang')).live.items), [play.id]);
  });

  it('[D7] followed shops stand first, live and planned, and are marked', async () => {
    const shop = await newShop({ category: 'plants' });
    const [old, soon] = [await live(shop, 'Orchids'), await api.newShow(mei, shop.id, { title: 'Ferns' })];
    const others = await newShop({ category: 'plants' });
    await live(others, 'Roses');
    await api.newShow(mei, others.id, {
      title: 'Sooner', startsAt: new Date(api.platform.clock.now().getTime() + 600_000).toISOString(),
    });
    const fan = await api.newPerson();
    await api.ask(`/api/shops/${shop.slug}/follow`, { method: 'PUT', cookie: fan.cookie });
    const own = await home('?category=plants', fan.cookie);
    assert.deepEqual([own.live.items[0]?.id, own.planned[0]?.id], [old.id, soon.id]);
    assert.deepEqual(own.live.items.map(({ isFollowed }) => isFollowed), [true, false]);
    const guest = await home('?category=plants');
    assert.ok([...guest.live.items, ...guest.planned].every(({ isFollowed }) => !isFollowed));
    assert.equal(guest.planned[0]?.title, 'Sooner');
  });

  it('[D4] paging loses no show and repeats none while shows begin, end and are followed', async () => {
    const fan = await api.newPerson();
    const shop = await newShop({ category: 'kitchen' });
    const second = await newShop({ category: 'kitchen' });
    const shows: Show[] = [];
    for (let index = 0; index < 30; index += 1) shows.push(await live(index % 2 ? shop : second, `Pans ${index}`));
    await api.ask(`/api/shops/${shop.slug}/follow`, { method: 'PUT', cookie: fan.cookie });
    const first = await home('?category=kitchen', fan.cookie);
    assert.equal(first.live.items.length, 24);
    await api.ask(`/api/shops/${shop.slug}/follow`, { method: 'DELETE', cookie: fan.cookie });
    await live(shop, 'Begun meanwhile');
    await settled();
    const seen = ids(first.live.items);
    for (let { next } = first.live; next !== null;) {
      const { json } = await api.ask(`/api/home/live?category=kitchen&limit=4&cursor=${next}`, { cookie: fan.cookie });
      const page = json as unknown as { items: HomeTile[]; next: string | null };
      seen.push(...ids(page.items));
      next = page.next;
    }
    assert.deepEqual(seen.toSorted(), ids(shows).toSorted());
    const again = await home(`?category=kitchen&turn=${first.turn}`);
    assert.equal(again.turn, first.turn);
    for (const cursor of ['x', '1.2', '1.2.3.-4', 'z'.repeat(50)]) {
      assert.equal((await api.ask(`/api/home/live?cursor=${cursor}`)).json['code'], 'request.invalid', cursor);
    }
  });

  it('[D8] what not everybody may see is on no list and in no answer, at once when it changes', async () => {
    const shop = await newShop({ name: 'Zebra shop', category: 'crafts' });
    const product = await api.newProduct(mei.cookie, shop.id, { title: 'Zebra hat' });
    await api.newProduct(mei.cookie, shop.id, { title: 'Zebra draft', state: 'draft' });
    const hidden = await live(shop, 'Zebra rehearsal', { visibility: 'private', productIds: [product.id] });
    const shown = await api.newShow(mei, shop.id, { title: 'Zebra plan' });
    const dropped = await api.newShow(mei, shop.id, { title: 'Zebra called off' });
    await api.shows.cancel(mei.id, dropped.id);
    const found = await search('zebra');
    assert.deepEqual(titles(found), ['Zebra hat']);
    assert.equal(found.products.items[0]?.live, null);
    assert.deepEqual([ids(found.shows.items), ids(found.shops.items)], [[shown.id], [shop.id]]);
    assert.deepEqual((await home('?category=crafts')).live.items, []);
    await api.shows.patch(mei.id, hidden.id, { visibility: 'public' });
    assert.deepEqual(ids((await search('zebra')).shows.items), [hidden.id, shown.id]);
    // Whoever asks while changes come in gets a whole list.
    await settled();
    const asked = await Promise.all(Array.from({ length: 12 }, async (_, index) => {
      if (index % 3 === 0) await api.shows.patch(mei.id, hidden.id, { title: `Zebra ${index}` });
      return (await api.ask('/api/home?category=crafts')).json as unknown as Home;
    }));
    assert.ok(asked.every(({ live: { items } }) => items.length === 1));
    await api.shows.patch(mei.id, shown.id, { visibility: 'private' });
    await api.catalog.patch(mei.id, product.id, { state: 'archived' });
    const later = await search('zebra');
    assert.deepEqual([titles(later), ids(later.shows.items)], [[], [hidden.id]]);
  });

  it('[D13] goods on screen come first, then the bags of running shows, then all others', async () => {
    const shop = await newShop();
    const add = (title: string) => api.newProduct(mei.cookie, shop.id, { title });
    const [bagged, plain, screened] = [await add('Lantern'), await add('Lantern lantern'), await add('Paper lantern')];
    const show = await live(shop, 'Evening', { productIds: [bagged.id, screened.id] });
    await api.shows.putOnScreen(mei.id, show.id, screened.id);
    const { products } = await search('lantern');
    assert.deepEqual(products.items.map(({ product, live: now }) => [product.id, now]), [
      [screened.id, { showId: show.id, number: 2, onScreen: true }],
      [bagged.id, { showId: show.id, number: 1, onScreen: false }],
      [plain.id, null],
    ]);
    await api.shows.end(mei.id, show.id);
    const over = await search('lantern');
    assert.ok(over.products.items.every(({ live: now }) => now === null));
  });

  it('[D11] finds Chinese without spaces, Arabic in any spelling, Latin without accents', async () => {
    const shop = await newShop({ name: '敦煌衣橱', region: '甘肃' });
    for (const [title, description] of [
      ['红色真丝连衣裙', '夏天穿，很凉快'], ['فُسْتان حرير أحمر', 'مطرّز باليد'], ['Robe d’été légère', 'Coton'],
    ] as const) await api.newProduct(mei.cookie, shop.id, { title, description, options: [], variants: [
      { optionValues: [], sku: 'one', priceMinor: 100, stock: 1 },
    ] });
    for (const [asked, title] of [
      ['连衣裙', '红色真丝连衣裙'], ['真丝', '红色真丝连衣裙'], ['裙', '红色真丝连衣裙'], ['凉快', '红色真丝连衣裙'],
      ['فستان', 'فُسْتان حرير أحمر'], ['الفستان الاحمر', 'فُسْتان حرير أحمر'], ['حـرير', 'فُسْتان حرير أحمر'],
      ['LEGERE', 'Robe d’été légère'], ['ete', 'Robe d’été légère'], ['rob', 'Robe d’été légère'],
    ] as const) assert.deepEqual(titles(await search(asked)), [title], asked);
    assert.deepEqual(titles(await search('丝真')), []);
    assert.deepEqual(ids((await search('敦煌')).shops.items), [shop.id]);
    assert.deepEqual(ids((await search('甘肃')).shops.items), [shop.id]);
  });

  it('[D12] a slip of the finger is mended and said; known words are left alone', async () => {
    const shop = await newShop();
    await api.newProduct(mei.cookie, shop.id, { title: 'Embroidered slippers' });
    const found = await search('embrodered slipprs');
    assert.deepEqual(titles(found), ['Embroidered slippers']);
    assert.deepEqual(found.corrections, [
      { written: 'embrodered', meant: ['embroidered'] }, { written: 'slipprs', meant: ['slippers'] },
    ]);
    assert.deepEqual((await search('slippers')).corrections, []);
  });

  it('[D14] pages of a kind neither lose nor repeat a find; nothing asked finds nothing', async () => {
    const shop = await newShop();
    for (let n = 0; n < 15; n += 1) await api.newProduct(mei.cookie, shop.id, { title: `Teapot ${n}` });
    const first = await search('teapot');
    const seen = first.products.items.map(({ product }) => product.id);
    assert.equal(seen.length, 12);
    for (let { next } = first.products; next !== null;) {
      const { json } = await api.ask(`/api/search/products?q=teapot&limit=2&cursor=${next}`);
      const page = json as unknown as SearchAnswer['products'];
      seen.push(...page.items.map(({ product }) => product.id));
      next = page.next;
    }
    assert.equal(new Set(seen).size, 15);
    assert.equal(seen.length, 15);
    const nothing = await search(' …! ');
    assert.deepEqual([nothing.products.items, nothing.shows.items, nothing.shops.items], [[], [], []]);
    for (const path of ['?q=', `?q=${'x'.repeat(101)}`, '/products?q=a&cursor=nobody', '/shows?q=a&limit=1000']) {
      assert.equal((await api.ask(`/api/search${path}`)).json['code'], 'request.invalid', path);
    }
  });

  it('[D15] the model is made anew when it is missing, from what is there, and says the same', async () => {
    const before = [await search('teapot'), await search('lantern'), await search('zebra')];
    const { db } = api.platform.database;
    await db.deleteFrom('search_entry').execute();
    await db.deleteFrom('search_word').execute();
    await db.deleteFrom('installation').where('key', '=', 'search-model').execute();
    assert.deepEqual(titles(await search('teapot')), []);
    await api.discovery.start();
    await api.discovery.ready();
    assert.deepEqual([await search('teapot'), await search('lantern'), await search('zebra')], before);
    assert.deepEqual((await search('teapt')).corrections, [{ written: 'teapt', meant: ['teapot'] }]);
  });
});
