// The box beside a colour's text shows it and chooses it; a preview wears it.
const HEX = /^#[0-9a-f]{6}$/i;

/** Black or white, whichever reads better on a colour. */
function ink(hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const share = parseInt(hex.slice(at, at + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179 ? '#000' : '#fff';
}

function wear(text) {
  const hex = HEX.test(text.value) ? text.value : '';
  for (const preview of document.querySelectorAll(`[data-wears="${text.id}"]`)) {
    if (!hex) preview.style.removeProperty('--brand'), preview.style.removeProperty('--brand-ink');
    else preview.style.setProperty('--brand', hex), preview.style.setProperty('--brand-ink', ink(hex));
  }
}

export function colour() {
  document.addEventListener('input', (event) => {
    const box = event.target.dataset?.colourOf ? event.target : null;
    const text = box ? document.getElementById(box.dataset.colourOf) : event.target;
    if (box) text.value = box.value;
    else {
      const own = text.id && document.querySelector(`[data-colour-of="${text.id}"]`);
      if (!own) return;
      if (HEX.test(text.value)) own.value = text.value;
    }
    wear(text);
  });
}

/** Previews wear what the page came with. */
export function previews(root) {
  for (const preview of root.querySelectorAll?.('[data-wears]') ?? []) {
    const text = document.getElementById(preview.dataset.wears);
    if (text) wear(text);
  }
}
