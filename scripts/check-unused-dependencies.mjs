#!/usr/bin/env node
// A dependency that no file of its crate names is dead weight. What cargo-machete does, without compiling it.
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

// Crates that our sources need without naming them: what their use looks like instead.
const otherwiseSeen = { 'postgres-from-row': /\bFromRow\b/ };

function rustFiles(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    if (statSync(path).isDirectory()) return rustFiles(path);
    return path.endsWith('.rs') ? [path] : [];
  });
}

const metadata = JSON.parse(
  execFileSync('cargo', ['metadata', '--format-version', '1', '--no-deps'], { maxBuffer: 1 << 28 }),
);
const unused = [];
for (const crate of metadata.packages) {
  const sources = rustFiles(dirname(crate.manifest_path)).map((path) => readFileSync(path, 'utf8')).join('\n');
  for (const { name, rename } of crate.dependencies) {
    const identifier = (rename ?? name).replaceAll('-', '_');
    const named = new RegExp(`\\b${identifier}(::|\\s+as\\s|;|!)|\\buse\\s+[^;]*\\b${identifier}\\b`);
    if (!named.test(sources) && !otherwiseSeen[name]?.test(sources)) unused.push(`${crate.name} does not use ${name}`);
  }
}
for (const line of unused) console.error(line);
console.log(`dependencies: ${unused.length} unused`);
process.exit(unused.length ? 1 : 0);
