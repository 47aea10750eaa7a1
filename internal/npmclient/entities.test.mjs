// Runs the npm package openwhisk against a platform: packages, triggers, rules,
// feeds, routes and namespaces.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apiKey, eventually, made, ow, refused, until } from './platform.mjs'

const echo = 'const main = args => args'

test('a package gives its actions parameters, and so does a binding', async t => {
  const name = 'npm-package'
  const put = await made(t, ow.packages, { name, package: { parameters: [{ key: 'a', value: 1 }, { key: 'b', value: 1 }], annotations: [{ key: 'origin', value: 'npm' }] } })
  assert.equal(put.name, name)
  assert.deepEqual(put.binding, {})
  await made(t, ow.actions, { name: `${name}/echo`, action: echo, params: { b: 2 } })
  assert.deepEqual(await ow.actions.invoke({ name: `${name}/echo`, blocking: true, result: true, params: { c: 3 } }), { a: 1, b: 2, c: 3 })

  const got = await ow.packages.get({ name })
  assert.deepEqual(got.actions.map(a => a.name), ['echo'])
  assert.equal(got.annotations.find(a => a.key === 'origin').value, 'npm')
  const row = (await ow.packages.list()).find(p => p.name === name)
  assert.equal(row.binding, false)
  const rows = (await ow.actions.list()).filter(a => a.name === 'echo')
  assert.deepEqual(rows.map(a => a.namespace), [`${put.namespace}/${name}`])

  await made(t, ow.packages, { name: 'npm-bound', package: { binding: { namespace: put.namespace, name }, parameters: [{ key: 'a', value: 4 }] } })
  assert.deepEqual((await ow.packages.get({ name: 'npm-bound' })).binding, { namespace: put.namespace, name })
  assert.deepEqual(await ow.actions.invoke({ name: 'npm-bound/echo', blocking: true, result: true }), { a: 4, b: 2 })

  await refused(ow.packages.create({ name }), 409)
  const changed = await ow.packages.update({ name, package: { publish: true } })
  assert.equal(changed.version, '0.0.2')
  assert.equal(changed.publish, true)
  await refused(ow.packages.delete({ name }), 409)
  await ow.packages.delete({ name: 'npm-bound' })
  await refused(ow.actions.invoke({ name: 'npm-bound/echo' }), 404)
  await ow.actions.delete(rows[0]) // its namespace has the package in it
  await ow.packages.delete({ name })
})

test('a trigger fires through the rules that are active', async t => {
  const [action, trigger, rule] = ['npm-fired', 'npm-trigger', 'npm-rule']
  await made(t, ow.actions, { name: action, action: echo })
  const put = await made(t, ow.triggers, { name: trigger, trigger: { parameters: [{ key: 'a', value: 1 }] } })
  assert.equal(put.name, trigger)
  const tied = await made(t, ow.rules, { name: rule, action, trigger })
  assert.equal(tied.status, 'active')
  assert.deepEqual(tied.action, { name: action, path: put.namespace })
  assert.deepEqual(tied.trigger, { name: trigger, path: put.namespace })
  assert.ok((await ow.rules.list()).some(r => r.name === rule))
  assert.ok((await ow.triggers.list()).some(x => x.name === trigger))

  const fired = await ow.triggers.invoke({ name: trigger, params: { b: 2 } })
  const record = await eventually(() => ow.activations.get({ name: fired.activationId }))
  assert.deepEqual(record.response.result, { b: 2 })
  const outcome = JSON.parse(record.logs[0])
  assert.equal(outcome.rule, `${put.namespace}/${rule}`)
  assert.equal(outcome.action, `${put.namespace}/${action}`)
  const run = await eventually(() => ow.activations.get({ name: outcome.activationId }))
  assert.equal(run.response.result.__ow_headers['user-agent'], 'openwhisk-client-js')
  delete run.response.result.__ow_headers
  assert.deepEqual(run.response.result, { a: 1, b: 2 })

  await ow.rules.disable({ name: rule })
  assert.equal((await ow.rules.get({ name: rule })).status, 'inactive')
  assert.equal((await ow.triggers.get({ name: trigger })).rules[`${put.namespace}/${rule}`].status, 'inactive')
  assert.ok(!(await ow.triggers.invoke({ name: trigger })).activationId, 'a fire without an active rule has an id')
  await ow.rules.enable({ name: rule })
  assert.equal((await ow.rules.get({ name: rule })).status, 'active')
  assert.match((await ow.triggers.invoke({ name: trigger })).activationId, /^[0-9a-f]{32}$/)

  await ow.rules.delete({ name: rule })
  await refused(ow.rules.get({ name: rule }), 404)
  await refused(ow.rules.create({ name: rule, action, trigger: 'npm-no-trigger' }), 400)
  await refused(ow.triggers.invoke({ name: 'npm-no-trigger' }), 404)
})

test('a feed is told of the life of its trigger', async t => {
  const [feed, trigger] = ['npm-feed', 'npm-fed']
  await made(t, ow.actions, { name: feed, action: echo, annotations: { feed: true } })
  await made(t, ow.triggers, { name: trigger, trigger: { annotations: [{ key: 'feed', value: `/_/${feed}` }] } })
  for (const [verb, lifecycleEvent] of [['create', 'CREATE'], ['get', 'READ'], ['update', 'UPDATE'], ['delete', 'DELETE']]) {
    const told = await ow.feeds[verb]({ name: feed, trigger, params: { every: 5 } })
    assert.deepEqual(told.response.result, { lifecycleEvent, authKey: apiKey, triggerName: `/_/${trigger}`, every: 5 })
  }
  await refused(ow.feeds.create({ name: 'npm-no-feed', trigger }), 404)
})

test('a route leads from a URL to a web action', async t => {
  const [action, basepath] = ['npm-routed', '/npm-shop']
  await made(t, ow.actions, {
    name: action,
    action: 'const main = args => ({ body: { path: args.__ow_path, method: args.__ow_method, size: args.size } })',
    annotations: { 'web-export': true }
  })
  const route = { basepath, relpath: '/shoes/{kind}', operation: 'get', action }
  const put = await ow.routes.create({ ...route, name: 'Shop', responsetype: 'http' })
  t.after(() => ow.routes.delete({ basepath }).catch(() => {}))
  assert.equal(put.apidoc.basePath, basepath)
  assert.equal(put.apidoc.info.title, 'Shop')

  const answer = await fetch(`${put.gwApiUrl}/shoes/boots?size=43`)
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), { path: '/npm-shop/shoes/boots', method: 'get', size: '43' })

  const list = await ow.routes.list({ basepath: undefined, relpath: undefined, operation: undefined, limit: undefined, skip: undefined })
  assert.deepEqual(list.apis.map(a => a.value.apidoc.basePath).filter(b => b === basepath), [basepath])
  const got = await ow.routes.get({ basepath })
  assert.deepEqual(Object.keys(got.apis[0].value.apidoc.paths), ['/shoes/{kind}'])

  await ow.routes.delete({ basepath, relpath: undefined, operation: undefined })
  assert.equal((await fetch(`${put.gwApiUrl}/shoes/boots`)).status, 404)
  assert.deepEqual((await ow.routes.get({ basepath })).apis, [])
})

test('a namespace shows what is in it', async t => {
  const name = 'npm-namespaced'
  await made(t, ow.actions, { name, action: echo })
  const names = await ow.namespaces.list()
  assert.equal(names.length, 1)
  await until(async () => {
    const all = await ow.namespaces.get({ name: names[0] })
    for (const kind of ['packages', 'triggers', 'rules']) assert.ok(Array.isArray(all[kind]), kind)
    return all.actions.some(a => a.name === name)
  })
})
