// Fires a trigger of the caller's, with the other parameters as its payload.
const openwhisk = require('openwhisk');

async function main({ name, ...params }) {
  if (typeof name !== 'string' || name === '') {
    return { error: 'The parameter name is missing: the trigger to fire.' };
  }
  const fired = await openwhisk().triggers.invoke({ name, params });
  return { activationId: fired && fired.activationId };
}
