// Starts a real ACE on a database of its own and gives it to a test.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const ACE = process.env.ACE_BIN ?? resolve('../target/debug/ace')
const SERVER = process.env.ACE_TEST_DATABASE_URL
export const PASSWORD = 'seven quiet herons at noon'

const freePort = () => new Promise((done, failed) => {
  const probe = createServer().once('error', failed)
  probe.listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => done(port))
  })
})

/** An environment without what would change ACE's settings by accident. */
const environment = (extra) => {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ACE_') && name !== 'DATABASE_URL')
  return { ...Object.fromEntries(kept), ...extra }
}

const sql = (url, statement) => {
  const ran = spawnSync('psql', [url, '-XAtqc', statement], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
  return ran.stdout.trim()
}

/** A running ACE: `base`, `ace(args, input)` for its command line, `query(sql)`, `stop()`. */
export async function startAce({ demo = false } = {}) {
  const name = `e2e_${process.pid}_${Date.now()}`
  sql(SERVER, `create database ${name}`)
  const url = new URL(SERVER)
  url.pathname = `/${name}`
  const dataDir = mkdtempSync(join(tmpdir(), 'ace-e2e-'))
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const env = environment({
    DATABASE_URL: url.href, ACE_DATA_DIR: dataDir, ACE_LISTEN: `127.0.0.1:${port}`, ACE_PUBLIC_URL: base,
    ACE_DEMO__CONTACTS: '300', ACE_LIMITS__PUBLIC_PER_MINUTE: '100000', ACE_LIMITS__API_PER_MINUTE: '100000',
    ACE_SERVER__STOP_DELAY_SECONDS: '0',
  })
  const ace = (args, input = '') => {
    const ran = spawnSync(ACE, [...args, '--json'], { env, input, encoding: 'utf8', maxBuffer: 1 << 26 })
    if (ran.status !== 0) throw new Error(`ace ${args.join(' ')}: ${ran.stderr}${ran.stdout}`)
    return JSON.parse(ran.stdout)
  }
  const logs = []
  const server = spawn(ACE, ['serve', ...(demo ? ['--demo'] : [])], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (chunk) => logs.push(String(chunk)))
  await ready(base, server, logs)
  const stop = async () => {
    server.kill('SIGTERM')
    await new Promise((done) => (server.exitCode === null ? server.once('exit', done) : done()))
    sql(SERVER, `drop database if exists ${name} with (force)`)
    rmSync(dataDir, { recursive: true, force: true })
  }
  return { base, ace, stop, query: (statement) => sql(url.href, statement), logs: () => logs.join('') }
}

async function ready(base, server, logs) {
  for (let tries = 0; tries < 1200; tries++) {
    if (server.exitCode !== null) throw new Error(`ace ended: ${logs.join('')}`)
    const answer = await fetch(`${base}/readyz`).catch(() => null)
    if (answer?.ok) return
    await new Promise((done) => setTimeout(done, 100))
  }
  throw new Error(`ace was not ready in two minutes: ${logs.join('')}`)
}
