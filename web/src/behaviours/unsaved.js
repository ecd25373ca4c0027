import { question } from './confirm.js';

// What was typed, chosen or ticked in a form and not sent is not lost without a question, whatever leads away from the page:
// every form of the console that posts and has something to change. Searches and filters do not post.
// A form that came back unsaved says so: by data-unsaved when it was rearranged, by data-refused or its marked fields when it
// was refused.
const forms = 'body.console form[method="post"]';
const unchangeable = '[type="hidden"], [type="submit"], [type="button"], [type="reset"], button, fieldset, output, object';
const typed = 'textarea, input:not([type="checkbox"], [type="radio"])';
const refused = '[aria-invalid="true"], [data-refused]';
const sent = new WeakMap();

const content = (form) => JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));

/** Whether one of the named fields of a form (of all, when none are named) is not as the page came. */
export function isChanged(form, names) {
  const controls = [...form.elements].filter((one) => one.name && (!names || names.includes(one.name)));
  return controls.some((one) => {
    if (one.type === 'checkbox' || one.type === 'radio') return one.checked !== one.defaultChecked;
    if (one.options) return one.value !== ([...one.options].find((option) => option.defaultSelected) ?? one.options[0])?.value;
    if (one.type === 'file') return one.files.length > 0;
    return one.type !== 'hidden' && one.defaultValue !== undefined && one.value !== one.defaultValue;
  });
}

/** What somebody can change in a form. Ticked rows are no work that would be lost: of the bar for them only its text counts. */
export const changeable = (form) => [...form.elements].filter((one) =>
  one.name && !one.matches(unchangeable) && (form.dataset.bulk === undefined || one.matches(typed)));

/** Notes that what stands in a form is kept nowhere else. */
export const mark = (form) => { form.dataset.unsaved = ''; };

const cameBack = (form) => form.dataset.unsaved !== undefined || form.querySelector(refused) !== null;
const isUnsaved = (form) => {
  const names = changeable(form).map((one) => one.name);
  return names.length > 0 && sent.get(form) !== content(form) && (cameBack(form) || isChanged(form, names));
};

/** A dialog that was closed again holds nothing anybody still wants. */
const isOpen = (form) => {
  const box = form.closest('[popover], dialog');
  return !box || box.getClientRects().length > 0;
};
const lost = (within) => [...within.querySelectorAll(forms)].some((form) => isOpen(form) && isUnsaved(form));

export function unsaved() {
  // After the questions, which stop what they ask about: here it is certain that the form goes.
  document.addEventListener('submit', (event) => {
    const opensTab = (event.submitter?.formTarget || event.target.target) === '_blank';
    if (!event.defaultPrevented && !opensTab) sent.set(event.target, content(event.target));
  });
  window.addEventListener('beforeunload', (event) => {
    if (lost(document)) event.preventDefault();
  });
  // The session is over: what was sent is kept in this tab (kept.js), and the way to the sign-in page is no loss.
  document.addEventListener('htmx:beforeOnLoad', (event) => {
    const form = event.detail.elt.closest('form');
    if (form && event.detail.xhr.status === 401) sent.set(form, content(form));
  });
  // A link that htmx follows exchanges a part of the page, and the browser asks nothing.
  document.addEventListener('htmx:confirm', (event) => {
    const { verb, target, issueRequest } = event.detail;
    const dialog = document.getElementById('confirm');
    if (verb !== 'get' || !dialog || !lost(target)) return;
    event.preventDefault();
    const text = 'What was typed here and not saved is lost.';
    question(dialog, { title: 'Leave this page?', text, label: 'Leave', danger: true }, () => issueRequest(true));
  });
}
