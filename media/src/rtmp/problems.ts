/** What can be wrong with an encoder's stream, and what to set otherwise: for its log; pages have their own words. */

export type EncoderProblemCode =
  /** The stream is refused: browsers cannot show it. */
  | 'picture_codec' | 'picture_profile' | 'picture_size' | 'sound_codec' | 'sound_rate' | 'sound_channels'
  /** The stream is refused: several pictures or sounds in one (E-RTMP multitrack). */
  | 'tracks'
  /** The stream is refused: its times jump, or it comes faster than time goes. */
  | 'clock'
  /** The stream is refused: it is broken. */
  | 'broken'
  /** The stream is refused: no picture to begin with in 15 s. */
  | 'no_picture'
  /** The stream is refused: more comes than a show has. */
  | 'too_much'
  /** Taken all the same: viewers wait longer for their first picture, and go back farther after a loss. */
  | 'keys_rare';

export interface EncoderProblem {
  code: EncoderProblemCode;
  /** What came, in the field's words: `HEVC`, `High 10`, `22050`, `8`. Null where there is nothing to name. */
  found: string | null;
}

const sentences: Record<EncoderProblemCode, string> = {
  picture_codec: 'The encoder sends {}. Choose H.264 (x264) as the video encoder.',
  picture_profile: 'The picture is H.264 {}. Choose the profile high, main or baseline, and the colour format NV12.',
  picture_size: 'The picture cannot be read or is too large. Choose 1080 x 1920 or smaller.',
  sound_codec: 'The encoder sends {}. Choose AAC (AAC-LC) or Opus as the audio encoder.',
  sound_rate: 'The sound has {} Hz. Choose 48 kHz or 44.1 kHz.',
  sound_channels: 'The sound has {} channels. Choose stereo or mono.',
  tracks: 'The encoder sends several tracks. Choose one video track and one audio track.',
  clock: 'The times of the stream jump, or it comes faster than time goes. With FFmpeg, put -re before the input.',
  broken: 'This is not what an encoder sends. Start it again.',
  no_picture: 'No key picture came. Set the keyframe interval to 2 s, and closed GOPs.',
  too_much: 'More comes than a show may send. Set the video bitrate to 6000 kbit/s or less.',
  keys_rare: 'A key picture comes every {} s only. Set the keyframe interval to 2 s.',
};

export function sentenceOf({ code, found }: EncoderProblem): string {
  return sentences[code].replace('{}', found ?? 'something else');
}
