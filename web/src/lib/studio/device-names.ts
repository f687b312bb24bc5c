/** Cameras and microphones as a person calls them. Pure. */
import type { DeviceChoice } from '#lib/broadcast/face.ts';

export interface NamedDevice {
  id: string;
  kind: 'front' | 'back' | 'other';
  /** Counts those of one kind when there are several, from 1; else null. */
  number: number | null;
  /** The browser's own name, without the parts that are for programs; empty when there is none. */
  label: string;
}

/** Android says "camera2 1, facing front", iPhones "Front Camera" in the system's language. */
const front = /facing front|front camera|前置|الأمامية/i;
const back = /facing back|back (\w+ )*camera|后置|الخلفية/i;
/** "(046d:0825)": the USB numbers that Chromium adds. */
const usbNumbers = /\s*\([0-9a-f]{4}:[0-9a-f]{4}\)$/i;

export function nameDevices(devices: readonly DeviceChoice[]): NamedDevice[] {
  const named = devices.map(({ id, label }) => {
    return { id, kind: kindOf(label), label: label.replace(usbNumbers, '').trim() };
  });
  return named.map((device) => {
    const alike = named.filter(({ kind, label }) =>
      device.kind === 'other' ? kind === 'other' && label === device.label : kind === device.kind,
    );
    return { ...device, number: alike.length > 1 ? alike.indexOf(device) + 1 : null };
  });
}

function kindOf(label: string): NamedDevice['kind'] {
  if (front.test(label)) return 'front';
  return back.test(label) ? 'back' : 'other';
}
