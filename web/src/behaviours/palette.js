// The command palette: go to a page of the side bar, switch client, or search. "/" goes to the search box.
import { icon } from './icon.js';
import { isShortcut } from './keys.js';

let entries = [];
let chosen = 0;
const dialog = () => document.getElementById('palette');
const input = () => document.getElementById('palette-input');

export function palette() {
  if (!dialog()) return;
  document.addEventListener('keydown', (event) => {
    const search = event.key === '/' && isShortcut(event);
    const go = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
    if (!search && !go) return;
    event.preventDefault();
    const box = document.querySelector('[data-search]');
    if (search && box) box.focus();
    else show();
  });
  input().addEventListener('input', draw);
  input().addEventListener('keydown', steer);
  document.getElementById('palette-list').addEventListener('click', (event) => go(event.target.closest('li')));
}

function show() {
  const places = document.querySelectorAll('.sidebar a, .page-actions a, .switcher .menu-item');
  entries = [...places].map((a) => ({ label: a.textContent.trim(), href: a.href, group: group(a) }));
  input().value = '';
  draw();
  if (!dialog().open) dialog().showModal();
}

const group = (a) => a.closest('.nav-group')?.querySelector('h2')?.textContent ?? (a.closest('.switcher') ? 'Client' : '');

function draw() {
  const text = input().value.trim().toLowerCase();
  const found = entries.filter((entry) => `${entry.group} ${entry.label}`.toLowerCase().includes(text)).slice(0, 9);
  const form = document.querySelector('.topsearch[action]');
  if (text && form) found.push({ label: `Search for “${input().value.trim()}”`, href: `${form.action}?q=${encodeURIComponent(input().value.trim())}`, group: '' });
  const items = found.map((entry, index) => {
    const item = document.createElement('li');
    const small = document.createElement('small');
    small.textContent = entry.group;
    item.append(icon(entry.href.includes('/search?') ? 'search' : 'arrow-right'), entry.label, small);
    Object.assign(item, { id: `palette-${index}`, role: 'option' });
    item.dataset.href = entry.href;
    return item;
  });
  document.getElementById('palette-list').replaceChildren(...items);
  choose(0);
}

function choose(index) {
  const items = [...document.getElementById('palette-list').children];
  chosen = items.length ? (index + items.length) % items.length : 0;
  items.forEach((item, at) => item.setAttribute('aria-selected', String(at === chosen)));
  items[chosen]?.scrollIntoView({ block: 'nearest' });
  input().setAttribute('aria-activedescendant', items[chosen]?.id ?? '');
}

function steer(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) choose(chosen + step);
  else if (event.key === 'Enter') go(document.getElementById('palette-list').children[chosen]);
  else return;
  event.preventDefault();
}

function go(item) {
  if (item) location.assign(item.dataset.href);
}
