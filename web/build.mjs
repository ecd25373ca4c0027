// Builds web/dist: the style sheets (Tailwind), the scripts (esbuild), the icon sprite, the font.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const at = (...parts) => join(here, ...parts);
mkdirSync(at('dist'), { recursive: true });

const scripts = { bundle: true, minify: true, format: 'iife', target: 'es2022', legalComments: 'none', logLevel: 'warning' };
await build({
  ...scripts,
  entryPoints: { app: at('src/app.js'), theme: at('src/theme.js'), chart: at('src/chart.js'), seen: at('src/seen.js'), card: at('src/card.js') },
  outdir: at('dist'),
});

for (const sheet of ['app', 'recipient']) {
  const tailwind = at('node_modules/@tailwindcss/cli/dist/index.mjs');
  execFileSync(process.execPath, [tailwind, '-i', at(`src/${sheet}.css`), '-o', at(`dist/${sheet}.css`), '--minify'], {
    cwd: here,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

const names = readFileSync(at('icons.txt'), 'utf8').split('\n').filter(Boolean);
writeFileSync(at('dist/icons.svg'), `<svg xmlns="http://www.w3.org/2000/svg">${names.map(symbol).join('')}</svg>`);
copyFileSync(at('node_modules/@fontsource-variable/inter/files/inter-latin-wght-normal.woff2'), at('dist/inter.woff2'));
// The sheet asks for the font under the address that pages preload it from, which holds the hash of its content.
const hash = createHash('sha256').update(readFileSync(at('dist/inter.woff2'))).digest('hex').slice(0, 12);
const sheet = readFileSync(at('dist/app.css'), 'utf8').replace(/url\("?inter\.woff2"?\)/, `url(/assets/${hash}/inter.woff2)`);
writeFileSync(at('dist/app.css'), sheet);
copyFileSync(at('src/favicon.svg'), at('dist/favicon.svg'));

function symbol(name) {
  const svg = readFileSync(at(`node_modules/lucide-static/icons/${name}.svg`), 'utf8');
  const body = svg.slice(svg.indexOf('>', svg.indexOf('<svg')) + 1, svg.lastIndexOf('</svg>')).replace(/\s*\n\s*/g, '');
  const stroke = 'fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"';
  return `<symbol id="${name}" viewBox="0 0 24 24" ${stroke}>${body}</symbol>`;
}
