import { changeable, mark } from './unsaved.js';

// What was in a form when its sending found the session ended: it stays in this tab and is put back once the same person is
// signed in and on a page with that form. Passwords, codes and files are never kept.
const KEY = 'ace:typed';
const secret = '[type="password"], [type="file"], [autocomplete="one-time-code"], [autocomplete$="password"]';

const who = () => document.querySelector('.menu-who span')?.textContent ?? '';
const action = (form) => (form.getAttribute('action') ?? location.pathname).split('?')[0];
// with the version it was typed over, so that nothing is overwritten that came meanwhile
const kept = (form) => [...changeable(form), ...form.querySelectorAll('[type="hidden"][name="version"]')].filter((one) => !one.matches(secret));
const isTicked = (one) => one.type === 'checkbox' || one.type === 'radio';

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY));
  } catch {
    return null;
  }
}

function write(entry) {
  try {
    if (entry) sessionStorage.setItem(KEY, JSON.stringify(entry));
    else sessionStorage.removeItem(KEY);
  } catch {
    // no room, or not allowed: then it is as it was before
  }
}

function putBack(form, fields) {
  const left = [...fields];
  for (const one of kept(form)) {
    const at = left.findIndex(([name, value]) => name === one.name && (!isTicked(one) || value === one.value));
    if (at < 0) continue;
    const [[, value, checked]] = left.splice(at, 1);
    if (isTicked(one)) one.checked = checked;
    else one.value = value;
    one.dispatchEvent(new Event('input', { bubbles: true }));
  }
  return left.length === 0;
}

function say(form, whole) {
  const said = document.createElement('div');
  Object.assign(said, { className: 'flash', tabIndex: -1 });
  said.dataset.tone = 'warning';
  said.setAttribute('role', 'status');
  said.append(document.createElement('p'));
  said.firstChild.textContent = whole
    ? 'You were signed out before this was saved. What you typed is back: save it again.'
    : 'You were signed out before this was saved. What you typed is back, but for lines that you had added: look at it, then save it again.';
  form.before(said);
  said.focus();
}

export function keeping() {
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!form.matches('body.console form[method="post"]')) return;
    const fields = kept(form).map((one) => [one.name, one.value, one.checked === true]);
    if (fields.length > 0) write({ action: action(form), who: who(), fields });
  }, true);
  const entry = read();
  if (!entry) return;
  if (document.querySelector('[data-signed-out]')) write({ ...entry, back: true });
  if (!document.body.matches('.console')) return;
  if (!entry.back || entry.who !== who()) {
    write(null);
    return;
  }
  const form = [...document.querySelectorAll('form[method="post"]')].find((one) => action(one) === entry.action);
  if (!form) return;
  write(null);
  const whole = putBack(form, entry.fields);
  mark(form);
  say(form, whole);
}
