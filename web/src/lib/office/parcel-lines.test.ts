import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readParcels } from './parcel-lines.ts';

const read = (text: string, carrier = 'SF', selected: string[] = ['N-9', 'N-8']) => {
  const { parcels, problems } = readParcels(text, carrier, selected);
  return [
    parcels.map((parcel) => [parcel.number, parcel.carrier, parcel.trackingNumber].join('|')),
    problems.map(({ line, kind }) => `${line} ${kind}`),
  ];
};

test('[W174] tracking numbers are read as they are pasted: lines, a column, rows of a sheet, our own file', () => {
  assert.deepEqual(read('N-1042 SF 123 456\n\n n1043\tZTO\t77\r\nN-1044, , 5'), [
    ['N-1042|SF|SF 123 456', 'N-1043|ZTO|77', 'N-1044|SF|5'], [],
  ]);
  assert.deepEqual(read('A 1\nB 2'), [['N-9|SF|A 1', 'N-8|SF|B 2'], []]);
  assert.deepEqual(read('DHL\t1\nUPS\t2', ''), [['N-9|DHL|1', 'N-8|UPS|2'], []]);
  const file = '\ufefforder,buyer,sku,carrier,tracking_number\r\n'
    + 'N-1,"Mei, ""M""",S; Red,"Van, blue",7\r\nN-1,"Mei",M,"Van, blue",7\r\nN-2,Li,S,,\'-8\r\nN-3,Li,S,,\r\n';
  assert.deepEqual(read(file), [['N-1|Van, blue|7', 'N-2|SF|-8'], []]);
});

test('[W174] a line that is not understood is told by its number', () => {
  assert.deepEqual(read('1\n2\n3'), [['N-9|SF|1', 'N-8|SF|2'], ['3 no_order']]);
  assert.deepEqual(read('N-1 5\nN-1 6\n7\nN-2'), [['N-1|SF|5'], ['2 twice', '3 no_order', '4 no_tracking']]);
  assert.deepEqual(read('N-1 5', ' '), [[], ['1 no_carrier']]);
  assert.deepEqual(read(`N-1 ${'5'.repeat(81)}`), [[], ['1 too_long']]);
  assert.deepEqual(read(' \n'), [[], []]);
  assert.equal(readParcels(Array.from({ length: 501 }, (_, at) => `N-${at} 1`).join('\n'), 'SF', []).isTooMany, true);
});
