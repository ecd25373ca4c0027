// The editors lose nothing: a button beside a form saves it first, and leaving with unsaved edits asks.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually, labelled, overflows, settled, shoot, signIn, startAce, startBrowser } from './harness.mjs'
import { seed } from './seed.mjs'

let server, browser, page, world
const asked = []
before(async () => {
  server = await startAce()
  browser = await startBrowser()
  world = await seed(server)
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
  await eventually('the starter is there', async () => (await page.getByLabel('Page (HTML)').inputValue()).includes('<'))
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

test('adding and moving a field keeps the place, and the person goes on at that field', async () => {
  await page.goto('/acme-roofing/forms/new')
  await labelled(page, 'Name').fill('Arranged')
  const fields = page.locator('fieldset.panel')
  const there = await fields.count()
  await page.getByRole('button', { name: 'Add field' }).click()
  await fields.nth(there).waitFor()
  await settled(page)
  const focused = () => page.evaluate(() => ({ id: document.activeElement.id, act: document.activeElement.value }))
  const added = await focused()
  assert.equal(added.id, `f-form_config-fields-${there}-label`)
  const inView = () => page.evaluate(() => {
    const box = document.activeElement.getBoundingClientRect()
    return box.top >= 0 && box.bottom <= window.innerHeight
  })
  await eventually('the new field is in view: the page did not jump to its head', inView)
  assert.equal(await labelled(page, 'Name').inputValue(), 'Arranged', 'nothing typed is lost')
  await page.keyboard.type('Roof age')
  await fields.nth(there).getByRole('button', { name: 'Up' }).or(fields.nth(there).locator(`button[value="up:${there}"]`)).first().click()
  await eventually('the field has moved up', async () => await fields.nth(there - 1).locator('[name="field_label"]').inputValue() === 'Roof age')
  await settled(page)
  assert.equal((await focused()).act, `up:${there - 1}`)
  assert.equal(await fields.nth(there - 1).getByLabel('What a consent agrees to').isVisible(), false)
  await fields.nth(there - 1).getByLabel('Type').selectOption('consent')
  assert.equal(await fields.nth(there - 1).getByLabel('What a consent agrees to').isVisible(), true)
})

test('taking a field or a condition away keeps the place, and the person goes on at the one that stands there now', async () => {
  const fields = page.locator('fieldset.panel')
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.value)
  const walked = async (remove, rest, id) => {
    const before = await fields.count()
    await remove.click()
    await eventually('one less', async () => await fields.count() === before - 1)
    await settled(page)
    assert.equal(await focused(), before === 1 ? 'add' : id(Math.min(rest, before - 2)))
    assert.equal(await page.evaluate(() => {
      const box = document.activeElement.getBoundingClientRect()
      return box.top >= 0 && box.bottom <= window.innerHeight
    }), true, 'what is focused is in view')
  }
  await page.goto('/acme-roofing/forms/new')
  await labelled(page, 'Name').fill('Taken apart')
  for (let more = 0; more < 3; more++) {
    const there = await fields.count()
    await page.getByRole('button', { name: 'Add field' }).click()
    await fields.nth(there).waitFor()
    await settled(page)
  }
  const field = (index) => `f-form_config-fields-${index}-label`
  await walked(page.locator('button[value="remove:1"]'), 1, field)
  await walked(page.locator('button[value^="remove:"]').last(), 99, field)
  while (await fields.count() > 0) await walked(page.locator('button[value="remove:0"]'), 0, field)
  await page.goto('/acme-roofing/campaigns/new')
  await labelled(page, 'Campaign name').fill('Taken apart')
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByLabel('No mail piece').waitFor()
  await page.goto(page.url().replace(/design$/, 'conditions'))
  for (const rows of [1, 2, 3]) {
    await page.getByRole('button', { name: 'Add condition' }).click()
    await fields.nth(rows - 1).waitFor()
    await settled(page)
  }
  const condition = (index) => `f-conditions-${index}-condition_name`
  await walked(page.locator('button[value="remove:1"]'), 1, condition)
  while (await fields.count() > 0) await walked(page.locator('button[value="remove:0"]'), 0, condition)
})

test('the builder shows the form as it stands, saved or not', async () => {
  await page.goto('/acme-roofing/forms/new')
  await labelled(page, 'Name').fill('Seen before saved')
  await page.locator('[name="field_label"]').first().fill('What shall we call you?')
  const [preview] = await Promise.all([page.waitForEvent('popup'), page.getByRole('button', { name: 'Preview' }).click()])
  await preview.getByLabel('What shall we call you?').waitFor()
  assert.equal(await preview.getByRole('button', { name: 'Send' }).isDisabled(), true)
  await preview.close()
})

test('a condition is added where one is, and the wizard asks only what applies', async () => {
  await page.goto('/acme-roofing/campaigns/new')
  await labelled(page, 'Campaign name').fill('Step by step')
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByLabel('No mail piece').waitFor()
  assert.equal(await page.getByLabel('Size').isVisible(), false)
  await page.getByLabel('No mail piece').check()
  assert.equal(await page.getByLabel('Size').isVisible(), true)
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByLabel('Your own web site').waitFor()
  assert.equal(await page.getByLabel('utm_source').isVisible(), false)
  await page.getByLabel('Your own web site').check()
  assert.equal(await page.getByLabel('utm_source').isVisible(), true)
  await page.getByLabel('A landing page of ours').check()
  await page.getByRole('button', { name: 'Save and continue' }).click()
  for (const rows of [1, 2]) {
    await page.getByRole('button', { name: 'Add condition' }).click()
    await page.locator('fieldset.panel').nth(rows - 1).waitFor()
    await settled(page)
    assert.equal(await page.evaluate(() => document.activeElement.id), `f-conditions-${rows - 1}-condition_name`)
  }
  const row = page.locator('fieldset.panel').nth(1)
  assert.equal(await row.getByLabel('After how many hours').isVisible(), false)
  await row.getByLabel('Met when').selectOption('time_delay')
  assert.equal(await row.getByLabel('After how many hours').isVisible(), true)
  await row.getByLabel('After how many hours').fill('48')
  await page.getByRole('button', { name: 'Save and continue' }).click()
  await page.getByRole('heading', { name: 'What will be launched' }).waitFor()
  await page.getByText('Time passed: 48 hours: earns nothing.').waitFor()
  await shoot(page, 'review')
  await page.getByRole('link', { name: 'Back' }).click()
  await page.getByRole('button', { name: 'Add condition' }).waitFor()
  await page.getByRole('link', { name: 'Back' }).click()
  await page.getByLabel('Your own web site').waitFor()
})

test('a new client is made where it is looked for, and its colours are chosen and seen', async () => {
  await page.goto('/')
  await page.getByRole('link', { name: 'New client' }).first().click()
  await labelled(page, 'Client name').fill('Harbor Dental')
  await labelled(page, 'Organization').selectOption({ index: 1 })
  await labelled(page, 'Industry').selectOption('dental')
  await labelled(page, 'Time zone').fill('America/Chicago')
  await page.getByRole('button', { name: 'Create client' }).click()
  await page.getByRole('heading', { name: 'Client settings' }).waitFor()
  await page.locator('input[type="color"]').first().fill('#aa3366')
  assert.equal(await labelled(page, 'Main colour').inputValue(), '#aa3366')
  await shoot(page, 'client-settings')
  const seen = await page.locator('.brand-preview > p').first().evaluate((one) => getComputedStyle(one).backgroundColor)
  assert.equal(seen, 'rgb(170, 51, 102)')
  await page.getByRole('button', { name: 'Save settings' }).click()
  await page.getByText('Settings saved').waitFor()
  assert.equal(await labelled(page, 'Main colour').inputValue(), '#aa3366')
  await page.setViewportSize({ width: 390, height: 844 })
  assert.equal(await overflows(page), false)
  await page.setViewportSize({ width: 1440, height: 900 })
})

const BAD = {
  email: 'at home', tel: '12', zip: '1', state: 'Nowhere', country: 'Nowhere', time_zone: 'Mars/Olympus', primary_color: 'blue',
  website_url: 'javascript:1', logo_url: 'nothing', default_value: 'much', value_amount: 'much', name: '', full_name: '',
}

test('a time zone is found by its city or by what people call it, by touch and by keys, and an unknown one is named', async () => {
  for (const [width, dark] of [[1440, false], [390, true]]) {
    const page = await browser.page(server.base, { width, height: 900, dark })
    await signIn(page, world.people.company_owner)
    await page.goto('/acme-roofing/settings')
    const field = labelled(page, 'Time zone')
    const options = page.locator('[data-zones] [role="option"]')
    await field.fill('eastern')
    assert.match(await options.first().innerText(), /America\/New York[^]*Eastern/)
    await field.fill('los ang')
    await settled(page)
    await shoot(page, `zones-${width}`)
    await options.first().click()
    assert.equal(await field.inputValue(), 'America/Los_Angeles')
    assert.equal(await options.first().isVisible(), false)
    await field.fill('berl')
    await page.keyboard.press('Enter')
    assert.equal(await field.inputValue(), 'Europe/Berlin')
    // typed and not chosen: the server understands it, and names what it does not
    await field.fill('Gotham')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByText('there is none called “Gotham”').first().waitFor()
    await field.fill('new york')
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByText('Settings saved.').waitFor()
    assert.equal(await field.inputValue(), 'America/New_York')
    assert.equal(await overflows(page), false)
    if (width === 390) {
      const whole = await field.evaluate((input) => input.scrollWidth <= input.clientWidth)
      assert.ok(whole, 'the whole name is seen on a phone')
    }
    await page.context().close()
  }
})

test('every form says which field is wrong and what to do, in words that begin with a capital', async () => {
  let seen = 0
  for (const path of ['contacts/new', 'settings', 'lists/new', 'pools/new', 'templates/new', 'forms/new', 'landing-pages/new',
    'campaigns/new', 'numbers/new', '/account', '/clients/new']) {
    await page.goto(path.startsWith('/') ? path : `/acme-roofing/${path}`)
    const form = page.locator('main form.form[method="post"]').first()
    if (await form.count() === 0) continue
    await form.evaluate((one, bad) => {
      one.noValidate = true
      for (const control of one.elements) {
        if (!control.name || control.type === 'hidden' || control.tagName === 'BUTTON' || control.tagName === 'SELECT') continue
        if (['checkbox', 'radio', 'file', 'number', 'date'].includes(control.type)) continue
        if (control.name in bad) control.value = bad[control.name]
        else if (control.type in bad) control.value = bad[control.type]
      }
      one.requestSubmit([...one.elements].find((control) => control.type === 'submit' && !control.hasAttribute('formaction') && !control.hasAttribute('hx-post')))
    }, BAD)
    await page.locator('[data-problems], .flash').first().waitFor().catch(() => assert.fail(`${path}: neither problems nor done`))
    for (const line of await page.locator('[data-problems] li').all()) {
      const text = (await line.textContent()).trim()
      seen++
      assert.match(text, /^[^a-z]/, `${path}: ${text}`)
      const target = await line.locator('a').getAttribute('href').catch(() => null)
      if (!target) continue
      assert.equal(await page.locator(target).count(), 1, `${path}: ${text} leads nowhere`)
      const label = (await page.locator(`label[for="${target.slice(1)}"]`).first().textContent()).replace('*', '').trim()
      assert.ok(text.includes(label), `${path}: ${text} does not name ${label}`)
      const beside = (await page.locator(`${target}-error`).textContent()).trim()
      assert.match(beside, /^[^a-z]/, `${path}: ${beside}`)
    }
  }
  assert.ok(seen > 10, `${seen} problems are too few to mean anything`)
  assert.deepEqual(browser.complaints, [])
})
