// What the tests share: the platform under test and the ways to speak to it.
//   HEARTH_TEST_HOST  its address, such as http://127.0.0.1:3233
//   HEARTH_TEST_KEY   UUID:KEY of a namespace
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import openwhisk from 'openwhisk'

export const apihost = process.env.HEARTH_TEST_HOST
export const apiKey = process.env.HEARTH_TEST_KEY
assert.ok(apihost && apiKey, 'HEARTH_TEST_HOST and HEARTH_TEST_KEY must be set')
export const ow = openwhisk({ apihost, api_key: apiKey })

// made creates an entity of a collection such as ow.actions, which the test's
// end deletes.
export async function made (t, collection, options) {
  const entity = await collection.create(options)
  t.after(() => collection.delete({ name: options.name }).catch(err => {
    if (err.statusCode !== 404) throw err
  }))
  return entity
}

// eventually calls f until it no longer says 404: records are written in batches.
export async function eventually (f) {
  for (const end = Date.now() + 20_000; ;) {
    try {
      return await f()
    } catch (err) {
      if (err.statusCode !== 404 || Date.now() > end) throw err
    }
    await pause(20)
  }
}

// until calls f until what it returns is truthy, and returns that.
export async function until (f) {
  for (const end = Date.now() + 20_000; ;) {
    const got = await f()
    if (got) return got
    assert.ok(Date.now() < end, `still ${JSON.stringify(got)}: ${f}`)
    await pause(20)
  }
}

// refused returns the error of a call that must fail with the status.
export async function refused (call, status) {
  const err = await call.then(v => assert.fail(`succeeded with ${JSON.stringify(v)}`), e => e)
  assert.equal(err.name, 'OpenWhiskError', String(err))
  assert.equal(err.statusCode, status, err.message)
  return err
}
