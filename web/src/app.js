// The console's behaviours: htmx and a few small modules. Every page works without them.
import htmx from 'htmx.org';
import { bulk } from './behaviours/bulk.js';
import { codeInput } from './behaviours/code-input.js';
import { colour, previews } from './behaviours/colour.js';
import { confirmation } from './behaviours/confirm.js';
import { copying } from './behaviours/copy.js';
import { keeping } from './behaviours/kept.js';
import { menus } from './behaviours/menus.js';
import { palette } from './behaviours/palette.js';
import { problems } from './behaviours/problems.js';
import { relativeTime } from './behaviours/relative-time.js';
import { rows } from './behaviours/rows.js';
import { shortcuts } from './behaviours/shortcuts.js';
import { smsCounter } from './behaviours/sms-counter.js';
import { theme } from './behaviours/theme.js';
import { typedName } from './behaviours/typed-name.js';
import { unsaved } from './behaviours/unsaved.js';
import { zones } from './behaviours/zones.js';

window.htmx = htmx;

// These listen on the document and so hold for swapped fragments too.
for (const start of [menus, theme, copying, confirmation, bulk, palette, shortcuts, rows, codeInput, colour, typedName, unsaved, keeping, zones]) start();

// These look at elements, after every swap again.
const look = (root) => [relativeTime, smsCounter, problems, previews].forEach((behaviour) => behaviour(root));
look(document);
document.addEventListener('htmx:afterSettle', (event) => look(event.target));
setInterval(() => relativeTime(document), 30_000);
