// Runs programs made with the npm package openwhisk-composer on a platform: the
// conductor actions that it generates, as it generates them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import composer from 'openwhisk-composer'
import connect from 'openwhisk-composer/client.js'
import { apihost, apiKey, eventually, made, ow, refused } from './platform.mjs'

/* global tries, x, y -- variables of let */

const wsk = connect({ apihost, api_key: apiKey }, true)

// Actions that the programs are made of.
const parts = {
  'composer-half': 'const main = ({ n }) => ({ n: n / 2 })',
  'composer-next': 'const main = ({ n }) => ({ n: 3 * n + 1 })',
  'composer-even': 'const main = ({ n }) => ({ value: n % 2 === 0 })',
  'composer-more': 'const main = ({ n }) => ({ value: n > 1 })',
  'composer-fail': 'const main = ({ why }) => ({ error: why || "broken" })'
}
const [half, next, even, more, fail] = Object.keys(parts)

before(() => Promise.all(Object.entries(parts).map(([name, action]) => ow.actions.create({ name, action }))))
after(() => Promise.all(Object.keys(parts).map(name => ow.actions.delete({ name }))))

let programs = 0

// deployed deploys a program, which the test's end deletes, and returns its name.
async function deployed (t, composition) {
  const name = `composer-program-${++programs}`
  const actions = await wsk.compositions.deploy({ name, ...composition.compile() }, true)
  t.after(() => Promise.all(actions.map(a => ow.actions.delete({ name: a.name }))))
  return name
}

// program deploys a program and returns what invokes it and returns its result.
async function program (t, composition) {
  const name = await deployed(t, composition)
  return params => ow.actions.invoke({ name, params, blocking: true, result: true })
}

// failure returns the text of the error that an invoke of a program must end with.
async function failure (invoke) {
  return (await refused(invoke, 502)).error.response.result.error
}

test('conditionals choose a branch', async t => {
  const step = await program(t, composer.if(even, half, next))
  assert.deepEqual(await step({ n: 4 }), { n: 2 })
  assert.deepEqual(await step({ n: 3 }), { n: 10 })
  const rest = await program(t, composer.seq(composer.if(even, half), composer.if_nosave(even, p => { p.then = true }, p => { p.else = true })))
  assert.deepEqual(await rest({ n: 4 }), { value: true, then: true })
  assert.deepEqual(await rest({ n: 3 }), { value: false, else: true })
})

test('loops run while their condition holds', async t => {
  const collatz = await program(t, composer.while(more, composer.if(even, half, next)))
  assert.deepEqual(await collatz({ n: 3 }), { n: 1 })
  assert.deepEqual(await collatz({ n: 1 }), { n: 1 })
  const halves = await program(t, composer.seq(composer.repeat(3, half), composer.dowhile(half, more)))
  assert.deepEqual(await halves({ n: 64 }), { n: 1 })
  assert.deepEqual(await halves({ n: 8 }), { n: 0.5 })
})

test('an error is caught, or ends the program', async t => {
  const careful = await program(t, composer.finally(composer.try(composer.if(p => p.why, fail, half), ({ error }) => ({ caught: error })), p => ({ last: p })))
  assert.deepEqual(await careful({ n: 4 }), { last: { n: 2 } })
  assert.deepEqual(await careful({ why: 'no ink' }), { last: { caught: 'no ink' } })
  const careless = await program(t, composer.seq(composer.if(p => p.why, fail, () => { throw new Error('lost') }), half))
  assert.equal(await failure(careless({ why: 'no ink' })), 'no ink')
  assert.match(await failure(careless({ n: 4 })), /^Function combinator threw an exception at AST node root/)
})

test('retry tries again', async t => {
  const tried = await program(t, composer.let({ tries: 0 }, p => { tries = p.tries }, composer.retry(2, composer.if(() => tries-- > 0, fail, () => ({ tries })))))
  assert.deepEqual(await tried({ tries: 2 }), { tries: -1 })
  assert.equal(await failure(tried({ tries: 3 })), 'broken')
})

test('let declares variables, mask hides them', async t => {
  const scopes = await program(t, composer.let({ x: 42, y: 1 },
    composer.let({ x: 69 }, half, p => ({ ...p, inner: x, y })),
    p => ({ ...p, outer: x }),
    composer.let({ x: 1 }, composer.mask(p => ({ ...p, masked: x }))),
    composer.repeat(3, () => { x++ }),
    p => ({ ...p, counted: x })))
  assert.deepEqual(await scopes({ n: 2 }), { n: 1, inner: 69, y: 1, outer: 42, masked: 42, counted: 45 })
})

test('retain, merge and dynamic', async t => {
  const kept = await program(t, composer.seq(composer.retain(next), ({ params, result }) => ({ n: result.n, from: params.n }), composer.merge(next), composer.retain_catch(fail)))
  assert.deepEqual(await kept({ n: 3 }), { params: { n: 31, from: 3 }, result: { error: 'broken' } })
  const named = await program(t, composer.dynamic())
  assert.deepEqual(await named({ type: 'action', name: half, params: { n: 42 } }), { n: 21 })
  assert.match(await failure(named({ type: 'action', name: 'composer-missing', params: {} })), /composer-missing/)
})

test('programs bring actions along and invoke each other', async t => {
  const inner = await deployed(t, composer.seq(next, half))
  const own = composer.action('composer-own', { action: ({ n }) => ({ n: -n }) })
  const outer = await program(t, composer.seq(composer.repeat(2, inner), own))
  assert.deepEqual(await outer({ n: 5 }), { n: -12.5 })
})

test('async starts the rest of a program by the npm package openwhisk', async t => {
  const forks = await program(t, composer.if(p => p.parallel, composer.parallel(half, next), composer.async(half, half)))
  const started = await forks({ n: 8 })
  assert.equal(started.method, 'async')
  const record = await eventually(() => ow.activations.get({ name: started.activationId }))
  assert.deepEqual(record.response.result, { n: 2 })
  assert.match(await failure(forks({ n: 8, parallel: true })), /requires a properly configured redis instance/)
})

test('the record of a program names its steps', async t => {
  const name = await deployed(t, composer.seq(half, next))
  const answer = await ow.actions.invoke({ name, params: { n: 2 }, blocking: true })
  const record = await eventually(() => ow.activations.get({ name: answer.activationId }))
  const note = key => record.annotations.find(a => a.key === key)?.value
  assert.deepEqual(record.response.result, { n: 4 })
  assert.equal(note('conductor'), true)
  assert.equal(note('topmost'), true)
  assert.equal(record.logs.length, 5)
  const steps = await Promise.all(record.logs.map(id => eventually(() => ow.activations.get({ name: id }))))
  assert.deepEqual(steps.map(s => s.name), [name, half, name, next, name])
  for (const s of steps) assert.equal(s.cause, record.activationId)

  const [action] = (await ow.actions.list({ limit: 200 })).filter(a => a.name === name)
  assert.equal(typeof action.annotations.find(a => a.key === 'conductor').value, 'object')
})
