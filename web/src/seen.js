// Tells the server that a person sees this page: it was in sight for a second, or somebody touched it. A reward for a
// visit waits for that; the page and its form work without. The server believes no page that is younger than a second.
const SECOND = 1000;
const began = performance.now();
const script = document.currentScript;
const events = ['pointerdown', 'keydown', 'scroll', 'touchstart'];
let timer;
let told = false;

function tell() {
  if (told) return;
  told = true;
  clearTimeout(timer);
  document.removeEventListener('visibilitychange', look);
  navigator.sendBeacon(script.dataset.seen, new URLSearchParams({ seen: script.dataset.token }));
}

function touch() {
  for (const name of events) removeEventListener(name, touch);
  setTimeout(tell, Math.max(0, began + SECOND - performance.now()));
}

function look() {
  clearTimeout(timer);
  if (document.visibilityState === 'visible') timer = setTimeout(tell, SECOND);
}

for (const name of events) addEventListener(name, touch, { passive: true });
document.addEventListener('visibilitychange', look);
look();
