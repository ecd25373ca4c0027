// Whether a key press is meant as a shortcut: not while typing, not with a modifier, not over an open dialog.
export function isShortcut(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  if (document.querySelector('dialog[open], [popover]:popover-open')) return false;
  return !event.target.closest?.('input:not([type="checkbox"], [type="radio"]), textarea, select, [contenteditable="true"]');
}
