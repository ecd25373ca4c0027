// What cannot be undone asks for the name to be typed: the button stays off until it is.
export function typedName() {
  const check = (input) => {
    const button = input.form?.querySelector('button:not([type="button"])');
    if (button) button.disabled = input.value.trim() !== input.dataset.typed;
  };
  document.querySelectorAll('[data-typed]').forEach(check);
  document.addEventListener('input', (event) => {
    if (event.target.dataset?.typed !== undefined) check(event.target);
  });
}
