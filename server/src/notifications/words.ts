/** What pushes say, in the three languages. What shops wrote stays as they wrote it. Pure. */
import type { Locale } from '@nacre/contract/common';
import type { NotificationKind, PushMessage } from '@nacre/contract/notifications';

/** A push may have 4,096 bytes encrypted (RFC 8030, 7.2); names and titles are as short as their columns. */
export interface News {
  kind: NotificationKind;
  at: Date;
  shopName: string;
  /** Title of the show or of the goods, or number of the order. */
  about: string;
  /** Null when it is about no show. */
  startsAt: Date | null;
  /** Of the show or the order; of the news itself where goods are kept. */
  id: string;
  /** Where it leads. */
  path: string;
}

export interface Reader {
  locale: Locale;
  timeZone: string;
}

type Words = Record<NotificationKind, (shop: string, about: string, time: string) => { title: string; body: string }>;

const WORDS: Record<Locale, Words> = {
  en: {
    live: (shop, about) => ({ title: `${shop} is live`, body: about }),
    moved: (shop, about, time) => ({ title: `${shop} has a new time`, body: `${about}: ${time}` }),
    cancelled: (shop, about, time) => ({ title: `${shop} called a show off`, body: `${about}, planned for ${time}` }),
    order_shipped: (shop, about) => ({ title: 'Your parcel is on its way', body: `Order ${about} from ${shop}` }),
    order_cancelled: (shop, about) => ({
      title: `${shop} cancelled your order`, body: `Order ${about}: your money goes back to you`,
    }),
    order_paid_late: (shop, about) => ({
      title: 'Your late payment counts', body: `Order ${about} from ${shop} is yours`,
    }),
    order_too_late: (shop, about) => ({
      title: 'Your payment came too late', body: `Order ${about} from ${shop} was sold out; the money goes back`,
    }),
    kept: (shop, about) => ({ title: 'Your turn: one is kept for you', body: `${about}, ${shop}. Ten minutes to buy` }),
  },
  zh: {
    live: (shop, about) => ({ title: `${shop} 开播了`, body: about }),
    moved: (shop, about, time) => ({ title: `${shop} 改了开播时间`, body: `${about}：${time}` }),
    cancelled: (shop, about, time) => ({ title: `${shop} 取消了一场直播`, body: `${about}（原定 ${time}）` }),
    order_shipped: (shop, about) => ({ title: '你的包裹已发出', body: `${shop} 的订单 ${about}` }),
    order_cancelled: (shop, about) => ({ title: `${shop} 取消了你的订单`, body: `订单 ${about} 的款项将退回给你` }),
    order_paid_late: (shop, about) => ({ title: '付款晚到，订单有效', body: `${shop} 的订单 ${about} 已为你留好` }),
    order_too_late: (shop, about) => ({ title: '付款来得太晚', body: `${shop} 的订单 ${about} 已售罄，款项将退回` }),
    kept: (shop, about) => ({ title: '轮到你了，已为你留货', body: `${shop} 的${about}，请在十分钟内购买` }),
  },
  ar: {
    live: (shop, about) => ({ title: `${shop} على الهواء الآن`, body: about }),
    moved: (shop, about, time) => ({ title: `موعد جديد من ${shop}`, body: `${about}: ${time}` }),
    cancelled: (shop, about, time) => ({ title: `ألغى ${shop} بثًا`, body: `${about}، وكان موعده ${time}` }),
    order_shipped: (shop, about) => ({ title: 'طردك في الطريق إليك', body: `الطلب ${about} من ${shop}` }),
    order_cancelled: (shop, about) => ({ title: `ألغى ${shop} طلبك`, body: `الطلب ${about}: سيعود إليك مالك` }),
    order_paid_late: (shop, about) => ({ title: 'دفعتك المتأخرة مقبولة', body: `الطلب ${about} من ${shop} أصبح لك` }),
    order_too_late: (shop, about) => ({
      title: 'وصلت دفعتك متأخرة', body: `نفدت قطع الطلب ${about} من ${shop}، ويعود إليك المبلغ`,
    }),
    kept: (shop, about) => ({ title: 'حان دورك: حجزنا لك قطعة', body: `${about} من ${shop}. أمامك عشر دقائق للشراء` }),
  },
};

/** A later push of the same tag takes the place of the one before. */
const KIND_OF_TAG = {
  live: 'show', moved: 'show', cancelled: 'show', order_shipped: 'order', order_cancelled: 'order',
  order_paid_late: 'order', order_too_late: 'order', kept: 'kept',
} as const satisfies Record<NotificationKind, string>;

/** Keeps a name of another direction from turning the sentence around it (Unicode UAX 9). */
const isolated = (text: string) => `\u2068${text}\u2069`;

export function pushOf(news: News, { locale, timeZone }: Reader): PushMessage {
  const time = news.startsAt === null ? '' : new Intl.DateTimeFormat(locale, {
    timeZone, weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit',
  }).format(news.startsAt);
  const { title, body } = WORDS[locale][news.kind](isolated(news.shopName), isolated(news.about), time);
  return {
    title,
    body,
    url: news.path,
    tag: `${KIND_OF_TAG[news.kind]}/${news.id}`,
    lang: locale,
    dir: locale === 'ar' ? 'rtl' : 'ltr',
    at: news.at.toISOString(),
  };
}
