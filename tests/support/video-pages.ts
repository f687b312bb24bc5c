/** The bare pages of a video stage (`video-stage.ts`): opened, and asked what they see. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import type { BroadcastView } from '../../web/src/lib/broadcast/face.ts';
import type { PlayerStats, PlayerView } from '../../web/src/lib/player/face.ts';
import type { UdpRelay } from './udp-relay.ts';
import { stageKeyOf } from './video-stage.ts';

export interface HostOptions {
  key?: string;
  /** Its media goes through it. */
  relay?: UdpRelay;
  /** Of the page, when it is not the stage's own. */
  origin?: string;
  /**
   * Whether it may publish by socket: `again` on a device that remembers that the network blocks the direct way, and
   * does not wait for it to fail.
   */
  bySocket?: boolean | 'again';
  /** Before the page is loaded. */
  prepare?: (context: BrowserContext) => Promise<unknown>;
}

export interface VideoPages {
  /** One without a broadcaster; it may use camera and microphone. */
  openBare(options?: Pick<HostOptions, 'relay' | 'origin' | 'prepare'>): Promise<Page>;
  /** Not on air yet. */
  openHost(options?: HostOptions): Promise<Page>;
  /** @param prepare before the page is loaded */
  openViewer(prepare?: (context: BrowserContext) => Promise<unknown>): Promise<Page>;
  /** All that were opened. */
  close(): Promise<void>;
}

/** @param url of the stage as it is now: a restarted one has another */
export function createVideoPages(deps: { browser: () => Browser; url: () => string; showId: string }): VideoPages {
  const contexts: BrowserContext[] = [];

  async function open(
    name: 'host' | 'viewer', origin: string, prepare?: (context: BrowserContext) => Promise<unknown>,
  ): Promise<Page> {
    const context = await deps.browser().newContext({ permissions: name === 'host' ? ['camera', 'microphone'] : [] });
    contexts.push(context);
    await prepare?.(context);
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`${name}:`, error));
    await page.goto(`${origin}/${name}.html`);
    await page.waitForFunction(() => globalThis.ready);
    return page;
  }

  const openBare: VideoPages['openBare'] = ({ relay, origin = deps.url(), prepare } = {}) => (
    open('host', origin, async (context) => {
      await relay?.leadThrough(context);
      await prepare?.(context);
    })
  );

  return {
    openBare,
    async openHost({ key = stageKeyOf(deps.showId), bySocket = false, ...options } = {}) {
      const page = await openBare(options);
      if (bySocket === 'again') await page.evaluate(rememberBlocked);
      await page.evaluate(({ streamKey, socketUrl }) => {
        globalThis.host = lib.createBroadcaster({
          whipUrl: '/whip', streamKey: () => streamKey, giveUpAfterMs: 3_000, ...(socketUrl && { socketUrl }),
        });
        host.subscribe(({ stream }) => {
          const video = document.querySelector('video');
          if (video && video.srcObject !== stream) video.srcObject = stream;
        });
      }, { streamKey: key, socketUrl: bySocket === false ? null : '/live/publish' });
      return page;
    },
    async openViewer(prepare) {
      const page = await open('viewer', deps.url(), prepare);
      await page.evaluate((show) => {
        const video = document.querySelector('video');
        if (video) globalThis.player = lib.createPlayer({ video, url: `/live/${show}/socket` });
      }, deps.showId);
      return page;
    },
    async close() {
      for (const context of contexts.splice(0)) await context.close();
    },
  };
}

/** As web/src/lib/broadcast/remembered-ways.ts does, in the page. */
function rememberBlocked(): void {
  localStorage.setItem('nacre.direct-blocked-until', String(Date.now() + 600_000));
}

export const hostView = (page: Page): Promise<BroadcastView> => page.evaluate(() => ({ ...host.view(), stream: null }));
export const playerView = (page: Page): Promise<PlayerView> => page.evaluate(() => player.view());
export const playerStats = (page: Page): Promise<PlayerStats> => page.evaluate(() => player.stats());
