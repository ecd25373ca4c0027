// Menus and the drawer are <details>: here they also close on Escape, on a click elsewhere, and move by arrow keys.
const open = () => document.querySelectorAll('details[data-menu][open], details[data-drawer][open]');

function close(menu, focus) {
  menu.open = false;
  if (focus) menu.querySelector('summary')?.focus();
}

export function menus() {
  document.addEventListener('click', (event) => {
    for (const menu of open()) {
      const inside = menu.contains(event.target) || (menu.dataset.drawer !== undefined && event.target.closest('#sidebar'));
      if (!inside) close(menu);
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      for (const menu of open()) close(menu, menu.contains(document.activeElement) || menu.dataset.drawer !== undefined);
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') move(event);
  });
  document.addEventListener('focusout', (event) => {
    const menu = event.target.closest?.('details[data-menu][open]');
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) close(menu);
  });
}

function move(event) {
  const menu = event.target.closest?.('details[data-menu][open]');
  if (!menu) return;
  const items = [...menu.querySelectorAll('.menu-item')];
  if (items.length === 0) return;
  event.preventDefault();
  const step = event.key === 'ArrowDown' ? 1 : -1;
  const from = items.indexOf(document.activeElement);
  const next = from < 0 && step < 0 ? items.length - 1 : (from + step + items.length) % items.length;
  items[next].focus();
}
