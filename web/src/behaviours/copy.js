// Copies the text of [data-copy] and says so.
import { icon } from './icon.js';
import { say } from './say.js';

export function copying() {
  document.addEventListener('click', async (event) => {
    const button = event.target.closest('[data-copy]');
    if (!button) return;
    event.preventDefault();
    const done = await copy(button.dataset.copy);
    say(done ? 'Copied' : 'Copying was refused by the browser');
    if (done) show(button);
  });
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function show(button) {
  const drawing = button.querySelector('svg.icon');
  if (!drawing || button.dataset.done) return;
  const check = icon('check');
  button.dataset.done = 'true';
  drawing.replaceWith(check);
  setTimeout(() => {
    check.replaceWith(drawing);
    delete button.dataset.done;
  }, 1500);
}
