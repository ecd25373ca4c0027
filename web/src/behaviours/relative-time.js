// Shows <time data-ago> as "3 hours ago"; the exact time stays on hover. Older than a week it is a day.
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'long' });
const steps = [[60, 'second', 1], [3600, 'minute', 60], [86_400, 'hour', 3600], [604_800, 'day', 86_400]];

export function relativeTime(root) {
  for (const time of root.querySelectorAll?.('time[data-ago]') ?? []) {
    time.textContent = ago(time.dateTime) ?? time.dataset.ago;
  }
}

function ago(iso) {
  const seconds = (Date.parse(iso) - Date.now()) / 1000;
  if (Math.abs(seconds) < 45) return 'just now';
  const step = steps.find(([limit]) => Math.abs(seconds) < limit);
  return step && words.format(Math.round(seconds / step[2]), step[1]);
}
