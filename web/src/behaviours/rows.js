// Rows by keyboard: J and K move, Enter opens, X picks, Escape lets go. What is cut short shows whole on hover.
import { isShortcut } from './keys.js';

const all = () => [...document.querySelectorAll('[data-rows] tbody tr')];

export function rows() {
  document.addEventListener('pointerover', (event) => {
    const cut = event.target.closest?.('.table .row-link, .table .sub');
    if (cut && !cut.title && cut.scrollWidth > cut.clientWidth) cut.title = cut.textContent.trim();
  });
  document.addEventListener('keydown', (event) => {
    if (!isShortcut(event)) return;
    const active = document.querySelector('[data-rows] tr[data-active]');
    if (event.key === 'j' || event.key === 'k') return move(event, active, event.key === 'j' ? 1 : -1);
    if (!active) return;
    if (event.key === 'Enter' && !event.target.closest('a, button, summary')) return follow(event, active);
    if (event.key === 'x') active.querySelector('.pick input')?.click();
    if (event.key === 'Escape') active.removeAttribute('data-active');
  });
}

function move(event, active, step) {
  const list = all();
  if (list.length === 0) return;
  event.preventDefault();
  const to = active ? Math.min(Math.max(list.indexOf(active) + step, 0), list.length - 1) : step > 0 ? 0 : list.length - 1;
  active?.removeAttribute('data-active');
  list[to].setAttribute('data-active', '');
  list[to].querySelector('.row-link')?.focus({ preventScroll: true });
  list[to].scrollIntoView({ block: 'nearest' });
}

function follow(event, active) {
  const link = active.querySelector('.row-link');
  if (!link) return;
  event.preventDefault();
  link.click();
}
