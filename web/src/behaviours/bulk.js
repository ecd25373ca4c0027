// Rows picked by their boxes: the bar with what can be done with them, "select all", Shift for a range.
import { say } from './say.js';

let last = null;
const boxesOf = (form) => [...document.querySelectorAll(`.pick input[name="ids"][form="${form}"]`)];

export function bulk() {
  document.addEventListener('change', (event) => {
    const box = event.target;
    if (box.dataset?.selectAll) {
      boxesOf(box.dataset.selectAll).forEach((one) => (one.checked = box.checked));
      update(box.dataset.selectAll);
    } else if (box.matches?.('.pick input[name="ids"]')) {
      update(box.getAttribute('form'));
    }
  });
  document.addEventListener('click', (event) => {
    const box = event.target.closest?.('.pick input[name="ids"]');
    if (!box) return;
    if (event.shiftKey && last && last !== box) range(box);
    last = box;
  });
  document.addEventListener('reset', (event) => {
    if (event.target.matches('[data-bulk]')) setTimeout(() => update(event.target.id));
  });
}

function range(box) {
  const boxes = boxesOf(box.getAttribute('form'));
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)].sort((a, b) => a - b);
  if (from >= 0) boxes.slice(from, to + 1).forEach((one) => (one.checked = box.checked));
}

function update(form) {
  const boxes = boxesOf(form);
  const picked = boxes.filter((box) => box.checked).length;
  const bar = document.getElementById(form);
  if (bar) {
    bar.toggleAttribute('data-open', picked > 0);
    bar.querySelector('[data-bulk-count]').textContent = picked.toLocaleString('en-US');
  }
  const all = document.querySelector(`[data-select-all="${form}"]`);
  if (all) {
    all.checked = picked > 0 && picked === boxes.length;
    all.indeterminate = picked > 0 && picked < boxes.length;
  }
  say(`${picked} selected`);
}
