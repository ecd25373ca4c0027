// Counts the segments of [data-sms-counter] while typing. Merge tags count as written.
import { segments } from './sms.js';

export function smsCounter(root) {
  for (const area of root.querySelectorAll?.('[data-sms-counter]') ?? []) {
    if (area.dataset.counted) continue;
    area.dataset.counted = 'true';
    const output = document.createElement('output');
    output.className = 'help sms-count';
    area.after(output);
    const update = () => (output.textContent = describe(segments(area.value)));
    area.addEventListener('input', update);
    update();
  }
}

function describe({ units, count, gsm }) {
  const letters = `${units.toLocaleString('en-US')} ${units === 1 ? 'character' : 'characters'}`;
  const parts = `${count} ${count === 1 ? 'segment' : 'segments'}`;
  return `${letters}, ${parts}${gsm ? '' : ' (has a character outside GSM-7, so 70 fit in one)'}`;
}
