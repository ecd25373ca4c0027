// One agency with one client and people in every role, made as an operator would: by command line and REST.
import { PASSWORD } from './server.mjs'

/** Makes the world of the tests; answers who and what there is. */
export async function seed(server) {
  const person = (email, role, ...place) => server.ace(['user', 'create', '--email', email, '--role', role, ...place, '--password-stdin'], `${PASSWORD}\n`)
  person('admin@example.com', 'admin')
  const call = await rest(server.base, 'admin@example.com')
  const org = await call('POST', '/v1/organizations', { name: 'Northside Marketing', type: 'agency' })
  const client = await call('POST', '/v1/clients', { org_id: org.id, name: 'Acme Roofing', industry: 'roofing' })
  const brand = await call('POST', '/v1/brands', { brand_name: 'Amazon', default_value: '25.00' })
  const people = {
    admin: 'admin@example.com', tech_support: 'support@example.com', agency_owner: 'agency@example.com',
    company_owner: 'owner@example.com', developer: 'developer@example.com', call_center: 'agent@example.com',
  }
  person(people.tech_support, 'tech_support')
  person(people.agency_owner, 'agency_owner', '--org', org.id)
  for (const role of ['company_owner', 'developer', 'call_center']) person(people[role], role, '--client', client.id)
  return { org, client, brand, people, call: (email) => rest(server.base, email) }
}

/** A caller of the REST API, signed in as somebody; expects success. */
async function rest(base, email) {
  const answer = await fetch(`${base}/auth/v1/token?grant_type=password`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ email, password: PASSWORD }),
  })
  if (!answer.ok) throw new Error(`sign-in of ${email}: ${answer.status} ${await answer.text()}`)
  const { access_token: token } = await answer.json()
  return async (method, path, body, headers = {}) => {
    const reply = await fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`)
    return text ? JSON.parse(text) : null
  }
}
