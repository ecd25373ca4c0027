// Every page of the console and of the recipients, wide and light, narrow and dark: axe finds nothing serious, nothing
// is wider than the window, and nothing is loaded from elsewhere. The console is walked by its own links over the
// demo, so that pages are full, and new ones are looked at without anybody adding them here.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, test } from 'node:test'
import { overflows, shoot, signIn, startAce, startBrowser } from './harness.mjs'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const [ADMIN, PASSWORD] = ['ada@ace.example', 'walk the whole path']
const CLIENT = 'acme-roofing'

// What no link leads to, or only sometimes.
const ALSO = ['/nowhere-at-all', '/sandbox', `/${CLIENT}/search?q=maria`, `/${CLIENT}/contacts?q=nobody-has-this-name`]

// The walk must reach at least these kinds of page; a link that is lost would silently shorten it.
const KINDS = [
  '/', '/account', '/account/second-factor', '/help', '/help/:topic', '/sandbox', '/admin/organizations', '/admin/organizations/:org', '/admin/users',
  '/admin/permissions', '/admin/audit', '/admin/jobs', '/admin/brands', '/admin/brands/new', '/admin/brands/:id',
  ...['home', 'contacts', 'contacts/new', 'contacts/:id', 'contacts/:id/edit', 'lists', 'lists/new', 'lists/:id', 'lists/:id/edit', 'imports', 'imports/new',
    'imports/:id', 'campaigns', 'campaigns/new', 'campaigns/:campaign', 'campaigns/:campaign/recipients', 'campaigns/:campaign/conditions',
    'campaigns/:campaign/history', 'campaigns/:campaign/skipped', 'recipients/:id', 'campaigns/:campaign/edit/audience', 'campaigns/:campaign/edit/design', 'campaigns/:campaign/edit/page',
    'campaigns/:campaign/edit/conditions', 'campaigns/:campaign/edit/review', 'templates', 'templates/new', 'templates/:id', 'landing-pages',
    'landing-pages/new', 'landing-pages/:id', 'forms', 'forms/new', 'forms/:id', 'forms/:id/submissions', 'pools', 'pools/new', 'pools/:id', 'cards/:id', 'deliveries',
    'deliveries/:id', 'credits', 'desk', 'calls', 'calls/:id', 'numbers', 'numbers/new', 'api-keys', 'settings', 'team', 'search',
  ].map((path) => `/:client/${path}`),
]

let server, browser
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

/** The kind of page a path is: its route. */
const kindOf = (path) => path.split('?')[0]
  .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, ':id')
  .replace(/^\/(?!account|admin|help|sandbox|nowhere)[a-z0-9-]+(?=\/)/, '/:client')
  .replace(/\/campaigns\/(?!new$)[a-z0-9-]+/, '/campaigns/:campaign')
  .replace(/^\/help\/.+/, '/help/:topic')
  .replace(/^\/admin\/organizations\/.+/, '/admin/organizations/:org')

/** How many pages of a kind are looked at: campaigns look different in each of their statuses. */
const samples = (kind) => (kind === '/:client/campaigns/:campaign' ? 8 : 1)

async function serious(page) {
  // The page's policy forbids injected scripts; evaluating through the browser's own door is not the page's doing.
  await page.evaluate(AXE)
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }))
  return violations.filter(({ impact }) => ['serious', 'critical'].includes(impact))
    .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join(', ')}`)
}

/** Opens a page and adds what is wrong with it to `findings`. */
async function look(page, path, findings) {
  const answer = await page.goto(path)
  if (answer.status() >= 500) findings.push(`${path} answers ${answer.status()}`)
  for (const finding of await serious(page)) findings.push(`${path}: ${finding}`)
  if (await overflows(page)) findings.push(`${path} is wider than the window`)
}

/** Walks the console from its home by its links; answers the kinds of page that were looked at. */
async function walk(page, findings) {
  const looked = new Map()
  const waiting = [`/${CLIENT}/home`, ...ALSO, '/']
  const known = new Set(waiting)
  while (waiting.length > 0) {
    const path = waiting.shift()
    const kind = kindOf(path)
    const before = looked.get(kind) ?? 0
    if (before >= samples(kind)) continue
    looked.set(kind, before + 1)
    await look(page, path, findings)
    const links = await page.$$eval('a[href^="/"]:not([download])', (links) => links.map((link) => link.getAttribute('href')))
    for (const link of links.map((link) => link.split('#')[0])) {
      // downloads, and pages of recipients, which have a look of their own below
      if (known.has(link) || /\/export|\/refused|\/remarks|\.(json|css|svg|png)|^\/(r|q|f|p|v1|assets)\//.test(link)) continue
      known.add(link)
      waiting.push(link)
    }
  }
  return looked
}

/** Pages of recipients: a link in every state of a campaign, a form, with mistakes, sent, a link nobody has. */
async function asRecipient(page, findings) {
  const tokens = server.query(`select distinct on (c.status) r.purl_token from recipients r join campaigns c on c.id = r.campaign_id
    where c.lp_mode = 'bridge' order by c.status`).split('\n')
  assert.ok(tokens.length >= 4, `links of ${tokens.length} statuses`)
  for (const path of ['/sign-in', '/forgot', '/r/AAAAAAAAAA', ...tokens.map((token) => `/r/${token}`)]) await look(page, path, findings)
  const form = server.query("select form_id from campaigns where status = 'active' and form_id is not null limit 1")
  await look(page, `/f/${form}`, findings)
  await page.locator('form button').last().click()
  for (const finding of await serious(page)) findings.push(`/f/${form} with mistakes: ${finding}`)
  const token = server.query(`select r.purl_token from recipients r where r.campaign_id in (select id from campaigns where form_id = '${form}'
    and status = 'active') and not exists (select from ace_form_submissions s where s.recipient_id = r.id) limit 1`)
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
  for (const finding of await serious(page)) findings.push(`/f/${form} when it is sent: ${finding}`)
  if (await overflows(page)) findings.push(`/f/${form} is wider than the window when it is sent`)
}

for (const [width, dark] of [[1440, false], [390, true]]) {
  test(`every page at ${width} px, ${dark ? 'dark' : 'light'}`, async () => {
    const findings = []
    await asRecipient(await browser.page(server.base, { width, height: 900, dark }), findings)
    const page = await browser.page(server.base, { width, height: 900, dark })
    await signIn(page, ADMIN, PASSWORD)
    const looked = await walk(page, findings)
    await page.goto(`/${CLIENT}/home`)
    await shoot(page, `home-${width}`)
    assert.deepEqual(KINDS.filter((kind) => !looked.has(kind)), [], 'kinds of page that no link leads to any more')
    assert.deepEqual(findings, [])
    assert.deepEqual(browser.complaints, [])
  })
}
