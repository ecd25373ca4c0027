// What somebody typed outlives two things that used to take it: another person who saves first, and a session that ends.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CLIENT, DEMO_PASSWORD } from './axe.mjs'
import { eventually, labelled, overflows, settled, shoot, signIn, startAce, startBrowser } from './harness.mjs'

let server, browser
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

/** The first thing of a table of the client that is not archived. */
const first = (table) => server.query(`select t.id from ${table} t join clients k on k.id = t.client_id
  where k.slug = '${CLIENT}' order by t.id limit 1`)

/** A page that notes what the browser asks, and goes on. */
async function open(who) {
  const page = await browser.page(server.base)
  const asked = []
  page.on('dialog', (dialog) => {
    asked.push(dialog.type())
    dialog.accept()
  })
  await signIn(page, who, DEMO_PASSWORD)
  return { page, asked }
}

test('who saves after somebody else sees theirs beside what was typed, and publishing waits', async () => {
  const { page, asked } = await open('ada@ace.example')
  const other = await page.context().newPage()
  const path = `/${CLIENT}/landing-pages/${first('landing_pages')}`
  const html = (tab) => tab.getByLabel('Page (HTML)')
  for (const tab of [page, other]) await tab.goto(server.base + path)
  await html(other).fill('<h1>Long work of an hour</h1>{{form}}')
  await other.getByRole('button', { name: 'Save draft' }).click()
  await other.getByText('Draft saved').waitFor()
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Somebody else changed this meanwhile').waitFor()
  assert.match(await page.locator('.theirs').innerText(), /Long work of an hour/)
  assert.doesNotMatch(await html(page).inputValue(), /Long work/)
  assert.equal(await overflows(page), false)
  await shoot(page, 'two-writers')
  await page.goto(`/${CLIENT}/home`)
  assert.deepEqual(asked, ['beforeunload'], 'what was typed is not saved yet')
  await page.goto(path)
  assert.match(await html(page).inputValue(), /Long work of an hour/)
  // a button beside it that shows is no save
  await html(page).fill('<h1>Seen in a preview</h1>{{form}}')
  const [preview] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Preview' }).click()])
  await preview.getByRole('heading', { name: 'Seen in a preview' }).waitFor()
  await preview.close()
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByText('Draft saved').waitFor()
})

async function comeBack(page, who) {
  await page.waitForURL('**/sign-in?**')
  await page.getByText('You were signed out. Sign in to go on. What you typed is kept').waitFor()
  await labelled(page, 'E-mail').fill(who)
  await labelled(page, 'Password').fill(DEMO_PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByText('You were signed out before this was saved').waitFor()
}

test('a session that ends while somebody types leads back to what was typed', async () => {
  const { page, asked } = await open('ada@ace.example')
  await page.goto(`/${CLIENT}/landing-pages/new`)
  await labelled(page, 'Name').fill('Written for an hour')
  await page.getByLabel('Page (HTML)').fill('<h1>Written for an hour</h1>')
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.waitForURL('**/sign-in?**')
  await shoot(page, 'signed-out')
  await comeBack(page, 'ada@ace.example')
  assert.ok(page.url().endsWith('/landing-pages/new'), page.url())
  assert.equal(await labelled(page, 'Name').inputValue(), 'Written for an hour')
  assert.equal(await page.getByLabel('Page (HTML)').inputValue(), '<h1>Written for an hour</h1>')
  assert.deepEqual(asked, [])
  await shoot(page, 'signed-in-again')
  await page.goto(`/${CLIENT}/home`)
  assert.deepEqual(asked, ['beforeunload'], 'it is still not saved')
  await page.goto(`/${CLIENT}/landing-pages/new`)
  assert.equal(await labelled(page, 'Name').inputValue(), '', 'it is put back once')
})

test('the desk, too; and another person at the same browser sees nothing of it', async () => {
  const id = server.query(`select r.id from recipients r join campaigns c on c.id = r.campaign_id join clients k on k.id = c.client_id
    where k.slug = '${CLIENT}' and c.status = 'active' order by r.id limit 1`)
  const { page, asked } = await open('carla@acme-roofing.example')
  const notes = page.locator('#call [name="notes"]')
  await page.goto(`/${CLIENT}/desk/${id}`)
  await notes.fill('wants a call on Tuesday')
  await page.locator('#call [name="identity_checked"]').first().check()
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Save notes' }).click()
  await comeBack(page, 'carla@acme-roofing.example')
  assert.equal(await notes.inputValue(), 'wants a call on Tuesday')
  assert.equal(await page.locator('#call [name="identity_checked"]').first().isChecked(), true)
  assert.deepEqual(asked, [])
  await page.getByRole('button', { name: 'Save notes' }).click()
  await eventually('the notes are saved', () => server.query(`select count(*) from call_sessions where notes = 'wants a call on Tuesday'`) === '1')
  await settled(page)
  await notes.fill('not for others')
  await page.context().clearCookies()
  await page.getByRole('button', { name: 'Save notes' }).click()
  await page.waitForURL('**/sign-in?**')
  await labelled(page, 'E-mail').fill('ada@ace.example')
  await labelled(page, 'Password').fill(DEMO_PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL(`**/desk/${id}**`)
  assert.equal(await notes.inputValue(), '')
})

test('saving at the desk keeps where the card should go', async () => {
  const id = server.query(`select r.id from recipients r join campaigns c on c.id = r.campaign_id join clients k on k.id = c.client_id
    join campaign_conditions n on n.campaign_id = c.id and n.trigger_type = 'call' and n.is_active
    where k.slug = '${CLIENT}' and c.status = 'active' and not exists (select from call_conditions_met m where m.recipient_id = r.id)
    order by r.id limit 1`)
  const { page, asked } = await open('carla@acme-roofing.example')
  await page.goto(`/${CLIENT}/desk/${id}`)
  await page.getByLabel('Phone for the card').fill('614 555 0199')
  await page.getByLabel('E-mail for the card').fill('caller.new@example.com')
  await page.getByRole('radio', { name: 'E-mail' }).check()
  await page.locator('#call [name="notes"]').fill('new number')
  await page.getByRole('button', { name: 'Save notes' }).click()
  await page.getByText('Call saved').waitFor()
  await settled(page)
  assert.equal(await page.getByLabel('Phone for the card').inputValue(), '614 555 0199')
  assert.equal(await page.getByLabel('E-mail for the card').inputValue(), 'caller.new@example.com')
  assert.equal(await page.getByRole('radio', { name: 'E-mail' }).isChecked(), true)
  await shoot(page, 'desk-saved')
  await page.goto(`/${CLIENT}/home`)
  assert.deepEqual(asked, ['beforeunload'], 'where the card goes is kept with no call')
})
