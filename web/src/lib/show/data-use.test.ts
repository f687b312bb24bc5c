import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readBytesPerHour } from './data-use.ts';

test('[W341] what each way takes in an hour is read from what the server measured', () => {
  const playlist = [
    '#EXTM3U', '#EXT-X-STREAM-INF:BANDWIDTH=2500000,AVERAGE-BANDWIDTH=2000000,CODECS="avc1.42e01f,opus"', 'media.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=500000,AVERAGE-BANDWIDTH=400000,CODECS="avc1.42c015,opus"', 'small/media.m3u8',
    '#EXT-X-STREAM-INF:BANDWIDTH=70000,AVERAGE-BANDWIDTH=64000,CODECS="opus"', 'sound/media.m3u8',
  ].join('\n');
  assert.deepEqual(readBytesPerHour(playlist), { whole: 900_000_000, small: 180_000_000, sound: 28_800_000 });
  assert.deepEqual(readBytesPerHour(''), { whole: null, small: null, sound: null });
  const alone = playlist.split('\n').slice(0, 3).join('\n');
  assert.deepEqual(readBytesPerHour(alone), { whole: 900_000_000, small: null, sound: null });
});
