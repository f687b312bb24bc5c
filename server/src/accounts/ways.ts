/**
 * How a person signs in, besides e-mail and password: telephone and code, passkeys; that the e-mail is theirs, and
 * another one.
 *
 * Invariants: nobody is left without an e-mail or a number; what lets somebody in later is added only by whoever has
 * just shown to be the person; a demo account, which is everybody's, stays as it is.
 */
import type {
  CodeAsked, CodeSent, Confirmation, EmailSet, Passkey, PasskeyMade, PasskeyShown, PhonePut, PhoneSignIn, Ways,
} from '@nacre/contract/identity';
import { LRUCache } from 'lru-cache';
import { viewerOf, type PersonActor } from '../http/actor.ts';
import { Refusal } from '../lib/refusal.ts';
import type { AccountsParts } from './accounts.ts';
import * as codes from './codes.ts';
import * as emails from './email-change.ts';
import * as proofs from './email-proof.ts';
import * as passkeys from './passkeys.ts';
import { headersFor, refusalOf, signInLimits, type Client, type SignedIn } from './signing.ts';
import { personById } from './store.ts';
import * as store from './ways-store.ts';

/** How long somebody who has signed in or confirmed counts as sure. Shorter asks twice in one visit to the page. */
const SURE_MS = 15 * 60_000;
/** Confirmations kept, 0.1 KB each; one that is pushed out is asked for again. */
const SURE_MAX = 10_000;

/**
 * Verbs that change an account throw `accounts.demo_ways` for a demo account; those that add a way to sign in throw
 * `accounts.confirm_first` besides, unless the person signed in or confirmed a quarter of an hour ago at most, and
 * `accounts.sign_in_first` when the session has ended meanwhile.
 */
export interface AccountWays {
  /** How this person may sign in. */
  of(personId: string): Promise<Ways>;
  /**
   * Has a code sent to a number; the same answer whether anybody has it.
   * @param viewer who asks, as `viewerOf` names them: the code works for them alone
   * @throws Refusal `accounts.phone_invalid`, `accounts.code_not_sent`
   */
  askCode(client: Client, viewer: string, asked: CodeAsked): Promise<CodeSent>;
  /** The job of `askCode`. */
  sendCode(job: codes.CodeJob): Promise<void>;
  /**
   * Signs in whoever has the number, or makes an account with it.
   * @throws Refusal `accounts.code_wrong`, `…code_over`, `…name_needed`, `…phone_invalid`, `request.too_many`
   */
  signInByPhone(client: Client, viewer: string, input: PhoneSignIn): Promise<SignedIn>;
  /** @throws Refusal `accounts.phone_taken`, and as `signInByPhone` */
  putPhone(client: Client, actor: PersonActor, input: PhonePut): Promise<void>;
  /** @throws Refusal `accounts.last_way` where there is no e-mail */
  removePhone(actor: PersonActor): Promise<void>;
  /** The job of those two. */
  sendNumberNews(job: codes.NumberJob): Promise<void>;
  /** Shows once more who it is. @throws Refusal `accounts.wrong_credentials`, as `signInByPhone`, `request.too_many` */
  confirm(client: Client, actor: PersonActor, shown: Confirmation): Promise<void>;
  /** @throws Refusal `accounts.passkey_not_here`, `…too_many_passkeys`, `request.too_many` */
  makeOptions(client: Client, actor: PersonActor): Promise<unknown>;
  /** @throws Refusal `accounts.passkey_failed`, `…passkey_known`, `…too_many_passkeys` */
  makePasskey(client: Client, actor: PersonActor, made: PasskeyMade): Promise<Passkey>;
  /** @throws Refusal `request.not_found` */
  renamePasskey(actor: PersonActor, id: string, name: string): Promise<Passkey>;
  /** @throws Refusal `request.not_found` */
  removePasskey(actor: PersonActor, id: string): Promise<void>;
  /** @throws Refusal `accounts.passkey_not_here`, `request.too_many` */
  showOptions(client: Client, viewer: string): Promise<unknown>;
  /** @throws Refusal `accounts.passkey_failed`, `…passkey_unknown` */
  signInByPasskey(client: Client, viewer: string, shown: PasskeyShown): Promise<SignedIn>;
  /** Has a link mailed again that confirms the e-mail, unless it is. @throws Refusal `request.too_many` */
  askEmailProof(client: Client, actor: PersonActor): Promise<Ways>;
  /** The job of `askEmailProof` and of signing up. */
  mailEmailProof(job: proofs.EmailProofJob): Promise<void>;
  /** Takes that link. @throws Refusal `accounts.email_proof_over`, `…email_proof_of_other`, `…sign_in_first` */
  proveEmail(actor: PersonActor, token: string): Promise<Ways>;
  /**
   * Has a link mailed to another e-mail.
   * @throws Refusal `accounts.email_invalid`, `…email_taken`, `request.too_many`
   */
  askEmailChange(client: Client, actor: PersonActor, email: string): Promise<void>;
  /** The job of `askEmailChange`. */
  mailEmailLink(job: emails.EmailLinkJob): Promise<void>;
  /** Takes that link. @throws Refusal `accounts.email_link_over`, `…email_taken` */
  confirmEmail(token: string): Promise<EmailSet>;
  /** The job of `confirmEmail`. */
  mailEmailUndo(job: emails.EmailUndoJob): Promise<void>;
  /** Takes the link that the old e-mail got. @throws Refusal as `confirmEmail` */
  undoEmail(token: string): Promise<EmailSet>;
}

export function createWays(parts: AccountsParts): AccountWays {
  const sureUntil = new LRUCache<string, number>({ max: SURE_MAX });
  const nowMs = () => parts.platform.clock.now().getTime();

  /** @throws Refusal `accounts.demo_ways`, `accounts.confirm_first` */
  async function assertSure(actor: PersonActor): Promise<void> {
    assertOwn(actor);
    if ((sureUntil.get(actor.sessionId) ?? 0) > nowMs()) return;
    const since = await store.sessionSince(parts.platform.database.db, actor.sessionId);
    if (since === null || nowMs() - since.getTime() > SURE_MS) throw new Refusal('accounts.confirm_first');
  }

  return {
    of: (personId) => waysOf(parts, personId),
    askCode: (client, viewer, asked) => codes.askCode(parts, client, viewer, asked),
    sendCode: (job) => codes.sendCode(parts, job),
    signInByPhone: (client, viewer, input) => codes.signInByPhone(parts, client, viewer, input),
    async putPhone(client, actor, input) {
      await assertSure(actor);
      await codes.putPhone(parts, client, actor, viewerOf(actor), input);
    },
    async removePhone(actor) {
      await assertSure(actor);
      await codes.removePhone(parts, actor);
    },
    sendNumberNews: (job) => codes.sendNumberNews(parts, job),
    async confirm(client, actor, shown) {
      assertOwn(actor);
      await confirm(parts, client, actor, shown);
      sureUntil.set(actor.sessionId, nowMs() + SURE_MS);
    },
    async makeOptions(client, actor) {
      await assertSure(actor);
      return passkeys.makeOptions(parts, client, actor, viewerOf(actor));
    },
    async makePasskey(client, actor, made) {
      assertOwn(actor);
      return passkeys.makePasskey(parts, client, actor, viewerOf(actor), made);
    },
    async renamePasskey(actor, id, name) {
      return passkeys.renamePasskey(parts, actor.personId, id, name);
    },
    async removePasskey(actor, id) {
      await assertSure(actor);
      await passkeys.removePasskey(parts, actor, id);
    },
    showOptions: (client, viewer) => passkeys.showOptions(parts, client, viewer),
    signInByPasskey: (client, viewer, shown) => passkeys.signInByPasskey(parts, client, viewer, shown),
    async askEmailProof(client, actor) {
      assertOwn(actor);
      const ways = await waysOf(parts, actor.personId);
      if (ways.email !== null && !ways.isEmailConfirmed) await proofs.askEmailProof(parts, client, actor.personId);
      return ways;
    },
    mailEmailProof: (job) => proofs.mailEmailProof(parts, job),
    async proveEmail(actor, token) {
      assertOwn(actor);
      await proofs.proveEmail(parts, actor, token);
      return waysOf(parts, actor.personId);
    },
    async askEmailChange(client, actor, email) {
      await assertSure(actor);
      await emails.askEmailChange(parts, client, actor, viewerOf(actor), email);
    },
    mailEmailLink: (job) => emails.mailEmailLink(parts, job),
    confirmEmail: (token) => emails.confirmEmail(parts, token),
    mailEmailUndo: (job) => emails.mailEmailUndo(parts, job),
    undoEmail: (token) => emails.undoEmail(parts, token),
  };
}

function assertOwn(actor: PersonActor): void {
  if (actor.isDemo) throw new Refusal('accounts.demo_ways');
}

async function waysOf(parts: AccountsParts, personId: string): Promise<Ways> {
  const { db } = parts.platform.database;
  const [person, newEmail, hash, rows] = await Promise.all([
    personById(db, personId), store.waitingEmail(db, personId, parts.platform.clock.now()),
    store.passwordHash(db, personId), store.passkeysOf(db, personId),
  ]);
  if (person === undefined) throw new Refusal('accounts.sign_in_first');
  return {
    email: person.email, isEmailConfirmed: person.email_verified, newEmail, hasPassword: hash !== null,
    phone: person.phone,
    passkeys: rows.map(passkeys.passkeyView),
  };
}

async function confirm(
  parts: AccountsParts, client: Client, actor: PersonActor, shown: Confirmation,
): Promise<void> {
  const { database } = parts.platform;
  // Who finds a phone unlocked guesses as slowly as at the door.
  const limits = signInLimits(parts, client, actor.personId);
  parts.attempts.begin(limits);
  if (shown.password !== undefined) {
    try {
      await parts.auth.api.verifyPassword({ body: { password: shown.password }, headers: headersFor(client) });
    } catch (error) {
      throw refusalOf(error) ?? error;
    }
  } else {
    const refusal = await database.transaction(async (tx) => {
      const person = await store.lockPerson(tx, actor.personId);
      const phone = person?.phone ?? '';
      const wrong = await codes.checkCode(parts, tx, { phone, askedBy: viewerOf(actor), code: shown.code ?? '' });
      if (wrong === null) await store.deleteCodes(tx, phone);
      return wrong;
    });
    if (refusal !== null) throw refusal;
  }
  parts.attempts.forgive(limits);
}
