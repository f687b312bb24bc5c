/** What the light in a picture is like, from a few hundred of its points. Pure; runs on the phone, sends nothing. */

export type Light = 'good' | 'dark' | 'bright' | 'backlit';

// Mean brightness of 0…255. A face in a lit room lies between 90 and 180; below 55 cameras add grain, above 215 skin
// and white cloth have no shape any more.
const darkBelow = 55;
const brightAbove = 215;
// A window behind: the rim this much brighter than the middle, and the middle itself rather dark.
const backlitBy = 70;
const backlitMiddleBelow = 100;

/** `pixels` are RGBA rows of a `size` × `size` picture. The middle is where the face is: its inner half. */
export function judgeLight(pixels: ArrayLike<number>, size: number): Light {
  let sum = 0;
  let middleSum = 0;
  let middleCount = 0;
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = (y * size + x) * 4;
      const value = 0.2126 * (pixels[at] ?? 0) + 0.7152 * (pixels[at + 1] ?? 0) + 0.0722 * (pixels[at + 2] ?? 0);
      sum += value;
      if (x < size / 4 || x >= (3 * size) / 4 || y < size / 4 || y >= (3 * size) / 4) continue;
      middleSum += value;
      middleCount += 1;
    }
  }
  const count = size * size;
  const middle = middleSum / Math.max(1, middleCount);
  const rim = (sum - middleSum) / Math.max(1, count - middleCount);
  if (rim - middle > backlitBy && middle < backlitMiddleBelow) return 'backlit';
  const mean = sum / Math.max(1, count);
  if (mean < darkBelow) return 'dark';
  return mean > brightAbove ? 'bright' : 'good';
}
