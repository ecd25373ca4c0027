// What each role sees: the places in its side bar, pages it may open, and pages it is refused.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

// From the table of permissions: places a role sees, and an address it is refused.
const EXPECTED = {
  admin: { sees: ['Home', 'Contacts', 'All campaigns', 'Stock', 'Desk', 'API keys', 'Team', 'Permissions', 'Jobs', 'Audit'], refused: [] },
  tech_support: { sees: ['Contacts', 'All campaigns', 'Jobs', 'Audit'], refused: ['/acme-roofing/campaigns/new', '/admin/permissions'] },
  agency_owner: { sees: ['Contacts', 'All campaigns', 'Stock', 'Team', 'Audit'], refused: ['/admin/permissions', '/admin/jobs'] },
  company_owner: { sees: ['Contacts', 'All campaigns', 'Stock', 'API keys', 'Team'], refused: ['/acme-roofing/pools/new', '/admin/audit'] },
  developer: { sees: ['Contacts', 'All campaigns', 'API keys'], refused: ['/acme-roofing/contacts/new', '/acme-roofing/pools', '/acme-roofing/team'] },
  call_center: { sees: ['Home', 'All campaigns', 'Stock', 'Desk', 'Log'], refused: ['/acme-roofing/contacts', '/acme-roofing/api-keys', '/acme-roofing/team'] },
}

let server, browser, world
before(async () => {
  server = await startAce()
  browser = await startBrowser()
  world = await seed(server)
  // Somebody else's client, to be out of everybody's reach but the operator's.
  const call = await world.call(world.people.admin)
  const org = await call('POST', '/v1/organizations', { name: 'Corner Auto', type: 'direct' })
  await call('POST', '/v1/clients', { org_id: org.id, name: 'Corner Auto', industry: 'auto_dealership' })
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

for (const [role, { sees, refused }] of Object.entries(EXPECTED)) {
  test(`${role} sees what they may and nothing else`, async () => {
    const page = await browser.page(server.base)
    await signIn(page, world.people[role])
    await page.goto('/acme-roofing/home')
    const places = await page.locator('nav a').allInnerTexts()
    for (const place of sees) assert.ok(places.some((text) => text.trim() === place), `${role} misses ${place} in ${places}`)
    const links = await page.locator('aside nav a, nav[aria-label] a').evaluateAll((all) => all.map((link) => link.getAttribute('href')))
    for (const href of new Set(links.filter((href) => href?.startsWith('/')))) {
      const answer = await page.goto(href)
      assert.ok(answer.status() < 400, `${role}: ${href} stands in the side bar and answers ${answer.status()}`)
    }
    for (const path of refused) {
      const answer = await page.goto(path)
      assert.equal(answer.status(), 403, `${role}: ${path}`)
      assert.match(await page.locator('main').innerText(), /Your role does not include “.+”/, 'the page says what is missing')
    }
    if (!['admin', 'tech_support'].includes(role)) {
      const foreign = await page.goto('/corner-auto/campaigns')
      const nowhere = await page.goto('/no-such-client/campaigns')
      assert.deepEqual([foreign.status(), nowhere.status()], [404, 404])
    }
    await page.context().close()
  })
}

test('nobody signed in is sent to sign in, and back to where they wanted to go', async () => {
  const page = await browser.page(server.base)
  await page.goto('/acme-roofing/campaigns')
  assert.equal(new URL(page.url()).pathname, '/sign-in')
  await page.locator('input[name="email"]').fill(world.people.company_owner)
  await page.locator('input[name="password"]').fill('seven quiet herons at noon')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL('**/acme-roofing/campaigns')
})

test('signing in works without JavaScript', async () => {
  const page = await browser.page(server.base, { javaScript: false })
  await signIn(page, world.people.company_owner)
  await page.goto('/acme-roofing/imports/new')
  await page.getByRole('button', { name: 'Upload file' }).waitFor()
})
