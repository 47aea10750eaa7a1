// Runs the npm package openwhisk against a platform: actions and activations.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import openwhisk from 'openwhisk'
import { apihost, eventually, made, ow, refused } from './platform.mjs'

const greet = `
function main({ name = 'you', delay = 0 }) {
  console.log('greeting ' + name)
  console.error('to stderr')
  return new Promise(done => setTimeout(() => done({ greeting: 'Hello, ' + name + '!' }), delay))
}`

test('an action is created, read, listed, updated and deleted', async t => {
  const name = 'npm-lifecycle'
  const put = await made(t, ow.actions, { name, action: greet, params: { name: 'Ada' }, annotations: { origin: 'npm' }, limits: { timeout: 30000, memory: 128 } })
  assert.equal(put.name, name)
  assert.equal(put.version, '0.0.1')
  assert.match(put.exec.kind, /^nodejs:\d+$/)
  assert.equal(put.limits.timeout, 30000)
  assert.deepEqual(put.parameters, [{ key: 'name', value: 'Ada' }])
  assert.equal(put.annotations.find(a => a.key === 'origin').value, 'npm')

  const got = await ow.actions.get({ name })
  assert.equal(got.exec.code, greet)
  assert.equal(got.namespace, put.namespace)
  const brief = await ow.actions.get({ name: `/${put.namespace}/${name}`, code: false })
  assert.equal(brief.exec.code, undefined)

  const list = await ow.actions.list({ limit: 200 })
  assert.ok(list.some(a => a.name === name && a.namespace === put.namespace))
  assert.equal((await ow.actions.list({ limit: 1 })).length, 1)

  await refused(ow.actions.create({ name, action: greet }), 409)
  const updated = await ow.actions.update({ name, action: greet.replace('Hello', 'Bye') })
  assert.equal(updated.version, '0.0.2')
  assert.deepEqual(updated.parameters, [{ key: 'name', value: 'Ada' }])
  assert.deepEqual(await ow.actions.invoke({ name, blocking: true, result: true }), { greeting: 'Bye, Ada!' })

  const deleted = await ow.actions.delete({ name })
  assert.equal(deleted.name, name)
  await refused(ow.actions.get({ name }), 404)
})

test('a blocking invoke answers with the activation, or with its result', async t => {
  const name = 'npm-blocking'
  await made(t, ow.actions, { name, action: greet })
  const activation = await ow.actions.invoke({ name, blocking: true, params: { name: 'Grace' } })
  assert.match(activation.activationId, /^[0-9a-f]{32}$/)
  assert.equal(activation.response.status, 'success')
  assert.equal(activation.response.success, true)
  assert.deepEqual(activation.response.result, { greeting: 'Hello, Grace!' })
  assert.equal(activation.name, name)
  const result = await ow.actions.invoke({ name, blocking: true, result: true, params: { name: 'Grace' } })
  assert.deepEqual(result, { greeting: 'Hello, Grace!' })
})

test('a non-blocking invoke leaves a record, its result and its logs', async t => {
  const name = 'npm-nonblocking'
  await made(t, ow.actions, { name, action: greet })
  const { activationId } = await ow.actions.invoke({ name, params: { name: 'Edsger', delay: 50 } })
  assert.match(activationId, /^[0-9a-f]{32}$/)

  const record = await eventually(() => ow.activations.get({ name: activationId }))
  assert.equal(record.activationId, activationId)
  assert.equal(record.name, name)
  assert.deepEqual(record.response.result, { greeting: 'Hello, Edsger!' })
  assert.ok(record.end >= record.start && record.duration >= 50, JSON.stringify(record))
  const { logs } = await ow.activations.logs({ name: activationId })
  assert.deepEqual(logs, record.logs)
  assert.ok(logs.some(l => /^\d{4}-\d\d-\d\dT[\d:.]+Z\s+stdout: greeting Edsger$/.test(l)), logs.join('\n'))
  assert.ok(logs.some(l => /stderr: to stderr$/.test(l)), logs.join('\n'))
  const result = await ow.activations.result({ name: activationId })
  assert.deepEqual(result.result, { greeting: 'Hello, Edsger!' })
  assert.equal(result.success, true)

  const list = await ow.activations.list({ name, limit: 10 })
  assert.deepEqual(list.map(a => a.activationId), [activationId])
})

test('binary code is taken from a buffer', async t => {
  const name = 'npm-binary'
  const script = Buffer.from('#!/bin/sh\necho "{\\"args\\":$1}"\n')
  const put = await made(t, ow.actions, { name, action: script, kind: 'blackbox', exec: { image: 'openwhisk/dockerskeleton' } })
  assert.equal(put.exec.binary, true)
  const got = await ow.actions.get({ name })
  assert.equal(got.exec.code, script.toString('base64'))
  const result = await ow.actions.invoke({ name, blocking: true, result: true, params: { a: 1 } })
  assert.deepEqual(result, { args: { a: 1 } })
})

test('errors have their status and their text', async t => {
  const missing = await refused(ow.actions.get({ name: 'npm-missing' }), 404)
  assert.equal(missing.error.error, 'The requested resource does not exist.')
  assert.equal(typeof missing.error.code, 'string')
  await refused(ow.actions.invoke({ name: 'npm-missing', blocking: true }), 404)
  await refused(ow.actions.delete({ name: 'npm-missing' }), 404)
  await refused(ow.activations.get({ name: '0123456789abcdef0123456789abcdef' }), 404)
  await refused(ow.actions.create({ name: '.npm-bad', action: greet }), 400)

  const name = 'npm-failing'
  await made(t, ow.actions, { name, action: 'function main() { return { error: "out of paper" } }' })
  const failed = await refused(ow.actions.invoke({ name, blocking: true }), 502)
  assert.equal(failed.error.response.status, 'application error')
  assert.deepEqual(failed.error.response.result, { error: 'out of paper' })
  assert.match(failed.error.activationId, /^[0-9a-f]{32}$/)
  assert.match(failed.message, /out of paper/)

  await made(t, ow.actions, { name: 'npm-throwing', action: 'function main() { throw new Error("no ink") }' })
  const thrown = await refused(ow.actions.invoke({ name: 'npm-throwing', blocking: true }), 502)
  assert.match(JSON.stringify(thrown.error.response.result), /error/)

  const stranger = openwhisk({ apihost, api_key: '00000000-0000-4000-8000-000000000000:' + 'x'.repeat(64) })
  const unknown = await refused(stranger.actions.list(), 401)
  assert.equal(typeof unknown.error.error, 'string')
})
