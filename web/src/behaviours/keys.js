// Whether a key press is meant as a shortcut: not while typing, not with a modifier, not over an open dialog. A redemption
// code has neither "?" nor "/", so these two are shortcuts in its field as well: the desk begins there.
export function isShortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector('dialog[open], [popover]:popover-open')) return false;
  if (event.target.dataset?.codeInput !== undefined && (event.key === '?' || event.key === '/')) return true;
  const field = event.target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]');
  // the field of a dialog that was just closed keeps the focus until the page is drawn again
  return !field?.checkVisibility();
}
