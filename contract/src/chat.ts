/** The talk in a show's room. */
import { Type, type Static } from 'typebox';
import { Id, Instant, PAGE_LIMIT_MAX } from './common.ts';

/** Characters (Unicode code points) in one message; longer ones hide the host behind text. */
export const CHAT_TEXT_MAX = 200;

export const ChatMessage = Type.Object({
  id: Id,
  /** The sender's own id of the message, so that the page can match it with what it shows as being sent. */
  clientId: Type.String(),
  personId: Id,
  name: Type.String(),
  /** Written by a member of the shop. */
  isHost: Type.Boolean(),
  text: Type.String(),
  sentAt: Instant,
});
export type ChatMessage = Static<typeof ChatMessage>;

/** The talk of a show from a moment on, oldest first, for its replay. */
export const TalkQuery = Type.Object({
  from: Instant,
  /** Only what asks something. */
  questions: Type.Optional(Type.Boolean()),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_LIMIT_MAX, default: PAGE_LIMIT_MAX })),
});
export const TalkAnswer = Type.Object({ items: Type.Array(ChatMessage) });

export const ChatBody = Type.Object(
  {
    clientId: Type.String({ minLength: 8, maxLength: 64, pattern: '^[A-Za-z0-9_-]+$' }),
    // The limit in characters is the module's rule, with its own refusal; this one only bounds the body.
    text: Type.String({ maxLength: 4000 }),
  },
  { additionalProperties: false },
);
export type ChatBody = Static<typeof ChatBody>;
