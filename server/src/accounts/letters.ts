/**
 * The mails of accounts in the three languages. Nothing in them was written by a stranger, not even a name: anybody can
 * make an account with somebody else's e-mail. Pure.
 */
import type { Locale } from '@nacre/contract/common';
import { writeLetter, type Letter } from '../platform/letter.ts';

interface Words {
  subject: string;
  paragraphs: string[];
  /** What the link is called; none where there is no link. */
  action?: string;
  closing: string[];
}

const RESET: Record<Locale, Words> = {
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

/** To the e-mail with which somebody signed up. */
const EMAIL_PROOF: Record<Locale, Words> = {
  en: {
    subject: 'Confirm your e-mail',
    paragraphs: ['Somebody, probably you, made an account with this e-mail.',
      'Should anybody change your account’s e-mail, a confirmed one takes the account back. Is this one yours?'],
    action: 'Confirm this e-mail',
    closing: [
      'The link works once, for seven days, where you are signed in to that account.',
      'It was not you? Then do nothing: this e-mail stays unconfirmed.',
    ],
  },
  zh: {
    subject: '验证你的邮箱',
    paragraphs: ['有人（应该是你）用这个邮箱注册了账号。', '以后如果有人改了账号的邮箱，验证过的邮箱可以找回账号。请确认这是你的邮箱：'],
    action: '验证这个邮箱',
    closing: ['链接七天内有效，只能用一次，需要登录该账号。', '不是你本人操作？不用理会，这个邮箱不会被验证。'],
  },
  ar: {
    subject: 'أكّد بريدك',
    paragraphs: ['أنشأ أحدهم، وغالبًا أنت، حسابًا بهذا البريد.',
      'إن غيّر أحدهم بريد حسابك يومًا، فالبريد المؤكَّد يستعيد الحساب. أكّد أن هذا بريدك:'],
    action: 'تأكيد هذا البريد',
    closing: [
      'يعمل الرابط مرة واحدة خلال سبعة أيام، حيث تكون مسجّلًا في ذلك الحساب.',
      'لم تفعل ذلك؟ لا تفعل شيئًا، فلن يُؤكَّد هذا البريد.',
    ],
  },
};

/** To the new e-mail. */
const EMAIL_LINK: Record<Locale, Words> = {
  en: {
    subject: 'Is this your e-mail?',
    paragraphs: ['Somebody, probably you, wants to sign in with this e-mail from now on.',
      'If it is yours, say so here:'],
    action: 'Use this e-mail',
    closing: [
      'The link works once, for one hour. All your other devices are signed out with it.',
      'It was not you? Then do nothing: your address is not used.',
    ],
  },
  zh: {
    subject: '确认这个邮箱',
    paragraphs: ['有人（应该是你）想以后用这个邮箱登录。', '如果是你的邮箱，请在这里确认：'],
    action: '使用这个邮箱',
    closing: ['链接一小时内有效，只能用一次。确认后，你的其他设备都会退出登录。', '不是你本人操作？不用理会，这个邮箱不会被使用。'],
  },
  ar: {
    subject: 'هل هذا بريدك؟',
    paragraphs: ['يريد أحدهم، وغالبًا أنت، تسجيل الدخول بهذا البريد من الآن.', 'إن كان بريدك فأكّد ذلك هنا:'],
    action: 'استخدام هذا البريد',
    closing: [
      'يعمل الرابط مرة واحدة خلال ساعة. وبعده تُسجَّل أجهزتك الأخرى خارج الحساب.',
      'لم تطلب ذلك؟ لا تفعل شيئًا، فلن يُستخدم بريدك.',
    ],
  },
};

/** To the old one. */
const EMAIL_UNDO: Record<Locale, Words> = {
  en: {
    subject: 'Your account has another e-mail now',
    paragraphs: ['Your account was with this e-mail until now. It has another one since a moment ago.',
      'If you did that, there is nothing to do. If not, take your account back:'],
    action: 'It was not me',
    closing: [
      'The link works for seven days. It brings this e-mail back and signs everybody out.',
      'Then you choose a new password.',
    ],
  },
  zh: {
    subject: '你的账号换了邮箱',
    paragraphs: ['你的账号一直使用这个邮箱，刚刚换成了另一个。', '如果是你本人操作，不用理会。如果不是，请在这里找回账号：'],
    action: '不是我操作的',
    closing: ['链接七天内有效。它会恢复这个邮箱，并让所有设备退出登录。之后请设置新密码。'],
  },
  ar: {
    subject: 'صار لحسابك بريد آخر',
    paragraphs: ['كان حسابك على هذا البريد، وقبل لحظات صار على بريد آخر.',
      'إن كنت أنت من فعل ذلك فلا حاجة إلى شيء. وإلا فاستعد حسابك من هنا:'],
    action: 'لست أنا',
    closing: [
      'يعمل الرابط سبعة أيام. يعيد هذا البريد ويسجّل خروج كل الأجهزة، ثم تختار كلمة مرور جديدة.',
    ],
  },
};

/** To an e-mail that was the account's only since the one before, which can take the account back. */
const EMAIL_CHANGED: Record<Locale, Words> = {
  en: {
    subject: 'Your account has another e-mail now',
    paragraphs: ['Your account was with this e-mail until now. It has another one since a moment ago.',
      'If you did that, there is nothing to do.'],
    closing: ['If not: we wrote to the e-mail that the account had before this one. '
      + 'The link in that mail takes the account back, for seven days from then.'],
  },
  zh: {
    subject: '你的账号换了邮箱',
    paragraphs: ['你的账号一直使用这个邮箱，刚刚换成了另一个。', '如果是你本人操作，不用理会。'],
    closing: ['如果不是：我们之前给账号的上一个邮箱发过邮件，用那封邮件里的链接可以找回账号，自发送起七天内有效。'],
  },
  ar: {
    subject: 'صار لحسابك بريد آخر',
    paragraphs: ['كان حسابك على هذا البريد، وقبل لحظات صار على بريد آخر.',
      'إن كنت أنت من فعل ذلك فلا حاجة إلى شيء.'],
    closing: ['وإلا فقد كتبنا إلى البريد الذي كان للحساب قبل هذا. '
      + 'الرابط في تلك الرسالة يستعيد الحساب خلال سبعة أيام من إرسالها.'],
  },
};

/** To one that nobody has ever shown to be theirs: it may have been typed wrong. */
const EMAIL_NEVER_CONFIRMED: Record<Locale, Words> = {
  en: {
    ...EMAIL_CHANGED.en,
    closing: [
      'If not: this e-mail was never confirmed, so it cannot take the account back. Write to whoever runs this site.',
      'If you have no account here, somebody mistyped their e-mail.',
    ],
  },
  zh: {
    ...EMAIL_CHANGED.zh,
    closing: ['如果不是：这个邮箱从未验证过，不能用它找回账号，请联系本站的运营者。', '如果你在这里没有账号，是有人填错了邮箱。'],
  },
  ar: {
    ...EMAIL_CHANGED.ar,
    closing: [
      'وإلا فإن هذا البريد لم يؤكَّد قط، فلا يستعيد الحساب. اكتب إلى من يدير هذا الموقع.',
      'وإن لم يكن لك حساب هنا فقد أخطأ أحدهم في كتابة بريده.',
    ],
  },
};

const NUMBER_CHANGED: Record<Locale, Words> = {
  en: {
    subject: 'Your account has another telephone number now',
    paragraphs: ['The telephone number of your account is another one now. The number before no longer signs in.',
      'If you did that, there is nothing to do. If not, look at how your account can be signed in to:'],
    action: 'Open your account',
    closing: [
      'It was not you? Sign out all other devices there, remove what you do not know, and change your password.',
    ],
  },
  zh: {
    subject: '你的账号换了手机号',
    paragraphs: ['你的账号换了手机号，原来的号码不能再用来登录。', '如果是你本人操作，不用理会。如果不是，请查看你账号的登录方式：'],
    action: '打开我的账号',
    closing: ['不是你本人操作？请在那里让其他设备全部退出登录，删除你不认识的登录方式，并修改密码。'],
  },
  ar: {
    subject: 'صار لحسابك رقم هاتف آخر',
    paragraphs: ['تغيّر رقم هاتف حسابك، ولم يعد الرقم السابق يصلح لتسجيل الدخول.',
      'إن كنت أنت من فعل ذلك فلا حاجة إلى شيء. وإلا فراجع طرق تسجيل الدخول إلى حسابك:'],
    action: 'فتح حسابي',
    closing: ['لست أنت؟ سجّل من هناك خروج كل الأجهزة الأخرى، واحذف ما لا تعرفه، وغيّر كلمة مرورك.'],
  },
};

const NUMBER_REMOVED: Record<Locale, Words> = {
  en: {
    ...NUMBER_CHANGED.en,
    subject: 'Your account has no telephone number any more',
    paragraphs: ['The telephone number of your account was removed. It no longer signs in.',
      'If you did that, there is nothing to do. If not, look at how your account can be signed in to:'],
  },
  zh: {
    ...NUMBER_CHANGED.zh,
    subject: '你的账号移除了手机号',
    paragraphs: ['你账号的手机号已被移除，不能再用来登录。', '如果是你本人操作，不用理会。如果不是，请查看你账号的登录方式：'],
  },
  ar: {
    ...NUMBER_CHANGED.ar,
    subject: 'لم يعد لحسابك رقم هاتف',
    paragraphs: ['أُزيل رقم هاتف حسابك، ولم يعد يصلح لتسجيل الدخول.',
      'إن كنت أنت من فعل ذلك فلا حاجة إلى شيء. وإلا فراجع طرق تسجيل الدخول إلى حسابك:'],
  },
};

/** To the old number of whoever has no e-mail. */
const NUMBER_GONE: Record<Locale, string> = {
  en: 'Your Nacre account has another number now; this one no longer signs in. It was not you? '
    + 'Look where you are still signed in:',
  zh: '你的 Nacre 账号换了手机号，这个号码不能再用来登录。不是你本人操作？请在仍登录的设备上查看：',
  ar: 'صار لحسابك في Nacre رقم آخر، ولم يعد هذا الرقم يصلح لتسجيل الدخول. لست أنت؟ '
    + 'راجع حسابك من جهاز ما زلت مسجلًا فيه:',
};

const CODE: Record<Locale, (code: string) => string> = {
  en: (code) => `${code} is your Nacre code. It works for 10 minutes. Give it to nobody.`,
  zh: (code) => `你的 Nacre 验证码是 ${code}，10 分钟内有效。请勿告诉他人。`,
  // The code first and last would be turned around by some telephones; in a line of its own it is not.
  ar: (code) => `رمز Nacre الخاص بك:\n${code}\nصالح لعشر دقائق. لا تعطه لأحد.`,
};

export const resetLetter = (locale: Locale, url: string): Letter => write(RESET, locale, url);
export const emailProofLetter = (locale: Locale, url: string): Letter => write(EMAIL_PROOF, locale, url);
export const emailLinkLetter = (locale: Locale, url: string): Letter => write(EMAIL_LINK, locale, url);
export const emailUndoLetter = (locale: Locale, url: string): Letter => write(EMAIL_UNDO, locale, url);
/** @param canOlderUndo whether the e-mail that the account had before can take it back */
export const emailChangedLetter = (locale: Locale, canOlderUndo: boolean): Letter =>
  write(canOlderUndo ? EMAIL_CHANGED : EMAIL_NEVER_CONFIRMED, locale, '');
export const numberLetter = (locale: Locale, isRemoved: boolean, url: string): Letter =>
  write(isRemoved ? NUMBER_REMOVED : NUMBER_CHANGED, locale, url);
export const numberText = (locale: Locale, url: string): string => `${NUMBER_GONE[locale]}\n${url}`;

function write(words: Record<Locale, Words>, locale: Locale, url: string): Letter {
  const { subject, paragraphs, action: label, closing } = words[locale];
  return writeLetter({ locale, subject, paragraphs, action: label === undefined ? null : { label, url }, closing });
}

/**
 * The message with a code. Where the pages are reached by https, its last line ties the code to them, so that
 * telephones offer it there and nowhere else (WICG origin-bound one-time codes).
 */
export function codeText(locale: Locale, code: string, pages: string): string {
  const { protocol, hostname } = new URL(pages);
  return protocol === 'https:' ? `${CODE[locale](code)}\n\n@${hostname} #${code}` : CODE[locale](code);
}
