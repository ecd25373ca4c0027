// The main path through the client that openapi-typescript makes with its default flags. What does not compile here, or is
// not answered as the document says, is a fault of the document.
import createClient from 'openapi-fetch'
import type { components, paths } from './made/ace.js'

declare const process: { env: Record<string, string | undefined>; argv: string[] }

const [, , base = '', key = '', brandId = ''] = process.argv
const ace = createClient<paths>({ baseUrl: base, headers: { authorization: `Bearer ${key}` } })

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** The data of an answer that must be a success. */
function good<T>(what: string, { data, error, response }: Answer<T>): T {
  if (data === undefined) throw new Error(`${what}: ${response.status} ${JSON.stringify(error)}`)
  return data
}

function expect(what: string, holds: boolean): void {
  if (!holds) throw new Error(what)
}

const list = good('a list', await ace.POST('/v1/lists', { body: { name: 'Roofs of TypeScript' } }))
const contactIds: string[] = []
for (const [first_name, zip] of [['Ada', '43215'], ['Bo', '43216'], ['Cy', '43217']] as const) {
  const contact = good('a contact', await ace.POST('/v1/contacts', {
    body: { first_name, last_name: 'Typed', address: '12 Elm Street', city: 'Columbus', state: 'OH', zip, email: `${first_name}.ts@example.com` },
  }))
  contactIds.push(contact.id)
}
const members = good('members', await ace.POST('/v1/lists/{id}/members', {
  params: { path: { id: list.id } }, body: { contact_ids: contactIds },
}))
expect('three members', members.contact_count === 3)

const template = good('a template', await ace.POST('/v1/templates', {
  body: { name: 'Card of TypeScript', size: '6x9', front: 'Hello {{first_name}}', back: 'Call us' },
}))
const form = good('a form', await ace.POST('/v1/forms', {
  body: { name: 'Form of TypeScript', form_config: { fields: [{ id: 'email', type: 'email', label: 'E-mail', required: true }] } },
}))
good('an open form', await ace.POST('/v1/forms/{id}/publish', { params: { path: { id: form.id } } }))
const page = good('a page', await ace.POST('/v1/landing-pages', {
  body: { name: 'Page of TypeScript', html: '<h1>Hello {{first_name}}</h1>{{form}}', css: '', form_id: form.id },
}))
good('a published page', await ace.POST('/v1/landing-pages/{id}/publish', { params: { path: { id: page.id } } }))

const pool = good('a pool', await ace.POST('/v1/pools', {
  body: { pool_name: 'Cards of TypeScript', brand_id: brandId, value_amount: '25.00' },
}))
const upload = good('cards', await ace.POST('/v1/pools/{id}/cards', {
  params: { path: { id: pool.id } }, body: 'code\nTSA-0001\nTSA-0002\nTSA-0003\n', bodySerializer: (text) => text,
  headers: { 'content-type': 'text/csv' },
}))
expect('three cards', upload.added === 3)

const wanted: components['schemas']['CampaignInput'] = {
  name: 'Campaign of TypeScript', size: '6x9', postage: 'standard', mail_date: '2031-05-04', contact_list_id: list.id,
  template_id: template.id, landing_page_id: page.id,
  conditions: [{ trigger_type: 'form_submit', gift_card_pool_id: pool.id, delivery_channel: 'email', email_subject: 'Your card', email_template: '{{card}}' }],
}
const made = await ace.POST('/v1/campaigns', { body: wanted })
const campaign = good('a campaign', made)
const path = { id: campaign.id }
expect('Location of what was made', made.response.headers.get('location') === `/v1/campaigns/${campaign.id}`)
expect('ETag of what was made', made.response.headers.get('etag') !== null)
const renamed = good('a changed campaign', await ace.PATCH('/v1/campaigns/{id}', {
  params: { path }, body: { name: 'Campaign of openapi-typescript' },
}))
expect('conditions are kept by a patch', renamed.conditions.length === 1)
const again = good('what was read, sent back', await ace.PATCH('/v1/campaigns/{id}', { params: { path }, body: renamed }))
expect('nothing changed by it', JSON.stringify(again.conditions) === JSON.stringify(renamed.conditions))

const checklist = good('a check list', await ace.GET('/v1/campaigns/{id}/checklist', { params: { path } }))
expect(`nothing is missing: ${JSON.stringify(checklist.items)}`, checklist.items.every((item) => item.level !== 'missing'))
let launch = good('a launch', await ace.POST('/v1/campaigns/{id}/launch', { params: { path } }))
for (let tries = 0; launch.state === 'running' && tries < 300; tries++) {
  await new Promise((done) => setTimeout(done, 100))
  launch = good('the launch', await ace.GET('/v1/campaigns/{id}/launch', { params: { path } }))
}
expect(`launched: ${launch.error}`, launch.state === 'finished')
const names: string[] = []
for (let after: string | null | undefined; after !== null;) {
  const rows = good('recipients', await ace.GET('/v1/campaigns/{id}/recipients', {
    params: { path, query: { limit: 2, ...(after ? { after } : {}) } },
  }))
  names.push(...rows.data.map((row) => row.first_name ?? ''))
  after = rows.next
}
expect(`three recipients: ${names}`, names.sort().join() === 'Ada,Bo,Cy')
const credits = good('credits', await ace.GET('/v1/credits', { params: { query: { limit: 5 } } }))
expect('credits are a number', Number.isInteger(credits.balance))
good('figures', await ace.GET('/v1/campaigns/{id}/analytics', { params: { path } }))

const wrong = await ace.POST('/v1/contacts', { body: { email: 'nobody', phone: 'none' } })
expect('both wrong fields are named', wrong.error?.errors.map((error) => error.pointer).join() === '#/email,#/phone')
expect('the type leads somewhere', (await fetch(new URL(wrong.error?.type ?? '', base))).ok)
console.log('openapi-typescript: the main path was walked')
