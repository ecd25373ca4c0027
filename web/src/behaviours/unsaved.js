// What was typed into a form and not sent is not lost without a question, whatever leads away from the page.
// A form that came back unsaved (with errors, or rearranged) says so by data-unsaved.
const forms = 'body.console form.form[method="post"]';
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

const isUnsaved = (form) => sent.get(form) !== content(form) && (form.dataset.unsaved !== undefined || isChanged(form));

export function unsaved() {
  // After the questions, which stop what they ask about: here it is certain that the form goes.
  document.addEventListener('submit', (event) => {
    const opensTab = (event.submitter?.formTarget || event.target.target) === '_blank';
    if (!event.defaultPrevented && !opensTab) sent.set(event.target, content(event.target));
  });
  window.addEventListener('beforeunload', (event) => {
    if ([...document.querySelectorAll(forms)].some(isUnsaved)) event.preventDefault();
  });
}
