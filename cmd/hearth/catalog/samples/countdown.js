// Invokes itself with one less, until there is nothing left.
const openwhisk = require('openwhisk');

async function main({ n = 0 }) {
  console.log(n);
  if (n <= 0) {
    console.log('done');
    return {};
  }
  return openwhisk().actions.invoke({ name: process.env.__OW_ACTION_NAME, params: { n: n - 1 } });
}
