// What a tenant's page may do in a real browser when the cleaning has let everything through: the page is changed on
// its way, with ACE's own headers around it.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
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

/** Answers every question that has to be answered. */
const fillIn = (frame) => frame.evaluate(() => {
  for (const field of document.querySelectorAll('form :is(input, select, textarea)[required]')) {
    if (field.type === 'checkbox' || field.type === 'radio') field.checked = true
    else if (field.tagName === 'SELECT') field.selectedIndex = field.options.length - 1
    else field.value ||= { email: 'ada@example.com', tel: '(614) 555-0123', date: '2026-12-01', number: '1' }[field.type] ?? 'Ada'
  }
})

test('what people type is legible, whatever the style of a page says', async () => {
  const evil = `@layer typed, first; @layer first { input { opacity: 0 !important } }
    @font-face { font-family: system-ui; src: local("Wingdings") }
    @keyframes hide { from, to { color: transparent } }
    main { outline: 7px solid rgb(1, 2, 3) }
    html body main form input.input.input:not(#x) { -webkit-text-security: disc !important; color: transparent !important;
      -webkit-text-fill-color: transparent !important; text-shadow: 0 0 9px #000 !important; font-family: dots !important;
      font-size: 1px !important; opacity: 0 !important; filter: blur(9px) !important; text-indent: -99rem !important;
      background: #111827 !important; animation: hide 1s infinite !important; transition: all 9999s !important }`
  const sheets = /\/p\/[0-9a-f-]{36}\.css$/
  await page.route(sheets, (route) => route.fulfill({ contentType: 'text/css', body: evil }))
  await page.goto(`/r/${token}`)
  await page.unroute(sheets)
  assert.match(await page.locator('main').evaluate((main) => getComputedStyle(main).outline), /rgb\(1, 2, 3\)/, 'the style counts')
  const looks = await page.locator('form .input').first().evaluate((input) => {
    const { webkitTextSecurity, color, webkitTextFillColor, backgroundColor, textShadow, opacity, filter, textIndent, fontSize, fontFamily, animationName } = getComputedStyle(input)
    return { webkitTextSecurity, color, webkitTextFillColor, backgroundColor, textShadow, opacity, filter, textIndent, fontSize, dots: fontFamily.includes('dots'), animationName }
  })
  assert.deepEqual(looks, { webkitTextSecurity: 'none', color: 'rgb(17, 24, 39)', webkitTextFillColor: 'rgb(17, 24, 39)', backgroundColor: 'rgb(255, 255, 255)',
    textShadow: 'none', opacity: '1', filter: 'none', textIndent: '0px', fontSize: '18px', dots: false, animationName: 'none' })
})

/** The site of somebody else, which shows these addresses in frames. */
async function elsewhere(...framed) {
  const frames = framed.map((address) => `<iframe src="${address}" width="600" height="900"></iframe>`).join('')
  const site = createServer((_, answer) => answer.setHeader('content-type', 'text/html').end(`<!doctype html><title>Elsewhere</title>${frames}`))
  await new Promise((done) => site.listen(0, '127.0.0.1', done))
  const guest = await browser.page(`http://localhost:${site.address().port}`)
  await guest.goto('/')
  return { guest, leave: async () => { await guest.context().close(); site.close(); site.closeAllConnections() } }
}

test('a form stands in a page of another site, has its style there and is sent from there', async () => {
  const before = Number(server.query('select count(*) from ace_form_submissions'))
  const { guest, leave } = await elsewhere(`${server.base}/f/${form}`)
  const frame = guest.frames()[1]
  await frame.locator('form .input').first().waitFor()
  assert.equal(await frame.locator('form .input').first().evaluate((input) => getComputedStyle(input).borderRadius), '10px')
  await fillIn(frame)
  await frame.locator('form button').last().click()
  await frame.locator('form').waitFor({ state: 'detached' })
  assert.match(await frame.locator('h1').innerText(), /thank/i)
  assert.equal(Number(server.query('select count(*) from ace_form_submissions')), before + 1)
  await leave()
})

test('neither a page with a link of its own nor the console stands in a page of another site', async () => {
  const slug = server.query('select slug from clients order by id limit 1')
  const paths = [`/r/${token}`, `/q/${token}`, '/sign-in', `/${slug}/home`, '/account']
  const { guest, leave } = await elsewhere(...paths.map((path) => server.base + path))
  assert.equal(guest.frames().length, paths.length + 1)
  for (const [n, path] of paths.entries()) {
    await guest.frames()[n + 1].waitForURL(/^chrome-error:/).catch(() => assert.fail(`${path} is shown: ${guest.frames()[n + 1].url()}`))
  }
  await leave()
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
  await fillIn(page)
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
