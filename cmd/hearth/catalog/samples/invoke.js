// Invokes another action and uses its result.
const openwhisk = require('openwhisk');

async function main() {
  const { date } = await openwhisk().actions.invoke({ name: '/whisk.system/utils/date', blocking: true, result: true });
  console.log(`It is now ${date}`);
  return { date };
}
