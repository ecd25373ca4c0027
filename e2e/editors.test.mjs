// The editors lose nothing: a button beside a form saves it first, and leaving with unsaved edits asks.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { labelled, signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

let server, browser, page
const asked = []
before(async () => {
  server = await startAce()
  browser = await startBrowser()
  const world = await seed(server)
  page = await browser.page(server.base)
  page.on('dialog', (dialog) => {
    asked.push(dialog.type())
    dialog.accept()
  })
  await signIn(page, world.people.agency_owner)
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

test('publishing saves what was typed, and a starter keeps the name', async () => {
  await page.goto('/acme-roofing/landing-pages/new')
  await labelled(page, 'Name').fill('Spring offer')
  await page.locator('.starters button').first().click()
  await page.waitForLoadState()
  assert.equal(await labelled(page, 'Name').inputValue(), 'Spring offer')
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByRole('button', { name: 'Publish' }).waitFor()
  await page.getByLabel('Page (HTML)').fill('<h1>Typed and not saved</h1>')
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Saved and published').first().waitFor()
  assert.match(await page.getByLabel('Page (HTML)').inputValue(), /Typed and not saved/)
  assert.deepEqual(asked, [])
})

test('leaving an editor asks only when something typed would be lost', async () => {
  await page.goto('/acme-roofing/templates/new')
  await page.goto('/acme-roofing/forms/new')
  assert.deepEqual(asked, [])
  await labelled(page, 'Name').fill('A form')
  await page.getByRole('link', { name: 'Cancel' }).click()
  await page.waitForURL('**/forms')
  assert.deepEqual(asked, ['beforeunload'])
})
