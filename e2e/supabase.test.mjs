// The official client of Supabase signs in against ACE unchanged: starts an ACE and runs supabase-client.mjs on it.
import { after, before } from 'node:test'
import { PASSWORD, startAce } from './harness.mjs'
import { seed } from './seed.mjs'

let server
before(async () => {
  server = await startAce()
  const { people } = await seed(server)
  Object.assign(process.env, { ACE_URL: server.base, ACE_EMAIL: people.company_owner, ACE_PASSWORD: PASSWORD })
})
after(() => server?.stop())
await import('./supabase-client.mjs')
