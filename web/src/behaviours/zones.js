// The picker of a time zone: type a city or what people call the zone, and choose. What is typed and not chosen is
// understood by the server, in the same words.
import { fold } from './fold.js';

const MOST = 60;
/** Of the United States first, by the names people use. */
const SAID = {
  'America/New_York': 'Eastern',
  'America/Chicago': 'Central',
  'America/Denver': 'Mountain',
  'America/Phoenix': 'Arizona',
  'America/Los_Angeles': 'Pacific',
  'America/Anchorage': 'Alaska',
  'Pacific/Honolulu': 'Hawaii',
};
const known = Intl.supportedValuesOf?.('timeZone') ?? [];
const all = [...new Set([...Object.keys(SAID), ...known, 'UTC'])].map((name) => {
  const said = SAID[name] ?? '';
  return { name, said, words: fold(`${name} ${name.replaceAll('_', ' ')} ${said} time`) };
});

const listOf = (input) => document.getElementById(input.getAttribute('aria-controls'));
const optionsOf = (input) => [...listOf(input).children];
const chosenOf = (input) => listOf(input).querySelector('[aria-selected="true"]');
const pickerOf = (event) => event.target.closest?.('[data-zones]')?.querySelector('input');

export function zones() {
  document.addEventListener('focusin', (event) => pickerOf(event) === event.target && show(event.target, ''));
  document.addEventListener('focusout', (event) => pickerOf(event) === event.target && hide(event.target));
  document.addEventListener('input', (event) => pickerOf(event) === event.target && event.isTrusted && show(event.target, event.target.value));
  document.addEventListener('keydown', (event) => pickerOf(event) === event.target && steer(event));
  // the field keeps the focus, so that a touch on an option is not the end of the list
  document.addEventListener('pointerdown', (event) => event.target.closest?.('[data-zones] [role="listbox"]') && event.preventDefault());
  document.addEventListener('click', (event) => {
    const option = event.target.closest?.('[data-zones] [role="option"]');
    if (option) take(pickerOf(event), option);
    else if (pickerOf(event) === event.target) show(event.target, '');
  });
}

function show(input, typed) {
  const words = fold(typed).split(/\s+/).filter(Boolean);
  const fit = all.filter((zone) => words.every((word) => zone.words.includes(word))).slice(0, words.length ? MOST : all.length);
  listOf(input).replaceChildren(...fit.map((zone, at) => option(zone, `${input.id}-zone-${at}`)));
  // what is typed out needs no list in front of the button below
  const open = fit.length > 1 || (fit.length === 1 && fit[0].name !== input.value);
  listOf(input).hidden = !open;
  input.setAttribute('aria-expanded', String(open));
  const present = optionsOf(input).find((one) => one.dataset.zone === input.value);
  choose(input, words.length ? optionsOf(input)[0] : present);
}

function hide(input) {
  listOf(input).hidden = true;
  input.setAttribute('aria-expanded', 'false');
  input.removeAttribute('aria-activedescendant');
}

function option({ name, said }, id) {
  const item = document.createElement('li');
  const [main, about] = [document.createElement('span'), document.createElement('small')];
  main.textContent = name.replaceAll('_', ' ');
  about.textContent = said;
  item.id = id;
  item.dataset.zone = name;
  item.setAttribute('role', 'option');
  item.append(main, about);
  return item;
}

function choose(input, option) {
  for (const one of optionsOf(input)) one.setAttribute('aria-selected', String(one === option));
  if (!option) return input.removeAttribute('aria-activedescendant');
  input.setAttribute('aria-activedescendant', option.id);
  option.scrollIntoView({ block: 'nearest' });
}

function take(input, option) {
  input.value = option.dataset.zone;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  hide(input);
}

function steer(event) {
  const input = event.target;
  const open = !listOf(input).hidden;
  const options = optionsOf(input);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && !open) show(input, '');
  else if (step) choose(input, options[(options.indexOf(chosenOf(input)) + step + options.length) % options.length]);
  else if (event.key === 'Enter' && open && chosenOf(input)) take(input, chosenOf(input));
  else if (event.key === 'Escape' && open) hide(input);
  else return;
  event.preventDefault();
}
