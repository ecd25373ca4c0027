// Page-wide keys: ? lists those that work here, N is the page's main action, [data-key] gives any action a letter.
import { isShortcut } from './keys.js';

const EVERYWHERE = [[['/', 'Ctrl K'], 'Search, or go to a page'], [['?'], 'This list'], [['Esc'], 'Close what is open']];
const ROWS = [[['J', 'K'], 'Next and previous row'], [['Enter'], 'Open the row']];

export function shortcuts() {
  const dialog = document.getElementById('shortcuts');
  const show = () => {
    if (!dialog || dialog.open) return;
    document.getElementById('shortcut-list').replaceChildren(...sections());
    dialog.showModal();
    // the focus is on its button, below a long list
    dialog.scrollTop = 0;
  };
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

/** The keys of this very page, then those of every page. What a page cannot do is not listed. */
function sections() {
  const actions = [...document.querySelectorAll('[data-key]')].filter((one) => one.offsetParent);
  const own = actions.map((one) => [[one.dataset.key.toUpperCase()], one.dataset.keyName ?? words(one)]);
  const taken = actions.map((one) => one.dataset.key);
  const main = document.querySelector('[data-main-action]');
  if (main && !taken.includes('n')) own.push([['N'], words(main)]);
  const rows = document.querySelector('[data-rows] .row-link') ? [...ROWS] : [];
  if (rows.length && document.querySelector('.pick input[name="ids"]') && !taken.includes('x')) rows.push([['X'], 'Select the row']);
  const later = document.getElementById('keys-later');
  const waiting = later ? [...later.content.querySelectorAll('li')].map((li) => [[li.dataset.name], li.textContent]) : [];
  return [['On this page', own], ['Rows', rows], [later?.dataset.when ?? '', waiting], ['Everywhere', EVERYWHERE]]
    .filter(([, keys]) => keys.length > 0)
    .flatMap(([title, keys]) => section(title, keys));
}

function section(title, keys) {
  const head = document.createElement('h3');
  head.className = 'shortcuts-head';
  head.textContent = title;
  const list = document.createElement('dl');
  list.className = 'shortcuts';
  list.append(...keys.map(([names, text]) => {
    const [row, term, what] = ['div', 'dt', 'dd'].map((name) => document.createElement(name));
    term.append(...names.flatMap((name, at) => [...(at > 0 ? [' or '] : []), ...name.split(' ').flatMap((part) => [kbd(part), ' '])]));
    what.textContent = text;
    row.append(term, what);
    return row;
  }));
  return [head, list];
}

function kbd(text) {
  const key = document.createElement('kbd');
  key.textContent = text;
  return key;
}

/** What an action says, without its key. */
function words(action) {
  const copy = action.cloneNode(true);
  for (const other of copy.querySelectorAll('kbd, svg, .sr-only')) other.remove();
  return copy.textContent.trim().replace(/\s+/g, ' ');
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
