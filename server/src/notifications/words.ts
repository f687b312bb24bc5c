/** What pushes say, in the three languages. What shops wrote stays as they wrote it. Pure. */
import type { Locale } from '@nacre/contract/common';
import type { NotificationKind, PushMessage } from '@nacre/contract/notifications';

/** A push may have 4,096 bytes encrypted (RFC 8030, 7.2); names and titles are as short as their columns. */
export interface News {
  kind: NotificationKind;
  at: Date;
  shopName: string;
  /** Title of the show, or number of the order. */
  about: string;
  /** Null when it is about an order. */
  startsAt: Date | null;
  /** Of the show or the order. */
  id: string;
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
  },
  zh: {
    live: (shop, about) => ({ title: `${shop} 开播了`, body: about }),
    moved: (shop, about, time) => ({ title: `${shop} 改了开播时间`, body: `${about}：${time}` }),
    cancelled: (shop, about, time) => ({ title: `${shop} 取消了一场直播`, body: `${about}（原定 ${time}）` }),
    order_shipped: (shop, about) => ({ title: '你的包裹已发出', body: `${shop} 的订单 ${about}` }),
    order_cancelled: (shop, about) => ({ title: `${shop} 取消了你的订单`, body: `订单 ${about} 的款项将退回给你` }),
  },
  ar: {
    live: (shop, about) => ({ title: `${shop} على الهواء الآن`, body: about }),
    moved: (shop, about, time) => ({ title: `موعد جديد من ${shop}`, body: `${about}: ${time}` }),
    cancelled: (shop, about, time) => ({ title: `ألغى ${shop} بثًا`, body: `${about}، وكان موعده ${time}` }),
    order_shipped: (shop, about) => ({ title: 'طردك في الطريق إليك', body: `الطلب ${about} من ${shop}` }),
    order_cancelled: (shop, about) => ({ title: `ألغى ${shop} طلبك`, body: `الطلب ${about}: سيعود إليك مالك` }),
  },
};

/** Keeps a name of another direction from turning the sentence around it (Unicode UAX 9). */
const isolated = (text: string) => `\u2068${text}\u2069`;

export function pushOf(news: News, { locale, timeZone }: Reader): PushMessage {
  const time = news.startsAt === null ? '' : new Intl.DateTimeFormat(locale, {
    timeZone, weekday: 'short', day: 'numeric', month: 'short', hour: 'numeric', minute: '2-digit',
  }).format(news.startsAt);
  const { title, body } = WORDS[locale][news.kind](isolated(news.shopName), isolated(news.about), time);
  const isOrder = news.kind === 'order_shipped' || news.kind === 'order_cancelled';
  return {
    title,
    body,
    url: `/${isOrder ? 'orders' : 'shows'}/${news.id}`,
    tag: `${isOrder ? 'order' : 'show'}/${news.id}`,
    lang: locale,
    dir: locale === 'ar' ? 'rtl' : 'ltr',
    at: news.at.toISOString(),
  };
}
