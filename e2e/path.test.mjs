// The whole path as a person walks it: from a contact CSV to a delivered gift card, at a desk and on a phone.
import assert from 'node:assert/strict'
import { resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import jsqr from 'jsqr'
import { PNG } from 'pngjs'
import { labelled, overflows, reloadUntil, shoot, signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

const CONTACTS = resolve('../fixtures/contacts-messy.csv')
const CARDS = ['code,pin', ...Array.from({ length: 400 }, (_, n) => `AMZN-${String(n).padStart(4, '0')}-WXYZ${n % 7},`)].join('\n')

let server, browser
before(async () => {
  server = await startAce()
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

/** Presses what asks first, and says yes. */
async function confirmed(page, button) {
  await button.click()
  const dialog = page.locator('dialog[open]')
  await dialog.waitFor()
  const yes = dialog.locator('button[data-variant="danger"], button[data-variant="primary"], button[value="yes"]').last()
  await Promise.all([page.waitForEvent('load'), yes.click()])
}

for (const [name, width, height] of [['desktop', 1440, 900], ['phone', 390, 844]]) {
  describe(`from a CSV to a gift card, ${name}`, () => {
    let world, page, client
    const label = name === 'desktop' ? 'Desktop' : 'Phone'
    const slug = label.toLowerCase()

    before(async () => {
      world = await (name === 'desktop' ? seed(server) : Promise.resolve(shared.world))
      shared.world = world
      client = '/acme-roofing'
      page = await browser.page(server.base, { width, height })
      await signIn(page, world.people.agency_owner)
    })

    test('imports a messy CSV and sees what was refused', async () => {
      await page.goto(`${client}/imports/new`)
      await page.getByLabel('CSV file').setInputFiles(CONTACTS)
      await page.getByRole('button', { name: 'Upload file' }).click()
      await labelled(page, 'List').fill(`${label} list`)
      await page.getByRole('button', { name: 'Check the file' }).click()
      await page.getByRole('heading', { name: 'First rows' }).waitFor()
      await shoot(page, `import-preview-${slug}`)
      await page.locator('.page-actions').getByRole('button').last().click()
      await page.getByRole('link', { name: 'Open the list' }).waitFor()
      await page.getByText('refused', { exact: false }).first().waitFor()
      await shoot(page, `import-done-${slug}`)
    })

    test('makes a pool and uploads codes', async () => {
      await page.goto(`${client}/pools/new`)
      await labelled(page, 'Name').fill(`${label} $25`)
      await page.getByLabel('Brand').selectOption({ label: 'Amazon' })
      await page.getByLabel('Each card is worth').fill('25')
      await page.getByRole('button', { name: 'Make pool' }).click()
      const cards = CARDS.replaceAll('AMZN', slug.toUpperCase())
      await page.getByLabel('CSV file').setInputFiles({ name: 'cards.csv', mimeType: 'text/csv', buffer: Buffer.from(cards) })
      await page.getByRole('button', { name: 'Upload' }).click()
      await page.getByText('400').first().waitFor()
      assert.ok(!(await page.content()).includes('0001-WXYZ'), 'codes are masked')
    })

    test('designs the piece, the form and the landing page', async () => {
      await page.goto(`${client}/templates/new`)
      await labelled(page, 'Name').fill(`${label} postcard`)
      await page.getByLabel('Front').fill('Hi {{first_name|neighbor}}')
      await page.getByRole('button', { name: 'Save mail piece' }).click()
      await page.goto(`${client}/forms/new`)
      await labelled(page, 'Name').fill(`${label} form`)
      await page.getByRole('button', { name: 'Save form' }).last().click()
      await page.getByRole('button', { name: 'Open form' }).click()
      await page.getByRole('button', { name: 'Close form' }).waitFor()
      await page.goto(`${client}/landing-pages/new?starter=roofing`)
      await labelled(page, 'Name').fill(`${label} page`)
      await labelled(page, 'Form').selectOption({ label: `${label} form` })
      await page.getByRole('button', { name: 'Save draft' }).click()
      await page.getByRole('button', { name: 'Publish' }).click()
      await page.getByText('Published').first().waitFor()
    })

    test('is led through the wizard and told what is missing', async () => {
      await page.goto(`${client}/campaigns/new`)
      await page.getByLabel('Campaign name').fill(`${label} spring`)
      await page.getByLabel('Contact list').selectOption({ index: 1 })
      const lists = await page.getByLabel('Contact list').locator('option').allTextContents()
      await page.getByLabel('Contact list').selectOption({ index: lists.findIndex((text) => text.includes(`${label} list`)) })
      await page.getByRole('button', { name: 'Save and continue' }).last().click()
      const pieces = await labelled(page, 'Mail piece').locator('option').allTextContents()
      await labelled(page, 'Mail piece').selectOption({ index: pieces.findIndex((text) => text.includes(label)) })
      await page.getByRole('button', { name: 'Save and continue' }).last().click()
      const pages = await labelled(page, 'Landing page').locator('option').allTextContents()
      await labelled(page, 'Landing page').selectOption({ index: pages.findIndex((text) => text.includes(label)) })
      await page.getByRole('button', { name: 'Save and continue' }).last().click()
      for (const trigger of ['form_submit', 'call']) {
        const rows = page.locator('fieldset.panel')
        const there = await rows.count()
        await page.getByRole('button', { name: 'Add condition' }).click()
        // the page comes again with one more; until then the last is an old one
        const row = rows.nth(there)
        await row.getByLabel('Met when').selectOption(trigger)
        const pools = await labelled(row, 'Reward').locator('option').allTextContents()
        await labelled(row, 'Reward').selectOption({ index: pools.findIndex((text) => text.includes(label)) })
        await row.getByLabel('SMS text').fill('{{first_name|Hello}}, your {{amount}} {{brand}} card: {{code}}')
      }
      await page.getByLabel('Cards to promise').fill('500')
      await page.getByRole('button', { name: 'Save and continue' }).last().click()
      await page.getByText('free cards', { exact: false }).first().waitFor()
      assert.equal(await page.getByRole('button', { name: 'Launch campaign' }).count(), 0, 'too few cards: no launch')
      await shoot(page, `checklist-${slug}`)
      await page.goto(`${client}/campaigns/${slug}-spring/edit/conditions`)
      await page.getByLabel('Cards to promise').fill('20')
      await page.getByRole('button', { name: 'Save and continue' }).last().click()
      await page.getByRole('button', { name: 'Launch campaign' }).waitFor()
    })

    test('launches, sends to production and confirms the mailing', async () => {
      await confirmed(page, page.getByRole('button', { name: 'Launch campaign' }))
      await reloadUntil(page, `${client}/campaigns/${slug}-spring/recipients`, page.locator('tbody tr'))
      for (const step of ['Send to production', 'Confirm mailed']) {
        await page.goto(`${client}/campaigns/${slug}-spring`)
        await takeStep(page, step)
      }
      await page.goto(`${client}/campaigns/${slug}-spring`)
      await page.getByText('Mailed').first().waitFor()
    })

    test('a recipient scans, submits the form and sees the card; the SMS arrives', async () => {
      const found = await world.call(world.people.agency_owner)
      const campaigns = await (await found)('GET', '/v1/campaigns')
      const campaign = campaigns.data.find((one) => one.name === `${label} spring`)
      const recipients = await (await found)('GET', `/v1/campaigns/${campaign.id}/recipients?limit=50`)
      assert.ok(recipients.data.every((one) => one.link.includes('•')), 'links are masked')
      const opened = recipients.data.filter((one) => one.phone).slice(0, 2).map(async (one) => ({
        ...one, ...(await (await found)('POST', `/v1/recipients/${one.id}/codes`)),
      }))
      const [first, second] = await Promise.all(opened)
      shared[slug] = { first, second, mailed: recipients.data.length }
      const picture = await fetch(`${first.link}/qr.png`)
      assert.equal(picture.headers.get('content-type'), 'image/png')
      assert.equal(await decoded(Buffer.from(await picture.arrayBuffer())), first.qr_link)
      const stranger = await browser.page(server.base, { width, height })
      await stranger.goto(`${first.link}/qr.svg`)
      assert.equal(await decoded(await stranger.screenshot()), first.qr_link)
      await stranger.goto(first.qr_link)
      await shoot(stranger, `landing-${slug}`)
      assert.equal(await overflows(stranger), false)
      await stranger.locator('input[name="first_name"]').fill(first.first_name ?? 'Ada')
      await stranger.locator('input[name="email"]').fill('ada@example.com')
      await stranger.locator('input[name="phone"]').fill(first.phone)
      await stranger.getByRole('button', { name: 'Send' }).click()
      await stranger.getByText(new RegExp(`${slug.toUpperCase()}-\\d{4}-WXYZ`)).first().waitFor()
      await shoot(stranger, `card-${slug}`)
      await reloadUntil(page, '/sandbox', page.getByText(new RegExp(`${slug.toUpperCase()}-\\d{4}-WXYZ`)))
      await shoot(page, `sandbox-${slug}`)
    })

    test('an agent finds the caller by code and confirms the call; a second card goes out', async () => {
      const { first } = shared[slug]
      const agent = await browser.page(server.base, { width, height })
      await signIn(agent, world.people.call_center)
      await agent.goto(`${client}/desk`)
      await agent.getByLabel('Redemption code').fill(first.redemption_code.toLowerCase().replaceAll('-', ' '))
      await agent.getByRole('button', { name: 'Find by code' }).click()
      const questions = agent.locator('input[name="identity_checked"]')
      await questions.first().waitFor()
      await questions.nth(0).check()
      await questions.nth(1).check()
      await agent.getByRole('button', { name: 'Confirm', exact: true }).click()
      await agent.locator('#standing li[data-state="done"]').nth(1).waitFor()
      await shoot(agent, `desk-${slug}`)
      const cards = server.query(`select count(*) from call_conditions_met where recipient_id = '${first.id}' and gift_card_id is not null`)
      assert.equal(cards, '2')
    })

    test('the campaign page shows the funnel and the latest events, live', async () => {
      await page.goto(`${client}/campaigns/${slug}-spring`)
      await page.getByText('Submitted the form').first().waitFor()
      const { second, mailed } = shared[slug]
      const stat = (label) => page.locator('.stat').filter({ has: page.locator('.stat-label', { hasText: new RegExp(`^${label}$`) }) })
      const shows = (label, count) => stat(label).locator('.stat-figure', { hasText: new RegExp(`^${count} `) }).waitFor()
      for (const [label, count] of [['Mailed', mailed], ['Visited', 1], ['Submitted', 1], ['Rewarded', 1]]) await shows(label, count)
      await shoot(page, `campaign-${slug}`)
      await fetch(second.link, { headers: { 'user-agent': 'Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15' } })
      await page.getByText('Visited the link').first().waitFor()
      await shows('Visited', 2)
      await stat('Visited').getByRole('link').click()
      await page.waitForURL(/recipients\?did=visited/)
      assert.equal(await page.locator('tbody tr').count(), 2, 'the rows behind the figure')
      await shoot(page, `visited-${slug}`)
      await page.goto(`${client}/campaigns/${slug}-spring/skipped`)
      await page.getByRole('row', { name: /Ida King/ }).waitFor()
      assert.equal(await overflows(page), false)
      assert.deepEqual(browser.complaints, [])
    })
  })
}

const shared = {}

/** What a decoder reads in a picture of a QR code. */
async function decoded(bytes) {
  const image = await new Promise((done, failed) => new PNG().parse(bytes, (error, png) => (error ? failed(error) : done(png))))
  return jsqr(new Uint8ClampedArray(image.data), image.width, image.height)?.data
}

/** Takes a step of the campaign's life: its button opens a question first. */
async function takeStep(page, name) {
  await page.getByRole('button', { name, exact: true }).or(page.getByRole('link', { name, exact: true })).first().click()
  const again = page.locator('dialog[open] button, [popover]:popover-open button').filter({ hasText: name }).last()
  await again.waitFor()
  await Promise.all([page.waitForEvent('load'), again.click()])
}
