// The choice of theme: auto follows the system, the others are kept in this browser.
export function theme() {
  mark(document.documentElement.dataset.theme ?? 'auto');
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-theme-choice] button');
    if (button) choose(button.value);
  });
}

function choose(value) {
  const root = document.documentElement;
  if (value === 'auto') delete root.dataset.theme;
  else root.dataset.theme = value;
  try {
    if (value === 'auto') localStorage.removeItem('theme');
    else localStorage.setItem('theme', value);
  } catch {
    // Storage may be blocked: the choice then holds for this page.
  }
  mark(value);
  document.dispatchEvent(new Event('ace:theme'));
}

function mark(value) {
  for (const button of document.querySelectorAll('[data-theme-choice] button')) {
    button.setAttribute('aria-pressed', String(button.value === value));
  }
}
