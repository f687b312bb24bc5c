/**
 * The mails of accounts in the three languages. Nothing in them was written by a stranger, not even a name: anybody can
 * make an account with somebody else's e-mail. Pure.
 */
import type { Locale } from '@nacre/contract/common';
import { writeLetter, type Letter } from '../platform/letter.ts';

interface ResetWords {
  subject: string;
  paragraphs: string[];
  action: string;
  closing: string[];
}

const RESET: Record<Locale, ResetWords> = {
  en: {
    subject: 'Your new password',
    paragraphs: ['Somebody, probably you, forgot the password of your account.', 'Choose a new one here:'],
    action: 'Choose a new password',
    closing: [
      'The link works once, for one hour. All your devices are signed out with it.',
      'It was not you? Then do nothing: your password stays as it is.',
    ],
  },
  zh: {
    subject: '重设密码',
    paragraphs: ['有人（应该是你）忘记了你账号的密码。', '在这里设置新密码：'],
    action: '设置新密码',
    closing: ['链接一小时内有效，只能用一次。设置后，你的所有设备都会退出登录。', '不是你本人操作？不用理会，密码不会改变。'],
  },
  ar: {
    subject: 'كلمة مرور جديدة',
    paragraphs: ['نسي أحدهم، وغالبًا أنت، كلمة مرور حسابك.', 'اختر كلمة مرور جديدة من هنا:'],
    action: 'اختيار كلمة مرور جديدة',
    closing: [
      'يعمل الرابط مرة واحدة خلال ساعة. وبعده تُسجَّل كل أجهزتك خارج الحساب.',
      'لم تطلب ذلك؟ لا تفعل شيئًا، فكلمة مرورك تبقى كما هي.',
    ],
  },
};

export function resetLetter(locale: Locale, url: string): Letter {
  const { subject, paragraphs, action, closing } = RESET[locale];
  return writeLetter({ locale, subject, paragraphs, action: { label: action, url }, closing });
}
