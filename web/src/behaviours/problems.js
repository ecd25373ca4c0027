// A form that came back with problems: the focus goes to the list of them, and each leads to its field.
export function problems(root) {
  const list = root.querySelector?.('[data-problems]');
  // what is wrong in a dialog is seen when the dialog is open
  const hidden = list && document.querySelector('[popover] :is([aria-invalid="true"], .theirs)');
  hidden?.closest('[popover]').showPopover();
  list?.focus();
  list?.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#"]');
    const field = link && document.getElementById(link.hash.slice(1));
    if (!field) return;
    event.preventDefault();
    field.focus();
    field.scrollIntoView({ block: 'center' });
  });
}
