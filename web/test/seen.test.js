// The sign of a person: told once, for a page that was in sight for a second or touched, and never for one that was not.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const source = readFileSync(join(dirname(fileURLToPath(import.meta.url)), '../src/seen.js'), 'utf8');

/** A page in a browser of ours: its clock stands still until it is moved. */
function open(visibilityState) {
  const listeners = new Map();
  const on = (name, act) => listeners.set(name, act);
  const off = (name) => listeners.delete(name);
  const told = [];
  let timer;
  let now = 40;
  const document = {
    currentScript: { dataset: { seen: '/r/T/seen', token: 'r.1.ab' } },
    visibilityState,
    addEventListener: on,
    removeEventListener: off,
  };
  const navigator = { sendBeacon: (url, body) => told.push(`${url} ${body}`) };
  const setTimeout = (act, ms) => ((timer = { act, ms }), timer);
  const clearTimeout = () => (timer = undefined);
  vm.runInNewContext(source, {
    document, navigator, performance: { now: () => now }, setTimeout, clearTimeout, URLSearchParams, addEventListener: on, removeEventListener: off,
  });
  return {
    told,
    happens: (name) => listeners.get(name)?.(),
    later: (ms) => (now += ms),
    waits: () => timer?.ms,
    pass: () => timer?.act(),
    document,
  };
}

test('a page in sight tells after a second, once', () => {
  const page = open('visible');
  assert.deepEqual([page.told, page.waits()], [[], 1000]);
  page.pass();
  page.happens('pointerdown');
  page.pass();
  assert.deepEqual(page.told, ['/r/T/seen seen=r.1.ab']);
});

test('a touched page tells once it is a second old', () => {
  for (const name of ['pointerdown', 'keydown', 'scroll', 'touchstart']) {
    const page = open('hidden');
    page.later(300);
    page.happens(name);
    page.happens(name);
    assert.deepEqual([page.told, page.waits()], [[], 700], name);
    page.pass();
    assert.equal(page.told.length, 1, name);
    const old = open('hidden');
    old.later(5000);
    old.happens(name);
    assert.equal(old.waits(), 0, name);
  }
});

test('a page that nobody sees tells nothing until it comes into sight, and forgets when it goes', () => {
  const page = open('hidden');
  assert.equal(page.waits(), undefined);
  page.document.visibilityState = 'visible';
  page.happens('visibilitychange');
  assert.equal(page.waits(), 1000);
  page.document.visibilityState = 'hidden';
  page.happens('visibilitychange');
  assert.deepEqual([page.told, page.waits()], [[], undefined]);
});
