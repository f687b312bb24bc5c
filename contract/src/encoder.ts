/** What is wrong with the stream that an encoder (OBS, FFmpeg) sends by RTMP. The pages have the words for it. */
import { Type, type Static } from 'typebox';
import { Nullable } from './common.ts';

/** Where encoders look when an address names no port. */
export const usualRtmpPort = 1935;

export const EncoderProblem = Type.Object({
  /** All but `keys_rare` are refusals: the encoder's connection was closed. */
  code: Type.Union([
    /** Browsers do not play it: another codec than H.264; a profile of H.264; larger than 1080p. */
    Type.Literal('picture_codec'), Type.Literal('picture_profile'), Type.Literal('picture_size'),
    /** Browsers do not play it: another codec than AAC-LC and Opus; another rate than 44.1 and 48 kHz; surround. */
    Type.Literal('sound_codec'), Type.Literal('sound_rate'), Type.Literal('sound_channels'),
    /** Several pictures or sounds in one stream. */
    Type.Literal('tracks'),
    /** Its times jump, or it comes faster than time goes. */
    Type.Literal('clock'),
    Type.Literal('broken'),
    /** No key picture in 15 s. */
    Type.Literal('no_picture'),
    Type.Literal('too_much'),
    /** Taken all the same: key pictures come less often than every 4 s. */
    Type.Literal('keys_rare'),
  ]),
  /** What came instead, in the field's words: `HEVC`, `High 10`, `22050`, `8` (seconds). */
  found: Nullable(Type.String()),
});
export type EncoderProblem = Static<typeof EncoderProblem>;
