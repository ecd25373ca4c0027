// The frame of the console as people use it: the palette, the bell, the checklist of a new client, where agents begin, keys,
// errors, and what a page weighs.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { overflows, settled, signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

const PAGE = 150_000

let server, browser, world, owner
before(async () => {
  server = await startAce()
  browser = await startBrowser()
  world = await seed(server)
  const call = await world.call(world.people.admin)
  const of = { 'ace-client': world.client.id }
  await call('POST', '/v1/contacts', { first_name: 'Zoë', last_name: 'Núñez', email: 'zoe@example.com', phone: '(614) 555-0177' }, of)
  await call('POST', '/v1/contacts', { first_name: 'Bo', last_name: 'Plain', phone: '(212) 555-0101' }, of)
  await call('POST', '/v1/lists', { name: 'Étoile neighbours' }, of)
  for (const name of ['Spring', 'Springfield', 'Early spring']) await call('POST', '/v1/lists', { name }, of)
  owner = await browser.page(server.base)
  await signIn(owner, world.people.company_owner)
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

const options = (page) => page.locator('#palette [role="option"]')
const say = (page) => page.locator('#palette-say')

/** Types into the open palette and waits for the answer to just that. */
async function look(page, text) {
  const answered = page.waitForResponse((answer) => answer.url().includes('/search?q=') && new URL(answer.url()).searchParams.get('q') === text)
  await page.locator('#palette-input').fill(text)
  await answered
  await page.waitForFunction(() => !document.getElementById('palette-say').textContent.startsWith('Searching'))
}

test('both keys open one palette, which finds while one types and is steered by keys', async () => {
  await owner.goto('/acme-roofing/home')
  for (const key of ['/', 'Control+k']) {
    await owner.keyboard.press(key)
    await owner.locator('#palette[open]').waitFor()
    assert.equal(await owner.evaluate(() => document.activeElement.id), 'palette-input')
    await owner.keyboard.press('Escape')
    assert.equal(await owner.locator('#palette[open]').count(), 0)
  }
  // opened again in the same moment, before the page was drawn without it
  await owner.keyboard.press('/')
  await owner.evaluate(() => {
    document.getElementById('palette').close()
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: '/', bubbles: true, cancelable: true }))
  })
  assert.equal(await owner.locator('#palette[open]').count(), 1)
  await look(owner, 'nunez')
  assert.match(await options(owner).first().innerText(), /Zoë Núñez/)
  await look(owner, '614 555')
  assert.match(await options(owner).first().innerText(), /Zoë Núñez[^]*\(614\) 555-0177/)
  await look(owner, 'etoile')
  assert.match(await options(owner).first().innerText(), /Étoile neighbours/)
  await look(owner, 'spring')
  const names = await owner.locator('#palette [role="group"][aria-label="Lists"] [role="option"] span').allInnerTexts()
  assert.deepEqual(names, ['Spring', 'Springfield', 'Early spring'])
  await look(owner, 'im')
  const chosen = () => owner.locator('#palette [aria-selected="true"]')
  const first = await chosen().getAttribute('id')
  assert.equal(await owner.locator('#palette-input').getAttribute('aria-activedescendant'), first)
  await owner.keyboard.press('ArrowUp')
  assert.equal(await chosen().count(), 1)
  assert.notEqual(await chosen().getAttribute('id'), first)
  await owner.keyboard.press('ArrowDown')
  assert.equal(await chosen().getAttribute('id'), first)
  await look(owner, 'zoe nu')
  await owner.keyboard.press('Enter')
  await owner.waitForURL(/\/acme-roofing\/contacts\/[0-9a-f-]{36}$/)
})

test('one request a pause; none found and no answer are said', async () => {
  await owner.goto('/acme-roofing/home')
  const asked = []
  const note = (request) => request.url().includes('/search?q=') && asked.push(new URL(request.url()).searchParams.get('q'))
  owner.on('request', note)
  await owner.keyboard.press('Control+k')
  const answered = owner.waitForResponse(/search\?q=qqqqqq$/)
  await owner.locator('#palette-input').pressSequentially('qqqqqq')
  await answered
  await owner.getByText('Nothing fits “qqqqqq”').waitFor()
  owner.off('request', note)
  assert.equal(asked.at(-1), 'qqqqqq')
  assert.ok(asked.length < 4, `asked for ${asked}`)
  // an answer that comes late is not drawn over a newer one
  let late
  await owner.route(/search\?q=zo$/, async (route) => { late = route })
  await owner.locator('#palette-input').fill('zo')
  await owner.waitForRequest(/search\?q=zo$/)
  await look(owner, 'plain')
  await late.continue().catch(() => {})
  assert.match(await options(owner).first().innerText(), /Bo Plain/)
  await owner.unroute(/search\?q=zo$/)
  await owner.route(/search\?q=broken$/, (route) => route.fulfill({ status: 503, body: '' }))
  await owner.locator('#palette-input').fill('broken')
  await owner.getByText('The search did not answer').waitFor()
  await owner.unroute(/search\?q=broken$/)
  browser.complaints.splice(0)
  await owner.keyboard.press('Escape')
})

test('the palette of an agent has callers and none of what they may not see, on a phone as well', async () => {
  const page = await browser.page(server.base, { width: 390, height: 844 })
  await signIn(page, world.people.call_center)
  assert.equal(new URL(page.url()).pathname, '/acme-roofing/desk', 'agents begin at the desk')
  await page.getByRole('button', { name: 'Search or go to' }).click()
  await look(page, 'zoe')
  assert.equal(await options(page).count(), 0)
  assert.match(await say(page).innerText(), /Nothing fits/)
  assert.equal(await overflows(page), false)
  await page.getByRole('button', { name: 'Close' }).click()
  // from the field of the code, where the desk begins
  await page.locator('[data-code-input]').focus()
  await page.keyboard.press('?')
  const keys = await page.locator('#shortcut-list').innerText()
  assert.match(keys, /With a caller open/)
  assert.match(keys, /End the call as/)
  assert.doesNotMatch(keys, /Next and previous row|Select the row/)
  await page.context().close()
})

test('the bell lists what is counted, and an alert is acknowledged', async () => {
  const client = world.client.id
  server.query(`insert into alerts (id, client_id, kind, subject_id, message, created_at) values
    (gen_random_uuid(), '${client}', 'delivery_failed', gen_random_uuid(), 'A card came back', now()),
    (gen_random_uuid(), '${client}', 'delivery_failed', gen_random_uuid(), 'A card came back', now())`)
  await owner.goto('/acme-roofing/home')
  const bell = owner.locator('.bell')
  assert.equal(await bell.getAttribute('aria-label'), '1 thing needs you')
  assert.equal(await owner.locator('#needs .needs li').count(), 1)
  await bell.click()
  const line = owner.locator('.bell-panel li')
  await line.waitFor()
  assert.match(await line.innerText(), /2 gift cards could not be delivered/)
  await settled(owner)
  await line.getByRole('button').click()
  await owner.waitForURL('**/acme-roofing/alerts')
  await owner.getByText('2 alerts acknowledged').waitFor()
  assert.equal(await bell.getAttribute('aria-label'), 'Nothing needs you')
  assert.match(await owner.locator('main').innerText(), /Acknowledged by[^]*owner/i)
  server.query(`update alerts set resolved_at = now() where client_id = '${client}'`)
})

test('Home of a new client leads to each step and knows what is done', async () => {
  await owner.goto('/acme-roofing/home')
  const steps = owner.locator('.way li')
  assert.deepEqual(await steps.locator('strong').allInnerTexts(), ['Contacts', 'Cards', 'Form', 'Landing page', 'Mail piece', 'Campaign'])
  assert.equal(await steps.first().getAttribute('data-state'), 'done')
  assert.equal(await owner.locator('ace-chart').count(), 0)
  for (const href of await steps.locator('a').evaluateAll((links) => links.map((link) => link.getAttribute('href')))) {
    assert.ok((await owner.goto(href)).status() < 400, href)
  }
})

test('errors, help and the account keep navigation, search and bell', async () => {
  for (const path of ['/nothing/at/all', '/acme-roofing/nothing-here', '/admin/audit', '/help', '/help/errors', '/account', '/sandbox']) {
    await owner.goto(path)
    assert.equal(await owner.locator('#sidebar').count(), 1, path)
    await owner.keyboard.press('/')
    await owner.locator('#palette[open]').waitFor()
    await owner.keyboard.press('Escape')
  }
  await owner.goto('/acme-roofing/nothing-here')
  await owner.getByRole('main').getByRole('link', { name: 'Search' }).click()
  await owner.locator('#palette[open]').waitFor()
  await owner.keyboard.press('Escape')
  assert.equal(await owner.getByRole('link', { name: 'Sandbox' }).count(), 1)
})

test('a first visit loads the font once, and no page weighs more than it may', async () => {
  const weigh = async (path) => {
    const page = await browser.page(server.base)
    await signIn(page, world.people.company_owner)
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('Network.enable')
    await devtools.send('Network.clearBrowserCache')
    let bytes = 0
    const fonts = []
    devtools.on('Network.loadingFinished', ({ encodedDataLength }) => (bytes += encodedDataLength))
    devtools.on('Network.requestWillBeSent', ({ request }) => request.url.endsWith('.woff2') && fonts.push(request.url))
    await page.goto(path, { waitUntil: 'networkidle' })
    await page.evaluate(() => document.fonts.ready.then(() => true))
    const charts = await page.locator('script[src$="chart.js"]').count() - (await page.locator('ace-chart').count() > 0 ? 1 : 0)
    await page.context().close()
    assert.equal(charts, 0, `${path} loads chart code just where a chart is`)
    assert.equal(new Set(fonts).size, 1, `${path}: ${fonts}`)
    assert.ok(bytes > 40_000 && bytes < PAGE, `${path} weighs ${bytes} bytes`)
  }
  const client = world.client.id
  server.query(`insert into campaigns (id, client_id, name, slug, status, created_at) values ('${client}', '${client}', 'Weighed', 'weighed', 'draft', now())`)
  await weigh('/acme-roofing/contacts')
  await weigh('/acme-roofing/campaigns/weighed')
  server.query(`set session_replication_role = replica; update campaigns set status = 'active', launched_at = now(), mailed_at = now() where id = '${client}'`)
  await weigh('/acme-roofing/home')
  await weigh('/acme-roofing/campaigns/weighed')
})

test('a long name leaves the columns beside it whole, and paper has no buttons', async () => {
  const call = await world.call(world.people.admin)
  await call('POST', '/v1/contacts', { first_name: 'Maximiliana'.repeat(8).slice(0, 80), last_name: 'von und zu '.repeat(7).trim(), phone: '(614) 555-0199' }, { 'ace-client': world.client.id })
  await owner.goto('/acme-roofing/contacts')
  await settled(owner)
  const heights = await owner.locator('.table .phone').evaluateAll((all) => all.map((one) => one.getClientRects().length))
  assert.ok(heights.length >= 3 && heights.every((lines) => lines === 1), `lines of phones: ${heights}`)
  const long = owner.locator('.row-link', { hasText: 'Maximiliana' })
  await long.hover()
  assert.match(await long.getAttribute('title'), /von und zu/)
  await owner.locator('.pick input[name="ids"]').first().check()
  const bar = owner.locator('#bulk')
  assert.deepEqual(await bar.getByRole('button').allInnerTexts(), ['Add to list', 'Suppress', 'Export', 'Clear'])
  assert.ok((await bar.boundingBox()).height < 60, 'the bar is one row')
  await bar.getByRole('button', { name: 'Suppress' }).click()
  assert.match(await owner.locator('#confirm-text').innerText(), /the 1 selected[^]*no undo/)
  await owner.getByRole('button', { name: 'Cancel' }).click()
  const [download] = await Promise.all([owner.waitForEvent('download'), bar.getByRole('button', { name: 'Export' }).click()])
  assert.equal(download.suggestedFilename(), 'contacts.csv')
  await owner.emulateMedia({ media: 'print', colorScheme: 'dark' })
  for (const part of ['.topbar', '#sidebar', '.page-actions', '#bulk']) assert.equal(await owner.locator(part).isVisible(), false, part)
  assert.equal(await owner.locator('.table').isVisible(), true)
  assert.equal(await owner.evaluate(() => getComputedStyle(document.body).backgroundColor), 'rgb(255, 255, 255)')
  await owner.emulateMedia({ media: 'screen', colorScheme: 'light' })
})

test('nothing in the console of these pages complained', () => assert.deepEqual(browser.complaints, []))
