/** The colour that a word for it probably means, so that the little circle is right without being touched. */
const colours: readonly [hex: string, ...words: string[]][] = [
  ['#1b1c1f', 'black', 'noir', 'ink', '黑', 'أسود'],
  ['#ffffff', 'white', '白', 'أبيض'],
  ['#f4efe4', 'cream', 'ivory', 'ecru', '米白', '米色', 'كريمي', 'عاجي'],
  ['#d9c3a0', 'beige', 'sand', 'nude', '卡其', 'بيج'],
  ['#8d8f94', 'grey', 'gray', '灰', 'رمادي'],
  ['#c9ced6', 'silver', '银', 'فضي'],
  ['#c9a24b', 'gold', '金', 'ذهبي'],
  ['#c62f35', 'red', '红', 'أحمر'],
  ['#7b1e2e', 'burgundy', 'wine', 'bordeaux', '酒红', 'عنابي', 'خمري'],
  ['#df6c54', 'coral', '珊瑚', 'مرجاني'],
  ['#e98bab', 'pink', '粉', 'وردي'],
  ['#c98e92', 'rose', '玫瑰', 'زهري'],
  ['#e8893b', 'orange', '橙', '橘', 'برتقالي'],
  ['#e9c546', 'yellow', '黄', 'أصفر'],
  ['#c59a2c', 'mustard', '姜黄', 'خردلي'],
  ['#3f7d4e', 'green', '绿', 'أخضر'],
  ['#9db391', 'sage', '鼠尾草', 'مريمي'],
  ['#6b7040', 'olive', '橄榄', 'زيتي'],
  ['#9fd8c4', 'mint', '薄荷', 'نعناعي'],
  ['#2f7f86', 'teal', 'petrol', '青', 'فيروزي'],
  ['#3f73b8', 'blue', '蓝', 'أزرق'],
  ['#24324f', 'navy', '藏青', '深蓝', 'كحلي'],
  ['#8fb8de', 'sky', '天蓝', '浅蓝', 'سماوي'],
  ['#4a6285', 'denim', 'jeans', '牛仔'],
  ['#7c55a3', 'purple', 'violet', '紫', 'بنفسجي'],
  ['#b9a3d3', 'lilac', 'lavender', '薰衣草', 'ليلكي'],
  ['#7a4f35', 'brown', '棕', '咖啡', 'بني'],
  ['#b78a58', 'camel', 'caramel', '驼', 'جملي'],
];

// Between all of them: visible on light and dark, and plainly not chosen yet.
const unknown = '#b9b2a6';

/** The longest word found wins: "navy blue" is navy, "天蓝色" is sky. */
export function likelySwatch(name: string): string {
  const text = name.toLowerCase();
  let best = unknown;
  let bestLength = 0;
  for (const [hex, ...words] of colours) {
    for (const word of words) {
      if (!text.includes(word) || word.length < bestLength) continue;
      if (word.length === bestLength && text.indexOf(word) > 0) continue;
      [best, bestLength] = [hex, word.length];
    }
  }
  return best;
}
