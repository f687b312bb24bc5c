/**
 * How long a search takes among 100,000 products: from the words to the answer with goods, shows and shops.
 *
 * Fills a database of its own with goods in three scripts whose words are as unequally frequent as in a real market,
 * has the read model made by the server's own code, and asks by the server's own face: frequent and rare words,
 * beginnings, slips, Chinese, Arabic. Held against what PostgreSQL alone needs to look the same words up in its index
 * and give twelve ids.
 *
 * Usage: node bench/search.ts [--json] [--products N]
 */
import { queryOf, partsOf } from '../server/src/discovery/search-text.ts';
import { createTestDatabase } from '../tests/support/database.ts';
import { createShowApi } from '../tests/support/show-api.ts';
import { sql } from 'kysely';
import { round, say } from './figures.ts';

const json = process.argv.includes('--json');
const products = Number(process.argv[process.argv.indexOf('--products') + 1]) || 100_000;
const aimMs = 20;
const rounds = 60;
const batch = 2_000;

const WORDS = {
  en: 'dress linen summer coral wrap evening silk cotton scarf wool pot iron tea cup pearl shell ring necklace lamp '
    + 'paper wooden horse basket clay bowl knife apron coat shirt trousers skirt button ribbon mirror candle soap oil',
  zh: '连衣裙 真丝 棉麻 夏季 红色 绿色 珍珠 项链 戒指 茶杯 茶壶 铁锅 围巾 羊毛 大衣 衬衫 裤子 木马 竹篮 陶碗 菜刀 围裙 台灯 镜子 香皂 蜡烛',
  ar: 'فستان حرير قطن صيفي أحمر أخضر لؤلؤ عقد خاتم كوب إبريق قدر وشاح صوف معطف قميص سلة وعاء مصباح مرآة صابون شمعة',
};
/** What the rarer words are made of. */
const SYLLABLES = {
  en: 'ba ce di fo gu ha je ki lo mu na pe ri so tu va we xi yo zu'.split(' '),
  zh: [...'花草石山水云风月星光春秋冬雨雪金银铜玉兰菊梅松柏龙凤鹤'],
  ar: 'با تي رو سا لم نو كر فل مي دا شو حب جو زي'.split(' '),
};
const words = 3_000;
const QUESTIONS = [
  'dress', 'silk evening dress', 'pea', 'drss', 'necklase', '连衣裙', '真丝围巾', '裙', 'فستان', 'الحرير الاحمر', 'ring',
  'dress 4242',
];

const at = (values: number[], share: number): number => (
  values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0
);

/** The words of a script, the most frequent first. */
function wordsOf(script: keyof typeof WORDS): string[] {
  const [known, parts] = [WORDS[script].split(' '), SYLLABLES[script]];
  const part = (number: number) => parts[number % parts.length] ?? '';
  return Array.from({ length: words }, (_, index) => known[index]
    ?? part(index) + part(Math.floor(index / parts.length)) + part(Math.floor(index / parts.length ** 2)));
}

/** Of a list, the earlier the more often. Always the same for the same number. */
function wordOf(list: string[], number: number): string {
  const drawn = ((Math.imul(number, 2654435761) >>> 0) / 2 ** 32) ** 2;
  return list[Math.floor(drawn * list.length)] ?? '';
}

const lists = { en: wordsOf('en'), zh: wordsOf('zh'), ar: wordsOf('ar') };

const database = await createTestDatabase(import.meta.url);
const api = await createShowApi(database.serverUrl);
try {
  const { owner, shop } = await api.newMarket(0);
  const { db } = api.platform.database;
  say(`writing ${products} products`);
  for (let from = 0; from < products; from += batch) await write(from, Math.min(batch, products - from));
  await api.newLiveShow(owner, shop.id, [...(await api.catalog.listForVisitor(shop.slug, { limit: 50 })).items]);
  say('making the read model');
  const startedMs = performance.now();
  await api.discovery.start();
  await api.discovery.ready();
  const modelSeconds = (performance.now() - startedMs) / 1000;

  const ours: number[] = [];
  const theirs: number[] = [];
  const perQuestion = new Map<string, number[]>();
  for (let index = 0; index < rounds; index += 1) {
    for (const question of QUESTIONS) {
      const tookMs = await timed(() => api.discovery.search(question));
      // The first round warms caches up.
      if (index === 0) continue;
      ours.push(tookMs);
      perQuestion.set(question, [...(perQuestion.get(question) ?? []), tookMs]);
      const query = queryOf(partsOf(question)) ?? '';
      theirs.push(await timed(() => sql`
        select id from search_entry where kind = 'product' and words @@ ${query}::tsquery limit 12`.execute(db)));
    }
  }
  for (const [question, tookMs] of perQuestion) say(`${round(at(tookMs, 0.5)).toFixed(2).padStart(8)} ms  ${question}`);
  const [mine, limit] = [round(at(ours, 0.5)), round(at(theirs, 0.5))];
  const details = {
    aimMs, products, p95Ms: round(at(ours, 0.95)), questions: QUESTIONS.length, rounds,
    modelSeconds: round(modelSeconds),
  };
  say(`ours ${mine} ms (aim ${aimMs}), 95 % within ${details.p95Ms} ms; the index alone ${limit} ms; the model of `
    + `${products} products is made in ${details.modelSeconds} s`);
  if (json) {
    console.log(JSON.stringify({ goal: 'search', ours: mine, limit, ratio: round(mine / limit), unit: 'ms', details }));
  }

  async function write(from: number, count: number): Promise<void> {
    const now = new Date();
    const rows = Array.from({ length: count }, (_, index) => {
      const number = from + index;
      const script = (['en', 'zh', 'ar'] as const)[number % 3] ?? 'en';
      const list = lists[script];
      const text = [1, 2, 3, 4, 5, 6, 7, 8].map((place) => wordOf(list, number * 8 + place));
      const space = script === 'zh' ? '' : ' ';
      return {
        id: api.platform.newId(), shop_id: shop.id, currency: shop.currency, state: 'active', options: '[]',
        title: `${text.slice(0, 3).join(space)} ${number}`, description: text.slice(3).join(space),
        created_at: now, updated_at: now,
      };
    });
    await db.insertInto('product').values(rows).execute();
    const variants = rows.map(({ id }) => ({
      id: api.platform.newId(), product_id: id, position: 0, sku: id, price_minor: 1_000n,
    }));
    await db.insertInto('variant').values(variants).execute();
    await db.insertInto('stock').values(variants.map(({ id }) => ({ variant_id: id, available: 5 }))).execute();
  }
} finally {
  await api.discovery.stop();
  await api.stop();
  await database.drop();
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}
