/**
 * Codes read by the camera, in browsers that can (BarcodeDetector, WICG Shape Detection). The rest type them, or have a
 * scanner that types.
 */
interface Detector {
  detect: (source: HTMLVideoElement) => Promise<{ rawValue: string }[]>;
}
type DetectorClass = new () => Detector;

function detectorClass(): DetectorClass | undefined {
  return (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector;
}

/** Whether this browser reads codes and may have a camera; cameras need https or this machine. */
export function canScan(): boolean {
  return detectorClass() !== undefined && navigator.mediaDevices !== undefined;
}

// A hand holds a label still for half a second; looking more often warms the phone for nothing.
const lookEveryMs = 150;

/** Shows the camera in `video` and gives the first code that it sees. Returns the way out, which frees the camera. */
export function scan(video: HTMLVideoElement, onread: (text: string) => void, onfail: () => void): () => void {
  const Detector = detectorClass();
  let stream: MediaStream | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let over = false;

  function stop(): void {
    over = true;
    clearTimeout(timer);
    stream?.getTracks().forEach((track) => track.stop());
  }

  async function look(detector: Detector): Promise<void> {
    // A frame that cannot be looked at yet is no failure: the next one is.
    const found = await detector.detect(video).catch(() => []);
    if (over) return;
    const text = found[0]?.rawValue.trim();
    if (text) {
      stop();
      onread(text);
      return;
    }
    timer = setTimeout(() => void look(detector), lookEveryMs);
  }

  async function start(): Promise<void> {
    if (!Detector) throw new Error('no BarcodeDetector');
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
    if (over) return stop();
    video.srcObject = stream;
    await video.play();
    await look(new Detector());
  }

  start().catch(() => {
    if (over) return;
    stop();
    onfail();
  });
  return stop;
}
