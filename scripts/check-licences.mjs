#!/usr/bin/env node
// Every crate we link must be under a licence we may pass on; a new licence is a decision, not an accident.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const allowed = new Set([
  '0BSD', 'Apache-2.0', 'Apache-2.0 WITH LLVM-exception', 'BSD-2-Clause', 'BSD-3-Clause', 'BSL-1.0',
  'CC0-1.0', 'CDLA-Permissive-2.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0', 'Unicode-3.0', 'Unlicense', 'Zlib',
]);

// SPDX: "A OR B" wants one, "A AND B" all; AND binds tighter, and the old "A/B" means OR.
function permits(expression) {
  const tokens = expression.replaceAll('/', ' OR ').match(/\(|\)|[^()\s]+/g) ?? [];
  const either = () => {
    let holds = both();
    while (tokens[0] === 'OR') holds = (tokens.shift(), both()) || holds;
    return holds;
  };
  const both = () => {
    let holds = one();
    while (tokens[0] === 'AND') holds = (tokens.shift(), one()) && holds;
    return holds;
  };
  const one = () => {
    if (tokens[0] === '(') {
      tokens.shift();
      const holds = either();
      tokens.shift();
      return holds;
    }
    let name = tokens.shift();
    if (tokens[0] === 'WITH') name += ` ${tokens.shift()} ${tokens.shift()}`;
    return allowed.has(name);
  };
  return either();
}

// Some name no licence but bring its text: the first line says which.
function licenceOf({ license, license_file: file, manifest_path: manifest }) {
  if (license || !file) return license ?? 'no licence stated';
  const title = readFileSync(join(dirname(manifest), file), 'utf8').trim().split('\n')[0];
  return title === 'MIT License' ? 'MIT' : title;
}

// Only what this platform links: the others' crates need not be fetched for this.
const host = execFileSync('rustc', ['-vV'], { encoding: 'utf8' }).match(/host: (\S+)/)[1];
const command = ['metadata', '--format-version', '1', '--filter-platform', host];
const packages = JSON.parse(execFileSync('cargo', command, { maxBuffer: 1 << 28 })).packages;
const refused = packages.filter((found) => !permits(licenceOf(found)));
for (const found of refused) {
  console.error(`${found.name} ${found.version}: ${licenceOf(found)} is not on the list in scripts/check-licences.mjs`);
}
console.log(`licences: ${packages.length - refused.length} crates allowed, ${refused.length} refused`);
process.exit(refused.length ? 1 : 0);
