// The command palette, by "/" and Ctrl-K: places of the side bar, clients and actions of the page at once, and while
// typing whatever the server finds. One request a pause; an answer to an older text is dropped.
import { fold } from './fold.js';
import { icon } from './icon.js';
import { isShortcut } from './keys.js';

const PAUSE = 180;
const PLACES = 8;
let places = [];
let timer;
let asked;

const dialog = () => document.getElementById('palette');
const input = () => document.getElementById('palette-input');
const list = () => document.getElementById('palette-list');
const options = () => [...list().querySelectorAll('[role="option"]')];
const chosen = () => list().querySelector('[aria-selected="true"]');
const typed = () => input().value.trim();
const tell = (text) => (document.getElementById('palette-say').textContent = text);

export function palette() {
  if (!dialog()) return;
  document.addEventListener('keydown', (event) => {
    const search = event.key === '/' && isShortcut(event);
    const go = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (!search && !go) return;
    event.preventDefault();
    show();
  });
  document.addEventListener('click', (event) => {
    if (event.target.closest('[data-palette-close]')) dialog().close();
    if (!event.target.closest('[data-palette]')) return;
    event.preventDefault();
    show();
  });
  input().addEventListener('input', changed);
  input().addEventListener('keydown', steer);
  list().addEventListener('pointermove', (event) => choose(event.target.closest('[role="option"]')));
  // told a little after it was closed: by then it may be open again
  dialog().addEventListener('close', () => dialog().open || forget());
}

function show() {
  if (dialog().open || document.querySelector('dialog:modal')) return;
  for (const menu of document.querySelectorAll('details[data-menu][open]')) menu.open = false;
  const links = document.querySelectorAll('.page-actions a, .sidebar a, .switcher .menu-item');
  places = [...links].map((a) => ({ label: label(a), href: a.href, kind: kind(a) }));
  input().value = '';
  draw('');
  dialog().showModal();
  input().focus();
}

const label = (a) => a.querySelector('.sr-only, kbd') ? [...a.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.textContent).join('').trim() : a.textContent.trim();
const kind = (a) => a.closest('.nav-group')?.querySelector('h2')?.textContent ?? (a.closest('.switcher') ? 'Client' : a.closest('.page-actions') ? 'On this page' : '');

function forget() {
  clearTimeout(timer);
  asked?.abort();
  asked = null;
}

function changed() {
  forget();
  draw('');
  if (typed().length >= 2) {
    tell('Searching…');
    timer = setTimeout(ask, PAUSE);
  }
}

async function ask() {
  const text = typed();
  const mine = (asked = new AbortController());
  try {
    const url = `${dialog().dataset.search}?q=${encodeURIComponent(text)}`;
    const answer = await fetch(url, { headers: { 'HX-Request': 'true' }, signal: mine.signal });
    const elsewhere = answer.headers.get('hx-redirect');
    if (elsewhere) return location.assign(elsewhere);
    if (!answer.ok) throw new Error(String(answer.status));
    const found = await answer.text();
    if (asked === mine) draw(found);
  } catch {
    if (asked === mine) tell('The search did not answer. Type on to try again.');
  }
}

/** Draws the places that fit and, below them, what was found. */
function draw(found) {
  const text = fold(typed());
  const before = chosen()?.getAttribute('href');
  const fit = places
    .filter((place) => fold(`${place.kind} ${place.label}`).includes(text))
    .sort((a, b) => rank(a, text) - rank(b, text))
    .slice(0, text ? PLACES : 40);
  list().innerHTML = found;
  if (fit.length) list().prepend(placesOf(fit));
  options().forEach((option, at) => (option.id = `palette-${at}`));
  input().setAttribute('aria-expanded', String(options().length > 0));
  choose(options().find((option) => option.getAttribute('href') === before) ?? options()[0]);
  const count = options().length;
  if (count === 0 && typed().length < 2) tell('Type on to search contacts, campaigns, lists, pages, forms and cards.');
  else if (count === 0) tell(`Nothing fits “${typed()}”. Try part of a name, a phone number or a code.`);
  else tell(typed() ? `${count} ${count === 1 ? 'result' : 'results'}` : 'Type to search contacts, campaigns, lists, pages, forms and cards.');
}

/** What is called just so comes first, then what begins so, then what holds a word that does. */
function rank(place, text) {
  const name = fold(place.label);
  return name === text ? 0 : name.startsWith(text) ? 1 : name.includes(` ${text}`) ? 2 : 3;
}

function placesOf(fit) {
  const group = document.createElement('div');
  group.setAttribute('role', 'group');
  group.setAttribute('aria-label', 'Go to');
  const head = document.createElement('p');
  head.className = 'palette-head';
  head.setAttribute('aria-hidden', 'true');
  head.textContent = 'Go to';
  group.append(head, ...fit.map(option));
  return group;
}

function option({ label: text, href, kind: small }) {
  const link = document.createElement('a');
  const [name, about] = [document.createElement('span'), document.createElement('small')];
  name.textContent = text;
  about.textContent = small;
  link.href = href;
  link.tabIndex = -1;
  link.setAttribute('role', 'option');
  link.append(icon('arrow-right'), name, about);
  return link;
}

function choose(option) {
  if (option === null) return;
  for (const one of options()) one.setAttribute('aria-selected', String(one === option));
  option?.scrollIntoView({ block: 'nearest' });
  if (option) input().setAttribute('aria-activedescendant', option.id);
  else input().removeAttribute('aria-activedescendant');
}

function steer(event) {
  if (event.isComposing) return;
  const all = options();
  const at = all.indexOf(chosen());
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1, PageDown: Math.min(at + 5, all.length - 1), PageUp: Math.max(at - 5, 0) }[event.key];
  const caret = (event.key === 'Home' || event.key === 'End') && typed() !== '';
  if (to !== undefined && !caret && all.length > 0) choose(all[(to + all.length) % all.length]);
  else if (event.key === 'Enter') follow(event);
  else return;
  event.preventDefault();
}

function follow(event) {
  const link = chosen();
  // typed and sent at once: the page of results takes what was not found yet
  if (!link) return typed().length >= 2 && location.assign(`${dialog().dataset.search}?q=${encodeURIComponent(typed())}`);
  if (event.ctrlKey || event.metaKey) return window.open(link.href, '_blank', 'noopener');
  location.assign(link.href);
}
