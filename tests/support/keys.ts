/** A page by keyboard alone: goes on with Tab, and holds every stop against what a person must see. */
import assert from 'node:assert/strict';
import type { Frame, Page } from 'playwright-core';

/** More stops than any page of ours has; beyond it the focus goes in a circle without what is looked for. */
const STOPS_MAX = 80;

export interface Stop {
  /** As a screen reader names it, roughly: label, aria-label, or text. */
  name: string;
  href: string;
  classes: string;
  /** A ring, as outline or shadow, on it or on what stands for it. */
  hasRing: boolean;
  /** What lies over its middle; null when nothing does. */
  coveredBy: string | null;
}

/** Presses a key, as a person does: never on an element, always where the focus is. */
export const press = (page: Page, key: string): Promise<void> => page.keyboard.press(key);

export async function focusedName(page: Page): Promise<string> {
  return (await stopOf(page)).name;
}

/**
 * Goes on until `isIt`; every stop on the way must be seen: with a ring, and not wholly under something else
 * (WCAG 2.2, 2.4.7 and 2.4.11). What has the focus already counts.
 */
export async function tabTo(page: Page, isIt: (stop: Stop) => boolean, key = 'Tab'): Promise<void> {
  const passed: string[] = [];
  for (let at = 0; at < STOPS_MAX; at += 1) {
    const stop = await stopOf(page);
    if (stop.name !== '' || stop.href !== '') {
      if (at > 0) {
        assert.ok(stop.hasRing, `no ring around “${stop.name}” (${stop.classes})`);
        assert.equal(stop.coveredBy, null, `“${stop.name}” is covered`);
      }
      if (isIt(stop)) return;
      passed.push(stop.name);
    }
    await page.keyboard.press(key);
  }
  assert.fail(`not reached by ${key}; passed: ${passed.join(' | ')}`);
}

/** Inside a frame that has the focus, its own element. */
async function stopOf(page: Page): Promise<Stop> {
  let frame: Frame = page.mainFrame();
  const inner = await frame.evaluateHandle(() => document.activeElement);
  const child = await inner.asElement()?.contentFrame();
  if (child) frame = child;
  return frame.evaluate(() => {
    const node = document.activeElement;
    if (!(node instanceof HTMLElement) || node === document.body) {
      return { name: '', href: '', classes: '', hasRing: true, coveredBy: null };
    }
    // As it is when the page has come to rest: what the last stop showed may still be on its way out.
    for (const animation of document.getAnimations()) {
      if (animation.effect?.getComputedTiming().endTime !== Infinity) animation.finish();
    }
    const label = (node as HTMLInputElement).labels?.[0];
    const text = (node.getAttribute('aria-label') ?? label?.textContent ?? node.textContent ?? '');
    const around = [node, node.parentElement, label, node.closest('.say')].filter((one) => one instanceof Element);
    const hasRing = around.some((one) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(one);
      // A shadow that is a ring: no offset, no blur, two pixels or more.
      return (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) || /0px 0px 0px ([2-9]|\d\d)/.test(boxShadow);
    });
    const { left, top, width, height } = node.getBoundingClientRect();
    const points = [[0.5, 0.5], [0.1, 0.5], [0.9, 0.5], [0.5, 0.1], [0.5, 0.9]] as const;
    const over = points.map(([x, y]) => document.elementFromPoint(left + width * x, top + height * y));
    const isSeen = over.some((one) => one !== null && (node.contains(one) || one.contains(node)
      || label?.contains(one) === true));
    return {
      name: text.replace(/\s+/g, ' ').trim(), href: (node as HTMLAnchorElement).href ?? '',
      classes: String(node.className), hasRing,
      coveredBy: isSeen ? null : `${over[0]?.tagName ?? 'nothing'}.${over[0]?.className ?? ''}`,
    };
  });
}
