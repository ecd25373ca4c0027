// Runs before the first paint, so that a chosen theme never flashes. Everything else is in app.js.
const root = document.documentElement;
root.classList.add('js');
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
} catch {
  // Storage may be blocked: the system's theme then holds.
}
