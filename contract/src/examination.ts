/** What a host's page asks before going live, to tell what would go wrong (`/api/office/shows/:showId/examination`). */
import { Type } from 'typebox';
import type { Static } from 'typebox';

/** An upload to measure by is cut into pieces of at most so many bytes. */
export const trialUploadBytesMax = 1024 * 1024;

export const Examination = Type.Object({
  /** The server's clock, ISO 8601 with milliseconds. */
  now: Type.String({ format: 'date-time' }),
  /** So long before, in ms, the question came: what is left of the round trip is the network's (RFC 5905 §8). */
  tookMs: Type.Number({ minimum: 0 }),
  /** For how many hours of a show at full bitrate the server's disk has room, 48 at most; null where it cannot tell. */
  diskHours: Type.Union([Type.Null(), Type.Number({ minimum: 0, maximum: 48 })]),
  /** TURN servers with a name and a password that hold for some hours; empty where none are configured. */
  iceServers: Type.Array(Type.Object({
    url: Type.String(), username: Type.String(), credential: Type.String(),
  })),
});

/** An offer like one for publishing (RFC 9725), of which nobody sees anything. */
export const TrialOffer = Type.Object(
  { sdp: Type.String({ minLength: 1, maxLength: 64 * 1024 }) },
  { additionalProperties: false },
);
export const TrialAnswer = Type.Object({ sdp: Type.String() });
/** How much of an upload arrived. */
export const TrialUpload = Type.Object({ bytes: Type.Integer({ minimum: 0 }) });

export type Examination = Static<typeof Examination>;
export type TrialAnswer = Static<typeof TrialAnswer>;
export type TrialUpload = Static<typeof TrialUpload>;
