// A form that came back with problems: the focus goes to the list of them, and each leads to its field.
export function problems(root) {
  const list = root.querySelector?.('[data-problems]');
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
