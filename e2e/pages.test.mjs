// What a tenant's page may do in a real browser when the cleaning has let everything through: the page is changed on
// its way, with ACE's own headers around it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signIn, startAce, startBrowser } from './harness.mjs'

let server, browser, page, token, form
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
  const found = server.query(`select r.purl_token || ' ' || coalesce(c.form_id::text, v.content_json->>'form_id') from recipients r
    join campaigns c on c.id = r.campaign_id join landing_pages l on l.id = c.landing_page_id
    join landing_page_versions v on v.id = l.published_version_id
    where c.status in ('active', 'mailed') and c.lp_mode = 'bridge'
    and not exists (select from ace_form_submissions s where s.recipient_id = r.id) order by r.id limit 1`)
  ;[token, form] = found.split(' ')
  page = await browser.page(server.base)
  const owner = server.query(`select u.email from auth.users u join public.user_roles r on r.user_id = u.id
    where r.role = 'agency_owner' order by u.email limit 1`)
  await signIn(page, owner, 'walk the whole path')
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

const audited = () => Number(server.query('select count(*) from audit_log'))

/** The recipient's page with `markup` in it, under the headers it really has. */
async function bypassed(markup) {
  const url = `${server.base}/r/${token}`
  await page.route(url, async (route) => {
    const response = await route.fetch()
    const body = (await response.text()).replace('</body>', `${markup}</body>`)
    await route.fulfill({ response, body })
  })
  const answers = []
  const seen = (response) => answers.push([response.request().method(), new URL(response.url()).pathname, response.status()])
  page.on('response', seen)
  await page.goto(url)
  await page.waitForLoadState('networkidle')
  page.off('response', seen)
  await page.unroute(url)
  return answers
}

test('a picture of the console gets nothing and leaves no trace', async () => {
  const slug = server.query('select slug from clients order by id limit 1')
  const before = audited()
  const answers = await bypassed(`<img src="/${slug}/contacts/export"><img src="/${slug}/home"><link rel="stylesheet" href="/${slug}/home"><iframe src="/${slug}/home"></iframe>`)
  const reached = answers.filter(([, path, status]) => path.startsWith(`/${slug}/`) && status < 400)
  assert.deepEqual(reached, [])
  assert.equal(audited(), before)
})

test('a form for the console is not sent, and no script runs', async () => {
  const slug = server.query('select slug from clients order by id limit 1')
  await bypassed(`<form id="evil" method="post" action="/${slug}/team/invite"><input name="email" value="evil-mailbox@example.com"><button>Win</button></form><script>document.title='ran'</script>`)
  const sent = []
  page.on('request', (request) => request.method() === 'POST' && sent.push(request.url()))
  // the mouse rather than a click of the locator, which would wait for the page that never comes
  const { x, y } = await page.locator('#evil button').boundingBox()
  const refused = page.waitForEvent('console', (message) => message.text().includes('form-action'))
  await Promise.all([refused, page.mouse.click(x + 3, y + 3)])
  assert.deepEqual(sent, [])
  assert.notEqual(await page.title(), 'ran')
  assert.equal(server.query("select count(*) from invitations where email = 'evil-mailbox@example.com'"), '0')
  assert.equal(await page.evaluate(() => window.origin), 'null', 'the page has an origin of its own')
})

test('an ordinary form is sent, and its page has its style', async () => {
  const before = Number(server.query('select count(*) from ace_form_submissions'))
  await page.goto(`/r/${token}`)
  assert.equal(await page.evaluate(() => [...document.styleSheets].length >= 2), true)
  assert.equal(await page.locator('main').evaluate((main) => getComputedStyle(main).display !== 'inline'), true, 'the style is loaded')
  await page.goto(`/f/${form}`)
  await page.locator('form button').last().click()
  assert.equal(new URL(page.url()).pathname, `/f/${form}`)
  await page.goto(`/f/${form}?r=${token}`)
  await page.evaluate(() => {
    for (const field of document.querySelectorAll('form :is(input, select, textarea)[required]')) {
      if (field.type === 'checkbox' || field.type === 'radio') field.checked = true
      else if (field.tagName === 'SELECT') field.selectedIndex = field.options.length - 1
      else field.value ||= { email: 'ada@example.com', tel: '(614) 555-0123', date: '2026-12-01', number: '1' }[field.type] ?? 'Ada'
    }
  })
  await Promise.all([page.waitForEvent('load'), page.locator('form button').last().click()])
  await page.waitForLoadState('networkidle')
  assert.equal(Number(server.query('select count(*) from ace_form_submissions')), before + 1)
})

test('the preview shows the style of a draft, and a download is sent by a button', async () => {
  const [slug, id] = server.query('select c.slug || \' \' || l.id from landing_pages l join clients c on c.id = l.client_id order by l.id limit 1').split(' ')
  await page.goto(`/${slug}/landing-pages/${id}/preview`)
  const inline = await page.evaluate(() => [...document.styleSheets].filter((sheet) => !sheet.href).map((sheet) => sheet.cssRules.length))
  assert.ok(inline.length === 1 && inline[0] > 0, `a style that holds: ${inline}`)
  await page.goto(`/${slug}/contacts`)
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export CSV' }).click()])
  assert.equal(download.suggestedFilename(), 'contacts.csv')
})

test('a page in sight says that a person sees it, under the headers it really has', async () => {
  const refused = []
  const heard = (message) => message.type() === 'error' && refused.push(message.text())
  page.on('console', heard)
  const [link, client, campaign] = server.query(`select r.purl_token || ' ' || r.client_id || ' ' || r.campaign_id from recipients r where r.purl_token = '${token}'`).split(' ')
  server.query(`insert into campaign_conditions (id, client_id, campaign_id, condition_number, condition_name, trigger_type)
    select gen_random_uuid(), '${client}', '${campaign}', max(condition_number) + 1, 'Seen', 'purl_visit' from campaign_conditions where campaign_id = '${campaign}'`)
  const told = page.waitForRequest((request) => request.method() === 'POST' && new URL(request.url()).pathname === `/r/${link}/seen`)
  await page.goto(`/r/${link}`)
  const beacon = await told
  assert.equal((await beacon.response())?.status(), 204)
  page.off('console', heard)
  assert.deepEqual(refused, [])
})
