/**
 * Cameras and microphones of this device by name, and which of them the host chose the last time.
 *
 * Browsers name devices only once the page may use one, and give them ids that stay for this site: so the choice is
 * kept in the browser, where it belongs to the device.
 */
import type { DeviceChoice } from './face.ts';

const rememberedKey = 'nacre.devices';
/** More are virtual cameras of programs; a longer list helps nobody. */
const maxDevices = 24;
/** Chromium's names for "whatever the system uses": the same devices a second time. */
const aliases: readonly string[] = ['default', 'communications'];

export interface Remembered {
  cameraId?: string;
  microphoneId?: string;
}

export interface DeviceLists {
  cameras: DeviceChoice[];
  microphones: DeviceChoice[];
  /** The device that an alias stands for, by the alias; the browser tells by the same group. */
  meant: ReadonlyMap<string, string>;
}

/** What can be chosen. Empty where the browser tells no names (yet). */
export async function listDevices(): Promise<DeviceLists> {
  const all = (await navigator.mediaDevices?.enumerateDevices?.().catch(() => [])) ?? [];
  const of = (kind: MediaDeviceKind): DeviceChoice[] =>
    all
      .filter((device) => device.kind === kind && device.deviceId !== '' && !aliases.includes(device.deviceId))
      .slice(0, maxDevices)
      .map(({ deviceId, label }) => ({ id: deviceId, label }));
  const sounds = all.filter(({ kind }) => kind === 'audioinput');
  const meant = aliases.flatMap((alias): [string, string][] => {
    const group = sounds.find(({ deviceId }) => deviceId === alias)?.groupId;
    const real = sounds.find(({ deviceId, groupId }) => groupId === group && !aliases.includes(deviceId));
    return real ? [[alias, real.deviceId]] : [];
  });
  return { cameras: of('videoinput'), microphones: of('audioinput'), meant: new Map(meant) };
}

/** Calls back when something is plugged in or out; returns the way out. */
export function watchDevices(onChange: () => void): () => void {
  navigator.mediaDevices?.addEventListener?.('devicechange', onChange);
  return () => navigator.mediaDevices?.removeEventListener?.('devicechange', onChange);
}

export function rememberedDevices(): Remembered {
  try {
    const kept = JSON.parse(localStorage.getItem(rememberedKey) ?? '{}') as Record<string, unknown>;
    const { cameraId, microphoneId } = kept;
    return {
      ...(typeof cameraId === 'string' ? { cameraId } : {}),
      ...(typeof microphoneId === 'string' ? { microphoneId } : {}),
    };
  } catch {
    // A private window, or something else wrote there: then nothing is remembered.
    return {};
  }
}

/** Undefined forgets one. */
export function rememberDevices(choice: { cameraId: string | undefined; microphoneId: string | undefined }): void {
  const { cameraId, microphoneId } = choice;
  try {
    localStorage.setItem(rememberedKey, JSON.stringify({ cameraId, microphoneId }));
  } catch {
    // It is chosen for this show all the same.
  }
}
