// Page-wide keys: ? lists them, N is the page's main action, [data-key] gives any action a letter.
import { isShortcut } from './keys.js';

export function shortcuts() {
  const dialog = document.getElementById('shortcuts');
  const show = () => dialog && !dialog.open && dialog.showModal();
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-shortcuts]')) show();
    if (event.target instanceof HTMLDialogElement && outside(event)) event.target.close();
  });
  document.addEventListener('keydown', (event) => {
    if (!isShortcut(event)) return;
    if (event.key === '?') return act(event, show);
    const key = event.key.toLowerCase();
    const own = [...document.querySelectorAll('[data-key]')].find((one) => one.dataset.key === key && one.offsetParent);
    if (own) return act(event, () => own.click());
    const main = document.querySelector('[data-main-action]');
    if (key === 'n' && main) act(event, () => main.click());
  });
  for (const action of document.querySelectorAll('[data-key]')) hint(action);
  document.addEventListener('htmx:afterSettle', (event) => event.target.querySelectorAll('[data-key]').forEach(hint));
}

function act(event, what) {
  event.preventDefault();
  what();
}

/** Whether a click fell on the backdrop rather than on the dialog. */
function outside({ target, clientX, clientY }) {
  const box = target.getBoundingClientRect();
  return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
}

function hint(action) {
  if (action.querySelector('kbd')) return;
  action.setAttribute('aria-keyshortcuts', action.dataset.key);
  const key = document.createElement('kbd');
  key.textContent = action.dataset.key.toUpperCase();
  key.setAttribute('aria-hidden', 'true');
  action.append(key);
}
