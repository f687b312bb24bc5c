/**
 * The mail of an invitation in the three languages. The name of the shop is all that a stranger wrote in it, and it
 * stands where it can be neither a link nor a line of its own. Pure.
 */
import type { Locale } from '@nacre/contract/common';
import type { ShopRole } from '@nacre/contract/team';
import { writeLetter, type Letter } from '../platform/letter.ts';

const ROLES: Record<Locale, Record<ShopRole, string>> = {
  en: { owner: 'owner', manager: 'manager', host: 'host', moderator: 'moderator', packer: 'packer' },
  zh: { owner: '店主', manager: '店长', host: '主播', moderator: '房管', packer: '打包员' },
  ar: { owner: 'مالك', manager: 'مدير', host: 'مقدّم', moderator: 'مشرف دردشة', packer: 'مجهّز' },
};

interface Words {
  subject(shop: string): string;
  invited(shop: string, role: string): string;
  action: string;
  closing: string[];
}

const WORDS: Record<Locale, Words> = {
  en: {
    subject: (shop) => `Work with ${shop}`,
    invited: (shop, role) => `The shop ${shop} invites you to work in it, as ${role}.`,
    action: 'See the invitation',
    closing: ['The link lets one person in, once, within seven days.',
      'You do not know this shop? Then do nothing: without the link nobody gets in.'],
  },
  zh: {
    subject: (shop) => `加入 ${shop}`,
    invited: (shop, role) => `店铺 ${shop} 邀请你加入，身份是${role}。`,
    action: '查看邀请',
    closing: ['链接七天内有效，只能一个人用一次。', '不认识这家店？不用理会。'],
  },
  ar: {
    subject: (shop) => `العمل مع ${shop}`,
    invited: (shop, role) => `يدعوك متجر ${shop} إلى العمل فيه بصفة ${role}.`,
    action: 'عرض الدعوة',
    closing: ['يُدخل الرابط شخصًا واحدًا، مرة واحدة، خلال سبعة أيام.', 'لا تعرف هذا المتجر؟ لا تفعل شيئًا.'],
  },
};

/** A name that mail programs would make a link of is shown without what makes it one. */
const plain = (name: string): string =>
  name.replaceAll(/\s+/gu, ' ').replaceAll(/\b\w+:\/\/|www\./giu, ' ').replaceAll(/\.(?=\p{L})/gu, '. ');

/** U+2068 and U+2069: a name in another script does not turn the sentence around. */
const apart = (name: string): string => `\u2068${name}\u2069`;

export function invitationLetter(
  locale: Locale, invitation: { shop: string; role: ShopRole; url: string },
): Letter {
  const words = WORDS[locale];
  const shop = plain(invitation.shop);
  return writeLetter({
    locale, subject: words.subject(shop),
    paragraphs: [words.invited(apart(shop), ROLES[locale][invitation.role])],
    action: { label: words.action, url: invitation.url }, closing: words.closing,
  });
}
