/**
 * One rendition of a stream as the packets that go out of it: what a newcomer needs for a picture (or sound) at once,
 * and what comes now. Knows no viewers.
 */
import type { StreamFragment, StreamInit } from '../hooks.ts';
import type { StreamHubLimits, StreamWire } from './hub.ts';

/** A key picture is passed on once the next picture begins, so its sound came a little earlier; a second is plenty. */
const recentSoundMs = 1_000;
/** Who comes over from another rendition may lack so much of the sound: what waited or was held back there. */
const lackingSoundMs = 300;
/** Of a lane of sound alone, packets that a newcomer gets: half a second. */
const soundAtOnce = 3;

export interface Outgoing {
  packet: Buffer;
  /** Of its picture, or of its first sound. */
  timeMs: number;
  /** Where its picture ends (of sound alone, the sound); null of sound that goes out between two pictures. */
  endMs: number | null;
  /** Set when decoding can start here: what viewers get that wait for a key picture. */
  head: Buffer | null;
  /** The same for who had another rendition of the same publisher until now. */
  arrival: () => Buffer;
}

export interface Lane {
  /** Null while nobody publishes it. */
  readonly initPacket: Buffer | null;
  begin(init: StreamInit, epoch: number): Buffer;
  /** Nobody publishes it any more. */
  end(): void;
  /** Whether a fragment of this session and generation belongs to it. */
  takes(fragment: Pick<StreamFragment, 'sessionId' | 'generation'>): boolean;
  /** Sound of while it is not sent: the first key picture takes along what belongs to it. */
  hear(sound: StreamFragment): void;
  /** Null where it waits for the next picture to travel with. */
  sound(fragment: StreamFragment): Outgoing | null;
  picture(fragment: StreamFragment): Outgoing;
  /** Everything since the last key picture, with its sound; null when there is none (yet), or it is too long. */
  group(): { packets: readonly Buffer[]; bytes: number } | null;
}

export function createLane(wire: StreamWire, limits: StreamHubLimits): Lane {
  let init: Pick<StreamInit, 'sessionId' | 'generation' | 'hasVideo'> | null = null;
  let initPacket: Buffer | null = null;
  let group: { packets: Buffer[]; bytes: number } | null = null;
  /** Sound that has not been sent: it travels with the next picture. */
  let waiting: StreamFragment[] = [];
  /** The last second of sound, of which a key picture takes along what belongs to it. */
  let recent: StreamFragment[] = [];

  const keep = (packet: Buffer): void => {
    if (group === null) return;
    group.packets.push(packet);
    group.bytes += packet.length;
    if (group.bytes > limits.groupBytes || group.packets.length > limits.groupPackets) group = null;
  };

  const hear = (sound: StreamFragment): void => {
    recent.push(sound);
    while (recent[0] && recent[0].timeMs < sound.timeMs - recentSoundMs) recent.shift();
  };

  const soundFrom = (timeMs: number): StreamFragment[] => (
    recent.filter((sound) => sound.timeMs + sound.durationMs > timeMs)
  );

  return {
    get initPacket() {
      return initPacket;
    },
    begin(begun, epoch) {
      group = null;
      waiting = [];
      init = { sessionId: begun.sessionId, generation: begun.generation, hasVideo: begun.hasVideo };
      initPacket = wire.init(begun, epoch);
      return initPacket;
    },
    end() {
      group = null;
      waiting = [];
      recent = [];
      init = null;
      initPacket = null;
    },
    takes: ({ sessionId, generation }) => init?.sessionId === sessionId && init.generation === generation,
    hear,
    sound(sound) {
      hear(sound);
      waiting.push(sound);
      const first = waiting[0] ?? sound;
      const hasPicture = init?.hasVideo ?? true;
      if (sound.timeMs + sound.durationMs - first.timeMs < (hasPicture ? limits.soundRunMs : limits.soundAloneMs)) {
        return null;
      }
      const packet = wire.fragments(waiting);
      waiting = [];
      const outgoing = { packet, timeMs: first.timeMs, endMs: sound.timeMs + sound.durationMs, arrival: () => packet };
      if (hasPicture) {
        keep(packet);
        return { ...outgoing, endMs: null, head: null };
      }
      // Whoever joins can begin with any of it; a little more is there to play at once.
      const packets = [...(group?.packets ?? []), packet].slice(-soundAtOnce);
      group = { packets, bytes: packets.reduce((bytes, { length }) => bytes + length, 0) };
      return { ...outgoing, head: packet };
    },
    picture(picture) {
      const { timeMs } = picture;
      const travelling = [...waiting, picture];
      waiting = [];
      const packet = wire.fragments(travelling);
      const outgoing = { packet, timeMs, endMs: timeMs + picture.durationMs };
      if (!picture.isKey) {
        keep(packet);
        return { ...outgoing, head: null, arrival: () => packet };
      }
      // Newcomers begin here: they also need the sound of this picture that went out before it.
      const own = soundFrom(timeMs);
      const isAllOfIt = own.length === travelling.length - 1 && own[0] === travelling[0];
      const head = isAllOfIt ? packet : wire.fragments([...own, picture]);
      group = { packets: [head], bytes: head.length };
      return { ...outgoing, head, arrival: () => wire.fragments([...soundFrom(timeMs - lackingSoundMs), picture]) };
    },
    group: () => group,
  };
}
