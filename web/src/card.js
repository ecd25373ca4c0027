// Copies the code of a gift card. The page has an origin of its own, so that the clipboard is reached by a selection.
for (const button of document.querySelectorAll('[data-copy]')) {
  const code = button.previousElementSibling;
  const text = button.textContent;
  button.hidden = false;
  button.addEventListener('click', () => {
    const selection = getSelection();
    selection.selectAllChildren(code);
    const done = document.execCommand('copy');
    if (done) selection.removeAllRanges();
    button.textContent = done ? 'Copied' : 'Selected: copy it now';
    setTimeout(() => (button.textContent = text), 2500);
  });
}
