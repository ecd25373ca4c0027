// Tells the server that a person sees this page: it was in sight for a second, or somebody touched it. A reward for a
// visit waits for that; the page and its form work without.
const script = document.currentScript;
const events = ['pointerdown', 'keydown', 'scroll', 'touchstart'];
let timer;
let told = false;

function tell() {
  if (told) return;
  told = true;
  clearTimeout(timer);
  for (const name of events) removeEventListener(name, tell);
  document.removeEventListener('visibilitychange', look);
  navigator.sendBeacon(script.dataset.seen, new URLSearchParams({ seen: script.dataset.token }));
}

function look() {
  clearTimeout(timer);
  if (document.visibilityState === 'visible') timer = setTimeout(tell, 1000);
}

for (const name of events) addEventListener(name, tell, { passive: true });
document.addEventListener('visibilitychange', look);
look();
