// Every page of the console and of the recipients, wide and light, narrow and dark: axe finds nothing serious, nothing
// is wider than the window, and nothing is loaded from elsewhere. The console is walked by its own links over the
// demo, so that pages are full, and new ones are looked at without anybody adding them here: by the admin in both
// widths, by each other role in one. What a page keeps closed is opened on the way.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { CLIENT, DEMO_PASSWORD, check, look, walk } from './axe.mjs'
import { shoot, signIn, startAce, startBrowser } from './harness.mjs'

// What no link leads to, or only sometimes.
const SEARCHES = [`/${CLIENT}/search?q=maria`, `/${CLIENT}/contacts?q=nobody-has-this-name`]
const ALSO = ['/nowhere-at-all', '/sandbox', ...SEARCHES]

const ofClient = (paths) => paths.map((path) => `/:client/${path}`)

// The walk must reach at least these kinds of page; a link that is lost would silently shorten it.
const KINDS = [
  '/', '/account', '/account/second-factor', '/help', '/help/:topic', '/sandbox', '/admin/organizations', '/admin/organizations/:org', '/admin/users',
  '/admin/permissions', '/admin/audit', '/admin/jobs', '/admin/brands', '/admin/brands/new', '/admin/brands/:id', '/admin/quarantine',
  ...ofClient(['home', 'contacts', 'contacts/new', 'contacts/:id', 'contacts/:id/edit', 'lists', 'lists/new', 'lists/:id', 'lists/:id/edit', 'imports', 'imports/new',
    'imports/:id', 'campaigns', 'campaigns/new', 'campaigns/:campaign', 'campaigns/:campaign/recipients', 'campaigns/:campaign/conditions',
    'campaigns/:campaign/history', 'campaigns/:campaign/skipped', 'recipients/:id', 'campaigns/:campaign/edit/audience', 'campaigns/:campaign/edit/design', 'campaigns/:campaign/edit/page',
    'campaigns/:campaign/edit/conditions', 'campaigns/:campaign/edit/review', 'templates', 'templates/new', 'templates/:id', 'landing-pages',
    'landing-pages/new', 'landing-pages/:id', 'forms', 'forms/new', 'forms/:id', 'forms/:id/submissions', 'pools', 'pools/new', 'pools/:id', 'cards/:id', 'deliveries',
    'deliveries/:id', 'credits', 'desk', 'calls', 'calls/:id', 'numbers', 'numbers/new', 'api-keys', 'settings', 'team', 'search',
  ]),
]

// What is opened must be at least this; `opened` holds the kind of page and what was opened on it.
const OPENED = [
  'menu: clients', 'menu: account', 'dialog: shortcuts', 'dialog: palette', '/:client/home fold: As a table', '/:client/contacts menu: Stage',
  '/:client/contacts bar: picked rows', '/:client/contacts/:id question: Delete contact', '/:client/team question: Remove', '/:client/lists/:id bar: picked rows',
  '/:client/pools/:id popover: rename', '/:client/campaigns/:campaign question: Archive campaign', '/:client/campaigns/:campaign/edit/review question: Launch campaign',
  '/:client/desk/:id question: Do not call again', '/:client/forms/:id fold: More: help, condition, key', '/admin/organizations popover: new-organization',
]

const OWNER = ofClient(['home', 'contacts/:id', 'lists/new', 'imports/:id', 'campaigns/new', 'campaigns/:campaign', 'forms/:id', 'pools/:id', 'cards/:id', 'desk/:id', 'api-keys', 'team'])

// The other roles: who, and kinds of page their walk must reach.
const ROLES = {
  tech_support: ['tess@ace.example', ['/', '/admin/jobs', '/admin/audit', ...ofClient(['contacts/:id', 'campaigns/:campaign', 'deliveries/:id', 'calls/:id'])]],
  agency_owner: ['nora@northside.example', [...OWNER, '/admin/organizations/:org', '/admin/audit', '/:client/pools/new']],
  company_owner: ['amir@acme-roofing.example', OWNER],
  developer: ['devika@acme-roofing.example', ofClient(['home', 'contacts/:id', 'templates/:id', 'landing-pages/:id', 'forms/:id', 'campaigns/:campaign', 'api-keys'])],
  call_center: ['carla@acme-roofing.example', ofClient(['home', 'desk', 'desk/:id', 'calls/:id', 'campaigns/:campaign', 'pools/:id', 'recipients/:id'])],
}

/** How many pages of a kind are looked at: campaigns look different in each of their statuses. */
const samples = (kind) => (kind === '/:client/campaigns/:campaign' ? 8 : 1)

let server, browser
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

/** Pages of recipients: a link in every state of a campaign, a form, with mistakes, sent, a link nobody has. */
async function asRecipient(page, turn, findings) {
  const tokens = server.query(`select distinct on (c.status) r.purl_token from recipients r join campaigns c on c.id = r.campaign_id
    where c.lp_mode = 'bridge' order by c.status`).split('\n')
  assert.ok(tokens.length >= 4, `links of ${tokens.length} statuses`)
  for (const path of ['/sign-in', '/forgot', '/r/AAAAAAAAAA', ...tokens.map((token) => `/r/${token}`)]) await look(page, path, findings)
  const form = server.query("select form_id from campaigns where status = 'active' and form_id is not null limit 1")
  await look(page, `/f/${form}`, findings)
  await page.locator('form button').last().click()
  await check(page, `/f/${form} with mistakes`, findings)
  const token = server.query(`select r.purl_token from recipients r where r.campaign_id in (select id from campaigns where form_id = '${form}'
    and status = 'active') and not exists (select from ace_form_submissions s where s.recipient_id = r.id) order by r.id limit 1 offset ${turn}`)
  await page.goto(`/f/${form}?r=${token}`)
  await page.evaluate(() => {
    for (const field of document.querySelectorAll('form :is(input, select, textarea)[required]')) {
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = true
      else if (field.tagName === 'SELECT') field.selectedIndex = field.options.length - 1
      else field.value ||= { email: 'ada@example.com', tel: '(614) 555-0123', date: '2026-12-01', number: '1' }[field.type] ?? 'Ada'
    }
  })
  await page.locator('form button').last().click()
  assert.equal(await page.locator('form :is(input, select, textarea)').count(), 0, 'the form is taken')
  await check(page, `/f/${form} when it is sent`, findings)
}

const SIDES = [
  { width: 1440, dark: false, roles: ['tech_support', 'company_owner'] },
  { width: 390, dark: true, roles: ['agency_owner', 'developer', 'call_center'] },
]
describe('nothing serious on any page', { concurrency: SIDES.length }, () => {
  for (const [turn, { width, dark, roles }] of SIDES.entries()) {
    describe(`at ${width} px, ${dark ? 'dark' : 'light'}`, { concurrency: 1 }, () => {
      // What somebody's walk opened is not opened again in this width.
      const opened = new Set()

      test('for recipients', async () => {
        const findings = []
        await asRecipient(await browser.page(server.base, { width, dark }), turn, findings)
        assert.deepEqual(findings, [])
      })

      test('for the admin', async () => {
        const findings = []
        const page = await browser.page(server.base, { width, dark })
        await signIn(page, 'ada@ace.example', DEMO_PASSWORD)
        const looked = await walk(page, findings, { starts: [`/${CLIENT}/home`, '/'], also: ALSO, samples, opened })
        await page.goto(`/${CLIENT}/home`)
        await shoot(page, `home-${width}`)
        assert.deepEqual(KINDS.filter((kind) => !looked.has(kind)), [], 'kinds of page that no link leads to any more')
        const wanted = width < 600 ? ['drawer: Menu', ...OPENED] : OPENED
        assert.deepEqual(wanted.filter((name) => !opened.has(name)), [], `not opened any more, of ${[...opened].join('; ')}`)
        assert.deepEqual(findings, [])
      })

      for (const role of roles) {
        const [email, kinds] = ROLES[role]
        test(`for ${role}`, async () => {
          const findings = []
          const page = await browser.page(server.base, { width, dark })
          await signIn(page, email, DEMO_PASSWORD)
          const looked = await walk(page, findings, { starts: [`/${CLIENT}/home`, '/'], also: SEARCHES.slice(0, 1), opened })
          assert.deepEqual(kinds.filter((kind) => !looked.has(kind)), [], `kinds of page ${role} does not reach any more`)
          assert.deepEqual(findings, [])
        })
      }
    })
  }
})

test('no page complained in its console or asked another host', () => assert.deepEqual(browser.complaints, []))
