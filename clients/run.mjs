// Makes clients of the document that a real ACE serves, compiles them and walks the main path with each.
import { spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { seed } from '../e2e/seed.mjs'
import { startAce } from '../e2e/server.mjs'

const MADE = 'made'
// a file of cards is bytes to the Python client; and nothing is formatted that nobody reads
const CONFIG = `package_name_override: ace_client
post_hooks: []
content_type_overrides:
  text/csv: application/octet-stream
`

/** What the walks need: their key may do that and nothing else. */
const SCOPES = ['lists.view', 'lists.create', 'lists.edit', 'contacts.view', 'contacts.create', 'templates.view', 'templates.create',
  'forms.view', 'forms.create', 'forms.publish', 'landing_pages.view', 'landing_pages.create', 'landing_pages.publish',
  'gift_cards.view', 'gift_cards.manage_pools', 'gift_cards.upload', 'campaigns.view', 'campaigns.create', 'campaigns.edit',
  'campaigns.launch', 'campaigns.analytics', 'credits.view']

/** Runs a program to its end, without anything that it would send home. */
const run = (program, args) => {
  const ran = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, PYTHONPATH: MADE } })
  if (ran.status !== 0) throw new Error(`${program} ${args[0]}: ${ran.status ?? ran.error}`)
}

rmSync(MADE, { recursive: true, force: true })
mkdirSync(MADE)
const server = await startAce()
try {
  const { client, brand, call } = await seed(server)
  const admin = await call('admin@example.com')
  await admin('POST', '/v1/credits', { amount: '1000', note: 'For the clients' }, { 'ace-client': client.id })
  const { key } = server.ace(['keys', 'create', '--client', client.id, '--name', 'Clients', ...SCOPES.flatMap((scope) => ['--scope', scope])])
  const document = await (await fetch(`${server.base}/v1/openapi.json`)).text()
  writeFileSync(`${MADE}/openapi.json`, document)

  run('node_modules/.bin/openapi-typescript', [`${MADE}/openapi.json`, '-o', `${MADE}/ace.d.ts`])
  run('node_modules/.bin/tsc', ['-p', '.'])
  run(process.execPath, [`${MADE}/walk.js`, server.base, key, brand.id])

  writeFileSync(`${MADE}/config.yml`, CONFIG)
  run('.venv/bin/openapi-python-client', ['generate', '--path', `${MADE}/openapi.json`, '--meta', 'none', '--fail-on-warning',
    '--config', `${MADE}/config.yml`, '--output-path', `${MADE}/ace_client`])
  run('.venv/bin/python', ['walk.py', server.base, key, brand.id])
} catch (error) {
  console.error(server.logs())
  throw error
} finally {
  await server.stop()
}
