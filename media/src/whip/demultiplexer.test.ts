import assert from 'node:assert/strict';
import test from 'node:test';
import { buildRtp, parseRtp } from '../rtp/packet.ts';
import { withNames } from '../../../tests/support/named-packets.ts';
import { createDemultiplexer, type Demultiplexer } from './demultiplexer.ts';
import type { Simulcast } from './simulcast.ts';

const video = { payloadType: 102, rtxPayloadType: 103, parameters: '', feedback: [], transportSequenceId: null };
const layer = { restrictions: '', isPaused: false };
const simulcast: Simulcast = {
  ridId: 10,
  repairedRidId: 11,
  layers: [
    { rid: 's', isTaken: true, ...layer }, { rid: 'm', isTaken: false, ...layer },
    { rid: 'f', isTaken: true, ...layer },
  ],
};
const named = (): Demultiplexer => createDemultiplexer({ video: { ...video, ssrc: 77 }, simulcast });

/** What becomes of a packet with this payload type and SSRC, and these header extensions. */
function route(demultiplexer: Demultiplexer, payloadType: number, ssrc: number, names: Record<number, string> = {}) {
  const bare = buildRtp({ payloadType, ssrc, marker: true, sequence: 1, timestamp: 1 }, [Buffer.from([1, 2, 3])]);
  const buffer = Object.keys(names).length === 0 ? bare : withNames(bare, names);
  return demultiplexer.route(parseRtp(buffer, 0)!, buffer);
}

test('[M162] a size is known by its name, and by its SSRC once that has been told', () => {
  const demultiplexer = named();
  assert.deepEqual(demultiplexer.rids, ['s', 'f']);
  assert.equal(route(demultiplexer, 102, 5), null, 'nobody has said whose this is');
  assert.deepEqual(route(demultiplexer, 102, 5, { 9: '0', 10: 'f' }), { layer: 1, isRepair: false });
  assert.deepEqual(route(demultiplexer, 102, 5), { layer: 1, isRepair: false });
  assert.deepEqual(route(demultiplexer, 102, 6, { 10: 's' }), { layer: 0, isRepair: false });
  assert.deepEqual([demultiplexer.ssrcOf(0), demultiplexer.ssrcOf(1)], [6, 5]);
});

test('[M162] the first SSRC of a size is kept; unknown names and sizes that are not taken are dropped', () => {
  const demultiplexer = named();
  route(demultiplexer, 102, 5, { 10: 'f' });
  assert.equal(route(demultiplexer, 102, 6, { 10: 'f' }), null);
  assert.deepEqual(route(demultiplexer, 102, 5, { 10: 's' }), { layer: 1, isRepair: false }, 'an SSRC is of one size');
  for (const name of ['m', 'F', 'fs', '\u0000', ';s']) assert.equal(route(demultiplexer, 102, 9, { 10: name }), null);
  assert.equal(route(demultiplexer, 102, 9, { 12: 's' }), null, 'another extension');
  assert.equal(route(demultiplexer, 102, 77), null, 'an SSRC that the offer names, and not of which size');
  assert.equal(route(demultiplexer, 96, 5), null);
});

test('[M162] repairs are known by the name of what they repair, and worth nothing before it is heard of', () => {
  const demultiplexer = named();
  assert.equal(route(demultiplexer, 103, 15, { 11: 'f' }), null);
  route(demultiplexer, 102, 5, { 10: 'f' });
  assert.deepEqual(route(demultiplexer, 103, 15), { layer: 1, isRepair: true });
  assert.equal(route(demultiplexer, 103, 16, { 10: 'f' }), null, 'a name that is not of a repair');
  assert.equal(route(demultiplexer, 103, 17, { 11: 's' }), null);
  route(demultiplexer, 102, 6, { 10: 's' });
  assert.deepEqual(route(demultiplexer, 103, 17), { layer: 0, isRepair: true });
});

test('[M162] without sizes packets are told apart by payload type, and the first SSRC is kept', () => {
  const heard = createDemultiplexer({ video: { ...video, ssrc: null }, simulcast: null });
  assert.equal(route(heard, 103, 15), null);
  assert.deepEqual(route(heard, 102, 5, { 10: 'x' }), { layer: 0, isRepair: false });
  assert.equal(route(heard, 102, 6), null);
  assert.deepEqual(route(heard, 103, 15), { layer: 0, isRepair: true });
  const told = createDemultiplexer({ video: { ...video, ssrc: 77 }, simulcast: null });
  assert.equal(route(told, 102, 5), null);
  assert.deepEqual(route(told, 102, 77), { layer: 0, isRepair: false });
});
