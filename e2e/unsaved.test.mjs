// What is typed is not lost without a question, on every page of the console: the desk as well, whose links exchange a part of
// the page. Facts that name something lead there, and data is shown as it is.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { CLIENT, DEMO_PASSWORD, walk } from './axe.mjs'
import { eventually, settled, signIn, startAce, startBrowser } from './harness.mjs'

let server, browser
before(async () => {
  server = await startAce({ demo: true })
  browser = await startBrowser()
})
after(async () => {
  await browser?.stop()
  await server?.stop()
})

test('the desk asks before what was typed there is lost, and not when it is sent', async () => {
  const page = await browser.page(server.base)
  const asked = []
  page.on('dialog', (dialog) => {
    asked.push(dialog.type())
    dialog.accept()
  })
  await signIn(page, 'carla@acme-roofing.example', DEMO_PASSWORD)
  const id = server.query(`select r.id from recipients r join campaigns c on c.id = r.campaign_id join clients k on k.id = c.client_id
    where k.slug = '${CLIENT}' and c.status = 'active' and not exists (select from call_conditions_met m where m.recipient_id = r.id)
    order by r.id limit 1`)
  const notes = page.locator('#call [name="notes"]')
  const question = page.locator('#confirm[open]')
  await page.goto(`/${CLIENT}/desk/${id}`)
  await page.getByRole('link', { name: 'Find another caller' }).click()
  await page.getByText('Ready for the next caller').waitFor()
  assert.equal(await question.count(), 0, 'nothing was typed')
  await page.goto(`/${CLIENT}/desk/${id}`)
  await notes.fill('wants a call on Tuesday')
  await page.getByRole('link', { name: 'Find another caller' }).click()
  await question.waitFor()
  await page.keyboard.press('Escape')
  assert.equal(await notes.inputValue(), 'wants a call on Tuesday')
  await page.reload()
  assert.deepEqual(asked, ['beforeunload'])
  await notes.fill('wants a call on Wednesday')
  await page.locator(`a[href="/${CLIENT}/calls"]`).first().click()
  await page.waitForURL('**/calls')
  assert.deepEqual(asked, ['beforeunload', 'beforeunload'])
  await page.goto(`/${CLIENT}/desk/${id}`)
  await notes.fill('sent')
  await page.getByRole('button', { name: 'Save notes' }).click()
  await eventually('the notes are saved', () => server.query(`select count(*) from call_sessions where notes = 'sent' and recipient_id = '${id}'`) === '1')
  await settled(page)
  // refused, so what stands there is nowhere else
  await notes.fill('not saved')
  await page.getByRole('button', { name: /^Confirm/ }).first().click()
  await page.locator('[data-problems]').waitFor()
  await settled(page)
  await page.getByRole('link', { name: 'Find another caller' }).click()
  await question.waitFor()
  await page.locator('#confirm-yes').click()
  await page.getByText('Ready for the next caller').waitFor()
  await page.goto(`/${CLIENT}/home`)
  assert.equal(asked.length, 2)
})

// What a fact is called that names something with a page of its own.
const NAMED = ['Campaign', 'Recipient', 'Client', 'Contact', 'Pool', 'Landing page', 'Form', 'Contact list', 'Mail piece']

/** Controls whose change would be lost without a question, and names of things that lead nowhere. */
const faults = (page, names) => page.evaluate(([named, names]) => {
  const found = []
  const asks = () => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))
  /** Changes a control as somebody would; answers how to take it back, or nothing where there is no other choice. */
  const change = (one) => {
    if (one.type === 'checkbox') {
      one.checked = !one.checked
      return () => { one.checked = !one.checked }
    }
    if (one.type === 'radio') {
      if (one.checked) return null
      const before = [...one.form.elements].find((other) => other.name === one.name && other.checked)
      one.checked = true
      return () => { one.checked = false; if (before) before.checked = true }
    }
    if (one.type === 'file') {
      const files = new DataTransfer()
      files.items.add(new File(['code'], 'cards.csv'))
      one.files = files.files
      return () => { one.value = '' }
    }
    const before = one.value
    if (one.options) {
      const other = [...one.options].find((option) => option.value !== before)
      if (!other) return null
      one.value = other.value
    } else if (one.type === 'number') one.value = `${Number(before || 0) + 1}`
    else if (one.type === 'date') one.value = before === '2031-03-04' ? '2031-03-05' : '2031-03-04'
    else one.value = `${before}x`
    return one.value === before ? null : () => { one.value = before }
  }
  for (const form of document.querySelectorAll('form[method="post"]')) {
    const box = form.closest('[popover], dialog')
    if (box && box.getClientRects().length === 0) continue
    for (const one of form.elements) {
      if (!one.name || !one.matches('input:not([type="hidden"], [type="submit"]), select, textarea') || !one.matches(':enabled') || one.readOnly) continue
      // ticked rows, and the list they go to, are chosen for one act and are no work
      if (form.dataset.bulk !== undefined && !one.matches('textarea, input:not([type="checkbox"])')) continue
      const back = change(one)
      if (!back) continue
      const asked = asks()
      back()
      if (!asked) found.push(`${form.getAttribute('action')}: ${one.name} (${one.type}) is not watched`)
      if (asks()) found.push(`${form.getAttribute('action')}: ${one.name} (${one.type}) is as it was, and leaving asks`)
    }
  }
  const facts = [...document.querySelectorAll('main .facts > div')].map((one) => [one.querySelector('dt')?.textContent.trim(), one.querySelector('dd')])
  const cells = [...document.querySelectorAll('main td[data-label]')].map((one) => [one.dataset.label, one])
  for (const [name, value] of [...facts, ...cells]) {
    if (!named.includes(name) || !value || ['', '–'].includes(value.textContent.trim())) continue
    if (!value.querySelector('a')) found.push(`${name} is plain text: ${value.textContent.trim()}`)
  }
  // whatever the column is called: the name of something with a page of its own leads there
  for (const [label, value] of [...facts, ...cells]) {
    const text = value?.textContent.trim()
    if (names.includes(text) && !value.querySelector('a')) found.push(`${label} names ${text} and does not lead there`)
  }
  for (const one of document.querySelectorAll('main .feed-detail, input, textarea, .phone')) {
    if (!getComputedStyle(one).fontFeatureSettings.includes('"calt" 0')) found.push(`${one.tagName} draws other signs than its text`)
  }
  return found
}, [NAMED, names])

test('every form that can be typed into is watched, every fact leads to what it names, data is drawn as it is', async () => {
  const page = await browser.page(server.base)
  await signIn(page, 'ada@ace.example', DEMO_PASSWORD)
  const findings = []
  const names = server.query(`select string_agg(t.name, '|') from (
      select client_id, name from campaigns union select client_id, name from contact_lists union select client_id, pool_name from gift_card_pools
      union select client_id, name from landing_pages union select client_id, name from ace_forms union select client_id, name from templates) t
    join clients k on k.id = t.client_id where k.slug = '${CLIENT}'`).split('|')
  assert.ok(names.length > 10, names.join())
  const looked = await walk(page, findings, {
    starts: [`/${CLIENT}/home`, '/', '/account'],
    glance: async (path) => { for (const fault of await faults(page, names)) findings.push(`${path}: ${fault}`) },
  })
  assert.ok(looked.size > 50, `${looked.size} kinds of page`)
  assert.deepEqual(findings, [])
})
