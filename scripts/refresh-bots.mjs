#!/usr/bin/env node
// Writes crates/engage/src/bots/isbot.txt: the patterns of the npm package isbot, by which programs are told from people.
// Run it now and then: node scripts/refresh-bots.mjs [version]
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const target = join(dirname(fileURLToPath(import.meta.url)), '../crates/engage/src/bots/isbot.txt');
const folder = mkdtempSync(join(tmpdir(), 'isbot-'));
try {
  const version = process.argv[2] ?? 'latest';
  execFileSync('npm', ['install', '--no-save', '--ignore-scripts', '--prefix', folder, `isbot@${version}`], { stdio: 'inherit' });
  const home = join(folder, 'node_modules/isbot');
  const { version: got, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  const { list } = await import(pathToFileURL(join(home, 'index.mjs')));
  const head = [
    `# Patterns of user agents of programs, from the npm package isbot ${got} (${license}).`,
    '# Written by scripts/refresh-bots.mjs; what is missing there stands in bots.rs.',
  ];
  writeFileSync(target, [...head, ...list, ''].join('\n'));
  console.log(`${list.length} patterns of isbot ${got}`);
} finally {
  rmSync(folder, { recursive: true });
}
