import assert from 'node:assert/strict';
import { test } from 'node:test';
import { segments } from '../src/behaviours/sms.js';

test('160 letters of GSM-7 fit in one segment and 161 take two of 153', () => {
  assert.deepEqual(segments('a'.repeat(160)), { units: 160, count: 1, gsm: true });
  assert.equal(segments('a'.repeat(161)).count, 2);
  assert.equal(segments('a'.repeat(307)).count, 3);
});

test('letters of the extension table count twice', () => {
  assert.equal(segments('€'.repeat(80)).count, 1);
  assert.equal(segments('€'.repeat(81)).count, 2);
});

test('one letter outside GSM-7 makes all of it UCS-2, and an emoji is two units', () => {
  assert.deepEqual(segments(`${'a'.repeat(69)}’`), { units: 70, count: 1, gsm: false });
  assert.equal(segments(`${'a'.repeat(70)}’`).count, 2);
  assert.equal(segments('🎁').units, 2);
});

test('nothing typed is no segment', () => {
  assert.equal(segments('').count, 0);
});
