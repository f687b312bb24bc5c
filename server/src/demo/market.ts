/**
 * What the demo market holds: three shops in different trades, their goods, their shows, the people in them.
 * Content only. Pictures are drawings in server/demo/art; all of it is marked as demo wherever it appears.
 */
import type { Address } from '@nacre/contract/accounts';
import type { ProductOption } from '@nacre/contract/catalog';
import type { ShippingTerms, ShopCategory } from '@nacre/contract/shops';

/** Known to everybody who can read this; safe because demo accounts are refused from anywhere but this machine. */
export const DEMO_PASSWORD = 'mother-of-pearl';

export interface DemoProduct {
  title: string;
  description: string;
  /** Drawings, the cover first. */
  art: string[];
  options: ProductOption[];
  /** One price for all variants, in minor units. */
  priceMinor: number;
  /** Pieces of each variant, in the order of the combinations; the last repeats. */
  stock: number[];
  sku: string;
}

export interface DemoShow {
  title: string;
  description: string;
  /** Drawing of the cover. */
  art: string;
  /** `live` is published by the demo's own publisher; `filmed` is over and can be seen again. */
  kind: 'live' | 'planned' | 'past' | 'filmed';
  /** Hours from the first start. */
  startsInHours: number;
  /** Indexes of the shop's products, in the order of the bag. */
  bag: number[];
  /** While it is live; of the first kind of a product. */
  livePrice?: { title: string; priceMinor: number; quota: number; perPerson: number };
}

export interface DemoShop {
  owner: { name: string; email: string };
  slug: string;
  name: string;
  story: string;
  region: string;
  category: ShopCategory;
  currency: string;
  /** Free when left out. */
  shipping?: ShippingTerms;
  art: string;
  products: DemoProduct[];
  shows: DemoShow[];
}

const SIZES: ProductOption = { name: 'Size', values: [{ value: 'S' }, { value: 'M' }, { value: 'L' }] };

function colours(...pairs: Array<[string, string]>): ProductOption {
  return { name: 'Colour', values: pairs.map(([value, swatch]) => ({ value, swatch })) };
}

export const DEMO_SHOPS: DemoShop[] = [
  {
    owner: { name: 'Liu', email: 'liu@demo.nacre' },
    slug: 'liu-wardrobe',
    name: 'Liu’s Wardrobe',
    story: 'A small shop at the edge of Lanzhou. I sew, alter and try everything on myself, and I tell you when ' +
      'something does not suit. Ordered today, sent tomorrow morning.',
    region: 'Gansu, China',
    category: 'clothes',
    currency: 'USD',
    art: 'avatar-liu.svg',
    products: [
      {
        title: 'Sage day dress', sku: 'DRS-SAGE', priceMinor: 4500, art: ['dress-sage.svg'],
        description: 'Washed cotton with pockets in the side seams. Falls just below the knee.',
        options: [SIZES, colours(['Sage', '#9db391'], ['Ink', '#3a4862'])], stock: [8, 5, 12, 7, 6, 4],
      },
      {
        title: 'Short camel coat', sku: 'COAT-CAMEL', priceMinor: 8900, art: ['coat-camel.svg'],
        description: 'Wool and a little cashmere, fully lined, horn buttons. For days that start cold.',
        options: [SIZES], stock: [3, 6, 4],
      },
      {
        title: 'Coral wrap dress', sku: 'DRS-CORAL', priceMinor: 4900, art: ['dress-coral.svg', 'dress-ink.svg'],
        description: 'Wraps and ties at the side, lined to the knee. The belt takes it in by a size.',
        options: [SIZES, colours(['Coral', '#df6c54'], ['Sage', '#9db391'])], stock: [4, 2, 14, 9, 6, 3],
      },
      {
        title: 'Rose knit', sku: 'KNIT-ROSE', priceMinor: 3800, art: ['knit-rose.svg'],
        description: 'Merino, knitted in one piece, so no seam scratches.',
        options: [SIZES], stock: [0, 3, 2],
      },
      {
        title: 'Canvas tote', sku: 'TOTE', priceMinor: 3200, art: ['tote-canvas.svg'],
        description: 'Heavy canvas with a leather base. Carries a laptop and a melon.',
        options: [], stock: [40],
      },
      {
        title: 'Striped scarf', sku: 'SCARF', priceMinor: 2400, art: ['scarf-stripe.svg'],
        description: 'Two metres of soft wool, woven by a neighbour.',
        options: [], stock: [25],
      },
      {
        title: 'Ink evening dress', sku: 'DRS-INK', priceMinor: 7900, art: ['dress-ink.svg'],
        description: 'Heavy crêpe that hangs well and does not crease in a suitcase.',
        options: [SIZES], stock: [5, 7, 3],
      },
    ],
    shows: [
      {
        title: 'Spring dresses, tried on live', art: 'scene-dress.svg', kind: 'live', startsInHours: 0,
        description: 'I try on what came this week. Ask for a number and I show it at the window.',
        bag: [0, 1, 2, 3, 4, 5, 6],
        livePrice: { title: 'Striped scarf', priceMinor: 1900, quota: 12, perPerson: 2 },
      },
      {
        title: 'Ways to tie a scarf', art: 'scene-scarf.svg', kind: 'planned', startsInHours: 26,
        description: 'Seven knots in half an hour, and which coat each one wants.', bag: [5, 1],
      },
      {
        title: 'What to wear when it rains', art: 'scene-scarf.svg', kind: 'past', startsInHours: -49,
        description: 'Coats, scarves and one very good bag.', bag: [1, 5, 4],
      },
      {
        title: 'Four things for the first warm day', art: 'scene-dress.svg', kind: 'filmed', startsInHours: -20,
        description: 'Half a minute for each. Whoever missed it sees it again, and buys from it.', bag: [0, 2, 1, 5],
      },
    ],
  },
  {
    owner: { name: 'Wang', email: 'wang@demo.nacre' },
    slug: 'south-bay-pearls',
    name: 'South Bay Pearls',
    story: 'Freshwater pearls from our own ponds, strung by hand. Each piece is weighed and measured on camera.',
    region: 'Guangxi, China',
    category: 'jewellery',
    currency: 'USD',
    art: 'avatar-wang.svg',
    products: [
      {
        title: 'Pearl drops', sku: 'EAR-DROP', priceMinor: 5800, art: ['pearl-earrings.svg'],
        description: 'Round, 8–8.5 mm, matched by eye in daylight. Gold-filled hooks.',
        options: [colours(['White', '#f4f1ea'], ['Rose', '#eecfc8'])], stock: [9, 6],
      },
      {
        title: 'Strand of 45 cm', sku: 'NECK-45', priceMinor: 16800, art: ['pearl-necklace.svg'],
        description: 'Knotted between pearls, 7–7.5 mm, with a silver clasp that one hand can close.',
        options: [], stock: [4],
      },
      {
        title: 'Single pearl, undrilled', sku: 'PEARL-1', priceMinor: 1900, art: ['pearl.svg'],
        description: 'For your own setting. You choose it on camera.',
        options: [{ name: 'Size', values: [{ value: '7 mm' }, { value: '8 mm' }, { value: '9 mm' }] }],
        stock: [30, 18, 5],
      },
    ],
    shows: [
      {
        title: 'Matching pairs by daylight', art: 'scene-shell.svg', kind: 'planned', startsInHours: 3,
        description: 'How two pearls are found that belong together.', bag: [0, 2, 1],
      },
      {
        title: 'From the pond to the clasp', art: 'scene-shell.svg', kind: 'past', startsInHours: -26,
        description: 'A strand from beginning to end.', bag: [1, 0],
      },
    ],
  },
  {
    owner: { name: 'Noor', email: 'noor@demo.nacre' },
    slug: 'noor-kitchen',
    name: 'Noor’s Kitchen',
    story: 'Pots I cook with myself. I show them used, not only new, and say how to care for them.',
    region: 'Amman, Jordan',
    category: 'kitchen',
    currency: 'USD',
    shipping: { feeMinor: 600, freeFromMinor: 6000 },
    art: 'avatar-noor.svg',
    products: [
      {
        title: 'Iron pot', sku: 'POT-IRON', priceMinor: 7400, art: ['pot-iron.svg'],
        description: 'Enamelled cast iron with a lid that seals. Oven, gas and induction.',
        options: [{ name: 'Volume', values: [{ value: '3 l' }, { value: '4 l' }, { value: '6 l' }] }],
        stock: [7, 11, 2],
      },
      {
        title: 'Blue bowl', sku: 'BOWL', priceMinor: 1600, art: ['bowl-blue.svg'],
        description: 'Stoneware, thrown by hand, so no two are the same blue.',
        options: [], stock: [36],
      },
      {
        title: 'Teapot', sku: 'TEAPOT', priceMinor: 3900, art: ['teapot.svg'],
        description: 'Pours without a drip. Holds four small glasses.',
        options: [], stock: [12],
      },
      {
        title: 'Mountain honey', sku: 'HONEY', priceMinor: 1450, art: ['honey-jar.svg'],
        description: 'From one hillside and one summer. 500 g.',
        options: [], stock: [60],
      },
    ],
    shows: [
      {
        title: 'One pot, three dinners', art: 'scene-kitchen.svg', kind: 'planned', startsInHours: 7,
        description: 'Lentils on Monday, and what becomes of them.', bag: [0, 1, 3],
      },
      {
        title: 'Tea, slowly', art: 'scene-kitchen.svg', kind: 'past', startsInHours: -74,
        description: 'Mint, sage and the right water.', bag: [2, 3],
      },
    ],
  },
];

/** People who talk and buy in the demo show. The first is the one to sign in as. */
export const DEMO_BUYERS = [
  { name: 'Mei', email: 'mei@demo.nacre', art: 'avatar-mei.svg' },
  { name: 'Sami', email: 'sami@demo.nacre', art: 'avatar-sami.svg' },
  { name: 'Ada', email: 'ada@demo.nacre', art: 'avatar-ada.svg' },
  { name: 'Tom', email: 'tom@demo.nacre', art: 'avatar-tom.svg' },
];

/** Said before anybody comes in, one line a person, so that the room is not silent. */
export const DEMO_OPENING = ['good evening', '晚上好', 'hello Liu, lovely light today', 'مساء الخير'];

/** What is said in the demo show; `answer` is the host's. */
export const DEMO_TALK: Array<{ say: string; answer?: string }> = [
  { say: 'good evening Liu' },
  { say: 'Is the fabric see-through in the sun?', answer: 'It’s lined. Let me show you at the window' },
  { say: 'I’m 166 cm, is M right for me?', answer: 'M fits, and the belt takes it in' },
  { say: 'the sound is very clear today' },
  { say: 'could you show the camel coat again', answer: 'Right after this one' },
  { say: 'هل يوجد مقاس أطول؟', answer: 'Yes, L is four centimetres longer' },
  { say: '口袋深吗？', answer: 'Deep enough for a phone' },
  { say: 'mine arrived yesterday, the colour is just like on screen' },
  { say: 'does the knit pill?', answer: 'Wash it inside out and it stays smooth' },
  { say: 'how long does it take to the coast?', answer: 'Three days, I send every morning' },
  { say: 'pretty with the scarf' },
  { say: 'will the rose one come back in S?', answer: 'On Thursday, I think' },
];

/** What was said in the show that can be seen again, `at` s from its beginning; without a name by its host. */
export const DEMO_FILMED_TALK: Array<{ at: number; by?: string; say: string }> = [
  { at: 4, by: 'Ada', say: 'hello Liu, just in time' },
  { at: 9, by: 'Tom', say: 'does the sage dress have pockets?' },
  { at: 14, say: '@Tom Two, in the side seams' },
  { at: 24, by: 'Sami', say: 'هل القماش شفاف تحت الشمس؟' },
  { at: 29, say: '@Sami It’s lined, you see nothing' },
  { at: 38, by: 'Ada', say: 'that coral is lovely' },
  { at: 44, by: 'Tom', say: 'is it lined as well?' },
  { at: 50, say: '@Tom To the knee' },
  { at: 66, by: 'Ada', say: '大衣的扣子是什么材料？' },
  { at: 71, say: '@Ada Horn, sewn on by hand' },
  { at: 84, by: 'Sami', say: 'how heavy is the coat?' },
  { at: 88, say: '@Sami 900 grams in M' },
  { at: 97, by: 'Tom', say: 'the scarf goes with everything' },
  { at: 108, by: 'Ada', say: 'thank you Liu, good night' },
];

/** Handed out in the live show. */
export const DEMO_COUPON = {
  name: 'Welcome to the show', amountMinor: null, percent: 10, mostMinor: 2_000, minimumMinor: 0, productIds: null,
  quota: 500,
} as const;

/** What the sign-in sheet offers: a shop owner and a buyer. */
export const DEMO_SIGN_INS = [
  { role: 'owner' as const, name: 'Liu', email: 'liu@demo.nacre', password: DEMO_PASSWORD },
  { role: 'buyer' as const, name: 'Mei', email: 'mei@demo.nacre', password: DEMO_PASSWORD },
];

export const DEMO_ADDRESS: Address = {
  name: 'Mei Tan', phone: '+1 503 555 0118', line1: '18 Harbour Lane', line2: '', city: 'Portland', region: 'OR',
  postalCode: '97209', country: 'US',
};
