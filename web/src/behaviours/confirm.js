import { isChanged } from './unsaved.js';

// A form (or its button) with data-confirm says what will happen before it is sent.
let agreed = null;

export function confirmation() {
  const dialog = document.getElementById('confirm');
  if (!dialog) return;
  // Capturing, so that htmx does not send the form first.
  document.addEventListener('submit', (event) => {
    const asking = event.submitter?.dataset.confirm ? event.submitter : event.target;
    if (!asking.dataset.confirm || agreed === event.target) return;
    // Some questions matter only where something typed would go.
    const when = asking.dataset.confirmWhen;
    if (when && !isChanged(event.target, when.split(' '))) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    ask(dialog, asking, event.target, event.submitter);
  }, true);
}

/** How many rows are ticked for a form, for a question about them. */
const picked = (form) => [...form.elements].filter((one) => one.name === 'ids' && one.checked).length.toLocaleString('en-US');

function ask(dialog, asking, form, submitter) {
  const label = asking.dataset.confirmYes || submitter?.textContent.trim() || 'Continue';
  const text = asking.dataset.confirm.replace('{picked}', picked(form));
  const danger = Boolean(submitter?.matches('.danger, [data-variant="danger"]'));
  question(dialog, { title: `${label}?`, text, label, danger }, () => {
    agreed = form;
    form.requestSubmit(submitter ?? undefined);
    agreed = null;
  }, () => submitter?.focus());
}

/** Asks in the dialog, and goes on at a yes. */
export function question(dialog, { title, text, label, danger = false }, goOn, stay = () => {}) {
  document.getElementById('confirm-title').textContent = title;
  document.getElementById('confirm-text').textContent = text;
  const yes = document.getElementById('confirm-yes');
  yes.textContent = label;
  yes.dataset.variant = danger ? 'danger' : 'primary';
  dialog.returnValue = '';
  dialog.addEventListener('close', () => (dialog.returnValue === 'yes' ? goOn() : stay()), { once: true });
  dialog.showModal();
}
