/** What a row of the table in `http/authorisation.db.test.ts` is, and those of accounts. */
import type { Product } from '@nacre/contract/catalog';
import type { Order } from '@nacre/contract/orders';
import type { Shop } from '@nacre/contract/shops';
import type { Show } from '@nacre/contract/shows';
import { insertPasskey } from '../../server/src/accounts/ways-store.ts';
import type { PersonActor } from '../../server/src/http/actor.ts';
import type { Offers } from '../../server/src/offers/offers.ts';
import type { Orders } from '../../server/src/orders/orders.ts';
import type { Payments } from '../../server/src/payments/payments.ts';
import { PASSWORD, unique, type Asked, type SignedInPerson } from './api.ts';
import { ADDRESS } from './market.ts';
import type { ShowApi } from './show-api.ts';
import { all, buyerOr, everybody, people, SIGN_IN_FIRST, type Gets, type Who } from './who-gets-in.ts';

export type Request = { path: string } & Asked;
export interface Row {
  gets: Gets;
  /** The same with a private show, where the route is about a show. */
  hidden?: Gets;
  request(stage: Stage, who: Who): Request | Promise<Request>;
}

export interface Stage {
  api: ShowApi;
  offers: Offers;
  orders: Orders;
  payments: Payments;
  shop: Shop;
  product: Product;
  draft: Product;
  persons: Record<Exclude<Who, 'guest'>, SignedInPerson>;
  /** The show that is asked about; live. */
  show: Show;
  order: Order;
  newOrder(): Promise<Order>;
  newLiveShow(): Promise<Show>;
  cookieOf(who: Who): string;
}

/** A person as a request has them. */
export const actorOf = ({ id, name }: SignedInPerson): PersonActor => (
  { kind: 'person', personId: id, name, isOperator: false, isDemo: false, sessionId: 'test' }
);

export const row = (gets: Gets, request: Row['request'], more: Partial<Row> = {}): Row => ({ gets, request, ...more });

/** A session of its own, because the request ends it. */
async function withNewSession({ api }: Stage, who: Who, path: string): Promise<Request> {
  return { path, method: 'POST', ...(who === 'guest' ? {} : { cookie: (await api.newPerson()).cookie }) };
}

/** The buyer's. */
async function newPasskey({ api, persons: { buyer } }: Stage): Promise<string> {
  const { clock, database, newId } = api.platform;
  const id = newId();
  await database.transaction((tx) => insertPasskey(tx, {
    id, person_id: buyer.id, name: 'Key', credential_id: unique('key'), public_key: Buffer.from('key'), counter: 0n,
    transports: [], created_at: clock.now(),
  }));
  return id;
}

export const ACCOUNT_ROWS: Record<string, Row> = {
  signUp: row(everybody, () => ({
    path: '/api/auth/sign-up/email', body: { name: 'An', email: `${unique('new')}@example.test`, password: PASSWORD },
  })),
  signIn: row(everybody, ({ persons }) => ({
    path: '/api/auth/sign-in/email', body: { email: persons.buyer.email, password: PASSWORD },
  })),
  signOut: row(everybody, (stage, who) => withNewSession(stage, who, '/api/auth/sign-out')),
  signOutEverywhere: row(people, (stage, who) => withNewSession(stage, who, '/api/auth/revoke-sessions')),
  forgotPassword: row(all('request.invalid'), () => ({ path: '/api/auth/forgot-password', body: { email: 'x' } })),
  resetPassword: row(all('accounts.link_over'), () => ({
    path: '/api/auth/reset-password', body: { token: 'no such link', password: PASSWORD },
  })),
  changePassword: row({ ...all('accounts.wrong_credentials'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/password', body: { password: 'not this one', newPassword: PASSWORD },
  })),
  askPhoneCode: row(all('accounts.phone_invalid'), () => ({ path: '/api/auth/phone-code', body: { phone: '12' } })),
  signInByPhone: row(all('accounts.code_over'), () => ({
    path: '/api/auth/sign-in/phone', body: { phone: '+8613800138000', code: '123456' },
  })),
  showPasskeyOptions: row(all('accounts.passkey_not_here'), () => ({
    path: '/api/auth/passkey-options', method: 'POST',
  })),
  signInByPasskey: row(all('accounts.passkey_failed'), () => ({
    path: '/api/auth/sign-in/passkey',
    body: {
      id: 'AA', rawId: 'AA', type: 'public-key',
      response: { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' },
    },
  })),
  getWays: row(people, () => ({ path: '/api/me/ways' })),
  confirmMe: row(people, () => ({ path: '/api/me/confirm', body: { password: PASSWORD } })),
  putPhone: row({ ...all('accounts.code_over'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/phone', method: 'PUT', body: { phone: '+8613800138000', code: '123456' },
  })),
  removePhone: row(people, () => ({ path: '/api/me/phone', method: 'DELETE' })),
  makePasskeyOptions: row({ ...all('accounts.passkey_not_here'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/passkey-options', method: 'POST',
  })),
  makePasskey: row({ ...all('accounts.passkey_failed'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/passkeys',
    body: {
      id: 'AA', rawId: 'AA', type: 'public-key', response: { clientDataJSON: 'AA', attestationObject: 'AA' },
    },
  })),
  renamePasskey: row(buyerOr('request.not_found'), async (stage) => ({
    path: `/api/me/passkeys/${await newPasskey(stage)}`, method: 'PATCH', body: { name: 'Phone' },
  })),
  removePasskey: row(buyerOr('request.not_found'), async (stage) => ({
    path: `/api/me/passkeys/${await newPasskey(stage)}`, method: 'DELETE',
  })),
  askEmailProof: row(people, () => ({ path: '/api/me/email-link', method: 'POST' })),
  proveEmail: row({ ...all('accounts.email_proof_over'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/prove-email', body: { token: 'no such link' },
  })),
  askEmailChange: row({ ...all('accounts.email_invalid'), guest: SIGN_IN_FIRST }, () => ({
    path: '/api/me/email', body: { email: 'mei at example' },
  })),
  confirmEmail: row(all('accounts.email_link_over'), () => ({
    path: '/api/auth/confirm-email', body: { token: 'no such link' },
  })),
  undoEmail: row(all('accounts.email_link_over'), () => ({
    path: '/api/auth/undo-email', body: { token: 'no such link' },
  })),
  listDemoMails: row(everybody, () => ({ path: '/api/demo-mails' })),
  listDevices: row(people, () => ({ path: '/api/me/devices' })),
  endDevice: row(buyerOr('request.not_found'), async ({ api, persons }) => {
    const { email, cookie } = persons.buyer;
    await api.ask('/api/auth/sign-in/email', { body: { email, password: PASSWORD } });
    const devices = (await api.ask('/api/me/devices', { cookie })).json['items'] as { id: string; isThis: boolean }[];
    return { path: `/api/me/devices/${devices.find(({ isThis }) => !isThis)?.id}`, method: 'DELETE' };
  }),
  endOtherDevices: row(people, (stage, who) => withNewSession(stage, who, '/api/auth/revoke-other-sessions')),
  listDemoAccounts: row(everybody, () => ({ path: '/api/demo-accounts' })),
  getMe: row(everybody, () => ({ path: '/api/me' })),
  patchMe: row(people, () => ({ path: '/api/me', method: 'PATCH', body: { locale: 'en' } })),
  listAddresses: row(people, () => ({ path: '/api/me/addresses' })),
  addAddress: row(people, () => ({ path: '/api/me/addresses', body: ADDRESS })),
  removeAddress: row(buyerOr('request.not_found'), async ({ api, persons }) => {
    const { id } = await api.accounts.addAddress(persons.buyer.id, { ...ADDRESS, line2: unique('floor') });
    return { path: `/api/me/addresses/${id}`, method: 'DELETE' };
  }),
};
